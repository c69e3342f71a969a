// Package formattest is the test that every table.Format passes.
package formattest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/store/storetest"
	"github.com/millrace-go/millrace/io/table"
)

// File is one input of the suite.
type File struct {
	Name string // of the object, with the format's extension
	Data []byte
	// Kept and Dead are the rows that must reach emit and dead.
	Kept, Dead int64
	// Sealed says that a cut anywhere in Data must be found.
	Sealed bool
	// Options are the settings to read it with; the suite varies BatchRows and SpanBytes.
	Options table.Options
}

// Run checks that f reads files as table.Format promises: the spans cover the
// rows once; the rows are the same for any BatchRows and SpanBytes; each row
// reaches emit or dead; damaged, empty and missing files are errors; it stops when told.
func Run(t *testing.T, f table.Format, files ...File) {
	if len(files) == 0 {
		t.Fatal("formattest.Run: no files")
	}
	for _, file := range files {
		t.Run(file.Name, func(t *testing.T) {
			s := newStore(t, file.Name, file.Data)
			t.Run("survey", func(t *testing.T) { testSurvey(t, f, s, file) })
			t.Run("cuts", func(t *testing.T) { testCuts(t, f, s, file) })
			t.Run("columns", func(t *testing.T) { testColumns(t, f, s, file) })
			t.Run("parallel", func(t *testing.T) { testParallel(t, f, s, file) })
			t.Run("stop", func(t *testing.T) { testStop(t, f, s, file) })
			t.Run("changed", func(t *testing.T) { testChanged(t, f, file) })
			t.Run("truncated", func(t *testing.T) { testTruncated(t, f, file) })
			t.Run("flipped", func(t *testing.T) { testFlipped(t, f, file) })
		})
	}
	t.Run("absent", func(t *testing.T) { testAbsent(t, f, files[0]) })
}

// Rows is what reading a whole file gave.
type Rows struct {
	Kept []string // "row 7: ["a" (null) …]"
	Dead []deadletter.Letter
}

// ReadAll surveys the file name and reads all its spans, checking each batch
// against the promises of Batch and Options.
func ReadAll(ctx context.Context, f table.Format, s store.Store, name string, o table.Options) (*table.File, *Rows, error) {
	file, err := f.Survey(ctx, s, name, o)
	if err != nil {
		return nil, nil, err
	}
	rows := &Rows{}
	for _, span := range file.Spans {
		part, err := readSpan(ctx, f, s, span, o)
		if err != nil {
			return nil, nil, err
		}
		rows.Kept = append(rows.Kept, part.Kept...)
		rows.Dead = append(rows.Dead, part.Dead...)
	}
	return file, rows, nil
}

// readSpan reads one span and checks that it has as many rows as it says.
func readSpan(ctx context.Context, f table.Format, s store.Store, span table.Span, o table.Options) (*Rows, error) {
	full, err := o.WithDefaults()
	if err != nil {
		return nil, err
	}
	rows := &Rows{}
	last, letter := span.FirstRow-1, span.FirstRow-1
	err = f.Read(ctx, s, span, o, func(b *batch.Batch) error {
		if err := checkBatch(b, span, full.BatchRows, last); err != nil {
			return err
		}
		last = b.Rows[len(b.Rows)-1]
		rows.Kept = append(rows.Kept, text(b)...)
		return nil
	}, func(l deadletter.Letter) error {
		if l.File != span.File || l.Row <= letter || l.Row >= span.FirstRow+span.Rows || l.Rule == "" || l.Reason == "" || len(l.Value) > deadletter.MaxValueBytes {
			return fmt.Errorf("formattest: letter %+v in span %+v: wrong file, row, rule or reason", l, span)
		}
		letter = l.Row
		rows.Dead = append(rows.Dead, l)
		return nil
	})
	if n := int64(len(rows.Kept) + len(rows.Dead)); err == nil && n != span.Rows {
		err = fmt.Errorf("formattest: span %+v: emitted and dead are %d rows, want %d", span, n, span.Rows)
	}
	return rows, err
}

