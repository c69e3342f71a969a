package metrics

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/millrace-go/millrace/internal/quantile"
)

// wireVersion starts the binary form.
const wireVersion = 1

// MarshalBinary is the accumulator's canonical binary form: equal rows give
// equal bytes. It is the version, then as uvarints the classes and the cells
// of the confusion matrix, then the sum of the loss, then for two classes the
// two sketches of scores, each after its length.
func (a *Accumulator) MarshalBinary() ([]byte, error) {
	b := []byte{wireVersion}
	b = binary.AppendUvarint(b, uint64(a.classes))
	for _, n := range a.confusion {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b, err := a.loss.AppendBinary(b)
	if err != nil || a.classes != 2 {
		return b, err
	}
	for _, s := range a.scores {
		sketch, err := s.MarshalBinary()
		if err != nil {
			return nil, err
		}
		b = binary.AppendUvarint(b, uint64(len(sketch)))
		b = append(b, sketch...)
	}
	return b, nil
}

// Unmarshal reads what MarshalBinary wrote. What it allocates is bounded by
// some 16 times len(b).
func Unmarshal(b []byte) (*Accumulator, error) {
	a, rest, err := unmarshal(b)
	if err == nil && len(rest) != 0 {
		err = fmt.Errorf("%d bytes too many", len(rest))
	}
	if err != nil {
		return nil, fmt.Errorf("metrics.Unmarshal: %w", err)
	}
	return a, nil
}

func unmarshal(b []byte) (*Accumulator, []byte, error) {
	if len(b) == 0 || b[0] != wireVersion {
		return nil, nil, fmt.Errorf("does not start with version %d", wireVersion)
	}
	classes, b, err := uvarint(b[1:], MaxClasses)
	if err != nil || classes < 2 || int(classes*classes) > len(b) {
		return nil, nil, fmt.Errorf("%d classes in %d bytes, want 2 to %d", classes, len(b), MaxClasses)
	}
	a := New(int(classes))
	for i := range a.confusion {
		var n uint64
		if n, b, err = uvarint(b, 1<<40); err != nil { // a sum of 2^20 of these fits
			return nil, nil, err
		}
		a.confusion[i] = int64(n)
	}
	if b, err = a.loss.Consume(b); err != nil {
		return nil, nil, err
	}
	if err := a.checkLoss(); err != nil {
		return nil, nil, err
	}
	if classes == 2 {
		b, err = a.takeScores(b)
	}
	return a, b, err
}

// checkLoss holds the loss between 0 and what clamped probabilities can give.
func (a *Accumulator) checkLoss() error {
	var rows int64
	for _, n := range a.confusion {
		rows += n
	}
	total, most := a.loss.Float64(), 1.001*float64(rows)*loss(0)
	if !(total >= 0 && total <= most) {
		return fmt.Errorf("loss %v of %d rows, want 0 to %v", total, rows, most)
	}
	return nil
}

func (a *Accumulator) takeScores(b []byte) ([]byte, error) {
	for i, s := range a.scores {
		n, rest, err := uvarint(b, uint64(len(b)))
		if err != nil || n > uint64(len(rest)) {
			return nil, errors.New("truncated scores")
		}
		if err := s.UnmarshalBinary(rest[:n]); err != nil {
			return nil, err
		}
		if rows := a.confusion[2*i] + a.confusion[2*i+1]; s.Count() != rows || s.Max() != quantile.DefaultMax {
			return nil, fmt.Errorf("%d scores of class %d, which has %d rows", s.Count(), i, rows)
		}
		b = rest[n:]
	}
	return b, nil
}

// uvarint reads a number in its shortest form, of at most limit.
func uvarint(b []byte, limit uint64) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 || n > 1 && b[n-1] == 0 || v > limit {
		return 0, nil, errors.New("truncated or overlong number")
	}
	return v, b[n:], nil
}
