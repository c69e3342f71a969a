package train

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/millrace-go/millrace/internal/fault"
	"github.com/millrace-go/millrace/internal/progress"
	"github.com/millrace-go/millrace/model/metrics"
	"github.com/millrace-go/millrace/model/optim"
	"github.com/millrace-go/millrace/transforms/evaluate"
	"github.com/millrace-go/millrace/transforms/feed"
)

// The DoFns of a round share one signature where they can, with keys as text:
// Beam's generic registration costs seconds of compile time for each.
func init() {
	register.DoFn4x1[context.Context, string, []byte, func(string, []byte), error](&dealFn{})
	register.DoFn5x1[context.Context, string, []byte, func(string, []byte), func(string, []byte), error](&innerFn{})
	register.Combiner1[[]byte](&meanFn{})
	register.DoFn4x1[context.Context, string, []byte, func(string, []byte), error](&outerFn{})
	register.Function1x2(Start)
	register.Function2x2(asPrevious)
	register.Function2x3(draft)
	register.DoFn4x1[context.Context, string, []byte, func(string, []byte), error](&validateFn{})
	register.DoFn4x1[context.Context, string, []byte, func(string, []byte), error](&commitFn{})
	register.Emitter2[string, []byte]()
	register.Iter1[[]byte]()
}

// validationRows is the number of validation rows that one element of the
// validation stage covers.
const validationRows = 1 << 15

// Round takes one step of the outer optimizer from the manifest prev, and
// commits the manifest of the next round. Manifests are JSON, under any key.
//
//	Round(PCollection<KV<string, manifest>>) -> PCollection<KV<string, manifest>>
//
// Every shard takes its inner steps from the same parameters; the blocks of
// their pseudo-gradients are combined by key, and the outer step is taken where
// a block was combined, as in a reduce-scatter. The next round's reading of the
// blocks is the all-gather. Manifests travel as elements and keys, not as side
// inputs: a runner that polls the stages that wait for one, as prism does,
// spends a core on it.
func Round(s beam.Scope, p *Phase, validation int64, workers int, prev beam.PCollection) beam.PCollection {
	s = s.Scope("train.Round")
	var blocks, pieces []beam.PCollection
	for _, shards := range spread(count(p.Spec.Shards), workers) {
		work := beam.Reshuffle(s, beam.ParDo(s, &dealFn{Numbers: shards}, prev))
		b, reports := beam.ParDo2(s, &innerFn{Phase: *p}, work)
		blocks, pieces = append(blocks, b), append(pieces, reports)
	}
	means := beam.CombinePerKey(s, &meanFn{}, beam.Flatten(s, blocks...))
	pieces = append(pieces, beam.ParDo(s, &outerFn{Phase: *p}, means), beam.ParDo(s, asPrevious, prev))
	drafts := beam.ParDo(s, draft, beam.GroupByKey(s, beam.Flatten(s, pieces...)))

	var scores []beam.PCollection
	chunks := count(int((validation + validationRows - 1) / validationRows))
	for _, some := range spread(chunks, workers) {
		work := beam.Reshuffle(s, beam.ParDo(s, &dealFn{Numbers: some}, drafts))
		scores = append(scores, beam.ParDo(s, &validateFn{Phase: *p}, work))
	}
	score := beam.CombinePerKey(s, &evaluate.MergeFn{}, beam.Flatten(s, scores...))
	return beam.ParDo(s, &commitFn{Phase: *p}, score)
}

// Start puts a manifest in the form that Round takes.
func Start(manifest []byte) (string, []byte) { return "", manifest }

// dealFn gives a manifest to each of some numbers: shards, or chunks of rows.
type dealFn struct{ Numbers []int }

func (f *dealFn) ProcessElement(_ context.Context, _ string, manifest []byte, emit func(string, []byte)) error {
	for _, n := range f.Numbers {
		emit(strconv.Itoa(n), manifest)
	}
	return nil
}

// piece is what a manifest is drafted from; one of the fields is set.
type piece struct {
	Previous *Manifest
	Block    *Block
	Report   *report
}

func asPrevious(_ string, manifest []byte) (string, []byte) {
	return "", []byte(`{"Previous":` + string(manifest) + `}`)
}

func count(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// spread deals a list to at most workers lists, none of them empty.
func spread(list []int, workers int) [][]int {
	out := make([][]int, min(max(workers, 1), len(list)))
	for i, v := range list {
		out[i%len(out)] = append(out[i%len(out)], v)
	}
	return out
}

func parse(manifest []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, fmt.Errorf("train: manifest: %w", err)
	}
	return &m, nil
}

