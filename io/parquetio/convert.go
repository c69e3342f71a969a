package parquetio

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/float16"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
)

// array turns stored values into the column's Arrow type.
func (l *leaf) array(v *values) (arrow.Array, error) {
	buffers := []*memory.Buffer{nil}
	if v.nulls > 0 {
		buffers[0] = memory.NewBufferBytes(v.valid)
	}
	if l.width == 0 && !l.decimal {
		offsets := make([]byte, 4, 4*(v.n+1))
		for _, end := range v.text.ends {
			offsets = binary.LittleEndian.AppendUint32(offsets, uint32(end))
		}
		buffers = append(buffers, memory.NewBufferBytes(offsets), memory.NewBufferBytes(v.text.data))
	} else {
		fixed, err := l.convert(v)
		if err != nil {
			return nil, err
		}
		buffers = append(buffers, memory.NewBufferBytes(fixed))
	}
	return array.MakeFromData(array.NewData(l.arrow, v.n, buffers, nil, v.nulls, 0)), nil
}

// convert returns the values buffer of the Arrow type.
func (l *leaf) convert(v *values) ([]byte, error) {
	switch l.arrow.ID() {
	case arrow.BOOL:
		return packBits(v.fixed), nil
	case arrow.INT8, arrow.UINT8, arrow.INT16, arrow.UINT16:
		return narrow(v.fixed, l.arrow)
	}
	switch {
	case l.decimal:
		return l.decimals(v)
	case l.physical == parquet.Types.Int96:
		return int96s(v.fixed), nil
	case l.physical == parquet.Types.FixedLenByteArray:
		return halves(v.fixed), nil
	}
	return v.fixed, nil
}

func packBits(b []byte) []byte {
	out := make([]byte, bitutil.BytesForBits(int64(len(b))))
	for i, v := range b {
		out[i>>3] |= v << (i & 7)
	}
	return out
}

// narrow cuts 4-byte integers to the 1 or 2 bytes of dt, if they fit.
func narrow(b []byte, dt arrow.DataType) ([]byte, error) {
	bits := dt.(arrow.FixedWidthDataType).BitWidth()
	low, high := int32(-1)<<(bits-1), int32(1)<<(bits-1)-1
	if dt.ID() == arrow.UINT8 || dt.ID() == arrow.UINT16 {
		low, high = 0, 1<<bits-1
	}
	out := make([]byte, 0, len(b)*bits/32)
	for i := 0; i < len(b); i += 4 {
		v := int32(binary.LittleEndian.Uint32(b[i:]))
		if v < low || v > high {
			return nil, fmt.Errorf("value %d of type %s", v, dt)
		}
		out = append(out, b[i:i+bits/8]...)
	}
	return out, nil
}

// int96s turns 8 bytes of nanoseconds in the day and 4 of the Julian day into
// microseconds since 1970. Nanoseconds would only reach the years 1677 to
// 2262, and Spark writes 9999. The sum wraps around as Spark's does, which
// writes late years so that it comes out right.
func int96s(b []byte) []byte {
	const julian1970, dayMicros = 2440588, 86400 * 1_000_000
	out := make([]byte, 0, len(b)/12*8)
	for i := 0; i < len(b); i += 12 {
		nanos := int64(binary.LittleEndian.Uint64(b[i:]))
		day := int64(int32(binary.LittleEndian.Uint32(b[i+8:])))
		if nanos == 0 && day == 0 { // under a null
			day = julian1970
		}
		out = binary.LittleEndian.AppendUint64(out, uint64((day-julian1970)*dayMicros+nanos/1000))
	}
	return out
}

func halves(b []byte) []byte {
	out := make([]byte, 0, 2*len(b))
	for i := 0; i < len(b); i += 2 {
		f := float16.FromBits(binary.LittleEndian.Uint16(b[i:])).Float32()
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(f))
	}
	return out
}

// decimals gives the float64 nearest to each decimal.
func (l *leaf) decimals(v *values) ([]byte, error) {
	out := make([]byte, 0, 8*v.n)
	for i := range v.n {
		f := 0.0
		if v.nulls == 0 || bitutil.BitIsSet(v.valid, i) {
			var err error
			if f, err = l.decimalAt(v, i); err != nil {
				return nil, err
			}
		}
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(f))
	}
	return out, nil
}

func (l *leaf) decimalAt(v *values, i int) (float64, error) {
	switch l.physical {
	case parquet.Types.Int32:
		return scaled(int64(int32(binary.LittleEndian.Uint32(v.fixed[4*i:]))), l.scale)
	case parquet.Types.Int64:
		return scaled(int64(binary.LittleEndian.Uint64(v.fixed[8*i:])), l.scale)
	case parquet.Types.ByteArray:
		return bigEndian(v.text.value(i), l.scale)
	}
	return bigEndian(v.fixed[i*l.width:(i+1)*l.width], l.scale)
}

// powers are the powers of ten that float64 holds exactly.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// scaled is the float64 nearest to v / 10^scale: one rounding of two exact
// numbers, or else through the decimal text.
func scaled(v int64, scale int32) (float64, error) {
	if v > -1<<53 && v < 1<<53 && int(scale) < len(powers) {
		return float64(v) / powers[scale], nil
	}
	return strconv.ParseFloat(fmt.Sprintf("%de-%d", v, scale), 64)
}

// bigEndian is scaled of a big-endian two's complement integer.
func bigEndian(b []byte, scale int32) (float64, error) {
	if len(b) == 0 || len(b) > maxDecimalBytes {
		return 0, fmt.Errorf("a decimal of %d bytes", len(b))
	}
	v := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if v.IsInt64() {
		return scaled(v.Int64(), scale)
	}
	return strconv.ParseFloat(fmt.Sprintf("%de-%d", v, scale), 64)
}
