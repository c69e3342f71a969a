package graph

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace-go/millrace/accel"
)

// opEinsum is Einstein's summation, as numpy's: the attribute equation names the
// dimensions of each input by letters, as in "bij,bjk->bik". Letters that the
// result does not have are summed over; a letter that an input has twice is its
// diagonal; "..." stands for any dimensions, which broadcast. Without "->" the
// result has what "..." stands for and then the letters that come once, sorted.
//
// It is written as products of two inputs from the left to the right.
var opEinsum = operator{
	name: "Einsum", min: 1, max: variadic,
	shapes: func(c *Context) ([]Type, error) {
		var all []int
		for i := range c.Inputs {
			if !c.Has(i) || !c.DType(i).IsNumeric() {
				return nil, fmt.Errorf("input %d is absent or no tensor of numbers", i)
			}
			all = append(all, i)
		}
		if err := c.Same(all...); err != nil {
			return nil, err
		}
		e, err := einsumOf(c.Attrs.Str("equation", ""), c.shapes)
		if err != nil {
			return nil, err
		}
		shape := []int{}
		for _, l := range e.out {
			shape = append(shape, e.size[l])
		}
		return one(c.DType(0), shape)
	},
	expand: expandEinsum,
}

// label is a dimension of an einsum: a letter, or a dimension of the ellipsis,
// counted from its end as -1, -2, ….
type label int

type einsum struct {
	in   [][]label
	out  []label
	size map[label]int
}

// einsumOf parses an equation for inputs of these shapes.
func einsumOf(equation string, shapes [][]int) (*einsum, error) {
	left, right, explicit := strings.Cut(strings.ReplaceAll(equation, " ", ""), "->")
	terms := strings.Split(left, ",")
	if equation == "" || len(terms) != len(shapes) {
		return nil, fmt.Errorf("equation %q for %d inputs", equation, len(shapes))
	}
	e := &einsum{size: map[label]int{}}
	dots := 0
	for i, term := range terms {
		labels, err := labelsOf(term, len(shapes[i]))
		if err != nil {
			return nil, err
		}
		for d, l := range labels {
			if err := e.settle(l, shapes[i][d]); err != nil {
				return nil, err
			}
			dots = max(dots, -int(l))
		}
		e.in = append(e.in, labels)
	}
	if !explicit {
		e.out = e.implicit(dots)
		return e, nil
	}
	count := strings.Count(right, ".")
	letters := len(right) - count
	if count > 0 {
		letters += dots
	}
	var err error
	if e.out, err = labelsOf(right, letters); err != nil {
		return nil, err
	}
	for i, l := range e.out {
		if _, known := e.size[l]; !known || slices.Contains(e.out[:i], l) {
			return nil, fmt.Errorf("equation %q: a letter of the result is in no input, or comes twice", equation)
		}
	}
	return e, nil
}

// labelsOf are the labels of a term for a tensor of some rank.
func labelsOf(term string, rank int) ([]label, error) {
	before, after, dots := strings.Cut(term, "...")
	n := len(before) + len(after)
	if n > rank || !dots && n != rank {
		return nil, fmt.Errorf("term %q for a tensor of rank %d", term, rank)
	}
	var out []label
	add := func(letters string) error {
		for _, r := range letters {
			if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
				return fmt.Errorf("term %q: %q is no letter", term, r)
			}
			out = append(out, label(r))
		}
		return nil
	}
	err := add(before)
	for d := rank - n; d > 0; d-- {
		out = append(out, label(-d))
	}
	return out, errors.Join(err, add(after))
}

// settle notes the size of a label; sizes of 1 broadcast.
func (e *einsum) settle(l label, n int) error {
	old, known := e.size[l]
	switch {
	case !known || old == 1:
		e.size[l] = n
	case n != 1 && n != old:
		return fmt.Errorf("a dimension is %d and elsewhere %d", old, n)
	}
	return nil
}

// implicit is the result of an equation without one.
func (e *einsum) implicit(dots int) []label {
	count := map[label]int{}
	for _, l := range slices.Concat(e.in...) {
		count[l]++
	}
	var out []label
	for d := dots; d > 0; d-- {
		out = append(out, label(-d))
	}
	for l := label('A'); l <= 'z'; l++ {
		if count[l] == 1 {
			out = append(out, l)
		}
	}
	return out
}

// term is a value whose dimensions are different labels.
type term struct {
	v      *Value
	labels []label
}

