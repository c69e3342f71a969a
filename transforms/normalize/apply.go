package normalize

import (
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
)

// Options of an Applier.
type Options struct {
	// Label asks for the label column. A row without a known class is then a
	// dead letter.
	Label bool
}

// Prepared is what becomes of a batch: every row is in one of the two.
type Prepared struct {
	// Batch has the rows that could be prepared, in order, with the columns of
	// Applier.Schema.
	Batch *batch.Batch
	// Dead has one letter for each other row, for its first fault, in order.
	Dead []deadletter.Letter
}

// Applier prepares batches of one schema with a Plan. It may be used by
// several goroutines at once.
type Applier struct {
	steps  []step
	label  *labelStep // nil if not asked for
	width  int
	ids    []int // of each embedding column the values of a row, 0 if it is no list
	out    *arrow.Schema
	source *arrow.Schema
}

// step is one feature, bound to a column.
type step interface {
	// apply writes the feature of every row to the slab or to ids, and marks
	// the rows that it cannot take.
	apply(cols []arrow.Array, out *output) error
	columns() []int
}

// output is what the steps of one batch write to.
type output struct {
	n       int
	width   int
	slab    []float32 // [n, width]; zero at first
	ids     [][]int32 // one an embedding column
	lengths []int     // values of a row in each
	labels  []int32
	dead    []bool
	letters []deadRow
	scratch []float64
	source  source
	train   []bool // rows to prepare out of fold; nil for none
}

type deadRow struct {
	row    int
	letter deadletter.Letter
}

// kill marks a row with its first fault.
func (o *output) kill(row int, col arrow.Array, name, rule, reason string) {
	if o.dead[row] {
		return
	}
	value := ""
	if col.IsValid(row) {
		value = deadletter.Cut(col.ValueStr(row))
	}
	o.addLetter(row, name, rule, reason, value)
}

func (o *output) addLetter(row int, name, rule, reason, value string) {
	o.dead[row] = true
	o.letters = append(o.letters, deadRow{row, deadletter.Letter{Rule: rule, Column: name, Reason: reason, Value: value}})
}

// Bind readies the Plan for cleaned rows of a schema. It fails if a column is
// missing, or is not of the kind that it was fitted on.
func (p *Plan) Bind(schema *arrow.Schema, o Options) (*Applier, error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("normalize.Plan: %w", err)
	}
	a := &Applier{width: p.Width(), source: schema}
	var fields []arrow.Field
	if a.width > 0 {
		t := arrow.FixedSizeListOfNonNullable(int32(a.width), arrow.PrimitiveTypes.Float32)
		fields = append(fields, arrow.Field{Name: FeaturesColumn, Type: t})
	}
	offset := 0
	for i := range p.Features {
		f := &p.Features[i]
		at, err := f.bind(schema)
		if err != nil {
			return nil, fmt.Errorf("normalize.Plan: %w", err)
		}
		w := where{cols: at, name: f.Column, offset: offset, ids: -1, length: 1, indicator: -1}
		if f.Encode == encodeOneHot {
			w.oneHot = f.ids()
		}
		if f.Encode == encodeEmbedding {
			w.ids = len(a.ids)
			field := arrow.Field{Name: f.input(), Type: arrow.PrimitiveTypes.Int32}
			if f.Sequence != nil {
				w.length = f.Sequence.Length
				field.Type = arrow.FixedSizeListOfNonNullable(int32(w.length), arrow.PrimitiveTypes.Int32)
				a.ids = append(a.ids, w.length)
			} else {
				a.ids = append(a.ids, 0)
			}
			fields = append(fields, field)
		}
		offset += f.width()
		if f.indicator() {
			w.indicator = offset - 1
		}
		a.steps = append(a.steps, newStep(f, w))
	}
	if o.Label {
		at, err := bindColumn(schema, p.Label.Column, p.Label.Kind, false)
		if err != nil {
			return nil, fmt.Errorf("normalize.Plan: label: %w", err)
		}
		a.label = newLabelStep(&p.Label, at)
		fields = append(fields, arrow.Field{Name: LabelColumn, Type: arrow.PrimitiveTypes.Int32})
	}
	a.out = arrow.NewSchema(fields, nil)
	return a, nil
}

// bind finds the columns that the feature reads.
func (f *Fitted) bind(schema *arrow.Schema) ([]int, error) {
	var out []int
	for i, c := range f.reads() {
		at, err := bindColumn(schema, c.name, c.kind, f.anyNumber(i))
		if err != nil {
			return nil, err
		}
		out = append(out, at)
	}
	return out, nil
}

// anyNumber says whether column i of those that the feature reads may be of any kind of number.
func (f *Fitted) anyNumber(i int) bool {
	return f.PCA != nil || i == 0 && f.Vocabulary == nil && f.Cross == nil && f.Target == nil && f.Text == nil
}

// bindColumn finds a column. Any kind of number serves a numeric feature;
// tokens are written differently for each kind, so theirs must be the same.
func bindColumn(schema *arrow.Schema, name, kind string, anyNumber bool) (int, error) {
	field, err := findField(schema, name)
	if err != nil {
		return 0, err
	}
	got := kindOf(field.Type)
	if got != kind && !(anyNumber && sameNumber(got, kind)) {
		return 0, fmt.Errorf("column %q: type %s, want %s as in the train split", name, field.Type, kind)
	}
	return schema.FieldIndices(name)[0], nil
}

// sameNumber says whether both kinds are numbers, or lists of them.
func sameNumber(a, b string) bool {
	return isNumber(elements(a)) && isNumber(elements(b)) && (a == elements(a)) == (b == elements(b))
}

