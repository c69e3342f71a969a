// Package metrics measures how well classes are predicted.
//
// An Accumulator holds counts and exact sums, so that what is measured is the
// same bits for any order of the rows and any tree of merges.
package metrics

import (
	"fmt"
	"math/big"

	"github.com/millrace-go/millrace/accel/fmath"
	"github.com/millrace-go/millrace/internal/exactsum"
	"github.com/millrace-go/millrace/internal/quantile"
)

// MaxClasses bounds the classes: the confusion matrix then takes 8 MiB.
const MaxClasses = 1024

// MinProbability is what smaller probabilities of the true class are taken
// for in the log-loss, so that a single certain mistake does not make it
// infinite. It is the clamp that scikit-learn had before it took float32's
// epsilon for float32 probabilities.
const MinProbability = 1e-15

// Metrics are the figures of a number of rows. With no rows all are 0.
type Metrics struct {
	Rows int64 `json:"rows"`
	// Accuracy is the share of rows whose true class has the largest
	// probability; of several largest the lowest class is the predicted one.
	Accuracy float64 `json:"accuracy"`
	// LogLoss is the mean of -ln p of the true class, p at least MinProbability.
	LogLoss float64 `json:"log_loss"`
	// AUC is the area under the ROC curve of class 1, for two classes: the
	// probability that a row of class 1 has a larger probability of class 1
	// than a row of class 0, ties counted half. It is left out for more classes, or
	// if a class has no rows. It is exact up to 65,536 distinct probabilities
	// a class; beyond, those that agree in some 16 leading bits count as ties.
	AUC *float64 `json:"auc,omitempty"`
	// Confusion counts rows by true, then by predicted class.
	Confusion [][]int64 `json:"confusion"`
	PerClass  []Class   `json:"per_class"`
}

// Class are the figures of one class. A quotient 0/0 is 0: the precision of a
// class never predicted, the recall of a class without rows, and F1 of both.
type Class struct {
	Precision float64 `json:"precision"` // true positives / predicted
	Recall    float64 `json:"recall"`    // true positives / support
	F1        float64 `json:"f1"`        // harmonic mean of the two
	Support   int64   `json:"support"`   // rows of the class
}

// Accumulator takes rows in. It is not safe for concurrent use.
type Accumulator struct {
	classes   int
	confusion []int64 // [true, predicted]
	loss      exactsum.Sum
	scores    [2]*quantile.Sketch // of the rows of each class, for two classes
}

// New returns an accumulator without rows. It panics unless classes is from 2
// to MaxClasses.
func New(classes int) *Accumulator {
	if classes < 2 || classes > MaxClasses {
		panic(fmt.Sprintf("metrics.New: %d classes, want 2 to %d", classes, MaxClasses))
	}
	a := &Accumulator{classes: classes, confusion: make([]int64, classes*classes)}
	if classes == 2 {
		a.scores = [2]*quantile.Sketch{quantile.New(0), quantile.New(0)}
	}
	return a
}

// Classes is the number of classes.
func (a *Accumulator) Classes() int { return a.classes }

// Add takes in a row of the true class label, of which the model said probs.
// It fails, and takes nothing in, if label is no class, if there is not one
// probability a class, or if one of them is not from 0 to 1.
func (a *Accumulator) Add(label int, probs []float32) error {
	if label < 0 || label >= a.classes || len(probs) != a.classes {
		return fmt.Errorf("metrics.Accumulator: label %d with %d probabilities, want %d classes", label, len(probs), a.classes)
	}
	best := 0
	for c, p := range probs {
		if !(p >= 0 && p <= 1+1e-5) { // a softmax may round to a little above 1
			return fmt.Errorf("metrics.Accumulator: probability %v of class %d, want 0 to 1", p, c)
		}
		if p > probs[best] {
			best = c
		}
	}
	a.confusion[label*a.classes+best]++
	a.loss.Add(loss(float64(probs[label])))
	if a.classes == 2 {
		a.scores[label].Add(float64(probs[1]))
	}
	return nil
}

