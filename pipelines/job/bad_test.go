package job

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// badJobs pairs a faulty job file with the whole of its message.
var badJobs = []struct{ name, text, want string }{
	{"empty", "", "job.yaml:1:1: the job file is empty; it needs at least the keys input, normalize or model"},
	{"comments only", "# nothing\n", "job.yaml:1:1: the job file is empty; it needs at least the keys input, normalize or model"},
	{"not a section", "hello\n", `job.yaml:1:1: want a section with keys (name, seed, input, limits, clean, split, normalize, model, train, compress, stats, release, score), got text "hello"`},
	{"misspelt key", minimal + "train:\n  shards: 3\n  batch_sise: 32\n", "job.yaml:10:3: train.batch_sise: unknown key; did you mean batch_size?"},
	{"key of another section", minimal + "train: {weight_decay: 1}\n", "job.yaml:8:9: train.weight_decay: unknown key; it belongs in train.inner"},
	{"key of nowhere", minimal + "release: {colour: red}\n", "job.yaml:8:11: release.colour: unknown key; the keys here are metric, margin"},
	{"text for an integer", minimal + "train:\n  rounds: many\n", `job.yaml:9:11: train.rounds: want an integer, got text "many"`},
	{"quoted integer", minimal + "train: {rounds: \"5\"}\n", `job.yaml:8:17: train.rounds: want an integer, got text "5"`},
	{"fraction for an integer", minimal + "train: {rounds: 1.5}\n", "job.yaml:8:17: train.rounds: want an integer, got the number 1.5"},
	{"octal", minimal + "train: {rounds: 010}\n", "job.yaml:8:17: train.rounds: want an integer, got the number 010"},
	{"huge integer", minimal + "train: {rounds: 99999999999999999999}\n", "job.yaml:8:17: train.rounds: want an integer of at most 64 bits, got 99999999999999999999"},
	{"negative seed", "seed: -1\n" + minimal, "job.yaml:1:7: seed: want an integer of 0 or more, got the number -1"},
	{"infinite number", minimal + "limits: {max_dead: .inf}\n", "job.yaml:8:20: limits.max_dead: want a number, got the number .inf"},
	{"overflowing number", minimal + "limits: {max_dead: 1e999}\n", `job.yaml:8:20: limits.max_dead: want a finite number, got text "1e999"`},
	{"word for a boolean", minimal + "clean: {drop_duplicates: yes}\n", `job.yaml:8:26: clean.drop_duplicates: want true or false, got text "yes"`},
	{"nothing for text", minimal + "release:\n  metric:\n", "job.yaml:9:3: release.metric: want accuracy, auc or log_loss, got nothing"},
	{"nothing for an integer", minimal + "train:\n  rounds:\n", "job.yaml:9:3: train.rounds: want an integer, got nothing"},
	{"list for text", "name: [a]\n" + minimal, "job.yaml:1:7: name: want text, got a list"},
	{"text for a list", strings.Replace(minimal, "[a.csv]", "a.csv", 1), `job.yaml:2:10: input.files: want a list, got text "a.csv"; write [a.csv]`},
	{"text for a section", minimal + "train: fast\n", `job.yaml:8:8: train: want a section with keys (shards, rounds, inner_steps, batch_size, patience, rounds_per_pipeline, precision, class_weights, inner, outer), got text "fast"`},
	{"list for a mapping", minimal + "clean: {derive: [{name: a, from: b, as: map, map: [1]}]}\n", "job.yaml:8:51: clean.derive[0].map: want a mapping of text to text, got a list"},
	{"repeated key", minimal + "seed: 1\nseed: 2\n", "job.yaml:9:1: seed: repeated key, first given at 8:1; keep one"},
	{"misspelt value", minimal + "release: {metric: acuracy}\n", `job.yaml:8:19: release.metric: want accuracy, auc or log_loss, got "acuracy"; did you mean accuracy?`},
	{"value of nowhere", minimal + "train: {precision: fp8x}\n", `job.yaml:8:20: train.precision: want fp32, got "fp8x"`},
	{"null where null is no value", minimal + "clean: {columns: [{name: x, required: {action: null}}, {name: \"y\"}]}\n", "job.yaml:8:40: clean.columns[0].required.action: want dead or drop, got nothing"},
	{"required key missing", strings.Replace(minimal, "arch: tabular", "hidden: [1]", 1), "job.yaml:7:1: model.arch: missing; the key is required"},
	{"section missing", strings.Replace(minimal, "model: {arch: tabular}", "", 1), "job.yaml:1:1: model: missing; the key is required"},
	{"statistics: unknown action", minimal + "stats: {on_anomaly: ignore}\n", `job.yaml:8:21: stats.on_anomaly: want stop or warn, got "ignore"`},
	{"statistics: no such column", minimal + "clean: {columns: [{name: x}, {name: \"y\"}]}\nstats: {columns: [x, z]}\n", `job.yaml:9:22: stats.columns[1]: no column "z" comes out of clean`},
	{"statistics: slices twice", minimal + "stats: {slice_by: [x, x]}\n", `job.yaml:8:9: stats.slice_by: the column "x" is named twice`},
	{"statistics: quantile", minimal + "stats: {quantiles: [0.5, 2]}\n", "job.yaml:8:26: stats.quantiles[1]: want a number of at least 0 and at most 1, got 2"},
	{"statistics: no quantiles", minimal + "stats: {quantiles: []}\n", "job.yaml:8:9: stats.quantiles: an empty list; leave the key out for the default"},
	{"statistics: buckets", minimal + "stats: {buckets: 0}\n", "job.yaml:8:18: stats.buckets: want a number of at least 1 and at most 10000, got 0"},
	{"in a list", minimal + "clean:\n  columns:\n    - name: x\n    - {rename: z}\n", "job.yaml:11:7: clean.columns[1].name: missing; the key is required"},
	{"two documents", minimal + "---\n" + minimal, "job.yaml:9:1: a second YAML document starts here; a job file holds one job"},
	{"tab", "input:\n\tfiles: [a.csv]\n", "job.yaml:2:1: a tab character where YAML wants spaces; indent with spaces"},
	{"open bracket", "input: {files: [a.csv}\n", "job.yaml:1:22: ',' or ']' must be specified"},
	{"anchor", "seed: &s 1\n" + minimal, "job.yaml:1:7: seed: anchors, aliases and merge keys are not supported in a job file; write the value out"},
	{"tag", "seed: !!int 1\n" + minimal, "job.yaml:1:7: seed: tags and directives are not supported in a job file; write the value out"},
	{"merge key", minimal + "<<: {seed: 1}\n", "job.yaml:8:1: want a plain key, got one of anchors, aliases and merge keys"},
	{"invalid UTF-8", "name: \xff\n" + minimal, "job.yaml:1:7: invalid UTF-8 (byte 0xff); save the file as UTF-8"},
	{"binary", "\x1f\x00", "job.yaml:1:1: control character 0x1f; is this a job file?"},
	{"column counts letters", minimal + "clean: {nulls: [éé], drop: true}\n", "job.yaml:8:22: clean.drop: unknown key; the keys here are columns, keep_others, nulls, derive, rules, drop_duplicates, near_duplicates, sample"},
	{"rule of no column", minimal + "clean:\n  columns: [{name: x, type: float64}, {name: \"y\"}]\n  rules:\n    - {name: a, expr: \"x < z\"}\n", `job.yaml:11:23: clean.rules[0].expr: at character 5: no column "z"; did you mean "x"?`},
	{"rule that is no bool", minimal + "clean:\n  columns: [{name: x, type: float64}, {name: \"y\"}]\n  rules:\n    - {name: a, expr: x + 1}\n", "job.yaml:11:23: clean.rules[0].expr: the expression is a float64, want a bool: true for a good row"},
	{"expression beside from", minimal + "clean: {derive: [{name: a, from: x, expr: x + 1}]}\n", "job.yaml:8:43: clean.derive[0].expr: an expression takes the place of from and as; keep one"},
	{"no derivation", minimal + "clean: {derive: [{name: a}]}\n", "job.yaml:8:18: clean.derive[0]: want from and as, or expr"},
	{"separators", minimal + "clean: {columns: [{name: x, number: {decimal: \",\", thousands: \",\"}}, {name: \"y\"}]}\n", `job.yaml:8:63: clean.columns[0].number.thousands: "," separates the decimals already`},
	{"normal form", minimal + "clean: {columns: [{name: x, text: {normalize: nfe}}, {name: \"y\"}]}\n", `job.yaml:8:47: clean.columns[0].text.normalize: want nfc, nfd, nfkc or nfkd, got "nfe"; did you mean nfc?`},
	{"out of range", minimal + "compress:\n  sparsity: 1\n", "job.yaml:9:13: compress.sparsity: want a number of at least 0 and less than 1, got 1"},
	{"open range", minimal + "train: {inner: {learning_rate: 0}}\n", "job.yaml:8:32: train.inner.learning_rate: want a number of more than 0 and at most 10, got 0"},
	{"shares", minimal + "split:\n  train: 0.8\n", "job.yaml:8:1: split: the shares train, validation and test must sum to 1, got 1.1"},
	{"no files", strings.Replace(minimal, "[a.csv]", "[]", 1), "job.yaml:2:3: input.files: an empty list; give at least one file or glob"},
	{"bad glob", strings.Replace(minimal, "a.csv", `"[a.csv"`, 1), `job.yaml:2:11: input.files[0]: "[a.csv" is no glob: syntax error in pattern; write \[ for a bracket`},
	{"unknown extension", strings.Replace(minimal, "a.csv", "a.doc", 1), `job.yaml:2:11: input.files[0]: "a.doc": the extension is none of .arrow, .feather, .arrows, .avro, .csv, .tsv, .png, .jpg, .jpeg, .jsonl, .ndjson, .json, .libsvm, .svm, .svmlight, .parquet, .tfrecord, .tfrecords, or one of a compressed file: .gz, .zst, .bz2; set format`},
	{"delimiter", strings.Replace(minimal, "[a.csv]", "[a.csv]\n  csv: {delimiter: \";;\"}", 1), `job.yaml:3:20: input.csv.delimiter: want one ASCII character other than a quote or a line break, got ";;"`},
	{"names with a header", strings.Replace(minimal, "[a.csv]", "[a.csv]\n  csv: {names: [x, \"y\"]}", 1), "job.yaml:3:9: input.csv.names: the first line names the columns; set header: false if it is data, or rename columns under clean.columns"},
	{"header without names", strings.Replace(minimal, "[a.csv]", "[a.csv]\n  csv: {header: false}", 1), "job.yaml:3:3: input.csv.names: missing; files without a header need the names of their columns"},
	{"name twice", strings.Replace(minimal, "[a.csv]", "[a.csv]\n  csv: {header: false, names: [\"p{0..3}\", p2]}", 1), `job.yaml:3:24: input.csv.names: the column "p2" is named twice`},
	{"job name", "name: ../x\n" + minimal, `job.yaml:1:7: name: want 1 to 64 letters, digits, '-', '_' or '.', the first a letter or digit, got "../x"`},
	{"convnet without an image", strings.Replace(minimal, "tabular", "convnet, channels: [4]", 1), "job.yaml:7:1: model.image: want [channels, height, width], which a convnet needs, got 0 numbers"},
	{"image of another size", strings.Replace(minimal, "tabular", "convnet, channels: [4], image: [1, 2, 2]", 1), "job.yaml:7:39: model.image: [1 2 2] is 4 inputs, but normalize.features gives 1"},
	{"tabular with channels", strings.Replace(minimal, "tabular", "tabular, channels: [4]", 1), "job.yaml:7:24: model.channels: only a convnet has this; remove the key"},
	{"size", strings.Replace(minimal, "tabular", "tabular, hidden: [4, 0]", 1), "job.yaml:7:36: model.hidden[1]: want an integer of 1 to 1048576, got 0"},
	{"feature that is not cleaned", minimal + "clean: {columns: [{name: xx, type: float64}, {name: \"y\"}]}\n", `job.yaml:5:15: normalize.features[0].column: no column "x" comes out of clean; did you mean xx?`},
	{"the label as a feature", strings.Replace(minimal, "column: x", `column: "y"`, 1), `job.yaml:5:15: normalize.features[0].column: "y" is the label; a model that sees its label learns nothing`},
	{"split key", minimal + "split: {key: [z]}\nclean: {columns: [{name: x}, {name: \"y\"}]}\n", `job.yaml:8:15: split.key[0]: no column "z" comes out of clean`},
}

