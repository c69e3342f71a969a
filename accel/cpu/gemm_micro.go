package cpu

// micro adds the product of a packed 4-row panel of A and a packed 4-column
// panel of B to a 4 x 4 tile of C with leading dimension ldc.
func micro(c []float32, ldc int, ap, bp []float32) {
	r0 := (*[4]float32)(c)
	r1 := (*[4]float32)(c[ldc:])
	r2 := (*[4]float32)(c[2*ldc:])
	r3 := (*[4]float32)(c[3*ldc:])
	micro2(r0, r1, ap, bp, 0)
	micro2(r2, r3, ap, bp, 2)
}

// micro2 does two rows of the tile: with 8 sums, 4 values of B and 2 of A all
// stay in the 15 registers that Go has on amd64; with 16 sums half are spilled.
func micro2(r0, r1 *[4]float32, ap, bp []float32, row int) {
	c00, c01, c02, c03 := r0[0], r0[1], r0[2], r0[3]
	c10, c11, c12, c13 := r1[0], r1[1], r1[2], r1[3]
	bp = bp[:len(ap)]
	for len(ap) >= 4 && len(bp) >= 4 {
		a0, a1 := ap[row&3], ap[(row+1)&3]
		b0, b1, b2, b3 := bp[0], bp[1], bp[2], bp[3]
		c00 += float32(a0 * b0)
		c01 += float32(a0 * b1)
		c02 += float32(a0 * b2)
		c03 += float32(a0 * b3)
		c10 += float32(a1 * b0)
		c11 += float32(a1 * b1)
		c12 += float32(a1 * b2)
		c13 += float32(a1 * b3)
		ap, bp = ap[4:], bp[4:]
	}
	r0[0], r0[1], r0[2], r0[3] = c00, c01, c02, c03
	r1[0], r1[1], r1[2], r1[3] = c10, c11, c12, c13
}
