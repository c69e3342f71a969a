package imageio

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
)

// Read implements table.Format. An image that cannot be decoded, or has another size than the options
// want, is a dead letter, with the file's name as its value. Without the columns channels and pixels only the
// header of an image is looked at, and only that can be at fault.
func (Format) Read(ctx context.Context, s store.Store, span table.Span, o table.Options,
	emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	o, schema, columns, err := check(o)
	if err == nil {
		r := &reader{ctx: ctx, store: s, span: span, options: o, columns: columns, schema: table.Project(schema, columns), emit: emit, dead: dead}
		err = r.run()
	}
	if err != nil {
		return fmt.Errorf("imageio: %s: %w", span.File, err)
	}
	return nil
}

// reader decodes the images of one span.
type reader struct {
	ctx     context.Context
	store   store.Store
	span    table.Span
	options table.Options
	columns []int
	schema  *arrow.Schema // of the columns
	emit    func(*batch.Batch) error
	dead    func(deadletter.Letter) error

	numbers []int64
	names   []string
	images  []*Image
	bytes   int   // of their pixels
	read    int64 // bytes of the files
}

func (r *reader) changed(what string) error {
	return fmt.Errorf("images %d to %d: %s: the files were changed since they were surveyed; run again", r.span.FirstRow, r.span.FirstRow+r.span.Rows-1, what)
}

func (r *reader) run() error {
	names, err := members(r.ctx, r.store, r.span.File)
	if err != nil {
		return err
	}
	first := r.span.FirstRow - 1
	if first < 0 || r.span.Rows < 0 || first+r.span.Rows > int64(len(names)) || len(names) > 1 && shapeOf(names) != r.span.Schema {
		return r.changed("there are other files")
	}
	for i, name := range names[first : first+r.span.Rows] {
		if err := r.row(name, r.span.FirstRow+int64(i)); err != nil {
			return err
		}
	}
	if r.read != r.span.Length {
		return r.changed(fmt.Sprintf("%d bytes, want %d", r.read, r.span.Length))
	}
	return r.flush()
}

// row reads one image.
func (r *reader) row(name string, number int64) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	f, err := r.store.Open(r.ctx, name)
	if err != nil {
		return err
	}
	size := f.Size()
	if r.read += size; r.read > r.span.Length {
		f.Close()
		return r.changed(fmt.Sprintf("more than %d bytes", r.span.Length))
	}
	if size > maxFile {
		f.Close()
		return r.letter(name, number, RuleSize, fmt.Errorf("want a file of at most %d MiB, has %d bytes", maxFile>>20, size))
	}
	data := make([]byte, size)
	n, err := f.ReadAt(data, 0)
	if n == len(data) {
		err = nil
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	img, err := r.decode(data)
	switch {
	case errors.Is(err, ErrTooLarge):
		return r.letter(name, number, RuleSize, err)
	case err != nil:
		return r.letter(name, number, RuleDecode, err)
	}
	if o := r.options.Image; o.Width > 0 && img.Width != o.Width || o.Height > 0 && img.Height != o.Height {
		return r.letter(name, number, RuleSize, fmt.Errorf("want %s x %s pixels, has %d x %d", orAny(o.Width), orAny(o.Height), img.Width, img.Height))
	}
	return r.add(name, number, img)
}

// orAny writes a size that may be free.
func orAny(n int) string {
	if n == 0 {
		return "any"
	}
	return fmt.Sprint(n)
}

func (r *reader) decode(data []byte) (*Image, error) {
	limits := Limits{MaxPixels: r.options.Image.MaxPixels, Channels: r.options.Image.Channels}
	if slices.Contains(r.columns, colPixels) || slices.Contains(r.columns, colChannels) {
		return Decode(data, limits)
	}
	return Size(data, limits)
}

func (r *reader) letter(name string, number int64, rule string, err error) error {
	return r.dead(deadletter.Letter{File: r.span.File, Row: number, Rule: rule, Column: "pixels", Value: deadletter.Cut(name), Reason: err.Error()})
}

func (r *reader) add(name string, number int64, img *Image) error {
	if !slices.Contains(r.columns, colPixels) {
		img.Pixels = nil
	}
	r.numbers, r.names, r.images = append(r.numbers, number), append(r.names, name), append(r.images, img)
	if r.bytes += len(img.Pixels); len(r.numbers) == r.options.BatchRows || r.bytes >= table.MaxBatchBytes {
		return r.flush()
	}
	return nil
}

func (r *reader) flush() error {
	if len(r.numbers) == 0 {
		return nil
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	cols := make([]arrow.Array, len(r.columns))
	for i, c := range r.columns {
		cols[i] = r.column(c)
	}
	b := &batch.Batch{Record: array.NewRecord(r.schema, cols, int64(len(r.numbers))), File: r.span.File, Span: r.span.Index, Rows: r.numbers}
	r.numbers, r.names, r.images, r.bytes = nil, nil, nil, 0
	return r.emit(b)
}

func (r *reader) column(c int) arrow.Array {
	switch c {
	case colPath:
		return texts(r.names, func(name string) string { return name })
	case colFolder:
		return texts(r.names, folder)
	case colPixels:
		return r.pixels()
	}
	b := array.NewInt32Builder(memory.NewGoAllocator())
	b.Reserve(len(r.images))
	for _, img := range r.images {
		b.UnsafeAppend(int32([...]int{colWidth: img.Width, colHeight: img.Height, colChannels: img.Channels}[c]))
	}
	return b.NewArray()
}

// folder is the last folder of a name, empty if there is none.
func folder(name string) string {
	if dir := path.Dir(name); dir != "." && dir != "/" {
		return path.Base(dir)
	}
	return ""
}

func texts(names []string, of func(string) string) arrow.Array {
	b := array.NewStringBuilder(memory.NewGoAllocator())
	for _, n := range names {
		b.Append(of(n))
	}
	return b.NewArray()
}

// pixels is the column of pixels, which are copied once.
func (r *reader) pixels() arrow.Array {
	n := len(r.images)
	data := make([]byte, 0, r.bytes)
	ends := make([]int32, 1, n+1)
	for _, img := range r.images {
		data = append(data, img.Pixels...)
		ends = append(ends, int32(len(data)))
	}
	if size := fixed(r.options.Image); size > 0 {
		dt := arrow.FixedSizeListOf(int32(size), arrow.PrimitiveTypes.Uint8)
		child := array.NewData(arrow.PrimitiveTypes.Uint8, len(data), []*memory.Buffer{nil, memory.NewBufferBytes(data)}, nil, 0, 0)
		return array.NewFixedSizeListData(array.NewData(dt, n, []*memory.Buffer{nil}, []arrow.ArrayData{child}, 0, 0))
	}
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(ends)), memory.NewBufferBytes(data)}
	return array.NewBinaryData(array.NewData(arrow.BinaryTypes.Binary, n, buffers, nil, 0, 0))
}
