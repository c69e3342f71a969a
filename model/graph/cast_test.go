package graph

import (
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

func castTo(t accel.DType, more ...accel.Attr) accel.Attrs {
	return append(accel.Attrs{accel.String("to", t.String())}, more...)
}

// TestCastEveryPair casts 0, 1 and 3 from each type that holds them to each.
func TestCastEveryPair(t *testing.T) {
	holds := func(d accel.DType, v float64) bool {
		return v == 1 || d != accel.Float8E8M0 && (v == 0 || d != accel.Bool && d != accel.Int2)
	}
	for from := accel.Float32; from <= accel.Uint2; from++ {
		for to := accel.Float32; to <= accel.Uint2; to++ {
			for _, v := range []float64{0, 1, 3} {
				if !holds(from, v) || !holds(to, v) {
					continue
				}
				checkValues(t, []valueCase{{"Cast", castTo(to), ins(of(t, from, v)), ins(of(t, to, v))}})
				checkValues(t, []valueCase{{"Cast", castTo(accel.Float64), ins(of(t, to, v)), ins(arr(accel.Float64, v))}})
			}
		}
	}
}

// TestCastTruncates has numpy's results on x86, of which those out of range are
// C's conversion instructions.
func TestCastTruncates(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	x := arr(accel.Float64, 1.9, -1.9, 300, -129, 3e9, -3e9, 1e19, inf, -inf, nan)
	const least = math.MinInt64
	checkValues(t, []valueCase{
		{"Cast", castTo(accel.Int8), ins(x), ins(arr[int8](accel.Int8, 1, -1, 44, 127, 0, 0, 0, 0, 0, 0))},
		{"Cast", castTo(accel.Uint8), ins(x), ins(arr[uint8](accel.Uint8, 1, 255, 44, 127, 0, 0, 0, 0, 0, 0))},
		{"Cast", castTo(accel.Int16), ins(x), ins(arr[int16](accel.Int16, 1, -1, 300, -129, 0, 0, 0, 0, 0, 0))},
		{"Cast", castTo(accel.Int32), ins(x), ins(arr[int32](accel.Int32, 1, -1, 300, -129, math.MinInt32, math.MinInt32, math.MinInt32, math.MinInt32, math.MinInt32, math.MinInt32))},
		{"Cast", castTo(accel.Uint32), ins(x), ins(arr[uint32](accel.Uint32, 1, math.MaxUint32, 300, math.MaxUint32-128, 3e9, 1294967296, 0, 0, 0, 0))},
		{"Cast", castTo(accel.Int64), ins(x), ins(arr[int64](accel.Int64, 1, -1, 300, -129, 3e9, -3e9, least, least, least, least))},
		{"Cast", castTo(accel.Uint64), ins(x), ins(arr[uint64](accel.Uint64, 1, math.MaxUint64, 300, math.MaxUint64-128, 3e9, 1<<64-3e9, 1e19, 0, 1<<63, 1<<63))},
		{"Cast", castTo(accel.Bool), ins(arr(accel.Float64, 0, math.Copysign(0, -1), 0.1, nan)), ins(arr(accel.Bool, false, false, true, true))},
		{"Cast", castTo(accel.Float32), ins(arr(accel.Float64, 1e300, 1+0x1p-25, -0x1p-160)), ins(arr(accel.Float32, float32(inf), 1, float32(math.Copysign(0, -1))))},
		{"Cast", castTo(accel.Int8), ins(arr[int32](accel.Int32, 200, -200, 5)), ins(arr[int8](accel.Int8, -56, 56, 5))},
		{"Cast", castTo(accel.Uint64), ins(arr[int8](accel.Int8, -1)), ins(arr[uint64](accel.Uint64, math.MaxUint64))},
		{"Cast", castTo(accel.Float32), ins(arr[int64](accel.Int64, 1<<24+1, 1<<25+3)), ins(arr[float32](accel.Float32, 1<<24, 1<<25+4))},
		{"Cast", castTo(accel.Int4), ins(arr(accel.Float64, 7.9, 8, -8, -9, 17)), ins(arr[int8](accel.Int4, 7, -8, -8, 7, 1))},
		{"Cast", castTo(accel.Uint4), ins(arr[int32](accel.Int32, 15, 16, -1)), ins(arr[uint8](accel.Uint4, 15, 0, 15))},
		{"Cast", castTo(accel.Int2), ins(arr[int32](accel.Int32, 1, 2, -2, 3)), ins(arr[int8](accel.Int2, 1, -2, -2, -1))},
		{"Cast", castTo(accel.Float16), ins(arr[int32](accel.Int32, 65504, 65520, 2049)), ins(arr[uint16](accel.Float16, 0x7bff, 0x7c00, 0x6800))},
		{"Cast", castTo(accel.BFloat16), ins(arr[float32](accel.Float32, 1+0x1p-8, 1+0x1.8p-8)), ins(arr[uint16](accel.BFloat16, 0x3f80, 0x3f81))},
		{"Cast", castTo(accel.Float8E4M3FN), ins(arr[float32](accel.Float32, 500, 17, nanf())), ins(arr[uint8](accel.Float8E4M3FN, 0x7e, 0x58, 0x7f))},
		{"Cast", castTo(accel.Float8E4M3FN, accel.Int("saturate", 0)), ins(arr[float32](accel.Float32, 500, -500)), ins(arr[uint8](accel.Float8E4M3FN, 0x7f, 0xff))},
		{"Cast", castTo(accel.Float8E5M2, accel.Int("saturate", 0)), ins(arr(accel.Float64, 1e6)), ins(arr[uint8](accel.Float8E5M2, 0x7c))},
		{"Cast", castTo(accel.Float8E8M0), ins(arr[float32](accel.Float32, 3)), ins(arr[uint8](accel.Float8E8M0, 129))},
		{"Cast", castTo(accel.Float8E8M0, accel.String("round_mode", "down")), ins(arr(accel.Float64, 3.0)), ins(arr[uint8](accel.Float8E8M0, 128))},
		{"Cast", castTo(accel.Float8E8M0, accel.String("round_mode", "nearest")), ins(of(t, accel.Float16, 2.5, 3)), ins(arr[uint8](accel.Float8E8M0, 128, 129))},
		{"Cast", castTo(accel.Float4E2M1), ins(arr[float32](accel.Float32, 6, 100, -0.6)), ins(arr[uint8](accel.Float4E2M1, 7, 7, 9))},
		{"CastLike", nil, ins(arr[float32](accel.Float32, 1.5, -1.5), accel.NewArray(accel.Int16)), ins(arr[int16](accel.Int16, 1, -1))},
		{"CastLike", accel.Attrs{accel.Int("saturate", 0)}, ins(arr[float32](accel.Float32, 500), accel.NewArray(accel.Float8E4M3FN)), ins(arr[uint8](accel.Float8E4M3FN, 0x7f))},
	})
}

func nanf() float32 { return float32(math.NaN()) }

func TestBitCast(t *testing.T) {
	checkValues(t, []valueCase{
		{"BitCast", castTo(accel.Int32), ins(arr[float32](accel.Float32, 1, -2)), ins(arr[int32](accel.Int32, 0x3f800000, math.MinInt32|0x40000000))},
		{"BitCast", castTo(accel.Float64), ins(arr[int64](accel.Int64, 0x3ff<<52)), ins(arr(accel.Float64, 1.0))},
		{"BitCast", castTo(accel.BFloat16), ins(of(t, accel.Float16, 1)), ins(arr[uint16](accel.BFloat16, 0x3c00))},
		{"BitCast", castTo(accel.Bool), ins(arr[uint8](accel.Uint8, 0, 1)), ins(arr(accel.Bool, false, true))},
		{"BitCast", castTo(accel.Uint8), ins(arr(accel.Bool, false, true)), ins(arr[uint8](accel.Uint8, 0, 1))},
		{"BitCast", castTo(accel.Uint4), ins(arr[int8](accel.Int4, -1, 7)), ins(arr[uint8](accel.Uint4, 15, 7))},
		{"BitCast", castTo(accel.Int4), ins(arr[uint8](accel.Uint4, 15, 7)), ins(arr[int8](accel.Int4, -1, 7))},
		{"BitCast", castTo(accel.Int2), ins(arr[uint8](accel.Uint2, 2, 1)), ins(arr[int8](accel.Int2, -2, 1))},
		{"BitCast", castTo(accel.Float4E2M1), ins(arr[int8](accel.Int4, -1, 7)), ins(arr[uint8](accel.Float4E2M1, 15, 7))},
	})
}