func expandEinsum(b *B, n *Node) []*Value {
	shapes := make([][]int, len(n.Inputs))
	for i, v := range n.Inputs {
		shapes[i] = v.Type.Shape
	}
	e, err := einsumOf(n.Attrs.Str("equation", ""), shapes)
	if err != nil {
		b.Fail(err)
		return nil
	}
	from := n.Inputs[0].Type.DType
	wide := from
	if from.IsInt() && from.Size() < 4 { // products are of 32 bits at least
		wide = accel.Int32
	}
	var have term
	for i, v := range n.Inputs {
		next := b.diagonal(term{b.Cast(v, wide), e.in[i]})
		rest := slices.Concat(append(e.in[i+1:], e.out)...)
		if i == 0 {
			have = b.sumOut(next, rest)
			continue
		}
		next = b.sumOut(next, slices.Concat(rest, have.labels))
		have = b.contract(e, b.sumOut(have, slices.Concat(rest, next.labels)), next, rest)
	}
	perm := make([]int, len(e.out))
	for i, l := range e.out {
		perm[i] = slices.Index(have.labels, l)
	}
	if len(perm) > 1 {
		have.v = b.Transpose(have.v, perm...)
	}
	return []*Value{b.Cast(have.v, from)}
}

// diagonal takes the diagonal of each pair of dimensions with the same label.
func (b *B) diagonal(t term) term {
	for i := 0; i < len(t.labels); i++ {
		j := i + 1 + slices.Index(t.labels[i+1:], t.labels[i])
		if j == i || b.err != nil {
			continue
		}
		s := t.v.Type.Shape
		if s[i] != s[j] {
			b.Fail(fmt.Errorf("the diagonal of dimensions of %d and %d", s[i], s[j]))
			return t
		}
		perm, joined, labels := []int{i, j}, []int{s[i] * s[j]}, []label{t.labels[i]}
		for d := range s {
			if d != i && d != j {
				perm, joined, labels = append(perm, d), append(joined, s[d]), append(labels, t.labels[d])
			}
		}
		places := counts(0, s[i])
		for k, v := range accel.Values[int64](places) {
			accel.Values[int64](places)[k] = v * int64(s[i]+1)
		}
		square := b.Reshape(b.Transpose(t.v, perm...), joined...)
		t = term{b.Op("Gather", nil, square, b.Const(places)), labels}
		i = -1
	}
	return t
}

// sumOut sums over the labels that are not needed.
func (b *B) sumOut(t term, needed []label) term {
	var axes []int
	var kept []label
	for i, l := range t.labels {
		if slices.Contains(needed, l) {
			kept = append(kept, l)
		} else {
			axes = append(axes, i)
		}
	}
	return term{b.ReduceSum(t.v, false, axes...), kept}
}

// contract multiplies two terms and sums over the labels that both have and
// nothing after them needs.
func (b *B) contract(e *einsum, x, y term, needed []label) term {
	var both, summed, onlyX, onlyY []label
	for _, l := range x.labels {
		switch {
		case !slices.Contains(y.labels, l):
			onlyX = append(onlyX, l)
		case slices.Contains(needed, l):
			both = append(both, l)
		default:
			summed = append(summed, l)
		}
	}
	for _, l := range y.labels {
		if !slices.Contains(x.labels, l) {
			onlyY = append(onlyY, l)
		}
	}
	out := slices.Concat(both, onlyX, onlyY)
	left := b.asMatrices(e, x, both, onlyX, summed)
	right := b.asMatrices(e, y, both, summed, onlyY)
	product := "MatMul"
	if len(summed) == 0 { // (…, m, 1) times (…, 1, n)
		product = "Mul"
	}
	v := b.Op(product, nil, left, right)
	return term{b.Reshape(v, e.sizes(out)...), out}
}

func (e *einsum) sizes(labels []label) []int {
	s := make([]int, len(labels))
	for i, l := range labels {
		s[i] = e.size[l]
	}
	return s
}

// asMatrices gives a term three dimensions: those of the labels of each group.
func (b *B) asMatrices(e *einsum, t term, groups ...[]label) *Value {
	if b.err != nil {
		return nil
	}
	order := slices.Concat(groups...)
	perm := make([]int, len(order))
	for i, l := range order {
		perm[i] = slices.Index(t.labels, l)
	}
	v := t.v
	if len(perm) > 1 {
		v = b.Transpose(v, perm...)
	}
	v = b.Expand(v, e.sizes(order)...)
	var shape []int
	for _, g := range groups {
		shape = append(shape, accel.Size(e.sizes(g)))
	}
	return b.Reshape(v, shape...)
}
