package cast

import "fmt"

// Elements of 4 and 2 bits take a byte each in memory; files pack them, the
// first element in the lowest bits, as ONNX has it.

// PackedLen is the bytes that n elements of width bits (4 or 2) take packed.
func PackedLen(n, width int) int { return (n*width + 7) / 8 }

// Pack packs the low width (4 or 2) bits of each byte of src into dst, whose
// length is PackedLen(len(src), width); bits left over are 0.
func Pack(dst, src []uint8, width int) {
	checkPacked(len(dst), len(src), width)
	per, mask := 8/width, uint8(1)<<width-1
	for i := range dst {
		var b uint8
		for j, v := range src[i*per : min((i+1)*per, len(src))] {
			b |= v & mask << (j * width)
		}
		dst[i] = b
	}
}

// Unpack is Pack's inverse; src has PackedLen(len(dst), width) bytes. With
// signed, elements are two's complement and extended to int8.
func Unpack(dst, src []uint8, width int, signed bool) {
	checkPacked(len(src), len(dst), width)
	per := 8 / width
	for i := range dst {
		v := src[i/per] >> (i % per * width) << (8 - width)
		if signed {
			dst[i] = uint8(int8(v) >> (8 - width))
		} else {
			dst[i] = v >> (8 - width)
		}
	}
}

func checkPacked(packed, n, width int) {
	if width != 4 && width != 2 {
		panic(fmt.Sprintf("cast: elements of %d bits, want 4 or 2", width))
	}
	if want := PackedLen(n, width); packed != want {
		panic(fmt.Sprintf("cast: %d bytes for %d elements of %d bits, want %d", packed, n, width, want))
	}
}
