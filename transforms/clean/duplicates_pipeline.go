package clean

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"sort"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/millrace-go/millrace/internal/fault"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/transforms/ledger"
)

func init() {
	register.DoFn3x1[context.Context, *batch.Batch, func(int, ledger.Part), error](&hashFn{})
	register.DoFn4x1[context.Context, int, func(*ledger.Part) bool, func(ledger.Entry), error](&duplicatesFn{})
	register.DoFn4x1[context.Context, *batch.Batch, func(*batch.Batch), func(ledger.Entry), error](&dropFn{})
	register.Emitter2[int, ledger.Part]()
	register.Iter1[ledger.Part]()
}

// maxPartitionEntries is the aim for the rows whose hashes one bundle of
// FindDuplicates holds: 24 bytes each.
const maxPartitionEntries = 1 << 18

// Partitions is the number of parts in which the hashes of so many rows are
// compared. It does not change the result.
func Partitions(rows int64) int { return int(rows/maxPartitionEntries) + 1 }

// Hashes writes the hash and position of each row to the store, partitioned by
// hash. The rows themselves go nowhere.
//
//	Hashes(PCollection<*Batch>) -> PCollection<KV<int, ledger.Part>>
func Hashes(s beam.Scope, columns []string, partitions int, sink ledger.Sink, batches beam.PCollection) beam.PCollection {
	s = s.Scope("clean.Hashes")
	return beam.ParDo(s, &hashFn{Columns: columns, Partitions: partitions, Sink: sink}, batches)
}

type hashFn struct {
	Columns    []string
	Partitions int
	Sink       ledger.Sink
	spool      *ledger.Spool[*entryWriter]
}

// entryWriter writes entries, EntryBytes each.
type entryWriter struct{ w io.Writer }

func newEntryWriter(w io.Writer) (*entryWriter, error) { return &entryWriter{w}, nil }

func (e *entryWriter) Write(entries []Entry) error {
	_, err := e.w.Write(EncodeEntries(entries))
	return err
}

func (e *entryWriter) Close() error { return nil }

func (f *hashFn) StartBundle(func(int, ledger.Part)) (err error) {
	if f.spool == nil {
		f.spool, err = ledger.NewSpool(f.Sink, ".hashes", newEntryWriter)
		return fault.Wrap(err)
	}
	f.spool.Abandon()
	return nil
}

func (f *hashFn) ProcessElement(ctx context.Context, b *batch.Batch, _ func(int, ledger.Part)) error {
	hashes, err := HashRows(b, f.Columns)
	if err != nil {
		return fault.Wrap(err)
	}
	lists := make([][]Entry, f.Partitions)
	for i, h := range hashes {
		p := Partition(h, f.Partitions)
		lists[p] = append(lists[p], Entry{Hash: h, Span: b.Span, Row: b.Rows[i]})
	}
	for p, entries := range lists {
		if len(entries) == 0 {
			continue
		}
		w, err := f.spool.Writer(ctx, fmt.Sprintf("hashes/%04d", p), b.Span, entries[0].Row, int64(len(entries)))
		if err != nil {
			return fault.Wrap(err)
		}
		if err := w.Write(entries); err != nil {
			return fault.Wrap(err)
		}
	}
	return nil
}

func (f *hashFn) FinishBundle(emit func(int, ledger.Part)) error {
	parts, err := f.spool.Flush()
	if err != nil {
		return fault.Wrap(err)
	}
	for _, part := range parts {
		var p int
		if _, err := fmt.Sscanf(part.Kind, "hashes/%d", &p); err != nil {
			return fmt.Errorf("clean.Hashes: part of kind %q: %w", part.Kind, err)
		}
		emit(p, part)
	}
	return nil
}

// FindDuplicatesIn compares the hashes of each partition and writes the positions
// of all rows but the first of each hash, sorted by position, as one part of
// kind "duplicates" a partition. It is followed by ledger.Commit.
//
//	FindDuplicatesIn(PCollection<KV<int, ledger.Part>>) -> PCollection<ledger.Entry>
func FindDuplicatesIn(s beam.Scope, sink ledger.Sink, hashes beam.PCollection) beam.PCollection {
	s = s.Scope("clean.FindDuplicatesIn")
	return beam.ParDo(s, &duplicatesFn{Sink: sink}, beam.GroupByKey(s, hashes))
}

type duplicatesFn struct{ Sink ledger.Sink }

func (f *duplicatesFn) ProcessElement(ctx context.Context, partition int, parts func(*ledger.Part) bool, note func(ledger.Entry)) error {
	entry, err := f.find(ctx, partition, parts)
	if err != nil {
		return fault.Wrap(err)
	}
	note(entry)
	return nil
}

