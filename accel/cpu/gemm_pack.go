package cpu

// packB copies rows p..p+kb and columns j..j+nb of op(B) to panels of tileN
// columns, each k-major: panel[k][column]. The last panel is filled up with zeros.
func packB(dst, b []float32, p, j, kb, nb, n, k int, tb bool) {
	for q := 0; q < nb; q += tileN {
		panel := dst[q*kb : q*kb+tileN*kb]
		w := min(tileN, nb-q)
		if tb {
			packRows(panel, b[(j+q)*k+p:], w, kb, k)
		} else {
			packCols(panel, b[p*n+j+q:], w, kb, n)
		}
	}
}

// packA copies rows i..i+mb and columns p..p+kb of op(A) to one panel, k-major:
// panel[k][row], filled up with zeros.
func packA(dst, a []float32, i, p, mb, kb, m, k int, ta bool) {
	if ta {
		packCols(dst, a[p*m+i:], mb, kb, m)
	} else {
		packRows(dst, a[i*k+p:], mb, kb, k)
	}
}

// packRows interleaves w <= 4 rows of kb elements that lie ld apart.
func packRows(dst, src []float32, w, kb, ld int) {
	if w < 4 {
		clear(dst)
		for r := range w {
			for q, v := range src[r*ld : r*ld+kb] {
				dst[q*4+r] = v
			}
		}
		return
	}
	r0, r1, r2, r3 := src[:kb], src[ld:ld+kb], src[2*ld:2*ld+kb], src[3*ld:3*ld+kb]
	r1, r2, r3 = r1[:len(r0)], r2[:len(r0)], r3[:len(r0)]
	for q, v := range r0 {
		d := (*[4]float32)(dst[q*4:])
		d[0], d[1], d[2], d[3] = v, r1[q], r2[q], r3[q]
	}
}

// packCols copies w <= 4 neighbours from each of kb rows that lie ld apart.
func packCols(dst, src []float32, w, kb, ld int) {
	if w < 4 {
		clear(dst)
		for q := range kb {
			copy(dst[q*4:q*4+w], src[q*ld:q*ld+w])
		}
		return
	}
	for q := range kb {
		*(*[4]float32)(dst[q*4:]) = [4]float32(src[q*ld : q*ld+4])
	}
}
