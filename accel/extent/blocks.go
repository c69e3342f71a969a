package extent

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
)

// Blocks is how blocks slide over an image, as ONNX's Col2Im and the
// convolutions have it.
type Blocks struct {
	Image, Block     []int
	Counts           []int // positions of the block along each dimension
	strides, dilates []int
	before           []int
}

// NewBlocks resolves the attributes strides, dilations (ones) and pads (zeros)
// for blocks of a size over an image.
func NewBlocks(image, block []int, attrs accel.Attrs) (*Blocks, error) {
	rank := len(image)
	b := &Blocks{Image: image, Block: block, Counts: make([]int, rank), strides: ones(attrs.Ints("strides"), rank), dilates: ones(attrs.Ints("dilations"), rank)}
	pads := attrs.Ints("pads")
	if pads == nil {
		pads = make([]int, 2*rank)
	}
	misfit := fmt.Errorf("blocks %v, strides %v, dilations %v and pads %v of an image of %v", block, b.strides, b.dilates, pads, image)
	if len(block) != rank || len(b.strides) != rank || len(b.dilates) != rank || len(pads) != 2*rank {
		return nil, misfit
	}
	b.before = pads[:rank]
	for d := range image {
		if max(image[d], block[d], b.dilates[d], pads[d], pads[rank+d]) > math.MaxInt32 { // so that no product overflows
			return nil, misfit
		}
		span := image[d] + pads[d] + pads[rank+d] - b.dilates[d]*(block[d]-1) - 1
		if block[d] < 1 || b.strides[d] < 1 || b.dilates[d] < 1 || span < 0 || image[d] < 0 {
			return nil, misfit
		}
		b.Counts[d] = span/b.strides[d] + 1
	}
	return b, nil
}

func ones(v []int, rank int) []int {
	if v == nil {
		for range rank {
			v = append(v, 1)
		}
	}
	return v
}

// each calls f for each element of the block at each position, the positions
// innermost, with the place in the image, which may be outside.
func (b *Blocks) each(f func(at []int)) {
	rank := len(b.Image)
	at := make([]int, rank)
	for e := range accel.Size(b.Block) {
		for p := range accel.Size(b.Counts) {
			e, p := e, p
			for d := rank - 1; d >= 0; d-- {
				at[d] = p%b.Counts[d]*b.strides[d] - b.before[d] + e%b.Block[d]*b.dilates[d]
				e, p = e/b.Block[d], p/b.Counts[d]
			}
			f(at)
		}
	}
}

// Table is the pixel of each element of the block at each position, the positions
// innermost, or -1 where that is outside of the image.
func (b *Blocks) Table() []int {
	var out []int
	b.each(func(at []int) {
		pixel := 0
		for d, i := range at {
			if i < 0 || i >= b.Image[d] {
				pixel = -1
				break
			}
			pixel = pixel*b.Image[d] + i
		}
		out = append(out, pixel)
	})
	return out
}

// Places is the coordinates of each element of the block at each position, the
// positions innermost.
func (b *Blocks) Places() []float64 {
	var out []float64
	b.each(func(at []int) {
		for _, i := range at {
			out = append(out, float64(i))
		}
	})
	return out
}
