package parquetio

import "fmt"

// dictionary is a dictionary page, decoded.
type dictionary struct {
	n     int
	width int    // of fixed-width values
	fixed []byte // n*width bytes
	text  text   // of byte strings
}

// indices decodes the indices of a data page.
type indices struct {
	dict    *dictionary
	h       *hybrid
	scratch []uint32
}

// newIndices takes a data page's values: a byte with the width of an index,
// then the hybrid encoding.
func newIndices(dict *dictionary, b []byte, values int) (*indices, error) {
	if dict == nil {
		return nil, fmt.Errorf("values of a dictionary that is missing")
	}
	if len(b) == 0 {
		if values > 0 {
			return nil, errValuesShort
		}
		b = []byte{0}
	}
	h, err := newHybrid(b[1:], int(b[0]))
	return &indices{dict: dict, h: h}, err
}

func (d *indices) next(n int) ([]uint32, error) {
	d.scratch = sized(d.scratch, n)
	if err := d.h.values(d.scratch); err != nil {
		return nil, err
	}
	for _, k := range d.scratch {
		if int64(k) >= int64(d.dict.n) {
			return nil, fmt.Errorf("index %d of a dictionary of %d values", k, d.dict.n)
		}
	}
	return d.scratch, nil
}

type dictFixed struct{ *indices }

func (d dictFixed) decode(dst []byte, n int) ([]byte, error) {
	keys, err := d.next(n)
	if err != nil {
		return dst, err
	}
	w := d.dict.width
	switch w {
	case 8:
		for _, k := range keys {
			dst = append(dst, d.dict.fixed[int(k)*8:int(k)*8+8]...)
		}
	case 4:
		for _, k := range keys {
			dst = append(dst, d.dict.fixed[int(k)*4:int(k)*4+4]...)
		}
	default:
		for _, k := range keys {
			dst = append(dst, d.dict.fixed[int(k)*w:(int(k)+1)*w]...)
		}
	}
	return dst, nil
}

type dictBinary struct{ *indices }

func (d dictBinary) decode(dst *text, n int) error {
	keys, err := d.next(n)
	if err != nil {
		return err
	}
	from := &d.dict.text
	if from.longest > dst.maxCell {
		for _, k := range keys {
			if err := dst.add(from.value(int(k))); err != nil {
				return err
			}
		}
		return nil
	}
	// The usual case, with what is written to kept in registers.
	data, ends := dst.data, dst.ends
	for _, k := range keys {
		data = append(data, from.value(int(k))...)
		if len(data) > maxTextBytes {
			return errTooMuchText
		}
		ends = append(ends, int32(len(data)))
	}
	dst.data, dst.ends = data, ends
	return nil
}
