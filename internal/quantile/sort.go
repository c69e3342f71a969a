package quantile

// sortSlots sorts by key, which no two share: by one byte after the other from
// the lowest, leaving out bytes that are the same in all keys. tmp is as long
// as a; either may be returned.
func sortSlots(a, tmp []slot) []slot {
	if len(a) < 2 {
		return a
	}
	differ := uint64(0)
	for i := range a {
		differ |= a[i].key ^ a[0].key
	}
	for shift := uint(0); shift < 64; shift += 8 {
		if differ>>shift&0xff == 0 {
			continue
		}
		var at [256]int
		for i := range a {
			at[uint8(a[i].key>>shift)]++
		}
		sum := 0
		for i, n := range at {
			at[i], sum = sum, sum+n
		}
		for i := range a {
			b := uint8(a[i].key >> shift)
			tmp[at[b]] = a[i]
			at[b]++
		}
		a, tmp = tmp, a
	}
	return a
}
