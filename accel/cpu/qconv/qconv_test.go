package qconv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// reference is the definition. Padding is part of the image.
func reference(s Spec, x []uint8, zero int32, w []int8, scale, offset []float32, row, col, m int) float32 {
	image, r := row/s.OutHeight, row%s.OutHeight
	var sum int32
	for a := range s.Kernel[0] {
		for b := range s.Kernel[1] {
			for c := range s.Channels {
				at := ((image*s.Height+r*s.Strides[0]+a*s.Dilation)*s.Width+col*s.Strides[1]+b)*s.Channels + c
				sum += (int32(x[at]) - zero) * int32(w[((m*s.Channels+c)*s.Kernel[0]+a)*s.Kernel[1]+b])
			}
		}
	}
	return float32(float32(sum)*scale[m]) + offset[m]
}

// TestRows compares all results bit by bit: sums are exact and each later step is
// one float32 rounding. Sizes lie around the tiles (14 and 16 pixels), the panels (16 and 32
// filters) and the rounds of four quads (16 bytes of a row of a patch).
func TestRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	ran := false
	for _, s := range []Spec{
		{Channels: 16, OutHeight: 3, OutWidth: 32, Filters: 16, Kernel: [2]int{3, 3}, Strides: [2]int{1, 1}, Dilation: 1},
		{Channels: 3, OutHeight: 2, OutWidth: 17, Filters: 17, Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Dilation: 1},
		{Channels: 1, OutHeight: 4, OutWidth: 15, Filters: 20, Kernel: [2]int{5, 5}, Strides: [2]int{1, 1}, Dilation: 1},
		{Channels: 20, OutHeight: 2, OutWidth: 8, Filters: 50, Kernel: [2]int{5, 5}, Strides: [2]int{1, 1}, Dilation: 2},
		{Channels: 32, OutHeight: 1, OutWidth: 1, Filters: 1, Kernel: [2]int{1, 1}, Strides: [2]int{1, 3}, Dilation: 1},
		{Channels: 5, OutHeight: 1, OutWidth: 31, Filters: 65, Kernel: [2]int{2, 1}, Strides: [2]int{1, 1}, Dilation: 1},
	} {
		s.Height, s.Width = (s.OutHeight-1)*s.Strides[0]+(s.Kernel[0]-1)*s.Dilation+1, (s.OutWidth-1)*s.Strides[1]+s.Kernel[1]
		for _, float := range []bool{true, false} {
			for width := max(1, s.OutWidth-14); width <= s.OutWidth; width++ { // tiles of every height
				one := s
				one.OutWidth, one.Float = width, float
				one.Lo, one.Hi = -3, 3
				if !float {
					one.Lo, one.Hi = -7, 255-7
				}
				t.Run(fmt.Sprintf("%+v", one), func(t *testing.T) {
					p, err := New(one)
					if err != nil {
						t.Fatal(err)
					}
					if p == nil {
						t.Skip("no kernel on this CPU, or at this level of isa")
					}
					ran = true
					checkRows(t, p, rng)
				})
			}
		}
	}
	if available() && !ran {
		t.Error("no case has run")
	}
}

func checkRows(t *testing.T, p *Plan, rng *rand.Rand) {
	const images, zero, guard, code = 2, 119, 40, 7
	s := p.Spec
	x := make([]uint8, images*s.Height*s.Width*s.Channels+p.Slack())
	for i := range x {
		x[i] = uint8(rng.Uint32())
	}
	w := make([]int8, s.Filters*s.Channels*s.Kernel[0]*s.Kernel[1])
	for i := range w {
		w[i] = int8(rng.Uint32())
	}
	w[0] = -128
	packed, sums := make([]int8, p.PackedLen()), make([]int32, p.Columns())
	p.Pack(packed, sums, w)
	scale, offset := make([]float32, p.Columns()), make([]float32, p.Columns())
	for i := range s.Filters {
		scale[i], offset[i] = rng.Float32()*1e-3, rng.Float32()*4-2
		if !s.Float {
			scale[i] *= 50
		}
	}
	offset[s.Filters-1] = float32(math.NaN())
	for i := range sums {
		sums[i] *= -zero
	}
	n := images * s.OutHeight * s.OutWidth * s.Filters
	o := &Operands{X: x, Packed: packed, Init: sums, Scale: scale, Offset: offset, Zero: code}
	o.Floats, o.Codes = make([]float32, n+guard), make([]uint8, n+guard)
	for i := range o.Codes {
		o.Floats[i], o.Codes[i] = -77, 0xee
	}
	var work Tile
	p.Rows(&work, o, 0, 1)
	p.Rows(&work, o, 1, images*s.OutHeight-1)
	for i := range n {
		v := reference(s, x, zero, w, scale, offset, i/(s.OutWidth*s.Filters), i/s.Filters%s.OutWidth, i%s.Filters)
		if s.Float {
			want := v
			if !math.IsNaN(float64(v)) {
				want = min(max(v, s.Lo), s.Hi)
			}
			if math.Float32bits(o.Floats[i]) != math.Float32bits(want) && !(want != want && o.Floats[i] != o.Floats[i]) {
				t.Fatalf("element %d: got %v, want %v", i, o.Floats[i], want)
			}
			continue
		}
		if v != v {
			v = s.Lo
		}
		if want := uint8(int32(math.RoundToEven(float64(min(max(v, s.Lo), s.Hi)))) + code); o.Codes[i] != want {
			t.Fatalf("element %d: got %d, want %d (%v)", i, o.Codes[i], want, v)
		}
	}
	for i := n; i < n+guard; i++ {
		if o.Codes[i] != 0xee || o.Floats[i] != -77 {
			t.Fatalf("element %d beyond the end was written", i-n)
		}
	}
}

// TestRefuses checks sizes that do not fit together.
func TestRefuses(t *testing.T) {
	fits := Spec{Height: 5, Width: 5, Channels: 4, OutHeight: 3, OutWidth: 3, Filters: 2, Kernel: [2]int{3, 3}, Strides: [2]int{1, 1}, Dilation: 1}
	if _, err := New(fits); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(s *Spec){
		"rows": func(s *Spec) { s.OutHeight = 4 }, "columns": func(s *Spec) { s.OutWidth = 4 },
		"dilation": func(s *Spec) { s.Dilation = 2 }, "filters": func(s *Spec) { s.Filters = 0 },
	} {
		s := fits
		change(&s)
		if _, err := New(s); err == nil {
			t.Errorf("%s: no error for %+v", name, s)
		}
	}
}
