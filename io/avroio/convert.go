package avroio

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
)

// maxDecimalBytes bounds the integer of a decimal.
const maxDecimalBytes = 128

func widenFloat(bits uint32) uint64 {
	return math.Float64bits(float64(math.Float32frombits(bits)))
}

// uuid is the text of 16 bytes.
func uuid(b []byte) []byte {
	if len(b) != 16 {
		return nil
	}
	out := make([]byte, 36)
	hex.Encode(out, b[:4])
	hex.Encode(out[9:], b[4:6])
	hex.Encode(out[14:], b[6:8])
	hex.Encode(out[19:], b[8:10])
	hex.Encode(out[24:], b[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return out
}

// powers are the powers of ten that float64 holds exactly.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// decimal reads a big-endian integer and returns the bits of the float64 nearest to it by 10^scale.
func (n *node) decimal(d *decoder) uint64 {
	var b []byte
	if n.size > 0 {
		b = d.take(int64(n.size))
	} else {
		b = d.bytes()
	}
	if len(b) == 0 || len(b) > maxDecimalBytes {
		d.fail(fmt.Errorf("a decimal of %d bytes, want 1 to %d", len(b), maxDecimalBytes))
		return 0
	}
	if len(b) <= 8 {
		v := int64(0)
		for i, c := range b {
			if i == 0 {
				v = int64(int8(c))
			} else {
				v = v<<8 | int64(c)
			}
		}
		if v > -1<<53 && v < 1<<53 && n.scale < len(powers) { // one rounding of two exact numbers
			return math.Float64bits(float64(v) / powers[n.scale])
		}
	}
	v := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	f, err := strconv.ParseFloat(fmt.Sprintf("%de-%d", v, n.scale), 64)
	if err != nil && !math.IsInf(f, 0) {
		d.fail(err)
	}
	return math.Float64bits(f)
}
