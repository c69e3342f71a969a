package cpu

import (
	"fmt"
	"unsafe"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/cast"
)

var castKernels = map[string]builder{
	"Cast":         {in: 1, out: 1, make: castOp, half: true},
	"BitCast":      {in: 1, out: 1, make: bitCast, half: true},
	"StopGradient": {in: 1, out: 1, make: copyOp, half: true},
	"Barrier":      {in: 1, out: 1, make: copyOp, half: true},
}

// castOp converts between any two element types. Types that Go has no numbers
// of go by blocks of float32, which holds them exactly; to them, values are
// rounded once from float32 or float64.
func castOp(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	if err := sameLen(x, y); err != nil {
		return nil, err
	}
	if x.DType == y.DType {
		return copyOp(c)
	}
	if of, ok := halfCasts[[2]accel.DType{x.DType, y.DType}]; ok {
		return of(c)
	}
	switch soft, toSoft := isSoft(x.DType), isSoft(y.DType); {
	case soft && toSoft:
		return throughFloat32(c)
	case soft:
		return fromSoft(c)
	case toSoft:
		return toSoftType(c)
	}
	return byHeld(c, x.DType, map[accel.DType]func(*call) (kernel, error){
		accel.Float32: castFromFloat[float32], accel.Float64: castFromFloat[float64],
		accel.Int8: castFromInt[int8], accel.Int16: castFromInt[int16], accel.Int32: castFromInt[int32], accel.Int64: castFromInt[int64],
		accel.Uint8: castFromInt[uint8], accel.Uint16: castFromInt[uint16], accel.Uint32: castFromInt[uint32], accel.Uint64: castFromInt[uint64],
	})
}

// halfCasts are the conversions of mixed precision.
var halfCasts = map[[2]accel.DType]func(*call) (kernel, error){
	{accel.Float32, accel.Float16}:  func(c *call) (kernel, error) { return elementwise(c, grain, cast.F32ToF16) },
	{accel.Float32, accel.BFloat16}: func(c *call) (kernel, error) { return elementwise(c, grain, cast.F32ToBF16) },
	{accel.Float16, accel.Float32}:  func(c *call) (kernel, error) { return elementwise(c, grain, cast.F16ToF32) },
	{accel.BFloat16, accel.Float32}: func(c *call) (kernel, error) { return elementwise(c, grain, cast.BF16ToF32) },
}

// isSoft says that a type has no Go type of its own.
func isSoft(t accel.DType) bool {
	_, mini := minifloats[t]
	return mini || t.IsHalf()
}

var minifloats = map[accel.DType]cast.Minifloat{
	accel.Float8E4M3FN: cast.Float8E4M3FN, accel.Float8E4M3FNUZ: cast.Float8E4M3FNUZ,
	accel.Float8E5M2: cast.Float8E5M2, accel.Float8E5M2FNUZ: cast.Float8E5M2FNUZ,
	accel.Float8E8M0: cast.Float8E8M0, accel.Float4E2M1: cast.Float4E2M1,
}

// narrow is the number of bits of the integers that take a part of a byte.
var narrow = map[accel.DType]int{accel.Int4: 4, accel.Uint4: 4, accel.Int2: 2, accel.Uint2: 2}

// held is the type whose numbers hold a type's elements.
func held(t accel.DType) accel.DType {
	switch t {
	case accel.Int4, accel.Int2:
		return accel.Int8
	case accel.Bool, accel.Uint4, accel.Uint2:
		return accel.Uint8
	}
	return t
}

// byHeld is byType by the type that holds t.
func byHeld(c *call, t accel.DType, of map[accel.DType]func(*call) (kernel, error)) (kernel, error) {
	if make := of[held(t)]; make != nil {
		return make(c)
	}
	return nil, fmt.Errorf("%s of %s: %w", c.Op, t, accel.ErrUnsupported)
}

func castFromInt[S integer](c *call) (kernel, error) {
	t := c.out[0].DType
	if t == accel.Bool {
		return elementwise(c, grain, truth[S])
	}
	return byHeld(c, t, map[accel.DType]func(*call) (kernel, error){
		accel.Float32: castBy(plain[S, float32]), accel.Float64: castBy(plain[S, float64]),
		accel.Int8: castBy(wrapped(plain[S, int8], t)), accel.Int16: castBy(plain[S, int16]),
		accel.Int32: castBy(plain[S, int32]), accel.Int64: castBy(plain[S, int64]),
		accel.Uint8: castBy(wrapped(plain[S, uint8], t)), accel.Uint16: castBy(plain[S, uint16]),
		accel.Uint32: castBy(plain[S, uint32]), accel.Uint64: castBy(plain[S, uint64]),
	})
}