func (f *duplicatesFn) find(ctx context.Context, partition int, parts func(*ledger.Part) bool) (ledger.Entry, error) {
	var none ledger.Entry
	s, err := store.At(f.Sink.Store)
	if err != nil {
		return none, err
	}
	var entries []Entry
	var part ledger.Part
	for parts(&part) {
		data, err := store.GetObject(ctx, s, part.Object)
		if err != nil {
			return none, err
		}
		some, err := DecodeEntries(data)
		if err != nil {
			return none, fmt.Errorf("%s: %w", part.Object.Name, err)
		}
		entries = append(entries, some...)
		part = ledger.Part{}
	}
	duplicates := FindDuplicates(entries)
	sortByPosition(duplicates)
	return ledger.Put(ctx, f.Sink, "duplicates", partition, int64(len(duplicates)), EncodeEntries(duplicates))
}

// DropDuplicates leaves out the rows that the manifest of FindDuplicatesIn lists,
// counted under the rule "duplicate".
//
//	DropDuplicates(PCollection<*Batch>) -> PCollection<*Batch>, PCollection<ledger.Entry>
func DropDuplicates(s beam.Scope, storeURI string, manifest ledger.Entry, batches beam.PCollection) (kept, entries beam.PCollection) {
	return DropListed(s, "duplicate", storeURI, manifest, batches)
}

// DropListed leaves out the rows that the parts of kind "duplicates" of a
// manifest list, counted under a rule.
//
//	DropListed(PCollection<*Batch>) -> PCollection<*Batch>, PCollection<ledger.Entry>
func DropListed(s beam.Scope, rule, storeURI string, manifest ledger.Entry, batches beam.PCollection) (kept, entries beam.PCollection) {
	s = s.Scope("clean.DropListed")
	fn := &dropFn{Rule: rule, Store: storeURI, Parts: manifest.Of("duplicates"), Notes: ledger.Notes{Stage: "duplicates"}}
	return beam.ParDo2(s, fn, batches)
}

type dropFn struct {
	Rule  string
	Store string
	Parts []ledger.Part
	Notes ledger.Notes
	span  int
	rows  []int64 // duplicates of span
}

func (f *dropFn) StartBundle(func(*batch.Batch), func(ledger.Entry)) {
	f.Notes.Start()
	f.span = -1
}

func (f *dropFn) ProcessElement(ctx context.Context, b *batch.Batch, emit func(*batch.Batch), _ func(ledger.Entry)) error {
	if b.Span != f.span {
		rows, err := duplicatesOf(ctx, f.Store, f.Parts, b.Span)
		if err != nil {
			return fault.Wrap(err)
		}
		f.span, f.rows = b.Span, rows
	}
	kept := DropRows(b, f.rows)
	dropped := int64(b.NumRows() - kept.NumRows())
	f.Notes.Count(ctx, "drop:"+f.Rule, dropped)
	f.Notes.Count(ctx, "kept", -dropped)
	if kept.NumRows() > 0 {
		emit(kept)
	}
	return nil
}

func (f *dropFn) FinishBundle(_ func(*batch.Batch), note func(ledger.Entry)) error {
	return fault.Wrap(f.Notes.Finish(note))
}

// duplicatesOf returns the sorted rows of a span that are duplicates, reading
// only that range of each part.
func duplicatesOf(ctx context.Context, storeURI string, parts []ledger.Part, span int) ([]int64, error) {
	s, err := store.At(storeURI)
	if err != nil {
		return nil, err
	}
	var rows []int64
	for _, part := range parts {
		some, err := rangeOfSpan(ctx, s, part, span)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.Object.Name, err)
		}
		for _, e := range some {
			rows = append(rows, e.Row)
		}
	}
	slices.Sort(rows)
	return rows, nil
}

// rangeOfSpan finds the entries of a span in a part sorted by position.
func rangeOfSpan(ctx context.Context, s store.Store, part ledger.Part, span int) ([]Entry, error) {
	if err := store.Verify(ctx, s, part.Object); err != nil {
		return nil, err
	}
	r, err := s.Open(ctx, part.Object.Name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if r.Size() != part.Rows*EntryBytes {
		return nil, fmt.Errorf("has %d bytes, want %d; remove it and run again", r.Size(), part.Rows*EntryBytes)
	}
	read := func(i, n int64) ([]Entry, error) {
		data := make([]byte, n*EntryBytes)
		if _, err := r.ReadAt(data, i*EntryBytes); err != nil && err != io.EOF {
			return nil, err
		}
		return DecodeEntries(data)
	}
	var failed error
	bound := func(span int) int64 {
		return int64(sort.Search(int(part.Rows), func(i int) bool {
			e, err := read(int64(i), 1)
			if err != nil {
				failed = err
				return true
			}
			return e[0].Span >= span
		}))
	}
	from, to := bound(span), bound(span+1)
	if failed != nil {
		return nil, failed
	}
	return read(from, to-from)
}

func sortByPosition(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Span, b.Span), cmp.Compare(a.Row, b.Row))
	})
}
