package cast

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
	"math"
	"strings"
	"testing"
)

//go:embed testdata/minifloat.sha256
var digests string

// The codes are those of ONNX's reference, NaNs included; see the script beside
// the digests for the inputs.
func TestMinifloatsEqualONNX(t *testing.T) {
	x := make([]float32, 1<<17)
	F16ToF32(x[:1<<16], allCodes())
	for i := range uint32(1 << 16) {
		x[1<<16+i] = math.Float32frombits(i<<16 | i*40503&0xffff)
	}
	byName := map[string]Minifloat{}
	for f := range Minifloat(len(layouts)) {
		byName[f.String()] = f
	}
	got := make([]uint8, len(x))
	lines := strings.Split(strings.TrimSpace(digests), "\n")
	for _, line := range lines {
		fields := strings.Fields(line)
		switch name, kind := fields[0], fields[1]; kind {
		case "down":
			EncodeE8M0(got, x, true, RoundDown)
		case "nearest":
			EncodeE8M0(got, x, true, RoundNearest)
		default:
			byName[name].Encode(got, x, kind == "saturate")
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(got)); sum != fields[2] {
			t.Errorf("%s %s: digest %s, want %s", fields[0], fields[1], sum, fields[2])
		}
	}
	if len(lines) != 2*len(layouts)+2 {
		t.Errorf("%d digests, want two a type and two more roundings", len(lines))
	}
}

func TestMinifloatValues(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		f    Minifloat
		code uint8
		want float64
	}{
		{Float8E4M3FN, 0x00, 0}, {Float8E4M3FN, 0x80, math.Copysign(0, -1)}, {Float8E4M3FN, 0x01, 0x1p-9}, {Float8E4M3FN, 0x08, 0x1p-6},
		{Float8E4M3FN, 0x38, 1}, {Float8E4M3FN, 0x7e, 448}, {Float8E4M3FN, 0xfe, -448}, {Float8E4M3FN, 0x7f, nan}, {Float8E4M3FN, 0xff, nan},
		{Float8E4M3FNUZ, 0x01, 0x1p-10}, {Float8E4M3FNUZ, 0x40, 1}, {Float8E4M3FNUZ, 0x7f, 240}, {Float8E4M3FNUZ, 0xff, -240}, {Float8E4M3FNUZ, 0x80, nan},
		{Float8E5M2, 0x01, 0x1p-16}, {Float8E5M2, 0x3c, 1}, {Float8E5M2, 0x7b, 57344}, {Float8E5M2, 0x7c, inf}, {Float8E5M2, 0xfc, -inf},
		{Float8E5M2, 0x7d, nan}, {Float8E5M2, 0x7e, nan}, {Float8E5M2, 0xff, nan},
		{Float8E5M2FNUZ, 0x01, 0x1p-17}, {Float8E5M2FNUZ, 0x40, 1}, {Float8E5M2FNUZ, 0x7f, 57344}, {Float8E5M2FNUZ, 0x80, nan},
		{Float8E8M0, 0x00, 0x1p-127}, {Float8E8M0, 0x7f, 1}, {Float8E8M0, 0xfe, 0x1p127}, {Float8E8M0, 0xff, nan},
		{Float4E2M1, 0x0, 0}, {Float4E2M1, 0x1, 0.5}, {Float4E2M1, 0x3, 1.5}, {Float4E2M1, 0x7, 6}, {Float4E2M1, 0x8, math.Copysign(0, -1)}, {Float4E2M1, 0xf, -6}, {Float4E2M1, 0x21, 0.5},
	} {
		got := float64(c.f.Value(c.code))
		if !(got != got && c.want != c.want) && !same(got, c.want) {
			t.Errorf("%s code %#02x is %g, want %g", c.f, c.code, got, c.want)
		}
	}
}

// codes is how many codes a type has.
func (f Minifloat) codes() int {
	if f == Float4E2M1 {
		return 16
	}
	return 256
}

// Every number that has a code is encoded as that code, from float32 and float64.
func TestMinifloatRoundTrip(t *testing.T) {
	for f := range Minifloat(len(layouts)) {
		for c := range f.codes() {
			x := f.Value(uint8(c))
			for _, saturate := range []bool{false, true} {
				got, got64 := make([]uint8, 1), make([]uint8, 1)
				f.Encode(got, []float32{x}, saturate)
				f.EncodeF64(got64, []float64{float64(x)}, saturate)
				if got[0] != got64[0] {
					t.Fatalf("%s: %g gives %#02x from float32, %#02x from float64", f, x, got[0], got64[0])
				}
				switch back := f.Value(got[0]); {
				case x != x:
					if back == back {
						t.Fatalf("%s: NaN %#02x comes back as %#02x", f, c, got[0])
					}
				case saturate && math.IsInf(float64(x), 0):
					if math.Abs(float64(back)) != float64(f.Value(layouts[f].greatest)) {
						t.Fatalf("%s: infinity saturates to %g", f, back)
					}
				case got[0] != uint8(c) && (f != Float8E8M0 || c > 0): // see TestE8M0LeastCode
					t.Fatalf("%s: code %#02x comes back as %#02x", f, c, got[0])
				}
			}
		}
	}
}

// Between two neighbours the nearer is taken, at the midpoint the even one.
func TestMinifloatRoundsToNearest(t *testing.T) {
	for f := range Minifloat(len(layouts)) {
		if f == Float8E8M0 {
			continue
		}
		l := layouts[f]
		for c := range l.greatest {
			a, b := float64(f.Value(c)), float64(f.Value(c+1))
			m := (a + b) / 2
			for _, x := range []struct {
				v    float64
				want uint8
			}{{m, c + c&1}, {math.Nextafter(m, a), c}, {math.Nextafter(m, b), c + 1}} {
				got := make([]uint8, 2)
				f.EncodeF64(got, []float64{x.v, -x.v}, true)
				minus := x.want | l.sign
				if l.fnuz && x.want == 0 {
					minus = 0
				}
				if got[0] != x.want || got[1] != minus {
					t.Fatalf("%s: ±%v give %#02x and %#02x, want %#02x and %#02x", f, x.v, got[0], got[1], x.want, minus)
				}
			}
		}
	}
}

