package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/parquet"
)

// maxPageValues bounds the values of a page: a few bytes can say very many.
const maxPageValues = 1 << 27

// byteStreamSplitCode is BYTE_STREAM_SPLIT, which Arrow has no name for.
const byteStreamSplitCode = parquet.Encoding(9)

// column reads the values of one column chunk front to back.
type column struct {
	leaf  *leaf
	pages pages
	left  int64 // rows of the chunk not yet in a page that was opened
	dict  *dictionary

	// The page being read: its rows and values left, and their decoders. defs
	// is nil if it has no nulls; exactly one of fixed and binary is set.
	rows, values int
	defs         *hybrid
	fixed        fixedDecoder
	binary       binaryDecoder
}

// values is what a column gives for n rows: a validity bitmap, and then fixed
// values (n*width bytes, zero under nulls) or text (n values, empty under
// nulls). text.long are the rows whose value was too long, ascending.
type values struct {
	n, nulls int
	valid    []byte
	fixed    []byte
	text     text
}

// read returns the next n rows, which must be there.
func (c *column) read(n, maxCell int) (*values, error) {
	v := &values{n: n, text: text{maxCell: maxCell}}
	if c.leaf.nullable {
		v.valid = make([]byte, bitutil.BytesForBits(int64(n)))
	}
	if c.leaf.width > 0 {
		v.fixed = make([]byte, 0, n*c.leaf.width)
	} else {
		v.text.ends = make([]int32, 0, n)
	}
	for at := 0; at < n; {
		if c.rows == 0 {
			if err := c.nextPage(); err != nil {
				return nil, err
			}
			continue
		}
		k := min(c.rows, n-at)
		if err := c.readPart(v, at, k); err != nil {
			return nil, err
		}
		at += k
	}
	return v, nil
}

// readPart appends the next n rows of the page to v, which has at rows.
func (c *column) readPart(v *values, at, n int) (err error) {
	present := n
	if c.leaf.nullable && c.defs == nil {
		bitutil.SetBitsTo(v.valid, int64(at), int64(n), true)
	} else if c.leaf.nullable {
		if present, err = c.defs.bitmap(v.valid, at, n); err != nil {
			return fmt.Errorf("definition levels: %w", err)
		}
	}
	c.rows -= n
	if c.values -= present; c.values < 0 {
		return errors.New("a page has more values than its header says")
	}
	v.nulls += n - present
	if c.fixed != nil {
		return c.readFixed(v, at, n, present)
	}
	return c.readText(v, at, n, present)
}

func (c *column) readFixed(v *values, at, n, present int) (err error) {
	if v.fixed, err = c.fixed.decode(v.fixed, present); err != nil {
		return err
	}
	w := c.leaf.width
	if present == n {
		return nil
	}
	// Move the values to their rows, from the last one down.
	v.fixed = v.fixed[:(at+n)*w]
	from := at + present
	for i := at + n - 1; i >= at; i-- {
		slot := v.fixed[i*w : (i+1)*w]
		if !bitutil.BitIsSet(v.valid, i) {
			clear(slot)
			continue
		}
		from--
		copy(slot, v.fixed[from*w:(from+1)*w])
	}
	return nil
}

func (c *column) readText(v *values, at, n, present int) error {
	t := &v.text
	longs := len(t.long)
	if err := c.binary.decode(t, present); err != nil {
		return err
	}
	if present == n {
		return nil
	}
	t.ends = t.ends[:at+n]
	from, long := at+present, len(t.long)
	for i := at + n - 1; i >= at; i-- {
		if !bitutil.BitIsSet(v.valid, i) {
			t.ends[i] = endBefore(t.ends, from)
			continue
		}
		from--
		t.ends[i] = t.ends[from]
		if long > longs && t.long[long-1] == from {
			long--
			t.long[long] = i
		}
	}
	return nil
}

// endBefore is where value i of a text begins.
func endBefore(ends []int32, i int) int32 {
	if i == 0 {
		return 0
	}
	return ends[i-1]
}

// nextPage opens the next data page, reading a dictionary before it.
func (c *column) nextPage() error {
	for {
		h, body, err := c.pages.next()
		if err == io.EOF {
			return fmt.Errorf("the column ends %d rows early: it is cut short or damaged", c.left)
		}
		if err != nil {
			return err
		}
		switch h.kind {
		case dictionaryPage:
			err = c.openDictionary(h, body)
		case dataPage, dataPageV2:
			err = c.openData(h, body)
		default:
			continue // an index page, which no reader needs
		}
		if err != nil {
			return err
		}
		if c.rows > 0 {
			return nil
		}
	}
}

func (c *column) openData(h pageHeader, body []byte) error {
	if int64(h.values) > c.left || h.values > maxPageValues {
		return fmt.Errorf("a page of %d rows where %d are left", h.values, c.left)
	}
	c.left -= int64(h.values)
	c.rows = int(h.values)
	body, err := c.openLevels(h, body)
	if err != nil {
		return fmt.Errorf("definition levels: %w", err)
	}
	c.fixed, c.binary = nil, nil
	if c.values == 0 { // all null: there may be neither bytes nor a dictionary
		h.encoding, body = parquet.Encodings.Plain, nil
	}
	if c.leaf.width > 0 {
		c.fixed, err = c.fixedDecoder(h.encoding, body, c.values)
	} else {
		c.binary, err = c.binaryDecoder(h.encoding, body, c.values)
	}
	return err
}

