package cpu

import "github.com/millrace-go/millrace/accel"

var copyKernels = map[string]builder{
	"Identity": {in: 1, out: 1, make: copyOp, half: true},
	"Reshape":  {in: 1, out: 1, make: copyOp, half: true},
}

// copyOp copies the elements: Identity, Reshape and its like where the memory
// plan could not make the output a view of the input.
func copyOp(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	if err := want(c.Op, []*tensor{y}, x.DType); err != nil {
		return nil, err
	}
	if err := sameLen(x, y); err != nil {
		return nil, err
	}
	return func(f *frame) error { copy(raw(f, y), raw(f, x)); return nil }, nil
}

// byType picks one of a kernel's instances by element type; nil ones are unsupported.
func byType(c *call, t *tensor, of map[accel.DType]func(*call) (kernel, error)) (kernel, error) {
	if make := of[t.DType]; make != nil {
		return make(c)
	}
	return nil, unsupported(c.Op, t)
}
