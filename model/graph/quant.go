package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// quantOps lists the operators that pass fuse-qdq makes. A code q stands for the
// real number (q - zero)·scale.
func quantOps() []operator {
	return []operator{
		opQuantMatMul, opQuantConv, opQuantAdd, opQuantMaxPool,
	}
}

// oneValue reports an error unless input i is absent or has one element.
func (c *Context) oneValue(inputs ...int) error {
	for _, i := range inputs {
		if c.Has(i) && accel.Size(c.Shape(i)) != 1 {
			return fmt.Errorf("input %d is %v, want one value", i, c.Shape(i))
		}
	}
	return nil
}

// oneOrEach reports an error unless input i is absent, has one element, or is a
// vector of n.
func (c *Context) oneOrEach(n int, inputs ...int) error {
	for _, i := range inputs {
		if c.Has(i) && accel.Size(c.Shape(i)) != 1 && !slices.Equal(c.Shape(i), []int{n}) {
			return fmt.Errorf("input %d is %v, want one value or %d", i, c.Shape(i), n)
		}
	}
	return nil
}

// isA is IsA for several inputs.
func (c *Context) isA(types []accel.DType, inputs ...int) error {
	for _, i := range inputs {
		if err := c.IsA(i, types...); err != nil {
			return err
		}
	}
	return nil
}

// first returns the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// fusedRule checks the inputs that QuantMatMul and QuantConv share, and gives the
// type of the result: x, its scale and zero point; w, its scales and zero points,
// one or one for each of its n columns; bias; the result's scale and zero point.
func (c *Context) fusedRule(n int) (accel.DType, error) {
	f32 := []accel.DType{accel.Float32}
	err := first(c.isA(bytes8, 0, 2, 3, 5, 8), c.isA(f32, 1, 4, 6, 7), c.Same(0, 2), c.Same(3, 5),
		c.oneValue(1, 2, 7, 8), c.oneOrEach(n, 4, 5))
	if err == nil && c.Has(6) && !slices.Equal(c.Shape(6), []int{n}) {
		err = fmt.Errorf("bias %v, want [%d]", c.Shape(6), n)
	}
	switch {
	case err != nil || !c.Has(7):
		return accel.Float32, err
	case c.Has(8):
		return c.DType(8), nil
	}
	return accel.Uint8, nil
}
