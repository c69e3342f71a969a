package parquetio

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/internal/arrowsafe"
	"github.com/millrace-go/millrace/io/table"
)

// File is a Parquet file open for reading. It may be used by several
// goroutines at once if its ReaderAt may.
type File struct {
	name   string
	r      io.ReaderAt
	end    int64 // of the pages, at most
	meta   *fileMeta
	leaves []leaf
	schema *arrow.Schema
}

// Open reads and checks the metadata of the Parquet file in the first size
// bytes of r, which stays in use. name is for messages.
func Open(name string, r io.ReaderAt, size int64) (*File, error) {
	f, err := open(name, r, size)
	if err != nil {
		return nil, fmt.Errorf("parquet file %s: %w", name, err)
	}
	return f, nil
}

func open(name string, r io.ReaderAt, size int64) (f *File, err error) {
	defer arrowsafe.Recover(&err, "footer")
	meta, err := readFooter(r, size)
	if err != nil {
		return nil, err
	}
	f = &File{name: name, r: r, end: size - tailBytes, meta: meta}
	if f.leaves, err = leaves(meta.schema); err != nil {
		return nil, fmt.Errorf("footer: %w", err)
	}
	fields := make([]arrow.Field, len(f.leaves))
	seen := map[string]bool{}
	for i := range f.leaves {
		fields[i] = f.leaves[i].field()
		if seen[fields[i].Name] {
			return nil, fmt.Errorf("two columns are called %q", fields[i].Name)
		}
		seen[fields[i].Name] = true
	}
	f.schema = arrow.NewSchema(fields, nil)
	return f, nil
}

// Schema has the file's columns, top level. A column that cannot be read is
// there with type null; reading it is an error.
func (f *File) Schema() *arrow.Schema { return f.schema }

// Rows is the number of rows of the file.
func (f *File) Rows() int64 { return f.meta.rows }

// RowGroups is the number of row groups.
func (f *File) RowGroups() int { return len(f.meta.groups) }

// RowGroupRows is the number of rows of row group i.
func (f *File) RowGroupRows(i int) int64 { return f.meta.groups[i].rows }

// Part is some consecutive rows of a row group.
type Part struct {
	Record arrow.Record
	First  int64 // 0-based position in the row group of the record's first row
	// Long says, for each column of Record, which of its rows have a value of
	// more than MaxCell bytes; the record holds only its beginning.
	Long [][]int
}

// ReadOptions say what to read of a row group.
type ReadOptions struct {
	Columns   []string // in the file's order whatever the order here; none reads all
	BatchRows int      // rows a record at most; the default is table.DefaultBatchRows
	MaxCell   int      // bytes of a value; the default is table.DefaultMaxCellBytes
}

func (o ReadOptions) withDefaults() ReadOptions {
	if o.BatchRows <= 0 {
		o.BatchRows = table.DefaultBatchRows
	}
	if o.MaxCell <= 0 {
		o.MaxCell = table.DefaultMaxCellBytes
	}
	return o
}

// Read calls emit for the rows of row group g in order. A page of each column
// is in memory at a time, and the record, which emit may keep. Rows with much
// text come in shorter records, of about table.MaxBatchBytes. Page checksums
// are checked where the file has them. An error names the file and column.
func (f *File) Read(ctx context.Context, g int, o ReadOptions, emit func(Part) error) error {
	o = o.withDefaults()
	columns, err := f.columns(g, o.Columns)
	if err != nil {
		return fmt.Errorf("parquet file %s: %w", f.name, err)
	}
	size := sizer{most: o.BatchRows, rows: o.BatchRows}
	for _, c := range columns {
		if c.leaf.width == 0 {
			size.rows = min(size.rows, firstTextRows)
		}
	}
	total := f.meta.groups[g].rows
	for first := int64(0); first < total; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(int64(size.rows), total-first)
		part, bytes, err := readPart(columns, int(n), o.MaxCell)
		if err != nil {
			return fmt.Errorf("parquet file %s: row group %d, rows %d to %d: %w", f.name, g, first+1, first+n, err)
		}
		size.saw(int(n), bytes)
		part.First = first
		if err := emit(part); err != nil {
			return err
		}
		first += n
	}
	return nil
}