// innerFn runs the inner steps of shards and emits blocks of pseudo-gradients.
type innerFn struct {
	Phase Phase
	rt    *runtime
}

func (f *innerFn) ProcessElement(ctx context.Context, shard string, prev []byte, block, done func(string, []byte)) error {
	i, err := strconv.Atoi(shard)
	if err != nil {
		return fault.Wrap(err)
	}
	return fault.Wrap(f.process(ctx, i, prev, block, done))
}

// process emits each block of the pseudo-gradient under the block it is for,
// as the previous manifest names it, and the report of the shard.
func (f *innerFn) process(ctx context.Context, shard int, prev []byte, block, done func(string, []byte)) error {
	m, err := parse(prev)
	if err != nil {
		return err
	}
	if f.rt == nil {
		if f.rt, err = f.Phase.open(ctx); err != nil {
			return err
		}
	}
	delta, r, err := f.rt.inner(ctx, m, shard)
	if err != nil {
		return err
	}
	beam.NewCounter("millrace", "inner_rows").Inc(ctx, r.Rows)
	for _, b := range optim.Blocks(delta, BlockElements) {
		values := make([]float32, b.Len)
		if err := optim.Gather(delta, b, values); err != nil {
			return err
		}
		var acc optim.MeanAccumulator
		if err := acc.Add(values, r.Rows); err != nil {
			return fmt.Errorf("train: %s, round %d, shard %d: %w", f.Phase.Name, m.Round+1, shard, err)
		}
		data, err := acc.MarshalBinary()
		if err != nil {
			return err
		}
		name, err := json.Marshal(m.Blocks[b.Index])
		if err != nil {
			return err
		}
		block(string(name), data)
	}
	return emitPiece(piece{Report: &r}, done)
}

func emitPiece(p piece, emit func(string, []byte)) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	emit("", data)
	return nil
}

// meanFn combines the pseudo-gradients of one block exactly, in any order.
type meanFn struct{}

func (*meanFn) CreateAccumulator() []byte { return nil }

func (*meanFn) AddInput(acc, in []byte) ([]byte, error) { return mergeMeans(acc, in) }

func (*meanFn) MergeAccumulators(a, b []byte) ([]byte, error) { return mergeMeans(a, b) }

func (*meanFn) ExtractOutput(acc []byte) []byte { return acc }

func mergeMeans(a, b []byte) ([]byte, error) {
	if len(a) == 0 || len(b) == 0 {
		return append(slices.Clip(a), b...), nil
	}
	var x, y optim.MeanAccumulator
	if err := x.UnmarshalBinary(a); err != nil {
		return nil, fault.Wrap(err)
	}
	if err := y.UnmarshalBinary(b); err != nil {
		return nil, fault.Wrap(err)
	}
	if err := x.Merge(&y); err != nil {
		return nil, fault.Wrap(err)
	}
	return x.MarshalBinary()
}

// outerFn steps one block, the key.
type outerFn struct {
	Phase Phase
	rt    *runtime
}

func (f *outerFn) ProcessElement(ctx context.Context, block string, mean []byte, done func(string, []byte)) error {
	b, err := f.process(ctx, block, mean)
	if err != nil {
		return fault.Wrap(err)
	}
	return fault.Wrap(emitPiece(piece{Block: b}, done))
}

func (f *outerFn) process(ctx context.Context, block string, mean []byte) (*Block, error) {
	var old Block
	err := json.Unmarshal([]byte(block), &old)
	if err != nil {
		return nil, err
	}
	if f.rt == nil {
		if f.rt, err = f.Phase.open(ctx); err != nil {
			return nil, err
		}
	}
	var acc optim.MeanAccumulator
	if err := acc.UnmarshalBinary(mean); err != nil {
		return nil, err
	}
	delta := make([]float32, acc.Len())
	values, momentum := make([]float32, acc.Len()), make([]float32, acc.Len())
	if err := acc.Mean(delta); err != nil {
		return nil, err
	}
	if err := getFloats(ctx, f.rt.store, old.Values, values); err != nil {
		return nil, err
	}
	if err := getFloats(ctx, f.rt.store, old.Momentum, momentum); err != nil {
		return nil, err
	}
	outer := optim.Nesterov{LR: f.Phase.Spec.Outer.LearningRate, Momentum: f.Phase.Spec.Outer.Momentum}
	if err := outer.Step(values, momentum, delta); err != nil {
		return nil, err
	}
	out := &Block{Index: old.Index}
	if out.Values, err = putFloats(ctx, f.rt.store, f.Phase.Prefix+"/blocks", values); err != nil {
		return nil, err
	}
	out.Momentum, err = putFloats(ctx, f.rt.store, f.Phase.Prefix+"/blocks", momentum)
	return out, err
}