func TestBadJobs(t *testing.T) {
	for _, c := range badJobs {
		t.Run(c.name, func(t *testing.T) {
			j, err := load(c.text)
			if err == nil {
				t.Fatalf("loaded %+v, want %s", j, c.want)
			}
			if err.Error() != c.want {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
}

// Problems come in file order, at most MaxErrors of them.
func TestManyProblemsAtOnce(t *testing.T) {
	var text strings.Builder
	text.WriteString(minimal + "train:\n")
	for i := range 13 {
		fmt.Fprintf(&text, "  zz%d: 1\n", i)
	}
	_, err := load("limits: {max_dead: no}\n" + text.String())
	lines := strings.Split(fmt.Sprint(err), "\n")
	if len(lines) != MaxErrors+1 || !strings.HasPrefix(lines[0], "job.yaml:1:20: limits.max_dead:") ||
		!strings.HasPrefix(lines[1], "job.yaml:10:3: train.zz0:") || lines[MaxErrors] != "job.yaml: and 4 more" {
		t.Errorf("got %q", lines)
	}
}

// Each of these would exhaust the stack, memory or time of a careless reader.
func TestHostileFilesEndQuickly(t *testing.T) {
	const n = 300_000
	for name, text := range map[string]string{
		"brackets": strings.Repeat("[", n),
		"braces":   strings.Repeat("{a: ", n),
		"dashes":   strings.Repeat("- ", n),
		"anchors":  strings.Repeat("&a ", n),
		"tags":     strings.Repeat("!a ", n),
		"keys":     strings.Repeat("? ", n),
		"columns":  minimal + "clean:\n  columns:\n" + strings.Repeat("    - {name: \"p{0..99999}\"}\n", 20_000),
		"features": strings.Replace(minimal, "    - column: x\n", strings.Repeat("    - column: p{0..99999}\n", 20_000), 1),
		"names":    strings.Replace(minimal, "[a.csv]", "[a.csv]\n  csv: {header: false, names: ["+strings.Repeat("\"p{0..99999}\",", 20_000)+"]}", 1),
	} {
		done := make(chan error, 1)
		go func() {
			_, err := load(text)
			done <- err
		}()
		select {
		case err := <-done:
			if err == nil {
				t.Errorf("%s: loaded", name)
			}
		case <-time.After(20 * time.Second): // each takes well under a second
			t.Fatalf("%s: still loading", name)
		}
	}
}
