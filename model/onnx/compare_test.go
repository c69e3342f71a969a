package onnx

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/program"
)

// sameDatum compares values as ONNX's test runner does: types and shapes are equal,
// numbers within the tolerance, NaN equals NaN.
func sameDatum(got, want program.Datum, tol tolerance) error {
	if got.Form != want.Form {
		return fmt.Errorf("got form %d, want %d", got.Form, want.Form)
	}
	switch want.Form {
	case graph.Tensor:
		return sameArray(got.Array, want.Array, tol)
	case graph.Sequence:
		if len(got.Seq) != len(want.Seq) {
			return fmt.Errorf("a sequence of %d, want %d", len(got.Seq), len(want.Seq))
		}
		for i := range want.Seq {
			if err := sameArray(got.Seq[i], want.Seq[i], tol); err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
		}
		return nil
	}
	if got.Array != nil {
		return fmt.Errorf("got %v, want nothing", got.Array)
	}
	return nil
}

// sameType compares all but the numbers.
func sameType(got, want program.Datum, _ tolerance) error {
	if got.Form != want.Form || want.Form != graph.Tensor {
		return fmt.Errorf("got form %d, want %d, a tensor", got.Form, want.Form)
	}
	if g, w := got.Array, want.Array; g.DType != w.DType || !slices.Equal(g.Shape, w.Shape) {
		return fmt.Errorf("got %v, want %v", g, w)
	}
	return nil
}

func sameArray(got, want *accel.Array, tol tolerance) error {
	if got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	if len(got.Data) != len(want.Data) {
		return fmt.Errorf("got %d bytes for %v, want %d", len(got.Data), got, len(want.Data))
	}
	if want.DType == accel.BFloat16 {
		tol.RTol = max(tol.RTol, 0x1p-6)
	}
	for i := range want.Len() {
		if !within(element(got, i), element(want, i), tol) {
			return fmt.Errorf("element %d of %v: got %v, want %v", i, want, element(got, i), element(want, i))
		}
	}
	return nil
}

func within(got, want float64, tol tolerance) bool {
	if math.IsNaN(want) || math.IsInf(want, 0) {
		return got == want || math.IsNaN(got) && math.IsNaN(want)
	}
	return math.Abs(got-want) <= tol.ATol+tol.RTol*math.Abs(want)
}

// minifloats are the floating-point types that have no Go type.
var minifloats = map[accel.DType]struct {
	exponent, mantissa int // bits
	bias               int
	infinite           bool // the highest exponent is infinity and NaN
	nan                int  // else the code of NaN without sign, -1 for none
	negativeZeroNaN    bool // the code of -0 is NaN
	unsigned           bool
}{
	accel.Float16:        {exponent: 5, mantissa: 10, bias: 15, infinite: true},
	accel.BFloat16:       {exponent: 8, mantissa: 7, bias: 127, infinite: true},
	accel.Float8E4M3FN:   {exponent: 4, mantissa: 3, bias: 7, nan: 0x7f},
	accel.Float8E4M3FNUZ: {exponent: 4, mantissa: 3, bias: 8, nan: -1, negativeZeroNaN: true},
	accel.Float8E5M2:     {exponent: 5, mantissa: 2, bias: 15, infinite: true},
	accel.Float8E5M2FNUZ: {exponent: 5, mantissa: 2, bias: 16, nan: -1, negativeZeroNaN: true},
	accel.Float8E8M0:     {exponent: 8, mantissa: 0, bias: 127, nan: 0xff, unsigned: true},
	accel.Float4E2M1:     {exponent: 2, mantissa: 1, bias: 1, nan: -1},
}

// minifloat is the value of a code.
func minifloat(t accel.DType, code int) float64 {
	f := minifloats[t]
	sign := 1.0
	if top := 1 << (f.exponent + f.mantissa); !f.unsigned && code&top != 0 {
		sign, code = -1, code&^top
		if f.negativeZeroNaN && code == 0 {
			return math.NaN()
		}
	}
	e, m := code>>f.mantissa, code&(1<<f.mantissa-1)
	switch {
	case f.infinite && e == 1<<f.exponent-1:
		if m != 0 {
			return math.NaN()
		}
		return sign * math.Inf(1)
	case !f.infinite && code == f.nan:
		return math.NaN()
	case e == 0 && !f.unsigned:
		return sign * math.Ldexp(float64(m), 1-f.bias-f.mantissa)
	}
	return sign * math.Ldexp(float64(m+1<<f.mantissa), e-f.bias-f.mantissa)
}

// element is element i as a float64; integers beyond 2⁵³ are rounded, as the runner does.
func element(a *accel.Array, i int) float64 {
	switch a.DType {
	case accel.Float32:
		return float64(accel.Values[float32](a)[i])
	case accel.Float64:
		return accel.Values[float64](a)[i]
	case accel.Int8, accel.Int4, accel.Int2:
		return float64(int8(a.Data[i]))
	case accel.Int16:
		return float64(accel.Values[int16](a)[i])
	case accel.Int32:
		return float64(accel.Values[int32](a)[i])
	case accel.Int64:
		return float64(accel.Values[int64](a)[i])
	case accel.Uint16:
		return float64(accel.Values[uint16](a)[i])
	case accel.Uint32:
		return float64(accel.Values[uint32](a)[i])
	case accel.Uint64:
		return float64(accel.Values[uint64](a)[i])
	case accel.Float16, accel.BFloat16:
		return minifloat(a.DType, int(accel.Values[uint16](a)[i]))
	case accel.Uint8, accel.Bool, accel.Uint4, accel.Uint2:
		return float64(a.Data[i])
	}
	return minifloat(a.DType, int(a.Data[i]))
}

func TestMinifloat(t *testing.T) {
	for _, c := range []struct {
		typ  accel.DType
		code int
		want float64
	}{
		{accel.Float16, 0x3c00, 1}, {accel.Float16, 0xc000, -2}, {accel.Float16, 0x0001, 0x1p-24}, {accel.Float16, 0x7bff, 65504},
		{accel.BFloat16, 0x3fc0, 1.5}, {accel.Float8E4M3FN, 0x7e, 448}, {accel.Float8E4M3FN, 0x38, 1}, {accel.Float8E4M3FNUZ, 0x7f, 240},
		{accel.Float8E5M2, 0x7b, 57344}, {accel.Float8E5M2FNUZ, 0x7f, 57344}, {accel.Float8E8M0, 127, 1}, {accel.Float8E8M0, 0, 0x1p-127},
		{accel.Float4E2M1, 7, 6}, {accel.Float4E2M1, 1, 0.5}, {accel.Float4E2M1, 0xf, -6},
	} {
		if got := minifloat(c.typ, c.code); got != c.want {
			t.Errorf("%v code %#x: got %v, want %v", c.typ, c.code, got, c.want)
		}
	}
	for typ, code := range map[accel.DType]int{accel.Float16: 0x7e00, accel.Float8E4M3FN: 0xff, accel.Float8E4M3FNUZ: 0x80,
		accel.Float8E5M2: 0x7d, accel.Float8E8M0: 0xff} {
		if got := minifloat(typ, code); !math.IsNaN(got) {
			t.Errorf("%v code %#x: got %v, want NaN", typ, code, got)
		}
	}
}
