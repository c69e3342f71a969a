package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
)

// The conversions between Go's numeric types, as C on x86 does them, spelt out
// so that every machine does the same: floats are truncated towards zero;
// what does not fit becomes the least int32 or int64, of which the
// narrower types keep the low bits; integers wrap around.

// convert is one conversion; y and x have one length.
type convert[S, R accel.Number | ~bool] func(y []R, x []S)

// fromFloat makes the conversion of a float type to the one that t is held in.
func fromFloat[S float32 | float64, R accel.Number](t accel.DType) convert[S, R] {
	switch t {
	case accel.Float32, accel.Float64:
		return plain[S, R]
	case accel.Int64:
		return func(y []R, x []S) {
			for i, v := range x {
				y[i] = R(truncate64(float64(v)))
			}
		}
	case accel.Uint64:
		return func(y []R, x []S) {
			for i, v := range x {
				y[i] = R(truncateU64(float64(v)))
			}
		}
	case accel.Uint32:
		return func(y []R, x []S) {
			for i, v := range x {
				y[i] = R(uint32(truncate64(float64(v))))
			}
		}
	}
	return func(y []R, x []S) {
		for i, v := range x {
			y[i] = R(truncate32(float64(v)))
		}
	}
}

// plain is Go's own conversion, of integers to anything and of floats to floats.
func plain[S, R accel.Number](y []R, x []S) {
	for i, v := range x {
		y[i] = R(v)
	}
}

func truncate32(v float64) int32 {
	if v > -0x1p31-1 && v < 0x1p31 {
		return int32(v)
	}
	return math.MinInt32
}

func truncate64(v float64) int64 {
	if v >= -0x1p63 && v < 0x1p63 {
		return int64(v)
	}
	return math.MinInt64
}

func truncateU64(v float64) uint64 {
	if v >= 0x1p63 {
		if v < 0x1p64 {
			return uint64(truncate64(v-0x1p63)) ^ 1<<63
		}
		return 0
	}
	return uint64(truncate64(v))
}

// truth is false for zero alone.
func truth[S accel.Number](y []bool, x []S) {
	for i, v := range x {
		y[i] = v != 0
	}
}
