package gemm

// copyRows copies k rows of n floats to rows of width floats, zeros at the end.
func copyRows(dst, src []float32, ld, k, n, width int) {
	for i := range k {
		row := dst[i*width : i*width+width]
		copy(row, src[i*ld:i*ld+n])
		clear(row[n:])
	}
}

// transposeRows writes n ≤ NR rows of k floats as the columns of a panel.
func transposeRows(dst, src []float32, ld, k, n int) {
	for i := range n {
		for p, x := range src[i*ld : i*ld+k] {
			dst[p*NR+i] = x
		}
	}
	zeroColumns(dst, n, k)
}

// zeroColumns clears the columns of a panel from the given one.
func zeroColumns(dst []float32, from, k int) {
	if from >= NR {
		return
	}
	for p := range k {
		clear(dst[p*NR+from : p*NR+NR])
	}
}

// portable is Run in plain Go: the chain of each element is the assembly's, but
// every product and every sum is rounded.
func (b *Block) portable() {
	var sums [NR]float32
	for i := range b.M {
		for j := 0; j < b.N; j += NR {
			n := min(NR, b.N-j)
			b.sumRow(&sums, i, j)
			b.put(b.C[i*b.LDC+j:][:n], sums[:n])
		}
	}
}

// put scales the sums and stores or adds them.
func (b *Block) put(c, sums []float32) {
	if b.Alpha != 1 {
		for j := range sums {
			sums[j] *= b.Alpha
		}
	}
	if !b.Add {
		copy(c, sums)
		return
	}
	for j, s := range sums {
		c[j] += s
	}
}

// sumRow computes the sums of row i of A with a panel of B. Four at a time they
// stay in registers.
func (b *Block) sumRow(sums *[NR]float32, i, j int) {
	if b.K == 0 {
		*sums = [NR]float32{}
		return
	}
	a, panel := b.A[i*b.RowA:], b.B[j/NR*b.PanelB:]
	for q := 0; q < NR; q += 8 {
		var s0, s1, s2, s3, s4, s5, s6, s7 float32
		for k, p, r := 0, 0, q; k < b.K; k, p, r = k+1, p+b.StepA, r+b.StepB {
			x, v := a[p], (*[8]float32)(panel[r:r+8])
			s0 += float32(x * v[0])
			s1 += float32(x * v[1])
			s2 += float32(x * v[2])
			s3 += float32(x * v[3])
			s4 += float32(x * v[4])
			s5 += float32(x * v[5])
			s6 += float32(x * v[6])
			s7 += float32(x * v[7])
		}
		*(*[8]float32)(sums[q:]) = [8]float32{s0, s1, s2, s3, s4, s5, s6, s7}
	}
}
