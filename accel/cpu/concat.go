package cpu

import "github.com/millrace-go/millrace/accel"

// joint is the layout that Concat and Split share: outer blocks, each holding
// one run of every part after the other.
type joint struct {
	parts []*tensor
	runs  []int // elements of one block of each part
	block int
	outer int
}

// newJoint checks that the parts, laid along the attribute axis, make up whole.
func newJoint(c *call, whole *tensor, parts []*tensor) (*joint, error) {
	axis := c.Int("axis", 0)
	if axis < 0 {
		axis += len(whole.Shape)
	}
	if axis < 0 || axis >= len(whole.Shape) {
		return nil, shapeErr(whole)
	}
	j := &joint{outer: product(whole.Shape[:axis]), parts: parts}
	for _, p := range parts {
		if p == nil || len(p.Shape) != len(whole.Shape) {
			return nil, shapeErr(append(parts, whole)...)
		}
		run := product(p.Shape[axis:])
		j.runs = append(j.runs, run)
		j.block += run
		if run*j.outer != p.n {
			return nil, shapeErr(p, whole)
		}
		if err := want(accel.Float32, p, whole); err != nil {
			return nil, err
		}
	}
	if j.block*j.outer != whole.n {
		return nil, shapeErr(append(parts, whole)...)
	}
	return j, nil
}

// each calls f with every run and its place in the whole.
func (j *joint) each(whole []float32, f func(part, place []float32)) {
	at := 0
	for o := range j.outer {
		for i, p := range j.parts {
			n := j.runs[i]
			f(p.f[o*n:o*n+n], whole[at:at+n])
			at += n
		}
	}
}

func concat(c *call) (kernel, error) {
	y := c.out[0]
	j, err := newJoint(c, y, c.in)
	if err != nil {
		return nil, err
	}
	join := func(part, place []float32) { copy(place, part) }
	return func() error { j.each(y.f, join); return nil }, nil
}

func split(c *call) (kernel, error) {
	x := c.in[0]
	j, err := newJoint(c, x, c.out)
	if err != nil {
		return nil, err
	}
	cut := func(part, place []float32) { copy(part, place) }
	return func() error { j.each(x.f, cut); return nil }, nil
}