// checkBatch holds a batch against the promises; last is the row before it.
func checkBatch(b *batch.Batch, span table.Span, batchRows int, last int64) error {
	switch {
	case b.File != span.File || b.Span != span.Index:
		return fmt.Errorf("formattest: batch of file %q span %d, want %q %d", b.File, b.Span, span.File, span.Index)
	case len(b.Rows) == 0 || len(b.Rows) > batchRows:
		return fmt.Errorf("formattest: batch of %d rows, want 1 to %d", len(b.Rows), batchRows)
	case b.Record.NumRows() != int64(len(b.Rows)):
		return fmt.Errorf("formattest: record of %d rows with %d row numbers", b.Record.NumRows(), len(b.Rows))
	}
	for _, row := range b.Rows {
		if row <= last || row >= span.FirstRow+span.Rows {
			return fmt.Errorf("formattest: row %d after row %d in span %+v", row, last, span)
		}
		last = row
	}
	return nil
}

// text writes each row of b: its number, and its cells with their column names.
func text(b *batch.Batch) []string {
	out := make([]string, len(b.Rows))
	for r := range out {
		var w strings.Builder
		fmt.Fprintf(&w, "row %d:", b.Rows[r])
		for c, col := range b.Record.Columns() {
			cell := "(null)"
			if col.IsValid(r) {
				cell = fmt.Sprintf("%q", col.ValueStr(r))
			}
			fmt.Fprintf(&w, " %q=%s", b.Record.ColumnName(c), cell)
		}
		out[r] = w.String()
	}
	return out
}

func newStore(t *testing.T, name string, data []byte) store.Store {
	t.Helper()
	s := storetest.NewMemory()
	put(t, s, name, data)
	return s
}

func put(t *testing.T, s store.Store, name string, data []byte) {
	t.Helper()
	if err := store.WriteAll(t.Context(), s, name, data); err != nil {
		t.Fatal(err)
	}
}

func testSurvey(t *testing.T, f table.Format, s store.Store, file File) {
	got, err := f.Survey(t.Context(), s, file.Name, file.Options)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(file.Data)
	if want := hex.EncodeToString(sum[:]); got.Name != file.Name || got.Bytes != int64(len(file.Data)) || got.SHA256 != want {
		t.Errorf("got %s, %d bytes, digest %s, want %s, %d, %s", got.Name, got.Bytes, got.SHA256, file.Name, len(file.Data), want)
	}
	if want := file.Kept + file.Dead; got.Rows != want {
		t.Errorf("got %d rows, want %d", got.Rows, want)
	}
	next := int64(1)
	for i, span := range got.Spans {
		if span.File != file.Name || span.Format != f.Name() || span.Index != i || span.FirstRow != next || span.Rows < 1 {
			t.Errorf("span %d: got %+v, want file %s, format %s, first row %d and at least one row", i, span, file.Name, f.Name(), next)
		}
		next += span.Rows
		wire, err := json.Marshal(span)
		if err != nil {
			t.Fatal(err)
		}
		var back table.Span
		if err := json.Unmarshal(wire, &back); err != nil || back != span {
			t.Errorf("span through JSON: got %+v, error %v, want %+v", back, err, span)
		}
	}
	if next-1 != got.Rows {
		t.Errorf("the spans hold %d rows, want %d", next-1, got.Rows)
	}
}

// testCuts wants the same rows for any size of batches and spans.
func testCuts(t *testing.T, f table.Format, s store.Store, file File) {
	_, want, err := ReadAll(t.Context(), f, s, file.Name, file.Options)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(want.Kept)) != file.Kept || int64(len(want.Dead)) != file.Dead {
		t.Fatalf("got %d rows and %d dead, want %d and %d; dead: %+v", len(want.Kept), len(want.Dead), file.Kept, file.Dead, want.Dead)
	}
	for _, batchRows := range []int{1, 3, 1000} {
		for _, spanBytes := range []int64{1, 64, 4096} {
			o := file.Options
			o.BatchRows, o.SpanBytes = batchRows, spanBytes
			_, got, err := ReadAll(t.Context(), f, s, file.Name, o)
			if err != nil {
				t.Fatalf("batches of %d rows, spans of %d bytes: %v", batchRows, spanBytes, err)
			}
			if diff := differ(got, want); diff != "" {
				t.Errorf("batches of %d rows, spans of %d bytes: %s", batchRows, spanBytes, diff)
			}
		}
	}
}

