package extent

import (
	"math"

	"github.com/millrace-go/millrace/accel"
)

// Float is element i of an array of float16, bfloat16, float32 or float64; of
// another type it is NaN.
func Float(a *accel.Array, i int) float64 {
	switch a.DType {
	case accel.Float64:
		return accel.Values[float64](a)[i]
	case accel.Float32:
		return float64(accel.Values[float32](a)[i])
	case accel.BFloat16:
		return float64(math.Float32frombits(uint32(accel.Values[uint16](a)[i]) << 16))
	case accel.Float16:
		return half(accel.Values[uint16](a)[i])
	}
	return math.NaN()
}

// half is the value of a float16: 1 bit sign, 5 bits exponent, 10 bits fraction.
func half(b uint16) float64 {
	exponent, fraction := int(b>>10&31), float64(b&1023)
	v := math.Ldexp(1024+fraction, exponent-25)
	switch {
	case exponent == 0:
		v = math.Ldexp(fraction, -24)
	case exponent == 31 && fraction == 0:
		v = math.Inf(1)
	case exponent == 31:
		return math.NaN()
	}
	if b>>15 != 0 {
		return -v
	}
	return v
}

// Int is element i of an array of integers of up to 64 bits, or of bools; of
// another type it is 0. A uint64 of 2⁶³ or more comes out as the largest int64.
func Int(a *accel.Array, i int) int64 {
	switch a.DType {
	case accel.Int64:
		return accel.Values[int64](a)[i]
	case accel.Int32:
		return int64(accel.Values[int32](a)[i])
	case accel.Int16:
		return int64(accel.Values[int16](a)[i])
	case accel.Int8:
		return int64(accel.Values[int8](a)[i])
	case accel.Uint64:
		return int64(min(accel.Values[uint64](a)[i], math.MaxInt64))
	case accel.Uint32:
		return int64(accel.Values[uint32](a)[i])
	case accel.Uint16:
		return int64(accel.Values[uint16](a)[i])
	case accel.Uint8, accel.Bool:
		return int64(accel.Values[uint8](a)[i])
	}
	return 0
}
