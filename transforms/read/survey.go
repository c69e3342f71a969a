// Package read finds the files of a job, surveys them into spans, and reads
// spans as batches.
package read

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"golang.org/x/sync/errgroup"

	"github.com/millrace-go/millrace/io/csvio"
	"github.com/millrace-go/millrace/io/parquetio"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
)

// formats is the format table.
var formats = []table.Format{csvio.Format{}, parquetio.Format{}}

// FormatOf names the format of a file by its extension.
func FormatOf(name string) (string, error) {
	base := strings.TrimSuffix(path.Base(name), ".gz")
	switch path.Ext(base) {
	case ".csv", ".tsv", ".txt", ".data":
		return "csv", nil
	case ".parquet", ".pq":
		return "parquet", nil
	}
	return "", fmt.Errorf("%s: the extension names no format; set input.format to csv or parquet", name)
}

func lookup(format string) (table.Format, error) {
	for _, f := range formats {
		if f.Name() == format {
			return f, nil
		}
	}
	return nil, fmt.Errorf("read: unknown format %q", format)
}

// Survey is what is known of an input before a row is used.
type Survey struct {
	Files  []*table.File
	Spans  []table.Span // of all files, in file order; Index counts from 0 over all of them
	Schema *arrow.Schema
	Rows   int64
	Bytes  int64
}

// Take expands the glob patterns (sorted by name within a pattern, each file
// once) and surveys every file, workers at a time. The format "" goes by
// extension. All files must have the same columns.
func Take(ctx context.Context, s store.Store, patterns []string, format string, o table.Options, workers int) (*Survey, error) {
	names, err := expand(ctx, s, patterns)
	if err != nil {
		return nil, err
	}
	files := make([]*table.File, len(names))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(workers, 1))
	for i, name := range names {
		g.Go(func() error {
			f, err := surveyFile(gctx, s, name, format, o)
			files[i] = f
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return join(files)
}

func expand(ctx context.Context, s store.Store, patterns []string) ([]string, error) {
	var names []string
	seen := map[string]bool{}
	for _, pattern := range patterns {
		found, err := s.Glob(ctx, pattern)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: no such file; check input.files in the job", pattern)
		}
		for _, name := range found {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names, nil
}

func surveyFile(ctx context.Context, s store.Store, name, format string, o table.Options) (*table.File, error) {
	if format == "" {
		var err error
		if format, err = FormatOf(name); err != nil {
			return nil, err
		}
	}
	f, err := lookup(format)
	if err != nil {
		return nil, err
	}
	return f.Survey(ctx, s, name, o)
}

func join(files []*table.File) (*Survey, error) {
	out := &Survey{Files: files, Schema: files[0].Schema}
	for _, f := range files {
		if err := sameColumns(files[0], f); err != nil {
			return nil, err
		}
		out.Rows += f.Rows
		out.Bytes += f.Bytes
		for _, span := range f.Spans {
			span.Index = len(out.Spans)
			out.Spans = append(out.Spans, span)
		}
	}
	return out, nil
}

func sameColumns(a, b *table.File) error {
	for i := range max(a.Schema.NumFields(), b.Schema.NumFields()) {
		if i >= a.Schema.NumFields() || i >= b.Schema.NumFields() {
			return fmt.Errorf("%s has %d columns, %s has %d; files of one input must have the same columns",
				a.Name, a.Schema.NumFields(), b.Name, b.Schema.NumFields())
		}
		fa, fb := a.Schema.Field(i), b.Schema.Field(i)
		if fa.Name != fb.Name || !arrow.TypeEqual(fa.Type, fb.Type) {
			return fmt.Errorf("column %d is %q (%s) in %s and %q (%s) in %s; files of one input must have the same columns",
				i+1, fa.Name, fa.Type, a.Name, fb.Name, fb.Type, b.Name)
		}
	}
	return nil
}

// Digest is a digest of the names (without folders), contents and order of all
// files.
func (s *Survey) Digest() string {
	h := sha256.New()
	for _, f := range s.Files {
		fmt.Fprintf(h, "%s %s %d\n", path.Base(f.Name), f.SHA256, f.Bytes)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
