// Package qconv convolves 8-bit images without laying out their patches: the
// product of a tile of pixels and a panel of filters reads the pixels where they
// are. Images are uint8 with the channels last and their padding around them, filters
// int8:
//
//	S[i,j,m] = Σ_{a,b,c} (x[i·s+a·d, j·t+b, c] - zero) · w[m,c,a,b]
//	v[i,j,m] = float32(S)·scale[m] + offset[m], each step rounded
//
// The result is v clipped, or the code saturate(round(v)) + its zero point: the bits
// that package qgemm makes of the same sums.
//
// Sums are made by VPDPBUSD. Where a CPU lacks it, New makes no plan and package
// qgemm does the work: the sums are exact, so the bits are the same.
package qconv

import (
	"fmt"
	"unsafe"
)

// Spec is a convolution of one image with its padding.
type Spec struct {
	Height, Width, Channels int // of x, with its padding
	OutHeight, OutWidth     int
	Filters                 int
	Kernel, Strides         [2]int
	Dilation                int // of rows; columns lie side by side

	Float  bool    // the result is v, not codes
	Lo, Hi float32 // v is clipped to; of codes, the range less the zero point
}

// Operands are the memory of one Rows. Init, Scale and Offset have Columns() elements.
type Operands struct {
	X      []uint8 // images, and Slack() bytes
	Packed []int8  // what Pack wrote
	Init   []int32 // -zero·Σw of each filter
	Scale  []float32
	Offset []float32
	Codes  []uint8   // the result, or
	Floats []float32 // if Spec.Float
	Zero   int32     // added to codes
}

// Plan computes convolutions of one Spec. It may be used by several goroutines at once.
type Plan struct {
	Spec
	quads  int // of four bytes, in a row of a patch
	panels []panel
	length int
}

// panel is some filters: 16 or 32 columns, the last ones of which may be empty.
type panel struct{ first, filters, vectors, at int }

// nr is the columns of a vector.
const nr = 16

// New makes a plan. It is nil where the CPU has no kernel, or where the rows of
// patches are so short that filling them up to four bytes costs too much.
func New(s Spec) (*Plan, error) {
	if min(s.Height, s.Width, s.Channels, s.OutHeight, s.OutWidth, s.Filters, s.Dilation, s.Kernel[0], s.Kernel[1], s.Strides[0], s.Strides[1]) < 1 {
		return nil, fmt.Errorf("qconv.New: a size below 1: %+v", s)
	}
	if (s.OutHeight-1)*s.Strides[0]+(s.Kernel[0]-1)*s.Dilation >= s.Height || (s.OutWidth-1)*s.Strides[1]+s.Kernel[1] > s.Width {
		return nil, fmt.Errorf("qconv.New: windows reach beyond the image: %+v", s)
	}
	run := s.Kernel[1] * s.Channels
	p := &Plan{Spec: s, quads: (run + 3) / 4}
	if !available() || 4*p.quads >= 2*run {
		return nil, nil
	}
	for m := 0; m < s.Filters; {
		v := 2
		if s.Filters-m <= nr {
			v = 1
		}
		p.panels = append(p.panels, panel{m, min(s.Filters-m, v*nr), v, p.length})
		p.length += s.Kernel[0] * p.quads * 4 * v * nr
		m += v * nr
	}
	return p, nil
}

// Columns is the length of the parameters of columns: the filters, filled up to whole vectors.
func (p *Plan) Columns() int {
	last := p.panels[len(p.panels)-1]
	return last.first + last.vectors*nr
}

// Slack is how many bytes must follow the last image: reads are of four bytes.
func (p *Plan) Slack() int { return 4*p.quads - p.Kernel[1]*p.Channels }

// PackedLen is the number of bytes that Pack writes.
func (p *Plan) PackedLen() int { return p.length }