func castFromFloat[S float32 | float64](c *call) (kernel, error) {
	t := c.out[0].DType
	if t == accel.Bool {
		return elementwise(c, grain, truth[S])
	}
	return byHeld(c, t, map[accel.DType]func(*call) (kernel, error){
		accel.Float32: castFloat64To32, accel.Float64: castFloat32To64,
		accel.Int8: castBy(wrapped(fromFloat[S, int8](t), t)), accel.Int16: castBy(fromFloat[S, int16](t)),
		accel.Int32: castBy(fromFloat[S, int32](t)), accel.Int64: castBy(fromFloat[S, int64](t)),
		accel.Uint8: castBy(wrapped(fromFloat[S, uint8](t), t)), accel.Uint16: castBy(fromFloat[S, uint16](t)),
		accel.Uint32: castBy(fromFloat[S, uint32](t)), accel.Uint64: castBy(fromFloat[S, uint64](t)),
	})
}

func castFloat64To32(c *call) (kernel, error) { return elementwise(c, grain, cast.F64ToF32) }
func castFloat32To64(c *call) (kernel, error) { return elementwise(c, grain, cast.F32ToF64) }

// castBy makes a kernel of a conversion.
func castBy[S, R accel.Number](of convert[S, R]) func(*call) (kernel, error) {
	return func(c *call) (kernel, error) { return elementwise(c, grain, of) }
}

// wrapped keeps the low bits of what a conversion gives, where t has fewer
// than 8, and extends the sign.
func wrapped[S accel.Number, R ~int8 | ~uint8](of convert[S, R], t accel.DType) convert[S, R] {
	bits, ok := narrow[t]
	if !ok {
		return of
	}
	shift := 8 - bits
	return func(y []R, x []S) {
		of(y, x)
		for i, v := range y {
			y[i] = v << shift >> shift // R has the sign of t
		}
	}
}

// decoder widens a soft type to float32, exactly.
func decoder(t accel.DType) func(dst []float32, src []byte) {
	switch t {
	case accel.Float16:
		return func(dst []float32, src []byte) { cast.F16ToF32(dst, accel.View[uint16](src)) }
	case accel.BFloat16:
		return func(dst []float32, src []byte) { cast.BF16ToF32(dst, accel.View[uint16](src)) }
	}
	return minifloats[t].Decode
}

// encoder rounds to a soft type, as the attributes saturate and round_mode say.
func encoder[S float32 | float64](c *call, t accel.DType) (func(dst []byte, src []S), error) {
	saturate := c.Bool("saturate", true)
	mode, ok := map[string]cast.Rounding{"up": cast.RoundUp, "down": cast.RoundDown, "nearest": cast.RoundNearest}[c.Str("round_mode", "up")]
	if !ok {
		return nil, fmt.Errorf("round_mode is %q, want up, down or nearest", c.Str("round_mode", ""))
	}
	var of any
	switch any(S(0)).(type) {
	case float32:
		of = encodeFloat32(t, saturate, mode)
	default:
		of = encodeFloat64(t, saturate, mode)
	}
	return of.(func([]byte, []S)), nil
}

func encodeFloat32(t accel.DType, saturate bool, mode cast.Rounding) func(dst []byte, src []float32) {
	switch t {
	case accel.Float16:
		return func(dst []byte, src []float32) { cast.F32ToF16(accel.View[uint16](dst), src) }
	case accel.BFloat16:
		return func(dst []byte, src []float32) { cast.F32ToBF16(accel.View[uint16](dst), src) }
	case accel.Float8E8M0:
		return func(dst []byte, src []float32) { cast.EncodeE8M0(dst, src, saturate, mode) }
	}
	return func(dst []byte, src []float32) { minifloats[t].Encode(dst, src, saturate) }
}

func encodeFloat64(t accel.DType, saturate bool, mode cast.Rounding) func(dst []byte, src []float64) {
	switch t {
	case accel.Float16:
		return func(dst []byte, src []float64) { cast.F64ToF16(accel.View[uint16](dst), src) }
	case accel.BFloat16:
		return func(dst []byte, src []float64) { cast.F64ToBF16(accel.View[uint16](dst), src) }
	case accel.Float8E8M0:
		return func(dst []byte, src []float64) {
			var one [1]float32
			for i, v := range src {
				one[0] = float32(v)
				cast.EncodeE8M0(dst[i:i+1], one[:], saturate, mode)
			}
		}
	}
	return func(dst []byte, src []float64) { minifloats[t].EncodeF64(dst, src, saturate) }
}

