package cast

import (
	"fmt"
	"testing"
)

func BenchmarkCast(b *testing.B) {
	const n = 1 << 16
	f, h, q := make([]float32, n), make([]uint16, n), make([]uint8, n)
	for i := range f {
		f[i], h[i] = float32(i)/100, uint16(i)
	}
	for _, c := range []struct {
		name  string
		bytes int64
		run   func(m impl)
	}{
		{"f16-f32", 6, func(m impl) { m.widenF16(f, h) }},
		{"f32-f16", 6, func(m impl) { m.roundF16(h, f) }},
		{"bf16-f32", 6, func(m impl) { m.widenBF16(f, h) }},
		{"f32-bf16", 6, func(m impl) { m.roundBF16(h, f) }},
		{"f32-u8", 5, func(m impl) { m.quantizeBytes(q, f, 0.5, 3, Uint8) }},
		{"u8-f32", 5, func(m impl) { m.widenU8(f, q, 0.5, 3) }},
		{"range", 4, func(m impl) { m.dynamicRange(f) }},
	} {
		for i := range impls {
			b.Run(fmt.Sprintf("cast=%s/impl=%s", c.name, impls[i]), func(b *testing.B) {
				b.SetBytes(c.bytes * n)
				for b.Loop() {
					c.run(impls[i])
				}
			})
		}
	}
}
