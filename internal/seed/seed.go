// Package seed derives every random choice from (job seed, what it is for,
// indices), so that no choice depends on order, workers or time.
package seed

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// Derive returns the seed for one purpose.
func Derive(job uint64, what string, index ...uint64) uint64 {
	data := binary.LittleEndian.AppendUint64(nil, job)
	data = append(data, what...)
	data = append(data, 0)
	for _, i := range index {
		data = binary.LittleEndian.AppendUint64(data, i)
	}
	sum := sha256.Sum256(data)
	return binary.LittleEndian.Uint64(sum[:])
}

// Stream is a sequence of random numbers: SplitMix64 (Steele, Lea & Flood,
// https://doi.org/10.1145/2714064.2660195).
type Stream uint64

// Next returns the next 64 random bits.
func (s *Stream) Next() uint64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Below returns a number in [0, n), unbiased (Lemire, https://arxiv.org/abs/1805.10941).
func (s *Stream) Below(n uint64) uint64 {
	hi, lo := bits.Mul64(s.Next(), n)
	if lo < n {
		for limit := -n % n; lo < limit; {
			hi, lo = bits.Mul64(s.Next(), n)
		}
	}
	return hi
}

// Permutation returns a random order of 0 … n-1 (Fisher and Yates).
func Permutation(seed uint64, n int) []int32 {
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	s := Stream(seed)
	for i := n - 1; i > 0; i-- {
		j := s.Below(uint64(i) + 1)
		order[i], order[j] = order[j], order[i]
	}
	return order
}