// throughFloat32 converts one soft type to another.
func throughFloat32(c *call) (kernel, error) {
	encode, err := encoder[float32](c, c.out[0].DType)
	if err != nil {
		return nil, err
	}
	return blocks(c, decoder(c.in[0].DType), encode)
}

// fromSoft converts a soft type to one of Go's numbers.
func fromSoft(c *call) (kernel, error) {
	t, decode := c.out[0].DType, decoder(c.in[0].DType)
	if t == accel.Bool {
		return blocks(c, decode, func(dst []byte, src []float32) { truth(accel.View[bool](dst), src) })
	}
	return byHeld(c, t, map[accel.DType]func(*call) (kernel, error){
		accel.Float32: softTo(decode, plain[float32, float32]), accel.Float64: softTo(decode, plain[float32, float64]),
		accel.Int8: softTo(decode, wrapped(fromFloat[float32, int8](t), t)), accel.Int16: softTo(decode, fromFloat[float32, int16](t)),
		accel.Int32: softTo(decode, fromFloat[float32, int32](t)), accel.Int64: softTo(decode, fromFloat[float32, int64](t)),
		accel.Uint8: softTo(decode, wrapped(fromFloat[float32, uint8](t), t)), accel.Uint16: softTo(decode, fromFloat[float32, uint16](t)),
		accel.Uint32: softTo(decode, fromFloat[float32, uint32](t)), accel.Uint64: softTo(decode, fromFloat[float32, uint64](t)),
	})
}

func softTo[R accel.Number](decode func([]float32, []byte), of convert[float32, R]) func(*call) (kernel, error) {
	return func(c *call) (kernel, error) {
		return blocks(c, decode, func(dst []byte, src []float32) { of(accel.View[R](dst), src) })
	}
}

// toSoftType converts one of Go's numbers to a soft type, by float64 if it is not float32.
func toSoftType(c *call) (kernel, error) {
	if c.in[0].DType == accel.Float32 {
		encode, err := encoder[float32](c, c.out[0].DType)
		if err != nil {
			return nil, err
		}
		return blocks(c, func(dst []float32, src []byte) { copy(dst, accel.View[float32](src)) }, encode)
	}
	return byHeld(c, c.in[0].DType, map[accel.DType]func(*call) (kernel, error){
		accel.Float64: softFrom[float64],
		accel.Int8:    softFrom[int8], accel.Int16: softFrom[int16], accel.Int32: softFrom[int32], accel.Int64: softFrom[int64],
		accel.Uint8: softFrom[uint8], accel.Uint16: softFrom[uint16], accel.Uint32: softFrom[uint32], accel.Uint64: softFrom[uint64],
	})
}

func softFrom[S accel.Number](c *call) (kernel, error) {
	encode, err := encoder[float64](c, c.out[0].DType)
	if err != nil {
		return nil, err
	}
	return blocks(c, func(dst []float64, src []byte) { plain(dst, accel.View[S](src)) }, encode)
}

// blocks makes the kernel that converts by blocks of B.
func blocks[B float32 | float64](c *call, decode func([]B, []byte), encode func([]byte, []B)) (kernel, error) {
	x, y := c.in[0], c.out[0]
	var z B
	room := c.scratch(c.threads * blockLen * int(unsafe.Sizeof(z)))
	newJob := addJob[blockJob[B]](c)
	return func(f *frame) error {
		j := newJob(f)
		j.decode, j.encode = decode, encode
		j.x, j.y, j.block = raw(f, x), raw(f, y), accel.View[B](room.raw(f))
		j.sizeX, j.sizeY = x.DType.Size(), y.DType.Size()
		f.pool.For((y.n+grainSlow-1)/grainSlow, j)
		return nil
	}, nil
}

type blockJob[B float32 | float64] struct {
	decode       func([]B, []byte)
	encode       func([]byte, []B)
	x, y         []byte
	sizeX, sizeY int
	block        []B // blockLen for each worker
}

// Do does one tile.
func (j *blockJob[B]) Do(tile, worker int) {
	block := j.block[worker*blockLen:]
	end := min((tile+1)*grainSlow, len(j.y)/j.sizeY)
	for from := tile * grainSlow; from < end; from += blockLen {
		to := min(from+blockLen, end)
		b := block[:to-from]
		j.decode(b, j.x[from*j.sizeX:to*j.sizeX])
		j.encode(j.y[from*j.sizeY:to*j.sizeY], b)
	}
}
