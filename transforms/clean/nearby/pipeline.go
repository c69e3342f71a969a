package nearby

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/internal/fault"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/transforms/clean"
	"github.com/millrace-go/millrace/transforms/ledger"
)

func init() {
	register.DoFn3x1[context.Context, *batch.Batch, func(ledger.Entry), error](&sketchFn{})
	register.DoFn3x1[context.Context, int, func(int, ledger.Part), error](&edgesFn{})
	register.DoFn4x1[context.Context, int, func(*ledger.Part) bool, func(ledger.Entry), error](&groupsFn{})
	register.Emitter1[ledger.Entry]()
	register.Emitter2[int, ledger.Part]()
	register.Iter1[ledger.Part]()
}

// maxMembers is the aim for the members that one bundle holds, 40 bytes each,
// and maxPartitions bounds the objects that one span writes.
const (
	maxMembers    = 1 << 18
	maxPartitions = 512
)

// Partitions is the number of parts in which the bands of so many rows are
// compared. It does not change the result.
func Partitions(spec clean.NearDuplicates, rows int64) int {
	bands, _ := bandsFor(spec.Limit())
	return int(min(rows*int64(bands)/maxMembers+1, maxPartitions))
}

// Sketch writes the set of each row's text, and the row as a member of the
// bucket of each of its bands, partitioned by bucket: parts of the kinds "sets"
// and "bands/<partition>". The texts go nowhere. It is followed by ledger.Commit.
//
//	Sketch(PCollection<*Batch>) -> PCollection<ledger.Entry>
func Sketch(s beam.Scope, spec clean.NearDuplicates, partitions int, sink ledger.Sink, batches beam.PCollection) beam.PCollection {
	s = s.Scope("nearby.Sketch")
	return beam.ParDo(s, &sketchFn{Spec: spec, Partitions: partitions, Sink: sink}, batches)
}

type sketchFn struct {
	Spec       clean.NearDuplicates
	Partitions int
	Sink       ledger.Sink

	sketcher *Sketcher
	sets     *ledger.Spool[*setWriter]
	members  *ledger.Spool[*memberWriter]
	keys     []xxh3.Uint128
	lists    [][]byte // members of a batch, encoded, by partition
}

// memberWriter writes encoded members.
type memberWriter struct{ io.Writer }

func newMemberWriter(w io.Writer) (*memberWriter, error) { return &memberWriter{w}, nil }

func (*memberWriter) Close() error { return nil }

func (f *sketchFn) StartBundle(func(ledger.Entry)) (err error) {
	if f.sketcher != nil {
		f.sets.Abandon()
		f.members.Abandon()
		return nil
	}
	if f.sets, err = ledger.NewSpool(f.Sink, ".sets", newSetWriter); err != nil {
		return fault.Wrap(err)
	}
	if f.members, err = ledger.NewSpool(f.Sink, ".members", newMemberWriter); err != nil {
		return fault.Wrap(err)
	}
	f.sketcher, f.lists = NewSketcher(f.Spec), make([][]byte, f.Partitions)
	return nil
}

func (f *sketchFn) ProcessElement(ctx context.Context, b *batch.Batch, _ func(ledger.Entry)) error {
	a, err := batch.Column(b, f.Spec.Column)
	if err != nil {
		return fault.Wrap(err)
	}
	texts, ok := a.(*array.String)
	if !ok {
		return fault.Wrap(fmt.Errorf("nearby: column %q: type %v, want string", f.Spec.Column, a.DataType()))
	}
	if b.NumRows() == 0 {
		return nil
	}
	w, err := f.sets.Writer(ctx, "sets", b.Span, b.Rows[0], int64(b.NumRows()))
	if err != nil {
		return fault.Wrap(err)
	}
	for i := range f.lists {
		f.lists[i] = f.lists[i][:0]
	}
	for i, row := range b.Rows {
		if texts.IsNull(i) {
			continue
		}
		if err := f.row(w, PositionOf(b.Span, row), texts.Value(i)); err != nil {
			return fault.Wrap(err)
		}
	}
	return fault.Wrap(f.flush(ctx, b))
}

// row writes the set of a row, and notes the row in its buckets.
func (f *sketchFn) row(w *setWriter, p Position, text string) error {
	set := f.sketcher.Set(text)
	if len(set) == 0 {
		return nil
	}
	offset, err := w.put(set)
	if err != nil {
		return err
	}
	m := Member{Position: p, Set: hashOf(set), Offset: offset}
	f.keys = f.sketcher.Keys(f.keys[:0], set)
	for _, m.Bucket = range f.keys {
		part := clean.Partition(m.Bucket, f.Partitions)
		f.lists[part] = appendMember(f.lists[part], m)
	}
	return nil
}