// Pack lays out filters (M, C, a, b) for Rows: by panel, row of the window, four bytes
// of a patch, column; zeros where there is none. sums, of Columns() elements, gets the
// sum of each filter.
func (p *Plan) Pack(dst []int8, sums []int32, w []int8) {
	kh, kw := p.Kernel[0], p.Kernel[1]
	if len(dst) < p.length || len(sums) < p.Columns() || len(w) < p.Filters*p.Channels*kh*kw {
		panic(fmt.Sprintf("qconv.Pack: lengths %d of dst, %d of sums, %d of w", len(dst), len(sums), len(w)))
	}
	clear(dst[:p.length])
	clear(sums[:p.Columns()])
	for _, n := range p.panels {
		for i := range n.filters {
			for c := range p.Channels {
				for k := range kh * kw {
					v := w[((n.first+i)*p.Channels+c)*kh*kw+k]
					at := k%kw*p.Channels + c
					dst[n.at+((k/kw*p.quads+at/4)*n.vectors*nr+i)*4+at%4] = v
					sums[n.first+i] += int32(v)
				}
			}
		}
	}
}

// tile is one tile of pixels by one panel. The assembly knows the offsets of the
// fields.
type tile struct {
	a      unsafe.Pointer // 0
	lda    int            // 8, bytes between pixels
	b      unsafe.Pointer // 16
	segs   int            // 24, rows of the window
	quads  int            // 32, of each
	jump   int            // 40, bytes from the end of one to the next
	init   *int32         // 48
	scale  *float32       // 56
	offset *float32       // 64
	dst    unsafe.Pointer // 72
	ldd    int            // 80, bytes
	lo, hi float32        // 88, 92
	zero   int32          // 96
	mask   uint32         // 100, the columns to write
	float  int            // 104, not 0 for float32 results
}

// mostPixels is the most pixels of a tile, by the number of its vectors.
var mostPixels = [...]int{0, 16, 14}

// Tile is working memory of one goroutine.
type Tile struct{ t tile }

// Rows computes n rows of output pixels from row first on; rows of all images count.
func (p *Plan) Rows(w *Tile, o *Operands, first, n int) {
	p.check(o, first+n)
	t := &w.t
	*t = tile{
		lda: p.Strides[1] * p.Channels, segs: p.Kernel[0], quads: p.quads,
		jump: p.Dilation*p.Width*p.Channels - 4*p.quads,
		ldd:  p.Filters, lo: p.Lo, hi: p.Hi, zero: o.Zero,
	}
	if p.Float {
		t.ldd, t.float = 4*p.Filters, 1
	}
	for _, n16 := range p.panels {
		t.init, t.scale, t.offset = &o.Init[n16.first], &o.Scale[n16.first], &o.Offset[n16.first]
		t.mask = uint32(1<<n16.filters - 1)
		count := (p.OutWidth + mostPixels[n16.vectors] - 1) / mostPixels[n16.vectors]
		for r := first; r < first+n; r++ {
			line := (r/p.OutHeight*p.Height + r%p.OutHeight*p.Strides[0]) * p.Width * p.Channels
			for i := range count {
				from, to := p.OutWidth*i/count, p.OutWidth*(i+1)/count
				t.a, t.b = unsafe.Pointer(&o.X[line+from*t.lda]), unsafe.Pointer(&o.Packed[n16.at])
				at := (r*p.OutWidth+from)*p.Filters + n16.first
				if p.Float {
					t.dst = unsafe.Pointer(&o.Floats[at])
				} else {
					t.dst = unsafe.Pointer(&o.Codes[at])
				}
				tiles[n16.vectors-1][to-from](t)
			}
		}
	}
	*t = tile{}
}

func (p *Plan) check(o *Operands, rows int) {
	images := (rows + p.OutHeight - 1) / p.OutHeight
	result := len(o.Codes)
	if p.Float {
		result = len(o.Floats)
	}
	columns := min(len(o.Init), len(o.Scale), len(o.Offset))
	if len(o.X) < images*p.Height*p.Width*p.Channels+p.Slack() || len(o.Packed) < p.length || columns < p.Columns() || result < rows*p.OutWidth*p.Filters {
		panic(fmt.Sprintf("qconv.Rows: lengths %d of X, %d of Packed, %d of columns, %d of the result for %d rows of %+v",
			len(o.X), len(o.Packed), columns, result, rows, p.Spec))
	}
}
