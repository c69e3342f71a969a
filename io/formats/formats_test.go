package formats

import (
	"slices"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	for name, want := range map[string]string{
		"a.csv": "csv", "d/A.CSV.gz": "csv", "x.tsv": "csv", "x.tsv.zst": "csv", "y.parquet": "parquet", "y.parquet.gz": "", "x": "", "csv": "", "x.txt.gz.gz": "",
		"x.avro": "avro", "X.Avro.zst": "avro", "avro": "", "a.arrow": "arrow", "s.arrows.gz": "arrow", "x.feather": "arrow", "p.PNG": "image", "p.png.gz": "", "a.svm": "libsvm", "a.txt": "",
		"x.tfrecord": "tfrecord", "d/x.tfrecords.gz": "tfrecord", "x.tfrecord-00000-of-00002.gz": "tfrecord", "tfrecord-00000-of-00002.gz": "tfrecord",
		"data_tfrecord-00001-of-00002.gz": "tfrecord", "train-00000-of-00010.tfrecord.zst": "tfrecord", "mytfrecord": "", "x.tfrecord-0-of": "", "x.tfrecord.bak": "",
		"train-images-idx3-ubyte.gz": "idx", "t10k-labels-idx1-ubyte": "idx",
		"r.jsonl": "jsonl", "r.ndjson.bz2": "jsonl", "R.JSON": "jsonl",
	} {
		if got := Of(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// Every format has a name of its own, is found by it, and by its extensions.
func TestTable(t *testing.T) {
	names := Names()
	if len(slices.Compact(slices.Clone(names))) != len(entries) {
		t.Errorf("got names %v of %d formats", names, len(entries))
	}
	for _, e := range entries {
		if f, err := Lookup(e.Name()); err != nil || f.Name() != e.Name() {
			t.Errorf("%s: got %v, error %v", e.Name(), f, err)
		}
		for _, x := range e.extensions {
			if got := Of("a" + x); got != e.Name() || !strings.Contains(Extensions(), x) {
				t.Errorf("%s: got %q, want %s", x, got, e.Name())
			}
		}
	}
	if _, err := Lookup("xls"); err == nil || !strings.Contains(err.Error(), "avro, csv, idx") {
		t.Errorf("got error %v, want one that lists the formats", err)
	}
}
