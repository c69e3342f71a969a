package graph

// opAnd is x ∧ y of bools, with numpy's broadcasting.
var opAnd = operator{name: "And", min: 2, flat: true, shapes: binaryOf(boolSet), inplace: []int{0, 1}}

// opOr is x ∨ y.
var opOr = operator{name: "Or", min: 2, flat: true, shapes: binaryOf(boolSet), inplace: []int{0, 1}}

// opXor is x ≠ y.
var opXor = operator{name: "Xor", min: 2, flat: true, shapes: binaryOf(boolSet), inplace: []int{0, 1}}

// opNot is ¬x.
var opNot = unary("Not", boolSet, nil)

// opBitwiseAnd is and of the bits of integers, with numpy's broadcasting.
var opBitwiseAnd = operator{name: "BitwiseAnd", min: 2, flat: true, shapes: binaryOf(intSet), inplace: []int{0, 1}}

// opBitwiseOr is or of the bits.
var opBitwiseOr = operator{name: "BitwiseOr", min: 2, flat: true, shapes: binaryOf(intSet), inplace: []int{0, 1}}

// opBitwiseXor is exclusive or of the bits.
var opBitwiseXor = operator{name: "BitwiseXor", min: 2, flat: true, shapes: binaryOf(intSet), inplace: []int{0, 1}}

// opBitwiseNot inverts the bits.
var opBitwiseNot = unary("BitwiseNot", intSet, nil)

// opBitShift moves the bits of unsigned integers x by y places to the direction
// LEFT or RIGHT, which must be given; by the width and more, to 0.
var opBitShift = operator{
	name: "BitShift", min: 2, flat: true, inplace: []int{0, 1},
	shapes: func(c *Context) ([]Type, error) {
		if err := oneOf(c.Node, "direction", "", "LEFT", "RIGHT"); err != nil {
			return nil, err
		}
		return binaryOf(unsignedSet)(c)
	},
}