func loss(p float64) float64 { return -fmath.Log(min(max(p, MinProbability), 1)) }

// Merge takes in the rows of o, which stays as it was.
func (a *Accumulator) Merge(o *Accumulator) error {
	if a.classes != o.classes {
		return fmt.Errorf("metrics.Accumulator: merge of %d classes with %d", a.classes, o.classes)
	}
	if a.classes == 2 {
		for i := range a.scores {
			if err := a.scores[i].Merge(o.scores[i]); err != nil {
				return fmt.Errorf("metrics.Accumulator: %w", err)
			}
		}
	}
	for i, n := range o.confusion {
		a.confusion[i] += n
	}
	a.loss.Merge(&o.loss)
	return nil
}

// Result is what the rows taken in so far amount to.
func (a *Accumulator) Result() Metrics {
	m := fromConfusion(a.classes, a.confusion)
	if m.Rows > 0 {
		m.LogLoss = exactsum.Mean(&a.loss, m.Rows)
	}
	if a.classes == 2 {
		m.AUC = auc(a.scores[0].View(), a.scores[1].View())
	}
	return m
}

// auc is Mann and Whitney's U over the number of pairs.
func auc(negative, positive *quantile.View) *float64 {
	pairs := new(big.Int).Mul(big.NewInt(negative.Count()), big.NewInt(positive.Count()))
	if pairs.Sign() == 0 {
		return nil
	}
	below, equal := quantile.Pairs(negative, positive)
	twice := below.Lsh(below, 1)
	twice.Add(twice, equal)
	v, _ := new(big.Rat).SetFrac(twice, pairs.Lsh(pairs, 1)).Float64()
	return &v
}

// fromConfusion fills in all that the confusion matrix tells.
func fromConfusion(classes int, confusion []int64) Metrics {
	m := Metrics{PerClass: make([]Class, classes)}
	predicted := make([]int64, classes)
	var right int64
	for c := range classes {
		row := append([]int64(nil), confusion[c*classes:(c+1)*classes]...)
		m.Confusion = append(m.Confusion, row)
		for p, n := range row {
			m.PerClass[c].Support += n
			predicted[p] += n
		}
		m.Rows += m.PerClass[c].Support
		right += row[c]
	}
	m.Accuracy = share(right, m.Rows)
	for c := range m.PerClass {
		hits, k := m.Confusion[c][c], &m.PerClass[c]
		k.Precision = share(hits, predicted[c])
		k.Recall = share(hits, k.Support)
		k.F1 = share(2*hits, predicted[c]+k.Support)
	}
	return m
}

// share is a/b, and 0 for 0/0.
func share(a, b int64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// Baseline is what the simplest model would get on the test rows: it always
// predicts the most frequent class of the train rows (the lowest of several),
// with the frequencies of the train rows as probabilities. Its AUC is 0.5, as
// all rows tie. It panics unless both have a count for each of 2 to MaxClasses
// classes.
func Baseline(trainCounts, testCounts []int64) Metrics {
	classes := len(trainCounts)
	if len(testCounts) != classes || classes < 2 || classes > MaxClasses {
		panic(fmt.Sprintf("metrics.Baseline: counts of %d and %d classes, want the same, 2 to %d", classes, len(testCounts), MaxClasses))
	}
	best := 0
	var train int64
	for c, n := range trainCounts {
		train += n
		if n > trainCounts[best] {
			best = c
		}
	}
	confusion := make([]int64, classes*classes)
	var sum exactsum.Sum
	for c, n := range testCounts {
		confusion[c*classes+best] = n
		sum.AddN(loss(share(trainCounts[c], train)), uint64(n))
	}
	m := fromConfusion(classes, confusion)
	if m.Rows > 0 {
		m.LogLoss = exactsum.Mean(&sum, m.Rows)
	}
	if classes == 2 && testCounts[0] > 0 && testCounts[1] > 0 {
		half := 0.5
		m.AUC = &half
	}
	return m
}
