// Package philox is the counter-based random generator Philox4x32-10 of Salmon,
// Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
//
// A Stream is an unending sequence of 32-bit words; word i is a function of
// (Key, ID, i) alone. So a part of a stream can be drawn from any offset, in any
// order, by any number of threads: however a tensor is cut, its elements are the
// same. Word i is word i%4 of the block whose counter is (i/4, ID), each as two
// words, the lower first.
//
// The bits are the same on every machine. Uniform and Normal take one word an
// element, their float64 twins two, so they can be cut anywhere too.
package philox

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

// The multipliers of a round and the Weyl increments of the key.
const (
	mul0, mul1   = 0xd2511f53, 0xcd9e8d57
	weyl0, weyl1 = 0x9e3779b9, 0xbb67ae85
)

// Block is Philox4x32-10: a bijection of the counter for each key.
func Block(counter [4]uint32, key [2]uint32) [4]uint32 {
	c0, c1, c2, c3 := counter[0], counter[1], counter[2], counter[3]
	k0, k1 := key[0], key[1]
	for range 10 {
		p0, p1 := uint64(mul0)*uint64(c0), uint64(mul1)*uint64(c2)
		c0, c1, c2, c3 = uint32(p1>>32)^c1^k0, uint32(p1), uint32(p0>>32)^c3^k1, uint32(p0)
		k0, k1 = k0+weyl0, k1+weyl1
	}
	return [4]uint32{c0, c1, c2, c3}
}

// Stream names a sequence of words: Key is the seed, ID the tensor, layer or
// step, whatever tells the streams of one seed apart.
type Stream struct{ Key, ID uint64 }

// Uint32x4 is words 4*block to 4*block+3 of the stream.
func (s Stream) Uint32x4(block uint64) [4]uint32 {
	return Block([4]uint32{uint32(block), uint32(block >> 32), uint32(s.ID), uint32(s.ID >> 32)},
		[2]uint32{uint32(s.Key), uint32(s.Key >> 32)})
}

// Uint32 is word i of the stream.
func (s Stream) Uint32(i uint64) uint32 { return s.Uint32x4(i / 4)[i%4] }

// group is the words that an implementation makes at a time: 16 blocks.
const group = 64

// impl is one implementation. Its methods fill, uniform, keep and dropout are no
// function values, so that slices of a caller's stack stay there: fill writes
// whole groups of words, and the others do the first elements of dst and say
// how many, a multiple of 16.
type impl isa.Level

// impls lists the implementations this process may use, plain Go first; best is
// the last.
var (
	impls = available()
	best  = impls[len(impls)-1]
)

func available() []impl {
	var list []impl
	for l := isa.Portable; isa.Has(l); l++ {
		list = append(list, impl(l))
	}
	return list
}

// String is the name of the level.
func (m impl) String() string { return isa.Level(m).String() }

// fillPortable writes the words of blocks from block on.
func fillPortable(dst []uint32, s Stream, block uint64) {
	for i := 0; i < len(dst); i += 4 {
		w := s.Uint32x4(block)
		copy(dst[i:], w[:])
		block++
	}
}

// Bits fills dst with the words of the stream from offset on.
func (s Stream) Bits(dst []uint32, offset uint64) { best.bits(dst, s, offset) }

func (m impl) bits(dst []uint32, s Stream, offset uint64) {
	block := offset / 4
	if skip := offset % 4; skip != 0 && len(dst) > 0 {
		w := s.Uint32x4(block)
		dst = dst[copy(dst, w[skip:]):]
		block++
	}
	n := len(dst) / group * group
	m.fill(dst[:n], s, block)
	block += uint64(n / 4)
	for dst = dst[n:]; len(dst) > 0; block++ {
		w := s.Uint32x4(block)
		dst = dst[copy(dst, w[:]):]
	}
}

// chunk is how many words the functions below draw at a time, on the stack.
const chunk = 1024

// Uniform fills dst with numbers of [0, 1), multiples of 2⁻²⁴: the upper 24
// bits of the words from offset on.
func (s Stream) Uniform(dst []float32, offset uint64) { best.uniforms(dst, s, offset) }

func (m impl) uniforms(dst []float32, s Stream, offset uint64) {
	var words [chunk]uint32
	for len(dst) > 0 {
		part, w := dst[:min(chunk, len(dst))], words[:min(chunk, len(dst))]
		m.bits(w, s, offset)
		for i := m.uniform(part, w); i < len(w); i++ {
			part[i] = float32(w[i]>>8) * 0x1p-24
		}
		dst, offset = dst[len(part):], offset+chunk
	}
}

