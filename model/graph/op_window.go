package graph

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
	"github.com/millrace-go/millrace/accel/fmath"
)

// opHannWindow is sin²(π·i/n) for i < size, the second input's scalar. n is size,
// or size - 1 if the attribute periodic (1) is 0; output_datatype (float32) is the
// type. Bind makes a constant of it, and of the other windows.
var opHannWindow = windowOp("HannWindow", 0.5, 0.5, 0)

// opHammingWindow is 25/46 - 21/46·cos(2π·i/n).
var opHammingWindow = windowOp("HammingWindow", 25.0/46, 21.0/46, 0)

// opBlackmanWindow is 0.42 - 0.5·cos(2π·i/n) + 0.08·cos(4π·i/n).
var opBlackmanWindow = windowOp("BlackmanWindow", 0.42, 0.5, 0.08)

// windowOp is the operator a - b·cos(2π·i/n) + c·cos(4π·i/n).
func windowOp(name string, a, b, c float64) operator {
	return operator{
		name: name, min: 1, static: []int{0}, flat: true,
		shapes: func(ctx *Context) ([]Type, error) {
			size, err := scalarInt(ctx, 0)
			if err != nil {
				return nil, err
			}
			if size < 0 {
				return nil, fmt.Errorf("a window of %d elements", size)
			}
			t, err := typeAttr(ctx.Node, "output_datatype", accel.Float32)
			if err != nil {
				return nil, err
			}
			return one(t, []int{size})
		},
		expand: func(build *B, n *Node) []*Value {
			size := int(extent.Int(n.Inputs[0].Data, 0))
			period := float64(size)
			if !n.Attrs.Bool("periodic", true) {
				period--
			}
			out := accel.NewArray(accel.Float64, size)
			v := accel.Values[float64](out)
			for i := range v {
				x := 2 * math.Pi * float64(i) / period
				v[i] = a - b*fmath.Cos(x) + c*fmath.Cos(2*x)
			}
			t, err := typeAttr(n, "output_datatype", accel.Float32)
			build.Fail(err)
			return []*Value{build.Cast(build.Const(out), t)}
		},
	}
}

// scalarInt is the value of an input that is one integer.
func scalarInt(c *Context, i int) (int, error) {
	a, err := c.Value(i)
	if err != nil {
		return 0, err
	}
	if a == nil || a.Len() != 1 || !a.DType.IsInt() {
		return 0, fmt.Errorf("input %d is %v, want one integer", i, a)
	}
	return int(extent.Int(a, 0)), nil
}

// scalarFloat is the value of an input that is one real number.
func scalarFloat(c *Context, i int) (float64, error) {
	a, err := c.Value(i)
	if err != nil {
		return 0, err
	}
	if a == nil || a.Len() != 1 || !a.DType.IsFloat() {
		return 0, fmt.Errorf("input %d is %v, want one real number", i, a)
	}
	return extent.Float(a, 0), nil
}

// opMelWeightMatrix turns spectra into mel bands: a matrix (dft_length/2 + 1,
// num_mel_bins) of triangular filters. The inputs, all scalars, are num_mel_bins,
// dft_length, sample_rate, lower_edge_hertz and upper_edge_hertz; the attribute
// output_datatype is the type. Bind makes a constant of it.
var opMelWeightMatrix = operator{
	name: "MelWeightMatrix", min: 5, static: []int{0, 1, 2, 3, 4}, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		m, err := newMel(c)
		if err != nil {
			return nil, err
		}
		t, err := typeAttr(c.Node, "output_datatype", accel.Float32)
		if err != nil {
			return nil, err
		}
		return one(t, []int{m.spectrum, m.bands})
	},
	expand: func(b *B, n *Node) []*Value {
		m, err := newMel(&Context{Node: n})
		b.Fail(err)
		t, err := typeAttr(n, "output_datatype", accel.Float32)
		b.Fail(err)
		if b.err != nil {
			return nil
		}
		return []*Value{b.Cast(b.Const(m.matrix()), t)}
	},
}

// mel is a bank of triangular filters, whose corners are bins of a spectrum.
type mel struct {
	bands, spectrum int
	corners         []int
}

func newMel(c *Context) (*mel, error) {
	var ints [3]int
	var edges [2]float64
	var err error
	for i := range ints {
		if ints[i], err = scalarInt(c, i); err != nil {
			return nil, err
		}
	}
	for i := range edges {
		if edges[i], err = scalarFloat(c, 3+i); err != nil {
			return nil, err
		}
		edges[i] = 2595 * fmath.Log1p(edges[i]/700) / math.Ln10
	}
	bands, length, rate := ints[0], ints[1], ints[2]
	if bands < 0 || length < 0 || rate <= 0 || !(edges[0] <= edges[1]) {
		return nil, fmt.Errorf("%d mel bands of a spectrum of %d at %d Hz", bands, length, rate)
	}
	m := &mel{bands: bands, spectrum: length/2 + 1}
	step := (edges[1] - edges[0]) / float64(bands+2)
	for i := range bands + 2 {
		hertz := 700 * fmath.Expm1((edges[0]+step*float64(i))/2595*math.Ln10)
		corner := math.Floor(float64(length+1) * hertz / float64(rate))
		last := i == bands+1 // where the last filter has come down to 0
		if !(corner >= 0 && (corner < float64(m.spectrum) || last && corner == float64(m.spectrum))) {
			return nil, fmt.Errorf("mel band %d begins at bin %g of a spectrum of %d", i, corner, m.spectrum)
		}
		m.corners = append(m.corners, int(corner))
	}
	return m, nil
}

// matrix is the filters, a column each: they rise from the first corner to the
// second and fall to the third.
func (m *mel) matrix() *accel.Array {
	out := accel.NewArray(accel.Float64, m.spectrum, m.bands)
	v := accel.Values[float64](out)
	for i := range m.bands {
		left, centre, right := m.corners[i], m.corners[i+1], m.corners[i+2]
		v[centre*m.bands+i] = 1
		for j := left; j < centre; j++ {
			v[j*m.bands+i] = float64(j-left) / float64(centre-left)
		}
		for j := centre; j < right; j++ {
			v[j*m.bands+i] = float64(right-j) / float64(right-centre)
		}
	}
	return out
}
