//go:build !amd64

package philox

func (impl) fill(dst []uint32, s Stream, block uint64) { fillPortable(dst, s, block) }

// Plain Go leaves everything to the loops of the tails.

func (impl) uniform([]float32, []uint32) int { return 0 }

func (impl) keep([]uint8, []uint32, uint32) int { return 0 }

func (impl) dropout(_, _ []float32, _ []uint32, _ uint32, _ float32) int { return 0 }
