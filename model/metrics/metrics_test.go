package metrics

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

type row struct {
	label int
	probs []float32
}

func of(t testing.TB, classes int, rows ...row) *Accumulator {
	t.Helper()
	a := New(classes)
	for _, r := range rows {
		if err := a.Add(r.label, r.probs); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-12 }

func TestTwoClasses(t *testing.T) {
	// The scores of scikit-learn's roc_auc_score example, labels 0 0 1 1, AUC
	// 0.75: of the pairs (0.1, 0.35), (0.1, 0.8), (0.4, 0.35), (0.4, 0.8) one is wrong.
	m := of(t, 2,
		row{0, []float32{.875, .125}}, row{0, []float32{.5, .5}},
		row{1, []float32{.625, .375}}, row{1, []float32{.25, .75}}).Result()
	if m.Rows != 4 || m.AUC == nil || *m.AUC != 0.75 {
		t.Errorf("got %d rows, AUC %v want 4, 0.75", m.Rows, m.AUC)
	}
	// Argmax: 0, 0 (a tie), 0, 1; so the third is wrong.
	if m.Accuracy != 0.75 {
		t.Errorf("accuracy: got %g want 0.75", m.Accuracy)
	}
	if want := -(math.Log(.875) + math.Log(.5) + math.Log(.375) + math.Log(.75)) / 4; !near(m.LogLoss, want) {
		t.Errorf("log-loss: got %g want %g", m.LogLoss, want)
	}
	if got, want := fmt.Sprint(m.Confusion), "[[2 0] [1 1]]"; got != want {
		t.Errorf("confusion: got %s want %s", got, want)
	}
	// Class 0: 2 of 3 predictions right, 2 of 2 found, F1 4/5. Class 1: 1/1, 1/2, 2/3.
	want := []Class{{2. / 3, 1, .8, 2}, {1, .5, 2. / 3, 2}}
	if got := m.PerClass; got[0] != want[0] || got[1] != want[1] {
		t.Errorf("per class: got %v want %v", got, want)
	}
}

func TestAUCWithTies(t *testing.T) {
	p := func(x float32) []float32 { return []float32{1 - x, x} }
	cases := []struct {
		name string
		rows []row
		want float64
	}{
		{"perfect", []row{{0, p(.25)}, {1, p(.75)}}, 1},
		{"inverted", []row{{1, p(.25)}, {0, p(.75)}}, 0},
		{"all tie", []row{{0, p(.5)}, {0, p(.5)}, {1, p(.5)}}, .5},
		{"one of two ties", []row{{0, p(.5)}, {0, p(.25)}, {1, p(.5)}}, .75},
		// Ranks of the positives among 1..5 with mid-ranks: 1.5 + 5, minus 3, over 6 pairs.
		{"mid-ranks", []row{{0, p(.125)}, {1, p(.125)}, {0, p(.25)}, {0, p(.5)}, {1, p(.875)}}, 3.5 / 6},
	}
	for _, c := range cases {
		if got := of(t, 2, c.rows...).Result().AUC; got == nil || *got != c.want {
			t.Errorf("%s: got %v want %g", c.name, got, c.want)
		}
	}
	if got := of(t, 2, row{0, p(.5)}).Result().AUC; got != nil {
		t.Errorf("one class only: got AUC %g want none", *got)
	}
}

func TestThreeClassesAndEmptyQuotients(t *testing.T) {
	m := of(t, 3,
		row{0, []float32{1, 0, 0}},
		row{0, []float32{.25, .5, .25}},
		row{1, []float32{0, .5, .5}}, // a tie: the lower class
		row{1, []float32{1, 0, 0}},   // certain and wrong: p is clamped
	).Result()
	if m.AUC != nil {
		t.Errorf("three classes: got AUC %g want none", *m.AUC)
	}
	want := []Class{{.5, .5, .5, 2}, {.5, .5, .5, 2}, {0, 0, 0, 0}}
	for c := range want {
		if m.PerClass[c] != want[c] {
			t.Errorf("class %d: got %v want %v", c, m.PerClass[c], want[c])
		}
	}
	if want := (math.Log(4) + math.Log(2) - math.Log(1e-15)) / 4; !near(m.LogLoss, want) {
		t.Errorf("log-loss: got %g want %g", m.LogLoss, want)
	}
	empty := New(3).Result()
	if empty.Rows != 0 || empty.Accuracy != 0 || empty.LogLoss != 0 {
		t.Errorf("no rows: got %+v want zeros", empty)
	}
}

func TestBaseline(t *testing.T) {
	m := Baseline([]int64{90, 10}, []int64{8, 2})
	if m.Rows != 10 || m.Accuracy != .8 || m.AUC == nil || *m.AUC != .5 {
		t.Errorf("got %d rows, accuracy %g, AUC %v want 10, 0.8, 0.5", m.Rows, m.Accuracy, m.AUC)
	}
	if want := -(8*math.Log(.9) + 2*math.Log(.1)) / 10; !near(m.LogLoss, want) {
		t.Errorf("log-loss: got %g want %g", m.LogLoss, want)
	}
	if got, want := fmt.Sprint(m.Confusion), "[[8 0] [2 0]]"; got != want {
		t.Errorf("confusion: got %s want %s", got, want)
	}
	// Classes 1 and 2 tie in training: 1 is predicted. Class 0 was never seen: clamped.
	m = Baseline([]int64{0, 5, 5}, []int64{1, 2, 1})
	if m.Accuracy != .5 || m.AUC != nil {
		t.Errorf("tie: got accuracy %g, AUC %v want 0.5, none", m.Accuracy, m.AUC)
	}
	if want := -(3*math.Log(.5) + math.Log(1e-15)) / 4; !near(m.LogLoss, want) {
		t.Errorf("log-loss with an unseen class: got %g want %g", m.LogLoss, want)
	}
}

func TestAddRefuses(t *testing.T) {
	nan := float32(math.NaN())
	cases := map[string]row{
		"label too large": {2, []float32{.5, .5}},
		"label below 0":   {-1, []float32{.5, .5}},
		"too few":         {0, []float32{1}},
		"NaN":             {0, []float32{nan, 1}},
		"negative":        {0, []float32{-.1, 1}},
		"above 1":         {0, []float32{0, 1.1}},
	}
	a := New(2)
	for name, r := range cases {
		if err := a.Add(r.label, r.probs); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if got := a.Result().Rows; got != 0 {
		t.Errorf("refused rows were counted: got %d", got)
	}
	if err := a.Merge(New(3)); err == nil {
		t.Error("merge with three classes: got no error")
	}
}

func TestJSON(t *testing.T) {
	b, err := json.Marshal(of(t, 2, row{0, []float32{1, 0}}, row{1, []float32{0, 1}}).Result())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"rows":2,"accuracy":1,"log_loss":0,"auc":1,"confusion":[[1,0],[0,1]],"per_class":[` +
		`{"precision":1,"recall":1,"f1":1,"support":1},{"precision":1,"recall":1,"f1":1,"support":1}]}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
}

// random draws rows of probabilities that sum to about 1.
func random(r *rand.Rand, classes, n int) []row {
	rows := make([]row, n)
	for i := range rows {
		probs, sum := make([]float32, classes), float32(0)
		for c := range probs {
			probs[c] = r.Float32()
			sum += probs[c]
		}
		for c := range probs {
			probs[c] /= sum
		}
		rows[i] = row{r.IntN(classes), probs}
	}
	return rows
}

// TestAnyOrderAnyTree: shuffled rows, cut at random, merged at random, encoded
// in between, give the same bytes.
func TestAnyOrderAnyTree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, classes := range []int{2, 5} {
		rows := random(r, classes, 400)
		want, _ := of(t, classes, rows...).MarshalBinary()
		for range 10 {
			r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			all := New(classes)
			for from := 0; from < len(rows); {
				to := min(len(rows), from+r.IntN(90))
				b, _ := of(t, classes, rows[from:to]...).MarshalBinary()
				part, err := Unmarshal(b)
				if err != nil {
					t.Fatal(err)
				}
				if r.IntN(2) == 0 {
					part, all = all, part
				}
				if err := all.Merge(part); err != nil {
					t.Fatal(err)
				}
				from = to
			}
			if got, _ := all.MarshalBinary(); !bytes.Equal(got, want) {
				t.Fatalf("%d classes: another order gives other bytes", classes)
			}
		}
	}
}

