package train

import "testing"

func rounds(losses ...float64) []Manifest {
	list := []Manifest{{Round: 0}}
	for i, l := range losses {
		list = append(list, Manifest{Round: i + 1, ValLoss: l})
	}
	return list
}

func TestDecide(t *testing.T) {
	for _, c := range []struct {
		name       string
		losses     []float64
		max        int
		patience   int
		best, last int
		over       bool
	}{
		{"nothing yet", nil, 5, 2, 0, 0, false},
		{"going on", []float64{3, 2}, 5, 2, 2, 2, false},
		{"the last round", []float64{3, 2, 1}, 3, 9, 3, 3, true},
		{"out of patience", []float64{2, 3, 4}, 9, 2, 1, 3, true},
		{"rounds after the end do not count", []float64{2, 3, 4, 1}, 9, 2, 1, 3, true},
		{"of equal rounds the first", []float64{2, 2}, 9, 5, 1, 2, false},
	} {
		best, last, over := Decide(rounds(c.losses...), c.max, c.patience)
		if best != c.best || last != c.last || over != c.over {
			t.Errorf("%s: Decide = %d, %d, %v, want %d, %d, %v", c.name, best, last, over, c.best, c.last, c.over)
		}
	}
}