// differ describes the first difference.
func differ(got, want *Rows) string {
	for i := range min(len(got.Kept), len(want.Kept)) {
		if got.Kept[i] != want.Kept[i] {
			return fmt.Sprintf("got %s, want %s", got.Kept[i], want.Kept[i])
		}
	}
	for i := range min(len(got.Dead), len(want.Dead)) {
		if got.Dead[i] != want.Dead[i] {
			return fmt.Sprintf("got letter %+v, want %+v", got.Dead[i], want.Dead[i])
		}
	}
	if len(got.Kept) != len(want.Kept) || len(got.Dead) != len(want.Dead) {
		return fmt.Sprintf("got %d rows and %d dead, want %d and %d", len(got.Kept), len(got.Dead), len(want.Kept), len(want.Dead))
	}
	return ""
}

// testColumns reads each column alone, and one that is not there.
func testColumns(t *testing.T, f table.Format, s store.Store, file File) {
	survey, err := f.Survey(t.Context(), s, file.Name, file.Options)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, survey.Schema.NumFields())
	for i := range names {
		names[i] = survey.Schema.Field(i).Name
	}
	o := file.Options
	o.Columns = []string{names[len(names)-1], names[0]} // against the file's order
	for _, span := range survey.Spans {
		err := f.Read(t.Context(), s, span, o, func(b *batch.Batch) error {
			for c, want := range slices.Compact([]string{names[0], names[len(names)-1]}) {
				if got := b.Record.ColumnName(c); got != want {
					return fmt.Errorf("column %d is %q, want %q", c, got, want)
				}
			}
			return nil
		}, func(deadletter.Letter) error { return nil })
		if err != nil {
			t.Error(err)
		}
	}
	o.Columns = []string{"no such column"}
	if _, _, err := ReadAll(t.Context(), f, s, file.Name, o); err == nil || !strings.Contains(err.Error(), "no such column") {
		t.Errorf("got error %v, want one that names the missing column", err)
	}
}