// TestManyDistinctScores compares the AUC of 200,000 distinct scores, taken in
// bins, with the exact one by ranks.
func TestManyDistinctScores(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	a := New(2)
	const n = 1 << 17
	var positives, below int64 // exact: scores fall, so count positives above each negative
	for i := n; i > 0; i-- {
		p, label := float32(i)/(n+1), 0
		if r.Float32() < p {
			label = 1
			positives++
		} else {
			below += positives
		}
		if err := a.Add(label, []float32{1 - p, p}); err != nil {
			t.Fatal(err)
		}
	}
	want := float64(below) / float64(positives*(n-positives))
	if got := *a.Result().AUC; math.Abs(got-want) > 1e-4 {
		t.Errorf("got %g want %g", got, want)
	}
}

func FuzzUnmarshal(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, classes := range []int{2, 3} {
		for _, n := range []int{0, 1, 30} {
			b, _ := of(f, classes, random(r, classes, n)...).MarshalBinary()
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Unmarshal(b)
		if err != nil {
			return
		}
		if got, _ := a.MarshalBinary(); !bytes.Equal(got, b) {
			t.Fatalf("accepted %x, writes it as %x", b, got)
		}
		if _, err := json.Marshal(a.Result()); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	for _, classes := range []int{2, 10} {
		rows := random(rand.New(rand.NewPCG(4, 4)), classes, 4096)
		b.Run(fmt.Sprintf("classes=%d", classes), func(b *testing.B) {
			a, i := New(classes), 0
			for b.Loop() {
				r := rows[i&4095]
				if err := a.Add(r.label, r.probs); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
