package jsonlio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
)

// Survey implements table.Format: one pass that reads every value, for the types. The file is read
// in order, and its chunks are looked at by several goroutines; what they see is put together in an order that does not
// depend on them. A plain file is cut into spans at the first row from each multiple of
// SpanBytes; a compressed one, which can only be read from its beginning, is one span. A
// file without a single good row is an error.
func (f Format) Survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	file, err := f.survey(ctx, s, name, o)
	if err != nil {
		return nil, fmt.Errorf("jsonlio: %s: %w", name, err)
	}
	return file, nil
}

func (f Format) survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	o, err := check(o)
	if err != nil {
		return nil, err
	}
	digest := sha256.New()
	src, err := stream.Open(ctx, s, name, digest)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	if !src.Plain() {
		o.SpanBytes = 1<<63 - 1
	}
	team := &team{o: o, limit: f.limit(), text: &chunks{src: src, limit: f.limit(), room: room(src.Block())}}
	if err := team.run(ctx, f.crew(src)); err != nil {
		return nil, stream.AfterRow(err, team.rows())
	}
	file := &table.File{Name: name, Bytes: src.File.Size(), SHA256: hex.EncodeToString(digest.Sum(nil))}
	if err := team.finish(file); err != nil {
		return nil, err
	}
	if !src.Plain() {
		file.Spans[0].Offset, file.Spans[0].Length = 0, 0
	}
	return file, nil
}

// crew is how many goroutines look at the chunks of src.
func (f Format) crew(src *stream.Source) int {
	if f.workers > 0 {
		return f.workers
	}
	return int(min(int64(runtime.GOMAXPROCS(0)), 8, 1+(src.Block()-1)/blockBytes))
}

// job is a chunk to look at.
type job struct {
	number int
	chunk
}

// run reads all text with a crew of n.
func (t *team) run(ctx context.Context, n int) error {
	g, ctx := errgroup.WithContext(ctx)
	t.text.ctx = ctx
	jobs, free := make(chan job), make(chan []byte, n+1)
	for range n + 1 {
		free <- nil
	}
	if n > 1 {
		for range n {
			w := t.hire()
			g.Go(func() error {
				for j := range jobs {
					if err := t.look(w, j); err != nil {
						return err
					}
					free <- j.data
				}
				t.dismiss(w)
				return nil
			})
		}
	}
	err := t.read(ctx, n, jobs, free)
	close(jobs)
	if failed := g.Wait(); failed != nil {
		return failed
	}
	return err
}

// read hands the chunks out. It looks at them itself if nobody else does, and at those
// with long lines, so that only one of them is in memory.
func (t *team) read(ctx context.Context, n int, jobs chan<- job, free chan []byte) error {
	w := t.hire()
	defer t.dismiss(w)
	for number := 0; ; number++ {
		var buf []byte
		select {
		case buf = <-free:
		case <-ctx.Done():
			return ctx.Err()
		}
		ch, err := t.text.next(buf)
		if err != nil || len(ch.data) == 0 {
			return err
		}
		if long := cap(ch.data) > room(blockBytes); n == 1 || long {
			if err := t.look(w, job{number, ch}); err != nil {
				return err
			}
			if long {
				ch.data = nil
			}
			free <- ch.data
			continue
		}
		select {
		case jobs <- job{number, ch}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (t *team) hire() *walker {
	o := t.o.JSON
	return newWalker(o, t.limit, &survey{columns: map[string]*known{}, most: o.MaxColumns, branch: 2 * o.MaxColumns}, nil)
}

// dismiss takes what w has learned.
func (t *team) dismiss(w *walker) {
	var learned []known
	for _, k := range w.survey.columns {
		learned = append(learned, *k)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.columns = append(t.columns, learned)
}

// look reads a chunk.
func (t *team) look(w *walker, j job) error {
	var r report
	s := w.survey
	s.offset = j.offset
	breaks, err := w.each(j.chunk, func(breaks int64, p, end int, ok bool) error {
		if s.over && ok {
			return errColumns(t.o.JSON)
		}
		s.end(ok, j.offset+int64(p), len(w.made))
		switch {
		case ok:
			r.good = true
		case r.reason == "":
			r.reason, r.faulty = w.fault.reason, breaks
		}
		r.row(j.chunk, t.o.SpanBytes, breaks, p, end)
		return nil
	})
	r.breaks = breaks
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reports = append(t.reports, make([]report, max(0, j.number+1-len(t.reports)))...)
	t.reports[j.number] = r
	return err
}

func errColumns(o table.JSON) error {
	return fmt.Errorf("more than %d columns: raise JSON.MaxColumns, or if names of members are data, lower JSON.FlattenDepth so that their objects stay text (1 keeps all so)", o.MaxColumns)
}

// piece is a part of a chunk that goes into one span.
type piece struct {
	span        int64 // the number of the last multiple of SpanBytes before it
	offset, end int64
	breaks      int64 // line breaks before it in its chunk
	rows        int64
}

// report is what was seen in a chunk.
type report struct {
	breaks int64 // line breaks
	pieces []piece
	good   bool   // there is a row that is one
	reason string // why the first faulty line is none
	faulty int64  // line breaks before that
}

// row adds a row from p to end of ch.
func (r *report) row(ch chunk, spanBytes, breaks int64, p, end int) {
	offset, behind := ch.offset+int64(p), ch.offset+min(int64(end), ch.size)
	if ch.long > 0 {
		behind = ch.offset + ch.size
	}
	span := offset / spanBytes
	if n := len(r.pieces); n == 0 || r.pieces[n-1].span != span {
		r.pieces = append(r.pieces, piece{span: span, offset: offset, breaks: breaks})
	}
	last := &r.pieces[len(r.pieces)-1]
	last.rows++
	last.end = behind
}

// team surveys a file.
type team struct {
	o     table.Options
	limit int
	text  *chunks

	mu      sync.Mutex
	reports []report // by chunk
	columns [][]known
}

func (t *team) rows() (n int64) {
	for _, r := range t.reports {
		for _, p := range r.pieces {
			n += p.rows
		}
	}
	return n
}

// finish fills in what the reports say.
func (t *team) finish(file *table.File) error {
	columns := merge(t.columns...)
	if len(columns) > t.o.JSON.MaxColumns {
		return errColumns(t.o.JSON)
	}
	good, reason, faulty := false, "", int64(0)
	line, last := int64(1), int64(-1)
	for _, r := range t.reports {
		for _, p := range r.pieces {
			if p.span != last {
				file.Spans = append(file.Spans, table.Span{File: file.Name, Format: "jsonl", Index: len(file.Spans),
					Offset: p.offset, FirstRow: file.Rows + 1, FirstLine: line + p.breaks})
				last = p.span
			}
			span := &file.Spans[len(file.Spans)-1]
			span.Length = p.end - span.Offset
			span.Rows += p.rows
			file.Rows += p.rows
		}
		good = good || r.good
		if reason == "" && r.reason != "" {
			reason, faulty = r.reason, line+r.faulty
		}
		line += r.breaks
	}
	switch {
	case file.Rows == 0:
		return fmt.Errorf("no rows: the file is empty, or has only blank lines")
	case !good:
		return fmt.Errorf("no row of %d is a JSON object: line %d: %s; if the file is one array, or its objects span lines, write one object a line", file.Rows, faulty, reason)
	case len(columns) == 0:
		return fmt.Errorf("no columns: every object is empty")
	}
	file.Schema = schemaOf(columns)
	text := encode(columns)
	for i := range file.Spans {
		file.Spans[i].Schema = text
	}
	return nil
}