// flush writes the members of a batch.
func (f *sketchFn) flush(ctx context.Context, b *batch.Batch) error {
	for part, data := range f.lists {
		if len(data) == 0 {
			continue
		}
		w, err := f.members.Writer(ctx, bandsKind(part), b.Span, b.Rows[0], int64(len(data)/memberBytes))
		if err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return nil
}

func bandsKind(partition int) string { return fmt.Sprintf("bands/%04d", partition) }

func (f *sketchFn) FinishBundle(note func(ledger.Entry)) error {
	sets, err := f.sets.Flush()
	if err != nil {
		return fault.Wrap(err)
	}
	members, err := f.members.Flush()
	if err != nil {
		return fault.Wrap(err)
	}
	if parts := append(sets, members...); len(parts) > 0 {
		note(ledger.Entry{Parts: parts})
	}
	return nil
}

// Find compares what Sketch wrote and the manifest named sketched holds, and writes the
// rows of all groups but the first of each, sorted by position, as one part of
// kind "duplicates", for clean.DropListed. It is followed by ledger.Commit.
//
//	Find() -> PCollection<ledger.Entry>
func Find(s beam.Scope, spec clean.NearDuplicates, partitions int, sketched string, sink ledger.Sink) beam.PCollection {
	s = s.Scope("nearby.Find")
	list := make([]int, partitions)
	for i := range list {
		list[i] = i
	}
	each := beam.Reshuffle(s, beam.CreateList(s, list))
	edges := beam.ParDo(s, &edgesFn{Spec: spec, Sketched: sketched, Sink: sink}, each)
	return beam.ParDo(s, &groupsFn{Sink: sink}, beam.GroupByKey(s, edges))
}

type edgesFn struct {
	Spec     clean.NearDuplicates
	Sketched string // name of the manifest
	Sink     ledger.Sink
}

// ProcessElement links the near duplicates of a partition. What goes on is a
// reference to the edges.
func (f *edgesFn) ProcessElement(ctx context.Context, partition int, emit func(int, ledger.Part)) error {
	s, err := store.At(f.Sink.Store)
	if err != nil {
		return fault.Wrap(err)
	}
	manifest, _, err := ledger.Load(ctx, s, f.Sketched)
	if err != nil {
		return fault.Wrap(err)
	}
	var members []Member
	for _, part := range manifest.Of(bandsKind(partition)) {
		data, err := store.GetObject(ctx, s, part.Object)
		if err != nil {
			return fault.Wrap(err)
		}
		if members, err = decodeMembers(members, data); err != nil {
			return fault.Wrap(fmt.Errorf("%s: %w", part.Object.Name, err))
		}
	}
	sets := newSetReader(s, &manifest)
	edges, err := Edges(members, f.Spec.Limit(), func(m Member) ([]uint64, error) { return sets.read(ctx, m) })
	if err := errors.Join(err, sets.close()); err != nil {
		return fault.Wrap(err)
	}
	entry, err := ledger.Put(ctx, f.Sink, "edges", partition, int64(len(edges)), encodeEdges(edges))
	if err != nil {
		return fault.Wrap(err)
	}
	emit(0, entry.Parts[0])
	return nil
}

func encodeEdges(edges []Edge) []byte {
	p := make([]byte, 0, 16*len(edges))
	for _, e := range edges {
		p = binary.BigEndian.AppendUint64(p, uint64(e.A))
		p = binary.BigEndian.AppendUint64(p, uint64(e.B))
	}
	return p
}

func decodeEdges(edges []Edge, p []byte) ([]Edge, error) {
	if len(p)%16 != 0 {
		return nil, fmt.Errorf("nearby: %d bytes of edges, want a multiple of 16", len(p))
	}
	for ; len(p) > 0; p = p[16:] {
		edges = append(edges, Edge{Position(binary.BigEndian.Uint64(p)), Position(binary.BigEndian.Uint64(p[8:]))})
	}
	return edges, nil
}

type groupsFn struct{ Sink ledger.Sink }

// ProcessElement joins the edges of all partitions, in one place: it holds the
// rows that are near duplicates, and no others.
func (f *groupsFn) ProcessElement(ctx context.Context, _ int, parts func(*ledger.Part) bool, note func(ledger.Entry)) error {
	s, err := store.At(f.Sink.Store)
	if err != nil {
		return fault.Wrap(err)
	}
	var edges []Edge
	var part ledger.Part
	for parts(&part) {
		data, err := store.GetObject(ctx, s, part.Object)
		if err != nil {
			return fault.Wrap(err)
		}
		if edges, err = decodeEdges(edges, data); err != nil {
			return fault.Wrap(fmt.Errorf("%s: %w", part.Object.Name, err))
		}
		part = ledger.Part{}
	}
	members := Groups(edges)
	entry, err := ledger.Put(ctx, f.Sink, "duplicates", 0, int64(len(members)), clean.EncodeEntries(members))
	if err != nil {
		return fault.Wrap(err)
	}
	note(entry)
	return nil
}