// Normal fills dst with numbers of the normal distribution of mean 0 and
// variance 1: the quantile function at (w+1/2)·2⁻³² for the words w from offset
// on. The farthest is at 6.23.
func (s Stream) Normal(dst []float32, offset uint64) {
	var words [chunk]uint32
	for len(dst) > 0 {
		part, w := dst[:min(chunk, len(dst))], words[:min(chunk, len(dst))]
		best.bits(w, s, offset)
		for i, v := range w {
			part[i] = float32(quantile((float64(v) + 0.5) * 0x1p-32))
		}
		dst, offset = dst[len(part):], offset+chunk
	}
}

// Uniform64 is Uniform in float64: multiples of 2⁻⁵³, the upper 53 bits of the 64
// that words 2·offset, 2·offset+1 and so on are, two an element, the lower first.
func (s Stream) Uniform64(dst []float64, offset uint64) {
	s.pairs(dst, offset, func(w uint64) float64 { return float64(w>>11) * 0x1p-53 })
}

// pairs gives each element a function of two words.
func (s Stream) pairs(dst []float64, offset uint64, f func(w uint64) float64) {
	var words [chunk]uint32
	for len(dst) > 0 {
		part := dst[:min(chunk/2, len(dst))]
		w := words[:2*len(part)]
		best.bits(w, s, 2*offset)
		for i := range part {
			part[i] = f(uint64(w[2*i+1])<<32 | uint64(w[2*i]))
		}
		dst, offset = dst[len(part):], offset+chunk/2
	}
}

// Normal64 is Normal in float64: the quantile function at (w+1/2)·2⁻⁵² for the upper
// 52 bits w of what Uniform64 takes. The farthest is at 8.21.
func (s Stream) Normal64(dst []float64, offset uint64) {
	s.pairs(dst, offset, func(w uint64) float64 { return quantile((float64(w>>12) + 0.5) * 0x1p-52) })
}

// threshold is the number of words, of 2³², for which a draw of probability p
// succeeds: those below it. Probability 1 is refused, since 2³² is no uint32.
func threshold(p float64) uint32 {
	if !(p >= 0 && p < 1) {
		panic(fmt.Sprintf("philox: probability %g, want 0 <= p < 1", p))
	}
	return uint32(math.Floor(p * (1 << 32)))
}

// KeepMask fills dst with 0 with probability drop, else 1; 0 ≤ drop < 1, rounded
// down to a multiple of 2⁻³². Element i takes word offset+i.
func (s Stream) KeepMask(dst []uint8, drop float64, offset uint64) {
	best.keepMask(dst, s, threshold(drop), offset)
}

func (m impl) keepMask(dst []uint8, s Stream, drop uint32, offset uint64) {
	var words [chunk]uint32
	for len(dst) > 0 {
		part, w := dst[:min(chunk, len(dst))], words[:min(chunk, len(dst))]
		m.bits(w, s, offset)
		for i := m.keep(part, w, drop); i < len(w); i++ {
			part[i] = 0
			if w[i] >= drop {
				part[i] = 1
			}
		}
		dst, offset = dst[len(part):], offset+chunk
	}
}

// Dropout writes src[i]·scale where KeepMask has 1 and 0 elsewhere. dst and src
// have the same length and may be the same slice.
func (s Stream) Dropout(dst, src []float32, drop float64, scale float32, offset uint64) {
	if len(dst) != len(src) {
		panic(fmt.Sprintf("philox: dst has %d elements, src %d", len(dst), len(src)))
	}
	best.drop(dst, src, s, threshold(drop), scale, offset)
}

func (m impl) drop(dst, src []float32, s Stream, drop uint32, scale float32, offset uint64) {
	var words [chunk]uint32
	for len(dst) > 0 {
		n := min(chunk, len(dst))
		part, from, w := dst[:n], src[:n], words[:n]
		m.bits(w, s, offset)
		for i := m.dropout(part, from, w, drop, scale); i < n; i++ {
			v := from[i] * scale
			if w[i] < drop {
				v = 0
			}
			part[i] = v
		}
		dst, src, offset = dst[n:], src[n:], offset+chunk
	}
}
