package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// codeTypes are the types of codes that QuantizeLinear makes.
var codeTypes = []accel.DType{
	accel.Uint8, accel.Int8, accel.Uint16, accel.Int16, accel.Uint4, accel.Int4, accel.Uint2, accel.Int2,
	accel.Float8E4M3FN, accel.Float8E4M3FNUZ, accel.Float8E5M2, accel.Float8E5M2FNUZ, accel.Float4E2M1,
}

// opQuantizeLinear is y = saturate(round(x/scale) + zero), ties to even; a float8
// or float4 code is x/scale rounded to that type. Inputs: x, scale, and the
// optional zero, which has y's type. scale is one value; or one for each index of
// dimension axis (default 1); or, with block_size, of x's shape but for that
// dimension, where one value serves block_size indices. y has the type of zero,
// or that of the attribute output_dtype, or uint8. saturate (1) is for float8.
// The attribute precision is not needed: x/scale is a float32.
var opQuantizeLinear = operator{
	name: "QuantizeLinear", min: 2, max: 3, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		t, err := accel.Uint8, error(nil)
		if x := c.DType(0); !x.IsFloat() && x != accel.Int32 || !c.DType(1).IsFloat() && c.DType(1) != accel.Float8E8M0 {
			return nil, fmt.Errorf("%s by a scale of %s: %w", x, c.DType(1), accel.ErrUnsupported)
		}
		if name := c.Attrs.Str("output_dtype", ""); name != "" {
			if t, err = accel.ParseDType(name); err != nil {
				return nil, err
			}
		}
		if c.Has(2) {
			if c.Attrs.Has("output_dtype") && t != c.DType(2) {
				return nil, fmt.Errorf("output_dtype %s with a zero point of %s", t, c.DType(2))
			}
			t = c.DType(2)
		}
		if !slices.Contains(codeTypes, t) {
			return nil, fmt.Errorf("codes of %s", t)
		}
		return []Type{{DType: t, Shape: c.Shape(0)}}, scaleRule(c)
	},
	when: func(n *Node) bool { return n.Inputs[0].Type.DType == accel.Int32 }, // which becomes scale's type
	expand: func(b *B, n *Node) []*Value {
		in := append([]*Value{b.Cast(n.Inputs[0], n.Inputs[1].Type.DType)}, n.Inputs[1:]...)
		return []*Value{b.Op(n.Op, n.Attrs, in...)}
	},
}

// opDequantizeLinear is y = (x - zero)·scale. Inputs and the attributes axis and
// block_size are those of QuantizeLinear; y has scale's type, or that of the
// attribute output_dtype. x may also be int32, as biases are.
var opDequantizeLinear = operator{
	name: "DequantizeLinear", min: 2, max: 3, grad: dequantizeGrad,
	shapes: func(c *Context) ([]Type, error) {
		t, err := c.DType(1), error(nil)
		if name := c.Attrs.Str("output_dtype", ""); name != "" {
			if t, err = accel.ParseDType(name); err != nil {
				return nil, err
			}
		}
		err = first(c.Same(0, 2), c.IsA(0, append([]accel.DType{accel.Int32}, codeTypes...)...), scaleRule(c))
		if err == nil && t != accel.Float32 && !t.IsHalf() {
			err = fmt.Errorf("a result of %s, want float32, float16 or bfloat16", t)
		}
		return []Type{{DType: t, Shape: c.Shape(0)}}, err
	},
	late: func(n *Node) bool {
		return len(n.Inputs[0].Type.Shape) > 1 && slices.Contains(bytes8, n.Inputs[0].Type.DType)
	},
}

// dequantizeGrad is that of scale: dy·(x - zero), summed over what shares a scale.
func dequantizeGrad(b *backward, n *Node, dy []*Value) []*Value {
	x, scale := n.Inputs[0], n.Inputs[1]
	out := make([]*Value, len(n.Inputs))
	if !b.needs(scale) {
		return out
	}
	in := append([]*Value{x, b.Expand(b.Like(scale, 1), scale.Type.Shape...)}, n.Inputs[2:]...)
	d := b.Cast(b.Mul(dy[0], b.Op("DequantizeLinear", n.Attrs, in...)), scale.Type.DType)
	shape, block := x.Type.Shape, n.Attrs.Int("block_size", 0)
	axis, _ := axisOf(n.Attrs.Int("axis", 1), len(shape)) // the shape rule has checked it, where it counts
	switch {
	case b.err != nil:
	case accel.Size(scale.Type.Shape) == 1:
		d = b.ReduceSum(d, false, counting(len(shape))...)
	case block == 0:
		d = b.ReduceSum(d, false, slices.Delete(counting(len(shape)), axis, axis+1)...)
	default:
		d = b.blockSums(d, axis, block)
	}
	out[1] = b.Reshape(d, scale.Type.Shape...)
	return out
}

// blockSums sums blocks of an axis, of which the last may be shorter.
func (b *backward) blockSums(d *Value, axis, block int) *Value {
	shape := slices.Clone(d.Type.Shape)
	blocks := (shape[axis] + block - 1) / block
	if more := blocks*block - shape[axis]; more > 0 {
		shape[axis] = more
		d = b.Concat(axis, d, b.Zeros(d.Type.DType, shape...))
	}
	split := slices.Concat(shape[:axis], []int{blocks, block}, shape[axis+1:])
	return b.ReduceSum(b.Reshape(d, split...), false, axis+1)
}

// scaleRule checks the shapes of scale and zero.
func scaleRule(c *Context) error {
	x, scale := c.Shape(0), c.Shape(1)
	if c.Has(2) && accel.Size(c.Shape(2)) != accel.Size(scale) {
		return fmt.Errorf("scale %v and zero point %v, want the same shape", scale, c.Shape(2))
	}
	block := c.Attrs.Int("block_size", 0)
	if accel.Size(scale) == 1 && block == 0 {
		return nil
	}
	axis, err := axisOf(c.Attrs.Int("axis", 1), len(x))
	if err != nil {
		return err
	}
	want := []int{x[axis]}
	if block > 0 {
		want = slices.Clone(x)
		want[axis] = (x[axis] + block - 1) / block
	}
	if block < 0 || !slices.Equal(scale, want) {
		return fmt.Errorf("scale %v for %v on axis %d in blocks of %d, want %v", scale, x, axis, block, want)
	}
	return nil
}

// opDynamicQuantizeLinear quantizes float32 x to uint8 by its own range: with lo =
// min(0, x…) and hi = max(0, x…), scale = (hi-lo)/255 and zero = round(-lo/scale).
// Outputs: codes, scale, zero.
var opDynamicQuantizeLinear = operator{
	name: "DynamicQuantizeLinear", min: 1, outs: 3, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		types := []Type{{DType: accel.Uint8, Shape: c.Shape(0)}, {DType: accel.Float32, Shape: Shape{}}, {DType: accel.Uint8, Shape: Shape{}}}
		return types, c.IsA(0, accel.Float32)
	},
}
