// Package read finds the files of a job, surveys them into spans, and reads
// spans as batches.
package read

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"golang.org/x/sync/errgroup"

	"github.com/millrace-go/millrace/io/formats"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
)

// Survey is what is known of an input before a row is used.
type Survey struct {
	Files  []*table.File
	Spans  []table.Span // of all files, in file order; Index counts from 0 over all of them
	Schema *arrow.Schema
	Rows   int64
	Bytes  int64
}

// File is one file of an input.
type File struct {
	Name    string // as users know it
	Path    string // as the store knows it
	Format  string // as package formats calls it
	Options table.Options
}

// Take surveys files, workers at a time. All must have the same columns.
func Take(ctx context.Context, s store.Store, files []File, workers int) (*Survey, error) {
	surveyed := make([]*table.File, len(files))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(workers, 1))
	for i, f := range files {
		g.Go(func() error {
			format, err := formats.Lookup(f.Format)
			if err != nil {
				return err
			}
			if surveyed[i], err = format.Survey(gctx, s, f.Path, f.Options); err != nil {
				return err
			}
			surveyed[i].Name = f.Name
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := unify(files[0].Format, surveyed); err != nil {
		return nil, err
	}
	return join(surveyed)
}

// unify gives the files of a format without schemas one that holds them all.
func unify(format string, files []*table.File) error {
	f, err := formats.Lookup(format)
	if err != nil {
		return err
	}
	if u, ok := f.(table.Unifier); ok {
		return u.Unify(files)
	}
	return nil
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
			span.Index, span.Name = len(out.Spans), f.Name
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

// Digest is a digest of the names, contents and order of all files.
func (s *Survey) Digest() string {
	h := sha256.New()
	for _, f := range s.Files {
		fmt.Fprintf(h, "%s %s %d\n", f.Name, f.SHA256, f.Bytes)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
