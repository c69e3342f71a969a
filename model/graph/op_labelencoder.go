package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opBinarizer is 1 where x is greater than the attribute threshold (0), else 0.
var opBinarizer = operator{
	name: "ai.onnx.ml.Binarizer", min: 1, flat: true, shapes: like,
	expand: func(b *B, n *Node) []*Value {
		x := n.Inputs[0]
		above := b.Op("Greater", nil, x, b.Like(x, n.Attrs.Float("threshold", 0)))
		return []*Value{b.Cast(above, x.Type.DType)}
	},
}

// opLabelEncoder maps numbers to numbers: what equals keys[i] becomes
// values[i], anything else the default. Keys, values and default are the lists
// keys_int64s or keys_floats, values_int64s or values_floats and the attribute
// default_int64 (-1) or default_float (0); or the constant inputs 1 to 3, which in ONNX
// files are tensor attributes. NaN as a key equals NaN.
var opLabelEncoder = operator{
	name: "ai.onnx.ml.LabelEncoder", min: 1, max: 4, static: []int{1, 2, 3}, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		m, err := newLabels(c)
		if err != nil {
			return nil, err
		}
		if m.keys.DType != c.DType(0) || m.keys.Len() != m.values.Len() || m.other.Len() != 1 || m.other.DType != m.values.DType {
			return nil, fmt.Errorf("%v keys for %s, %v values, %v for others", m.keys, c.DType(0), m.values, m.other)
		}
		return one(m.values.DType, c.Shape(0))
	},
	when: func(n *Node) bool { return len(n.Inputs) < 4 },
	expand: func(b *B, n *Node) []*Value {
		m, err := newLabels(&Context{Node: n})
		if err != nil {
			b.Fail(err)
			return nil
		}
		attrs := n.Attrs.Without("keys_int64s", "keys_floats", "values_int64s", "values_floats", "default_int64", "default_float")
		return []*Value{b.Op(n.Op, attrs, n.Inputs[0], b.Const(m.keys), b.Const(m.values), b.Const(m.other))}
	},
}

// labels is the table of a LabelEncoder.
type labels struct{ keys, values, other *accel.Array }

func newLabels(c *Context) (*labels, error) {
	for _, name := range []string{"keys_strings", "values_strings"} {
		if c.Attrs.Has(name) {
			return nil, fmt.Errorf("labels that are strings: %w", accel.ErrUnsupported)
		}
	}
	var m labels
	for i, list := range []**accel.Array{&m.keys, &m.values, &m.other} {
		var err error
		if *list, err = c.Value(1 + i); err != nil {
			return nil, err
		}
	}
	if m.keys == nil {
		m.keys = listAttr(c.Attrs, "keys_int64s", "keys_floats")
	}
	if m.values == nil {
		m.values = listAttr(c.Attrs, "values_int64s", "values_floats")
	}
	if m.keys == nil || m.values == nil {
		return nil, fmt.Errorf("no keys or no values")
	}
	if m.other == nil {
		m.other = accel.NewArray(m.values.DType, 1)
		switch m.values.DType {
		case accel.Int64:
			accel.Values[int64](m.other)[0] = int64(c.Attrs.Int("default_int64", -1))
		case accel.Float32:
			accel.Values[float32](m.other)[0] = float32(c.Attrs.Float("default_float", 0))
		}
	}
	return &m, nil
}

// listAttr is an attribute of integers, or of real numbers, as an array; nil if there is neither.
func listAttr(a accel.Attrs, ints, floats string) *accel.Array {
	if v := a.Ints(ints); v != nil {
		return accel.Ints64(v...)
	}
	v := a.Floats(floats)
	if v == nil {
		return nil
	}
	out := accel.NewArray(accel.Float32, len(v))
	for i, x := range v {
		accel.Values[float32](out)[i] = float32(x)
	}
	return out
}
