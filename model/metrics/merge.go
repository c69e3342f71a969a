package metrics

// MergeBinary merges two marshalled accumulators; nil is one that is empty.
// The result is the same bytes for any order and grouping.
func MergeBinary(a, b []byte) ([]byte, error) {
	if len(a) == 0 {
		return b, nil
	}
	if len(b) == 0 {
		return a, nil
	}
	x, err := Unmarshal(a)
	if err != nil {
		return nil, err
	}
	y, err := Unmarshal(b)
	if err != nil {
		return nil, err
	}
	if err := x.Merge(y); err != nil {
		return nil, err
	}
	return x.MarshalBinary()
}
