package normalize

import (
	"fmt"
	"math"
	"sort"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/accel/fmath"
)

// numberStep is a numeric feature.
type numberStep struct {
	where
	f *NumberSteps
}

func (s *numberStep) apply(cols []arrow.Array, o *output) error {
	values, err := readNumbers(cols[0], o.scratch)
	if err != nil {
		return fmt.Errorf("column %q: %w", s.name, err)
	}
	o.scratch = values
	s.run(&cells{where: s.where, col: cols[0], values: values, nulls: cols[0].NullN() > 0}, o)
	return nil
}

// cells are values of one feature on their way to the slab.
type cells struct {
	where
	col    arrow.Array // what the values are of, for dead letters
	values []float64
	rows   []int32          // the row of each value; nil if value i is row i's
	slots  []int32          // the slot of each value; nil if there is only one
	nulls  bool             // whether some values are null
	null   func(i int) bool // whether value i is null; nil asks col
}

func (c *cells) row(i int) int {
	if c.rows == nil {
		return i
	}
	return int(c.rows[i])
}

func (c *cells) slot(i int) int {
	if c.slots == nil {
		return 0
	}
	return int(c.slots[i])
}

func (c *cells) isNull(i int) bool {
	if c.null != nil {
		return c.null(i)
	}
	return c.col.IsNull(c.row(i))
}

func (c *cells) kill(o *output, i int, rule, reason string) {
	o.kill(c.row(i), c.col, c.name, c.name+"."+rule, reason)
}

// run takes the values through the steps.
func (s *numberStep) run(c *cells, o *output) {
	if c.nulls {
		s.nulls(c, o)
	}
	s.clip(c, o)
	if fill := s.f.Fill; fill != nil && c.nulls {
		for i := range c.values {
			if c.isNull(i) {
				c.values[i] = fill.Value
			}
		}
	}
	if s.f.Log1p {
		s.log1p(c, o)
	}
	if s.f.Power != nil {
		s.power(c, o)
	}
	if s.f.Quantiles != nil {
		for i, x := range c.values {
			c.values[i] = s.f.Quantiles.apply(x)
		}
	}
	if s.f.Bucketize != nil {
		s.bucketize(c, o)
	} else {
		s.scale(c, o)
	}
}

// nulls makes 0 of the arbitrary value of a null, marks the indicator, and
// kills the row if nothing fills it.
func (s *numberStep) nulls(c *cells, o *output) {
	for i := range c.values {
		if !c.isNull(i) {
			continue
		}
		c.values[i] = 0
		if s.f.Fill == nil {
			c.kill(o, i, "null", "a value, as nothing fills nulls")
			continue
		}
		s.indicate(o, c.row(i))
	}
}

// clip bounds the values, and kills rows of values that are not finite, of
// which it makes 0.
func (s *numberStep) clip(c *cells, o *output) {
	low, high := -math.MaxFloat64, math.MaxFloat64
	if s.f.Clip != nil {
		low, high = s.f.Clip.Low, s.f.Clip.High
	}
	for i, x := range c.values {
		if low <= x && x <= high {
			continue
		}
		if !finite(x) {
			c.kill(o, i, "finite", "a finite number")
			c.values[i] = 0
			continue
		}
		c.values[i] = min(max(x, low), high)
	}
}

func (s *numberStep) log1p(c *cells, o *output) {
	for i, x := range c.values {
		if x <= -1 {
			c.kill(o, i, "log1p", "a value above -1, for log1p")
			c.values[i] = 0
			continue
		}
		c.values[i] = fmath.Log1p(x)
	}
}

func (s *numberStep) power(c *cells, o *output) {
	for i, x := range c.values {
		if !s.f.Power.takes(x) {
			c.kill(o, i, "power", "a value above 0, for box_cox")
			c.values[i] = 0
			continue
		}
		c.values[i] = s.f.Power.apply(x)
	}
}

func (s *numberStep) bucketize(c *cells, o *output) {
	b := s.f.Bucketize.Boundaries
	for i, x := range c.values {
		s.put(o, c.row(i), c.slot(i), int32(sort.Search(len(b), func(j int) bool { return b[j] > x })))
	}
}

// scale writes the values to the slab and kills the rows of those that do not
// fit a float32.
func (s *numberStep) scale(c *cells, o *output) {
	offset, divisor, low, span := 0.0, 1.0, 0.0, 1.0
	if f := s.f.Scale; f != nil {
		offset, divisor = f.Offset, f.Divisor
		if divisor == 0 { // constant in the train split
			clear(c.values)
			offset, divisor = 0, 1
		}
		if f.Range != nil {
			low, span = f.Range.Min, f.Range.Max-f.Range.Min
		}
	}
	if low == 0 && span == 1 && c.rows == nil {
		s.scaleAll(c, o, offset, divisor)
		return
	}
	for i, x := range c.values {
		y := float32(low + float64((x-offset)/divisor*span))
		o.slab[c.row(i)*o.width+s.offset+c.slot(i)] = y
		if !fits(y) {
			c.kill(o, i, "finite", beyondFloat32)
		}
	}
}

const beyondFloat32 = "a value that fits float32 after its steps"

func fits(y float32) bool { return y >= -math.MaxFloat32 && y <= math.MaxFloat32 }

// scaleAll is scale where value i is row i's.
func (s *numberStep) scaleAll(c *cells, o *output, offset, divisor float64) {
	slab, at, width := o.slab, s.offset, o.width
	for i, x := range c.values {
		y := float32((x - offset) / divisor)
		slab[at] = y
		at += width
		if !fits(y) {
			c.kill(o, i, "finite", beyondFloat32)
		}
	}
}