// openLevels sets defs and values, and returns what follows the levels.
func (c *column) openLevels(h pageHeader, body []byte) ([]byte, error) {
	c.defs, c.values = nil, c.rows
	var levels []byte
	switch {
	case h.kind == dataPageV2: // pages.next has checked these lengths
		levels = body[h.repBytes : h.repBytes+h.defBytes]
		body = body[h.repBytes+h.defBytes:]
	case !c.leaf.nullable:
		return body, nil
	case h.levelEncoding == parquet.Encodings.RLE:
		if len(body) < 4 || int64(binary.LittleEndian.Uint32(body)) > int64(len(body)-4) {
			return nil, errValuesShort
		}
		n := 4 + int(binary.LittleEndian.Uint32(body))
		levels, body = body[4:n], body[n:]
	default:
		return nil, fmt.Errorf("encoding %v is not supported", h.levelEncoding)
	}
	if !c.leaf.nullable {
		return body, nil
	}
	defs, err := newHybrid(levels, 1)
	if err != nil {
		return nil, err
	}
	c.values, err = countOnes(*defs, c.rows)
	if c.values < c.rows {
		c.defs = defs
	}
	return body, err
}

// countOnes counts the ones among the next n levels of a copy of a decoder.
func countOnes(h hybrid, n int) (ones int, err error) {
	var bits [128]byte
	for n > 0 {
		k := min(n, 8*len(bits))
		if err := h.run(); err != nil {
			return 0, err
		}
		if h.packed == nil {
			k = min(n, h.left)
			if h.value > 1 {
				return 0, fmt.Errorf("level %d, at most 1 is possible", h.value)
			}
			h.left -= k
			ones += k * int(h.value)
		} else {
			part, err := h.bitmap(bits[:], 0, k)
			if err != nil {
				return 0, err
			}
			ones += part
		}
		n -= k
	}
	return ones, nil
}

func (c *column) openDictionary(h pageHeader, body []byte) error {
	if c.dict != nil {
		return errors.New("a second dictionary")
	}
	if h.encoding != parquet.Encodings.Plain && h.encoding != parquet.Encodings.PlainDict {
		return fmt.Errorf("a dictionary in encoding %v", h.encoding)
	}
	d := &dictionary{n: int(h.values), width: c.leaf.width}
	if least := max(c.leaf.width, 1); c.leaf.width > 0 && d.n > 8*len(body)/least || c.leaf.width == 0 && d.n > len(body)/4 {
		return fmt.Errorf("a dictionary of %d values in %d bytes", d.n, len(body))
	}
	var err error
	switch {
	case c.leaf.width > 0:
		inner, ferr := c.fixedDecoder(parquet.Encodings.Plain, body, d.n)
		if ferr != nil {
			return ferr
		}
		d.fixed, err = inner.decode(nil, d.n)
	default:
		d.text.maxCell = math.MaxInt32
		err = (&plainBinary{body}).decode(&d.text, d.n)
	}
	if err != nil {
		return fmt.Errorf("dictionary: %w", err)
	}
	c.dict = d
	return nil
}

func (c *column) fixedDecoder(e parquet.Encoding, b []byte, n int) (fixedDecoder, error) {
	boolean, w := c.leaf.physical == parquet.Types.Boolean, c.leaf.width
	integer := c.leaf.physical == parquet.Types.Int32 || c.leaf.physical == parquet.Types.Int64
	switch {
	case isDictionary(e):
		k, err := newIndices(c.dict, b, n)
		return dictFixed{k}, err
	case e == parquet.Encodings.Plain && boolean:
		return &plainBool{b: b}, nil
	case e == parquet.Encodings.Plain:
		return &plainFixed{b: b, width: w}, nil
	case e == parquet.Encodings.RLE && boolean:
		return newRLEBool(b)
	case e == parquet.Encodings.DeltaBinaryPacked && integer:
		d, err := newDelta(b)
		return &deltaFixed{d, w}, err
	case e == parquet.Encodings.DeltaByteArray && c.leaf.physical == parquet.Types.FixedLenByteArray:
		inner, err := newDeltaStrings(b, n)
		return &asFixed{inner, w}, err
	case e == byteStreamSplitCode && !boolean:
		return newByteStreamSplit(b, w, n)
	}
	return nil, fmt.Errorf("encoding %v of %v is not supported", e, c.leaf.physical)
}

func (c *column) binaryDecoder(e parquet.Encoding, b []byte, n int) (binaryDecoder, error) {
	switch {
	case isDictionary(e):
		k, err := newIndices(c.dict, b, n)
		return dictBinary{k}, err
	case e == parquet.Encodings.Plain:
		return &plainBinary{b}, nil
	case e == parquet.Encodings.DeltaLengthByteArray:
		return newDeltaLength(b, n)
	case e == parquet.Encodings.DeltaByteArray:
		return newDeltaStrings(b, n)
	}
	return nil, fmt.Errorf("encoding %v of %v is not supported", e, c.leaf.physical)
}