// readPart reads the next n rows of all columns, and says how many bytes they take.
func readPart(columns []*column, n, maxCell int) (part Part, bytes int, err error) {
	fields := make([]arrow.Field, len(columns))
	arrays := make([]arrow.Array, len(columns))
	part.Long = make([][]int, len(columns))
	for i, c := range columns {
		fields[i] = c.leaf.field()
		if arrays[i], part.Long[i], err = c.part(n, maxCell); err != nil {
			return part, 0, fmt.Errorf("column %q: %w", c.leaf.name, err)
		}
		bytes += bytesOf(arrays[i])
	}
	part.Record = array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(n))
	return part, bytes, nil
}

// firstTextRows is the length of the first record where there is text.
const firstTextRows = 512

// sizer chooses how many rows the next record has.
type sizer struct{ most, rows int }

// saw learns that n rows took some bytes, and at most doubles.
func (s *sizer) saw(n, bytes int) {
	fit := s.most
	if bytes > 0 {
		fit = int(min(int64(n)*table.MaxBatchBytes/int64(bytes), int64(s.most)))
	}
	s.rows = max(min(fit, 2*s.rows), 1)
}

func bytesOf(a arrow.Array) (n int) {
	for _, b := range a.Data().Buffers() {
		if b != nil {
			n += b.Len()
		}
	}
	return n
}

// part reads the next n rows.
func (c *column) part(n, maxCell int) (arr arrow.Array, long []int, err error) {
	defer arrowsafe.Recover(&err, "decoding")
	v, err := c.read(n, maxCell)
	if err != nil {
		return nil, nil, err
	}
	arr, err = c.leaf.array(v)
	return arr, v.text.long, err
}

// columns opens the named columns of row group g, all if none is named.
func (f *File) columns(g int, names []string) ([]*column, error) {
	if g < 0 || g >= len(f.meta.groups) {
		return nil, fmt.Errorf("row group %d of %d", g, len(f.meta.groups))
	}
	wanted := map[string]bool{}
	for _, n := range names {
		if len(f.schema.FieldIndices(n)) == 0 {
			return nil, fmt.Errorf("column %q: not in the file, which has %s", n, f.names())
		}
		wanted[n] = true
	}
	var out []*column
	for i := range f.leaves {
		l := &f.leaves[i]
		if len(names) > 0 && !wanted[l.name] {
			continue
		}
		c, err := f.column(g, l)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", l.name, err)
		}
		out = append(out, c)
	}
	return out, nil
}

func (f *File) names() string {
	out := make([]string, len(f.leaves))
	for i, l := range f.leaves {
		out[i] = fmt.Sprintf("%q", l.name)
	}
	return strings.Join(out, ", ")
}

// chunkSlack is how many bytes a chunk may be longer than it says: old writers
// left the header of the dictionary page out of the count (PARQUET-816).
const chunkSlack = 100

// column opens a column chunk.
func (f *File) column(g int, l *leaf) (*column, error) {
	if l.reason != "" {
		return nil, fmt.Errorf("%s: select columns without it", l.reason)
	}
	c := f.meta.groups[g].chunks[l.index]
	switch {
	case c.encrypted:
		return nil, errEncrypted
	case c.elsewhere:
		return nil, fmt.Errorf("row group %d: its bytes are in another file, which is not supported", g)
	case !c.known:
		return nil, fmt.Errorf("row group %d: it has no metadata", g)
	case c.physical != l.physical:
		return nil, fmt.Errorf("row group %d: its type is %v, in the schema %v", g, c.physical, l.physical)
	case f.meta.groups[g].rows == 0: // its pages need not be anywhere
		return &column{leaf: l}, nil
	case c.values != f.meta.groups[g].rows:
		return nil, fmt.Errorf("row group %d: it has %d values, want %d", g, c.values, f.meta.groups[g].rows)
	}
	start := c.data
	if c.dict > 0 && c.dict < start {
		start = c.dict
	}
	if start < int64(len(magic)) || c.compressed < 0 || start > f.end || c.compressed > f.end-start {
		return nil, fmt.Errorf("row group %d: its %d bytes at %d are not in the file", g, c.compressed, start)
	}
	src := &window{r: f.r, at: start, end: min(start+c.compressed+chunkSlack, f.end)}
	return &column{leaf: l, left: c.values, pages: pages{src: src, codec: c.codec}}, nil
}
