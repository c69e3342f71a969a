package normalize

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

func dirtyPlan(t testing.TB) (*Plan, []byte) {
	t.Helper()
	return planOf(t, suites[0])
}

func planOf(t testing.TB, s suite) (*Plan, []byte) {
	t.Helper()
	p := plan(t, s.spec, s.rows(rand.New(rand.NewPCG(1, 2)), 60))
	file, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return p, file
}

func TestPlanRoundTrip(t *testing.T) {
	for _, s := range suites {
		p, file := planOf(t, s)
		testPlanRoundTrip(t, p, file)
	}
}

func testPlanRoundTrip(t *testing.T, p *Plan, file []byte) {
	back, err := DecodePlan(file)
	if err != nil {
		t.Fatal(err)
	}
	again, err := back.Encode()
	if err != nil || !bytes.Equal(again, file) {
		t.Errorf("round trip: got %s, %v\nwant %s", again, err, file)
	}
	if back.Digest() != p.Digest() || !strings.HasPrefix(p.Digest(), "sha256:") || len(p.Digest()) != 7+64 {
		t.Errorf("digest: got %s want %s", back.Digest(), p.Digest())
	}
	if !json.Valid(file) {
		t.Error("the file is no JSON")
	}
}

// TestEveryFlipIsFound flips each bit and cuts at each byte.
func TestEveryFlipIsFound(t *testing.T) {
	_, file := dirtyPlan(t)
	for i := range file {
		b := bytes.Clone(file)
		b[i] ^= 1 << (i % 8)
		if _, err := DecodePlan(b); err == nil {
			t.Fatalf("byte %d flipped: got no error", i)
		}
		if i%7 == 0 {
			if _, err := DecodePlan(file[:i]); err == nil {
				t.Fatalf("cut to %d bytes: got no error", i)
			}
		}
	}
	if _, err := DecodePlan(append(bytes.Clone(file), '\n')); err == nil {
		t.Error("a byte more: got no error")
	}
}

// resealed is the file of a plan's JSON with the right digest.
func resealed(body []byte) []byte { return resealedAs(version1, body) }

func resealedAs(version byte, body []byte) []byte {
	file := []byte(planHead + planFiller + planBody + string(body) + planTail)
	file[len(planFormat)] = version
	seal(file)
	return file
}