// draft gathers the pieces of a round in a manifest that lacks only the
// validation.
func draft(_ string, pieces func(*[]byte) bool) (string, []byte, error) {
	var old *Manifest
	blocks := map[int]Block{}
	var reports []report
	var data []byte
	for pieces(&data) {
		var p piece
		if err := json.Unmarshal(data, &p); err != nil {
			return "", nil, fault.Wrap(fmt.Errorf("train: piece of a manifest: %w", err))
		}
		switch {
		case p.Previous != nil:
			old = p.Previous
		case p.Block != nil:
			blocks[p.Block.Index] = *p.Block
		case p.Report != nil:
			reports = append(reports, *p.Report)
		}
	}
	if old == nil || len(blocks) != len(old.Blocks) {
		return "", nil, fault.Wrap(fmt.Errorf("train: no training shard has a row, or blocks are lost: %d came", len(blocks)))
	}
	m := &Manifest{Round: old.Round + 1, Steps: old.Steps}
	for i := range old.Blocks {
		m.Blocks = append(m.Blocks, blocks[i])
	}
	m.addReports(reports)
	data, err := json.Marshal(m)
	return "", data, err
}

// addReports takes the reports in the order of shards, so that the mean of
// their losses is always the same.
func (m *Manifest) addReports(reports []report) {
	slices.SortFunc(reports, func(a, b report) int { return cmp.Compare(a.Shard, b.Shard) })
	active := 0
	for _, r := range reports {
		m.States = append(m.States, r.State)
		m.Steps += r.Steps
		if r.Rows > 0 {
			m.Loss += r.Loss
			active++
		}
	}
	m.Loss /= float64(active)
}

// validateFn measures the new parameters on chunks of the validation rows.
type validateFn struct {
	Phase Phase
	rt    *runtime
}

func (f *validateFn) ProcessElement(ctx context.Context, chunk string, draft []byte, emit func(string, []byte)) error {
	i, err := strconv.Atoi(chunk)
	if err != nil {
		return fault.Wrap(err)
	}
	acc, err := f.process(ctx, i, draft)
	if err != nil {
		return fault.Wrap(err)
	}
	data, err := acc.MarshalBinary()
	if err != nil {
		return fault.Wrap(err)
	}
	emit(string(draft), data)
	return nil
}

func (f *validateFn) process(ctx context.Context, chunk int, draft []byte) (*metrics.Accumulator, error) {
	m, err := parse(draft)
	if err != nil {
		return nil, err
	}
	if f.rt == nil {
		if f.rt, err = f.Phase.open(ctx); err != nil {
			return nil, err
		}
	}
	params, err := Params(ctx, f.rt.store, m, f.rt.model.Init(0))
	if err != nil {
		return nil, err
	}
	data := feed.Open(f.rt.store, f.rt.prepared.Of(feed.Validation), f.Phase.Inputs)
	from := int64(chunk) * validationRows
	rows, err := data.Load(ctx, from, min(from+validationRows, data.Rows()))
	if err != nil {
		return nil, err
	}
	return Measure(f.rt.model, f.rt.device, params, rows)
}

// commitFn completes a manifest and commits the round.
type commitFn struct{ Phase Phase }

func (f *commitFn) ProcessElement(ctx context.Context, draft string, score []byte, emit func(string, []byte)) error {
	m, err := f.process(ctx, []byte(draft), score)
	if err != nil {
		return fault.Wrap(err)
	}
	data, err := json.Marshal(m)
	if err != nil {
		return fault.Wrap(err)
	}
	emit("", data)
	return nil
}

func (f *commitFn) process(ctx context.Context, draft, score []byte) (*Manifest, error) {
	m, err := parse(draft)
	if err != nil {
		return nil, err
	}
	acc, err := metrics.Unmarshal(score)
	if err != nil {
		return nil, err
	}
	result := acc.Result()
	m.ValLoss, m.Accuracy = result.LogLoss, result.Accuracy
	rt, err := f.Phase.open(ctx)
	if err != nil {
		return nil, err
	}
	progress.SetNote(m.String())
	return m, commit(ctx, rt.store, f.Phase.Prefix, m)
}