// testParallel reads all spans at once: a Format has no state.
func testParallel(t *testing.T, f table.Format, s store.Store, file File) {
	o := file.Options
	o.SpanBytes = 64
	survey, want, err := ReadAll(t.Context(), f, s, file.Name, o)
	if err != nil {
		t.Fatal(err)
	}
	parts, errs := make([]*Rows, len(survey.Spans)), make([]error, len(survey.Spans))
	var wg sync.WaitGroup
	for i, span := range survey.Spans {
		wg.Go(func() { parts[i], errs[i] = readSpan(t.Context(), f, s, span, o) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	got := &Rows{}
	for _, part := range parts {
		got.Kept = append(got.Kept, part.Kept...)
		got.Dead = append(got.Dead, part.Dead...)
	}
	if diff := differ(got, want); diff != "" {
		t.Error(diff)
	}
}

// testStop cancels, and fails the callbacks.
func testStop(t *testing.T, f table.Format, s store.Store, file File) {
	o := file.Options
	o.BatchRows = 1
	survey, err := f.Survey(t.Context(), s, file.Name, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ignore := func(deadletter.Letter) error { return nil }
	calls := 0
	for _, span := range survey.Spans {
		err := f.Read(ctx, s, span, o, func(*batch.Batch) error { calls++; cancel(); return nil }, ignore)
		if span.Rows > 1 && calls > 0 && !errors.Is(err, context.Canceled) && file.Dead == 0 {
			t.Errorf("Read of %d rows cancelled at its first batch: got error %v, want %v", span.Rows, err, context.Canceled)
		}
	}
	if calls > 1 {
		t.Errorf("%d batches came after the cancellation, want none", calls-1)
	}
	if _, err := f.Survey(ctx, s, file.Name, o); file.Kept > 0 && !errors.Is(err, context.Canceled) {
		t.Errorf("Survey of a cancelled context: got error %v, want %v", err, context.Canceled)
	}
	stop := errors.New("stop")
	for _, span := range survey.Spans {
		err := f.Read(t.Context(), s, span, o, func(*batch.Batch) error { return stop }, func(deadletter.Letter) error { return stop })
		if !errors.Is(err, stop) {
			t.Errorf("a callback failed: got error %v, want it to wrap the callback's", err)
		}
	}
}

// testChanged cuts the file after its survey: a Read must notice.
func testChanged(t *testing.T, f table.Format, file File) {
	s := newStore(t, file.Name, file.Data)
	survey, err := f.Survey(t.Context(), s, file.Name, file.Options)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, file.Name, file.Data[:len(file.Data)/2])
	var errs []error
	for _, span := range survey.Spans {
		_, err := readSpan(t.Context(), f, s, span, file.Options)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err == nil || strings.Contains(err.Error(), "formattest:") || !strings.Contains(err.Error(), file.Name) {
		t.Errorf("half of the file went after the survey: got error %v, want one that names the file", err)
	}
}

// testTruncated cuts the file at many places: an error, or rows that add up.
func testTruncated(t *testing.T, f table.Format, file File) {
	for i := range 24 {
		cut := len(file.Data) * i / 24
		s := newStore(t, file.Name, file.Data[:cut])
		survey, rows, err := ReadAll(t.Context(), f, s, file.Name, file.Options)
		switch {
		case err == nil && (file.Sealed || cut == 0):
			t.Errorf("cut at byte %d of %d: got %d rows and %d dead, want an error", cut, len(file.Data), len(rows.Kept), len(rows.Dead))
		case err == nil && survey.Rows != int64(len(rows.Kept)+len(rows.Dead)):
			t.Errorf("cut at byte %d: got %d rows and %d dead of %d", cut, len(rows.Kept), len(rows.Dead), survey.Rows)
		case err != nil && (!strings.Contains(err.Error(), file.Name) || strings.Contains(err.Error(), "formattest:")):
			t.Errorf("cut at byte %d: got error %v, want one that names the file", cut, err)
		}
	}
}

// testFlipped flips single bits: an error, or rows that add up, never a panic.
func testFlipped(t *testing.T, f table.Format, file File) {
	for i := range 64 {
		data := bytes.Clone(file.Data)
		at := len(data) * i / 64
		data[at] ^= 1 << (i % 8)
		s := newStore(t, file.Name, data)
		survey, rows, err := ReadAll(t.Context(), f, s, file.Name, file.Options)
		switch {
		case err == nil && survey.Rows != int64(len(rows.Kept)+len(rows.Dead)):
			t.Errorf("bit %d of byte %d flipped: got %d rows and %d dead of %d", i%8, at, len(rows.Kept), len(rows.Dead), survey.Rows)
		case err != nil && (!strings.Contains(err.Error(), file.Name) || strings.Contains(err.Error(), "formattest:")):
			t.Errorf("bit %d of byte %d flipped: got error %v, want one that names the file", i%8, at, err)
		}
	}
}

func testAbsent(t *testing.T, f table.Format, file File) {
	s := newStore(t, "some other file", nil)
	_, err := f.Survey(t.Context(), s, file.Name, file.Options)
	if !errors.Is(err, store.ErrNotExist) || !strings.Contains(err.Error(), file.Name) {
		t.Errorf("Survey of a missing file: got error %v, want one that names the file and wraps %v", err, store.ErrNotExist)
	}
	span := table.Span{File: file.Name, Format: f.Name(), FirstRow: 1, Rows: 1}
	_, err = readSpan(t.Context(), f, s, span, file.Options)
	if !errors.Is(err, store.ErrNotExist) || !strings.Contains(err.Error(), file.Name) {
		t.Errorf("Read of a missing file: got error %v, want one that names the file and wraps %v", err, store.ErrNotExist)
	}
}