// TestForgedPlans have the right digest and contents that no fit gives.
func TestForgedPlans(t *testing.T) {
	_, file := dirtyPlan(t)
	body, err := unseal(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodePlan(resealed(body)); err != nil {
		t.Fatalf("an unchanged plan: %v", err)
	}
	cases := []struct{ name, old, new string }{
		{"unknown key", `"rows": 60`, `"rows": 60, "columns": 3`},
		{"no rows", `"rows": 60`, `"rows": 0`},
		{"other spelling", `"rows": 60`, `"Rows": 60`},
		{"other space", `"rows": 60`, `"rows":  60`},
		{"kind", `"kind": "float"`, `"kind": "date"`},
		{"no name", `"column": "cost"`, `"column": ""`},
		{"oov buckets", `"oov_buckets": 3`, `"oov_buckets": -3`},
		{"huge oov", `"oov_buckets": 3`, `"oov_buckets": 3000000000`},
		{"encode", `"encode": "embedding"`, `"encode": "one_hot"`},
		{"dim", `"dim": 4`, `"dim": -4`},
		{"two embeddings of one name", `"column": "kind"`, `"column": "height"`},
		{"classes", `"true"`, `"false"`},
		{"text after", "}\n", "} {}\n"},
		{"not a plan", string(body), "[]\n"},
		{"null plan", string(body), "null\n"},
	}
	for _, c := range cases {
		i := bytes.LastIndex(body, []byte(c.old))
		if i < 0 {
			t.Fatalf("%s: no %q in the plan", c.name, c.old)
		}
		forged := string(body[:i]) + c.new + string(body[i+len(c.old):])
		if _, err := DecodePlan(resealed([]byte(forged))); err == nil {
			t.Errorf("%s: got no error", c.name)
		}
	}
}

// TestForgedWidePlans damages what version 2 added.
func TestForgedWidePlans(t *testing.T) {
	_, file := planOf(t, suites[1])
	body, err := unseal(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new string }{
		{"range", `"max": 1`, `"max": -1`},
		{"power", `"method": "yeo_johnson"`, `"method": "log"`},
		{"quantiles out of order", `"values": [`, `"values": [
              1e300,`},
		{"crossed with nothing", `"column": "night"`, `"column": ""`},
		{"cross buckets", `"buckets": 11`, `"buckets": -11`},
		{"folds", `"folds": 3`, `"folds": 4`},
		{"a key out of order", `"key": "phase 1"`, `"key": "phase 3"`},
		{"split", `"split": "characters"`, `"split": "letters"`},
		{"terms", `"min": 3`, `"min": 4`},
		{"sequence", `"side": "start"`, `"side": "left"`},
		{"length", `"length": 4`, `"length": -4`},
		{"variance", `"variances": [`, `"variances": [
              1,`},
		{"components", `"components": [`, `"components": [
              [1],`},
		{"picture", `"channels": 1`, `"channels": 2`},
		{"hashed with tokens", `"hashed": true`, `"hashed": false`},
	} {
		i := bytes.Index(body, []byte(c.old))
		if i < 0 {
			t.Errorf("%s: no %q in the plan", c.name, c.old)
			continue
		}
		forged := string(body[:i]) + c.new + string(body[i+len(c.old):])
		if _, err := DecodePlan(resealedAs(version2, []byte(forged))); err == nil {
			t.Errorf("%s: got no error", c.name)
		}
	}
}

// TestPlanText keeps what JSON would escape or could not hold.
func TestPlanText(t *testing.T) {
	x := []any{"<a&b>", "quote\"", "tab\t", "snow ☃", "\u2028", "bad \xff utf8", ""}
	spec, y := labelled(Feature{Column: "x", Encode: "embedding"}, len(x))
	b := table(texts("x", x...), y)
	p := plan(t, spec, b)
	file, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := DecodePlan(file)
	if err != nil {
		t.Fatal(err)
	}
	ids := int32s(t, apply(t, back, b, Options{}), "x")
	tokens := back.Features[0].Vocabulary.Tokens
	if len(tokens) != len(x)-1 {
		t.Errorf("got %d tokens want all but the one that is not UTF-8", len(tokens))
	}
	for i, v := range x {
		if i == 5 {
			if int(ids[i]) != len(tokens) {
				t.Errorf("%q: got id %d want that of the OOV bucket", v, ids[i])
			}
			continue
		}
		if int(ids[i]) >= len(tokens) || tokens[ids[i]] != v {
			t.Errorf("%q: got id %d of %q", v, ids[i], tokens)
		}
	}
}

func FuzzDecodePlan(f *testing.F) {
	for _, s := range suites {
		_, file := planOf(f, s)
		body, err := unseal(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte("null\n"))
	f.Add([]byte(`{"rows":1,"features":[{"column":"x","kind":"float","stats":{"count":1}}],"label":{"column":"y","kind":"bool","classes":["false","true"],"counts":[1,0]}}`))
	rows := wide(rand.New(rand.NewPCG(3, 4)), 5)
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := DecodePlan(body); err == nil {
			t.Fatal("text without a head was taken for a plan")
		}
		p, err := DecodePlan(resealed(body)) // past the digest, or nothing is tested
		if err != nil {
			if p, err = DecodePlan(resealedAs(version2, body)); err != nil {
				return
			}
		}
		p.FeatureNames()
		p.Inputs()
		if a, err := p.Bind(rows.Record.Schema(), Options{Label: true}); err == nil {
			if _, err := a.Apply(rows); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzMergeColumns(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 40} {
		for _, s := range suites {
			a := analyze(f, s.spec, s.rows(r, n))
			for i := range a.Columns() {
				data, err := a.MarshalColumn(i)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(data)
			}
		}
	}
	f.Add([]byte{wireVersion, wireTokens, 1, 2, 0, 3, 0}) // overflow
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decodeStats(data)
		if err != nil {
			return
		}
		again, err := s.append(nil)
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("accepted %x, writes it as %x, %v", data, again, err)
		}
		if _, err := MergeColumns(data, data); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAnalyzerWireRefuses(t *testing.T) {
	for _, s := range suites {
		b := s.rows(rand.New(rand.NewPCG(7, 8)), 30)
		data, err := analyze(t, s.spec, b).MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(data); i += 1 + i%3 {
			if _, err := UnmarshalAnalyzer(s.spec, b.Record.Schema(), data[:i]); err == nil {
				t.Fatalf("%s: cut to %d bytes: got no error", s.name, i)
			}
		}
	}
	b := dirty(rand.New(rand.NewPCG(7, 8)), 30)
	a := analyze(t, dirtySpec, b)
	numbers, _ := a.MarshalColumn(0)
	tokens, _ := a.MarshalColumn(len(a.Columns()) - 1)
	if _, err := MergeColumns(numbers, tokens); err == nil {
		t.Error("merge of numbers with tokens: got no error")
	}
	columns := make([][]byte, len(a.Columns()))
	columns[0] = tokens
	if _, err := FromColumns(dirtySpec, b.Record.Schema(), columns); err == nil {
		t.Error("tokens for a numeric column: got no error")
	}
	if err := a.Merge(&Analyzer{}); err == nil {
		t.Error("merge with an analyzer of another job: got no error")
	}
}
