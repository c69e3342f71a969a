package program

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

func sequenceOf(t accel.DType, list []*accel.Array) []Datum {
	return []Datum{{Form: graph.Sequence, DType: t, Seq: list}}
}

func sequenceEmpty(c *hostCall) ([]Datum, error) {
	t, err := accel.ParseDType(c.Attrs.Str("dtype", "float32"))
	if err != nil {
		return nil, fmt.Errorf("attribute dtype: %w", err)
	}
	return sequenceOf(t, nil), nil
}

func sequenceConstruct(c *hostCall) ([]Datum, error) {
	list := make([]*accel.Array, len(c.in))
	for i, d := range c.in {
		var err error
		if list[i], err = d.tensor(); err != nil {
			return nil, fmt.Errorf("input %d is %w", i, err)
		}
		if list[i].DType != list[0].DType {
			return nil, fmt.Errorf("input %d is %s, the first is %s", i, list[i], list[0])
		}
	}
	return sequenceOf(list[0].DType, list), nil
}

// position is input i as an index below limit, counted from length if it is negative.
func (c *hostCall) position(i, length, limit int) (int, error) {
	at, err := c.in[i].integer()
	if err != nil {
		return 0, fmt.Errorf("the position is %w", err)
	}
	from := at
	if from < 0 {
		from += length
	}
	if from < 0 || from >= limit {
		return 0, fmt.Errorf("position %d in a sequence of %d", at, length)
	}
	return from, nil
}

func sequenceAt(c *hostCall) ([]Datum, error) {
	list, err := c.in[0].sequence()
	if err != nil {
		return nil, fmt.Errorf("input 0 is %w", err)
	}
	at, err := c.position(1, len(list), len(list))
	if err != nil {
		return nil, err
	}
	return []Datum{{Array: list[at]}}, nil
}

func sequenceInsert(c *hostCall) ([]Datum, error) {
	list, err := c.in[0].sequence()
	if err != nil {
		return nil, fmt.Errorf("input 0 is %w", err)
	}
	x, err := c.in[1].tensor()
	if err != nil {
		return nil, fmt.Errorf("input 1 is %w", err)
	}
	if t := c.in[0].DType; x.DType != t {
		return nil, fmt.Errorf("%s into a sequence of %s", x, t)
	}
	at := len(list)
	if c.has(2) {
		if at, err = c.position(2, len(list), len(list)+1); err != nil {
			return nil, err
		}
	}
	return sequenceOf(x.DType, slices.Insert(slices.Clone(list), at, x)), nil
}

func sequenceErase(c *hostCall) ([]Datum, error) {
	list, err := c.in[0].sequence()
	if err != nil {
		return nil, fmt.Errorf("input 0 is %w", err)
	}
	if len(list) == 0 {
		return nil, errors.New("the sequence is empty")
	}
	at := len(list) - 1
	if c.has(1) {
		if at, err = c.position(1, len(list), len(list)); err != nil {
			return nil, err
		}
	}
	return sequenceOf(c.in[0].DType, slices.Delete(slices.Clone(list), at, at+1)), nil
}

func sequenceLength(c *hostCall) ([]Datum, error) {
	list, err := c.in[0].sequence()
	if err != nil {
		return nil, fmt.Errorf("input 0 is %w", err)
	}
	return []Datum{scalar(accel.Int64, int64(len(list)))}, nil
}

func splitToSequence(c *hostCall) ([]Datum, error) {
	x, err := c.in[0].tensor()
	if err != nil {
		return nil, fmt.Errorf("input 0 is %w", err)
	}
	axis, err := axisOf(c.Attrs.Int("axis", 0), len(x.Shape))
	if err != nil {
		return nil, err
	}
	sizes, err := c.splitSizes(x.Shape[axis])
	if err != nil {
		return nil, err
	}
	var list []*accel.Array
	at := 0
	for _, size := range sizes {
		part := slice(x, axis, at, at+size)
		at += size
		if !c.has(1) && !c.Attrs.Bool("keepdims", true) {
			part.Shape = slices.Delete(part.Shape, axis, axis+1)
		}
		list = append(list, part)
	}
	return sequenceOf(x.DType, list), nil
}

// splitSizes are the sizes to split total into.
func (c *hostCall) splitSizes(total int) ([]int, error) {
	if !c.has(1) {
		return slices.Repeat([]int{1}, total), nil
	}
	split, err := c.in[1].integers()
	if err != nil {
		return nil, fmt.Errorf("split is %w", err)
	}
	if len(c.in[1].Array.Shape) == 0 {
		size := split[0]
		if size < 1 {
			return nil, fmt.Errorf("parts of %d", size)
		}
		var out []int
		for at := 0; at < total; at += size {
			out = append(out, min(size, total-at))
		}
		return out, nil
	}
	left := total
	for _, size := range split {
		if size < 0 || size > left {
			return nil, fmt.Errorf("split %v of %d", split, total)
		}
		left -= size
	}
	if left != 0 {
		return nil, fmt.Errorf("split %v of %d", split, total)
	}
	return split, nil
}

func concatFromSequence(c *hostCall) ([]Datum, error) {
	list, err := c.in[0].sequence()
	if err != nil {
		return nil, fmt.Errorf("input 0 is %w", err)
	}
	if len(list) == 0 {
		return nil, errors.New("the sequence is empty")
	}
	if !c.Attrs.Has("axis") {
		return nil, errors.New("no attribute axis")
	}
	join := concat
	if c.Attrs.Bool("new_axis", false) {
		join = stack
	}
	a, err := join(list, c.Attrs.Int("axis", 0))
	return []Datum{{Array: a}}, err
}