// Beyond the greatest number a type saturates, or gives infinity or NaN.
func TestMinifloatOverflow(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		f              Minifloat
		x              float64
		kept, overflow float64 // with saturate and without
	}{
		{Float8E4M3FN, 464, 448, 448}, {Float8E4M3FN, 464.0001, 448, math.NaN()}, {Float8E4M3FN, 1e300, 448, math.NaN()}, {Float8E4M3FN, inf, 448, math.NaN()},
		{Float8E4M3FNUZ, 247.9, 240, 240}, {Float8E4M3FNUZ, 248, 240, math.NaN()}, {Float8E4M3FNUZ, inf, 240, math.NaN()},
		{Float8E5M2, 61439, 57344, 57344}, {Float8E5M2, 61440, 57344, inf}, {Float8E5M2, 1e30, 57344, inf}, {Float8E5M2, inf, 57344, inf},
		{Float8E5M2FNUZ, 61439, 57344, 57344}, {Float8E5M2FNUZ, 61440, 57344, math.NaN()},
		{Float4E2M1, 7, 6, 6}, {Float4E2M1, 1e6, 6, 6}, {Float4E2M1, inf, 6, 6},
		{Float8E8M0, 0x1.8p127, 0x1p127, math.NaN()},
	} {
		for i, want := range []float64{c.overflow, c.kept} {
			got := make([]uint8, 1)
			c.f.EncodeF64(got, []float64{c.x}, i == 1)
			if v := float64(c.f.Value(got[0])); !(v != v && want != want) && v != want {
				t.Errorf("%s: %g with saturate=%v gives %g, want %g", c.f, c.x, i == 1, v, want)
			}
		}
	}
}

func TestE8M0Rounding(t *testing.T) {
	for _, c := range []struct {
		x                 float32
		up, down, nearest uint8
	}{
		{0, 0, 0, 0}, {1, 127, 127, 127}, {-1, 127, 127, 127}, {1.25, 128, 127, 127}, {1.5, 128, 127, 128}, {1.75, 128, 127, 128},
		{0x1p-149, 1, 0, 0}, {0x1p-127, 1, 0, 0}, {0x1.8p-127, 1, 0, 1}, {math.MaxFloat32, 254, 254, 254}, {float32(math.Inf(-1)), 255, 255, 255},
	} {
		for r, want := range []uint8{RoundUp: c.up, RoundDown: c.down, RoundNearest: c.nearest} {
			got := make([]uint8, 1)
			EncodeE8M0(got, []float32{c.x}, true, Rounding(r))
			if got[0] != want {
				t.Errorf("%g, rounding %d: %d, want %d", c.x, r, got[0], want)
			}
		}
	}
}

// 2⁻¹²⁷ lies among float32's subnormals, whose exponent field is 0, the code of
// 2⁻¹²⁷ too: ONNX's rounding up takes its set bit for a fraction. So the code 0
// comes back as 1, and only from there.
func TestE8M0LeastCode(t *testing.T) {
	got := make([]uint8, 1)
	EncodeE8M0(got, []float32{0x1p-127}, true, RoundDown)
	if got[0] != 0 {
		t.Errorf("2^-127 rounded down is code %d, want 0", got[0])
	}
}

func TestMinifloatNaN(t *testing.T) {
	got, nan := make([]uint8, 2), float32(math.NaN())
	minus := math.Float32frombits(math.Float32bits(nan) | 1<<31)
	for f, want := range [][2]uint8{
		Float8E4M3FN: {0x7f, 0xff}, Float8E4M3FNUZ: {0x80, 0x80}, Float8E5M2: {0x7e, 0xfe}, Float8E5M2FNUZ: {0x80, 0x80},
		Float8E8M0: {0xff, 0xff}, Float4E2M1: {0x8, 0x0},
	} {
		Minifloat(f).Encode(got, []float32{nan, minus}, true)
		if [2]uint8(got) != want {
			t.Errorf("%s: NaN and -NaN are %#02x, want %#02x", Minifloat(f), got, want)
		}
	}
}

func TestPacked(t *testing.T) {
	for _, width := range []int{2, 4} {
		for n := range 20 {
			src := make([]uint8, n)
			for i := range src {
				src[i] = uint8(i*7+3) & (1<<width - 1)
			}
			packed, back := make([]uint8, PackedLen(n, width)), make([]uint8, n)
			Pack(packed, src, width)
			Unpack(back, packed, width, false)
			for i := range src {
				if back[i] != src[i] {
					t.Fatalf("%d elements of %d bits: element %d is %d, want %d", n, width, i, back[i], src[i])
				}
			}
			Unpack(back, packed, width, true)
			for i, v := range src {
				want := int(v)
				if want >= 1<<(width-1) {
					want -= 1 << width
				}
				if int(int8(back[i])) != want {
					t.Fatalf("%d signed elements of %d bits: element %d is %d, want %d", n, width, i, int8(back[i]), want)
				}
			}
		}
	}
	got := make([]uint8, 2)
	Pack(got, []uint8{0x1, 0xfe, 0x3}, 4) // -2 keeps its low four bits
	if got[0] != 0xe1 || got[1] != 0x03 {
		t.Errorf("packed %#v, want e1 03", got)
	}
}