// Schema is that of the prepared batches: "features", a fixed-size list of
// float32, unless the Plan's Width is 0; an int32 (of a sequence a fixed-size
// list of them) for each embedding, called as its input; and the int32 "label" if asked for. None has nulls.
func (a *Applier) Schema() *arrow.Schema { return a.out }

// Apply prepares the rows of b, which must have the schema that the Applier
// was bound to. The rules of dead letters are "<column>.null",
// "<column>.finite" (NaN, infinite, or beyond float32 after its steps),
// "<column>.log1p", "<column>.power", "<column>.image", "label.missing" and "label.unseen".
func (a *Applier) Apply(b *batch.Batch) (*Prepared, error) { return a.ApplyTrain(b, nil) }

// ApplyTrain is Apply where row i was one of the train split's if train[i]:
// what such a row's label went into is then fitted without the row's fold. Then
// b needs the columns of Target.Key too.
func (a *Applier) ApplyTrain(b *batch.Batch, train []bool) (*Prepared, error) {
	if s := b.Record.Schema(); s != a.source && !s.Equal(a.source) {
		return nil, fmt.Errorf("normalize.Applier: %s: rows of %v, bound to %v", b.File, s, a.source)
	}
	out := a.newOutput(b.NumRows())
	out.source, out.train = source{b: b}, train
	var cols []arrow.Array
	for _, s := range a.steps {
		cols = cols[:0]
		for _, at := range s.columns() {
			cols = append(cols, b.Record.Column(at))
		}
		if err := s.apply(cols, out); err != nil {
			return nil, fmt.Errorf("normalize.Applier: %s: %w", b.File, err)
		}
	}
	if a.label != nil {
		if err := a.label.apply(b.Record.Column(a.label.col), out); err != nil {
			return nil, fmt.Errorf("normalize.Applier: %s: %w", b.File, err)
		}
	}
	p := &Prepared{Dead: out.sorted(b)}
	rows := b.Rows
	if len(p.Dead) > 0 {
		rows = out.compact(rows)
	}
	prepared := *b // keeps the provenance
	prepared.Rows = rows
	prepared.Record = a.record(out)
	p.Batch = &prepared
	return p, nil
}

func (a *Applier) newOutput(n int) *output {
	out := &output{n: n, width: a.width, slab: make([]float32, n*a.width), dead: make([]bool, n)}
	for _, length := range a.ids {
		out.lengths = append(out.lengths, max(length, 1))
		out.ids = append(out.ids, make([]int32, n*max(length, 1)))
	}
	if a.label != nil {
		out.labels = make([]int32, n)
	}
	return out
}

// sorted lists the letters by row.
func (o *output) sorted(b *batch.Batch) []deadletter.Letter {
	if len(o.letters) == 0 {
		return nil
	}
	slices.SortFunc(o.letters, func(a, b deadRow) int { return a.row - b.row })
	letters := make([]deadletter.Letter, len(o.letters))
	for i, d := range o.letters {
		letters[i] = d.letter
		letters[i].File, letters[i].Row = b.File, b.Rows[d.row]
	}
	return letters
}

// compact closes the gaps of the dead rows and returns the others of rows.
func (o *output) compact(rows []int64) []int64 {
	kept := make([]int64, 0, o.n-len(o.letters))
	for i := range o.n {
		if o.dead[i] {
			continue
		}
		to := len(kept)
		copy(o.slab[to*o.width:(to+1)*o.width], o.slab[i*o.width:(i+1)*o.width])
		for k, ids := range o.ids {
			n := o.lengths[k]
			copy(ids[to*n:(to+1)*n], ids[i*n:(i+1)*n])
		}
		if o.labels != nil {
			o.labels[to] = o.labels[i]
		}
		kept = append(kept, rows[i])
	}
	o.n = len(kept)
	o.slab = o.slab[:o.n*o.width]
	return kept
}

// record wraps the output in Arrow arrays without copying it.
func (a *Applier) record(o *output) arrow.Record {
	var cols []arrow.Array
	if a.width > 0 {
		values := arrayData(arrow.PrimitiveTypes.Float32, arrow.Float32Traits.CastToBytes(o.slab), len(o.slab))
		list := array.NewData(a.out.Field(0).Type, o.n, []*memory.Buffer{nil}, []arrow.ArrayData{values}, 0, 0)
		cols = append(cols, array.NewFixedSizeListData(list))
	}
	for k, ids := range o.ids {
		ids = ids[:o.n*o.lengths[k]]
		if a.ids[k] == 0 {
			cols = append(cols, int32Array(ids))
			continue
		}
		values := arrayData(arrow.PrimitiveTypes.Int32, arrow.Int32Traits.CastToBytes(ids), len(ids))
		list := array.NewData(a.out.Field(len(cols)).Type, o.n, []*memory.Buffer{nil}, []arrow.ArrayData{values}, 0, 0)
		cols = append(cols, array.NewFixedSizeListData(list))
	}
	if o.labels != nil {
		cols = append(cols, int32Array(o.labels[:o.n]))
	}
	return array.NewRecord(a.out, cols, int64(o.n))
}

func int32Array(v []int32) arrow.Array {
	return array.NewInt32Data(arrayData(arrow.PrimitiveTypes.Int32, arrow.Int32Traits.CastToBytes(v), len(v)))
}

func arrayData(t arrow.DataType, values []byte, n int) arrow.ArrayData {
	return array.NewData(t, n, []*memory.Buffer{nil, memory.NewBufferBytes(values)}, nil, 0, 0)
}
