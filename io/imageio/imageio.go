// Package imageio reads PNG and JPEG images: files as rows of a table, and bytes by Decode.
//
// A table of images is one image, or all images below a folder (a name that ends in "/") or of a pattern
// (a name with * or ? or **): the batches and spans of a data set of small files are as large as those of
// other formats. The columns are path (the file's name in the store), folder (the last folder of
// it, which is the class in many data sets), width, height, channels and pixels.
package imageio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"path"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
)

// The rules by which Read turns rows away.
const (
	RuleDecode = "image.decode" // not an image, or a damaged one
	RuleSize   = "image.size"   // larger than the limits, or not of the size that is wanted
)

const (
	maxFile   = 32 << 20 // bytes of a stored image
	maxPixels = 1 << 28  // that the options may ask for: those of a batch have 32-bit offsets
)

// Format is the table.Format of images.
type Format struct{}

var _ table.Format = Format{}

// Name implements table.Format.
func (Format) Name() string { return "image" }

// The columns.
const (
	colPath = iota
	colFolder
	colWidth
	colHeight
	colChannels
	colPixels
)

// schemaOf is the schema of images: pixels are a list of bytes if their number is fixed.
func schemaOf(o table.Image) *arrow.Schema {
	var pixels arrow.DataType = arrow.BinaryTypes.Binary
	if n := fixed(o); n > 0 {
		pixels = arrow.FixedSizeListOf(int32(n), arrow.PrimitiveTypes.Uint8)
	}
	return arrow.NewSchema([]arrow.Field{
		{Name: "path", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "folder", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "width", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "height", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "channels", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "pixels", Type: pixels, Nullable: true},
	}, nil)
}

// fixed is the number of bytes of an image's pixels, 0 if it is not fixed.
func fixed(o table.Image) int { return o.Width * o.Height * o.Channels }

func check(o table.Options) (table.Options, *arrow.Schema, []int, error) {
	o, err := o.WithDefaults()
	if err != nil {
		return o, nil, nil, err
	}
	i := &o.Image
	if i.MaxPixels == 0 {
		i.MaxPixels = DefaultMaxPixels
	}
	switch {
	case i.Channels != 0 && i.Channels != 1 && i.Channels != 3 && i.Channels != 4:
		return o, nil, nil, fmt.Errorf("image channels %d: want 1, 3, 4 or 0 (those of each image)", i.Channels)
	case i.MaxPixels > maxPixels:
		return o, nil, nil, fmt.Errorf("image max pixels %d: want at most %d", i.MaxPixels, maxPixels)
	case i.Width < 0 || i.Height < 0 || i.MaxPixels < 0 || i.Width > 0 && i.Height > i.MaxPixels/i.Width:
		return o, nil, nil, fmt.Errorf("image width %d, height %d: want at most %d pixels", i.Width, i.Height, i.MaxPixels)
	}
	schema := schemaOf(*i)
	columns, err := table.Select(schema, o.Columns)
	return o, schema, columns, err
}

// members lists the files that name stands for.
func members(ctx context.Context, s store.Store, name string) ([]string, error) {
	pattern := name
	switch {
	case strings.HasSuffix(name, "/"):
		pattern += "**"
	case !strings.ContainsAny(name, "*?["):
		return []string{name}, nil
	}
	all, err := s.Glob(ctx, pattern)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, n := range all {
		switch strings.ToLower(path.Ext(n)) {
		case ".png", ".jpg", ".jpeg":
			out = append(out, n)
		}
	}
	return out, nil
}

// shapeOf is a digest of the names, for a Span.
func shapeOf(names []string) string {
	h := sha256.New()
	for _, n := range names {
		fmt.Fprintf(h, "%s\n", n)
	}
	return fmt.Sprintf("%d images %x", len(names), h.Sum(nil)[:8])
}

// Survey implements table.Format: it reads all files, for their digests, and decodes none. A span is some
// consecutive files, in the order of their names, of about SpanBytes.
func (Format) Survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	file, err := survey(ctx, s, name, o)
	if err != nil {
		return nil, fmt.Errorf("imageio: %s: %w", name, err)
	}
	return file, nil
}

func survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	o, schema, _, err := check(o)
	if err != nil {
		return nil, err
	}
	names, err := members(ctx, s, name)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no files that end in .png, .jpg or .jpeg")
	}
	v := surveyor{file: &table.File{Name: name, Schema: schema}, spanBytes: o.SpanBytes, shape: shapeOf(names), buf: make([]byte, 256<<10)}
	all := sha256.New()
	for _, n := range names {
		one := sha256.New()
		size, err := v.read(ctx, s, n, one)
		if err != nil {
			return nil, err
		}
		if size == 0 && len(names) == 1 {
			return nil, fmt.Errorf("empty (0 bytes): want a PNG or JPEG image")
		}
		v.add(size)
		sum := hex.EncodeToString(one.Sum(nil))
		if v.file.SHA256 = sum; len(names) > 1 {
			fmt.Fprintf(all, "%s %s %d\n", n, sum, size)
			v.file.SHA256 = hex.EncodeToString(all.Sum(nil))
		}
	}
	return v.file, nil
}

// surveyor fills in a table.File.
type surveyor struct {
	file      *table.File
	spanBytes int64
	shape     string
	buf       []byte
}

// read digests a file, and returns its size.
func (v *surveyor) read(ctx context.Context, s store.Store, name string, h hash.Hash) (int64, error) {
	r, err := s.Open(ctx, name)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	for at := int64(0); at < r.Size(); {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		b := v.buf[:min(int64(len(v.buf)), r.Size()-at)]
		if n, err := r.ReadAt(b, at); n < len(b) {
			return 0, fmt.Errorf("%s: reading at %d: %w", name, at, err)
		}
		h.Write(b)
		at += int64(len(b))
	}
	return r.Size(), ctx.Err()
}

// add counts a file of size bytes.
func (v *surveyor) add(size int64) {
	f := v.file
	if n := len(f.Spans); n == 0 || f.Spans[n-1].Length >= v.spanBytes {
		f.Spans = append(f.Spans, table.Span{File: f.Name, Format: "image", Index: n, FirstRow: f.Rows + 1, Schema: v.shape})
	}
	span := &f.Spans[len(f.Spans)-1]
	span.Rows++
	span.Length += size
	f.Rows++
	f.Bytes += size
}
