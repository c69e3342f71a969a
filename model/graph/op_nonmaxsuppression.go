package graph

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// opNonMaxSuppression picks boxes by descending score and drops those that
// overlap a picked one of the same class too much. The inputs are boxes
// (batches, boxes, 4), scores (batches, classes, boxes) and, optionally, three scalars:
// the most boxes of a class (0), the greatest intersection over union that is no
// overlap (0) and the score that a box must exceed. The result is int64, a row
// (batch, class, box) for each. The attribute center_point_box says if a box is
// two corners y, x, y, x (0) or x, y, width, height (1). Of equal scores the first
// box wins. Bind must know the inputs, and makes a constant.
var opNonMaxSuppression = operator{
	name: "NonMaxSuppression", min: 2, max: 5, static: []int{0, 1, 2, 3, 4}, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		picked, err := suppress(c)
		if err != nil {
			return nil, err
		}
		return one(accel.Int64, []int{len(picked) / 3, 3})
	},
	expand: func(b *B, n *Node) []*Value {
		c := &Context{Node: n}
		for _, v := range n.Inputs {
			if v == nil {
				c.shapes = append(c.shapes, nil)
				continue
			}
			c.shapes = append(c.shapes, v.Type.Shape)
		}
		picked, err := suppress(c)
		b.Fail(err)
		return []*Value{b.Reshape(b.Ints(picked...), len(picked)/3, 3)}
	},
}

// box is a box by its corners.
type box struct{ y0, x0, y1, x1 float64 }

func (b box) area() float64 { return (b.y1 - b.y0) * (b.x1 - b.x0) }

// overlap is intersection over union.
func (b box) overlap(o box) float64 {
	height, width := min(b.y1, o.y1)-max(b.y0, o.y0), min(b.x1, o.x1)-max(b.x0, o.x0)
	if height <= 0 || width <= 0 {
		return 0
	}
	return height * width / (b.area() + o.area() - height*width)
}

func suppress(c *Context) ([]int, error) {
	boxes, err := c.Value(0)
	if err != nil {
		return nil, err
	}
	scores, err := c.Value(1)
	if err != nil {
		return nil, err
	}
	b, s := c.Shape(0), c.Shape(1)
	if len(b) != 3 || len(s) != 3 || b[2] != 4 || b[0] != s[0] || b[1] != s[2] || !boxes.DType.IsFloat() || !scores.DType.IsFloat() {
		return nil, fmt.Errorf("boxes %v with scores %v", boxes, scores)
	}
	most, limit, least := 0, 0.0, 0.0
	if c.Has(2) {
		if most, err = scalarInt(c, 2); err != nil {
			return nil, err
		}
	}
	if c.Has(3) {
		if limit, err = scalarFloat(c, 3); err != nil {
			return nil, err
		}
	}
	if c.Has(4) {
		if least, err = scalarFloat(c, 4); err != nil {
			return nil, err
		}
	}
	var out []int
	for batch := range b[0] {
		all := boxesOf(boxes, batch*b[1], b[1], c.Attrs.Bool("center_point_box", false))
		for class := range s[1] {
			order := byScore(scores, (batch*s[1]+class)*s[2], s[2], c.Has(4), least)
			for _, i := range pick(all, order, most, limit) {
				out = append(out, batch, class, i)
			}
		}
	}
	return out, nil
}

// pick takes boxes in order that do not overlap those taken before.
func pick(all []box, order []int, most int, limit float64) []int {
	var taken []int
	for _, i := range order {
		if len(taken) >= most {
			break
		}
		overlaps := func(j int) bool { return all[i].overlap(all[j]) > limit }
		if !slices.ContainsFunc(taken, overlaps) {
			taken = append(taken, i)
		}
	}
	return taken
}

// byScore lists the boxes by descending score.
func byScore(scores *accel.Array, from, n int, above bool, least float64) []int {
	var order []int
	for i := range n {
		if !above || extent.Float(scores, from+i) > least {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Compare(extent.Float(scores, from+j), extent.Float(scores, from+i))
	})
	return order
}

func boxesOf(a *accel.Array, from, n int, centred bool) []box {
	out := make([]box, n)
	for i := range out {
		var v [4]float64
		for k := range v {
			v[k] = extent.Float(a, 4*(from+i)+k)
		}
		if centred {
			out[i] = box{v[1] - v[3]/2, v[0] - v[2]/2, v[1] + v[3]/2, v[0] + v[2]/2}
			continue
		}
		out[i] = box{min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3])}
	}
	return out
}
