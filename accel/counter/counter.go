// Package counter is a counter-based random generator: the i-th number of a
// stream is a function of (key, i), so any part of a stream can be drawn in any
// order, by any number of workers, with the same result.
//
// The function is SplitMix64's output mix (Steele, Lea, Flood, "Fast splittable
// pseudorandom number generators", OOPSLA 2014) of key + (i+1)·γ with γ the odd
// integer closest to 2⁶⁴/φ: a full-period Weyl sequence, finalized.
package counter

const gamma = 0x9e3779b97f4a7c15

// Mix is SplitMix64's finalizer, a bijection of 64 bits.
func Mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Uint64 is the i-th number of the stream of key.
func Uint64(key, i uint64) uint64 { return Mix(key + (i+1)*gamma) }

// Float64 is the i-th number of the stream as a real in [0, 1), a multiple of 2⁻⁵³.
func Float64(key, i uint64) float64 { return float64(Uint64(key, i)>>11) * 0x1p-53 }

// Key derives the key of a named stream from a seed: the parts are hashed with
// FNV-1a, each closed by its length, and mixed with the seed.
func Key(seed uint64, parts ...string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for _, p := range parts {
		for i := 0; i < len(p); i++ {
			h = (h ^ uint64(p[i])) * 0x100000001b3
		}
		h = (h ^ uint64(len(p)) ^ 0xff00) * 0x100000001b3
	}
	return Mix(Mix(seed+gamma) ^ h)
}
