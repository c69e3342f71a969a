package train

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/millrace-go/millrace/internal/fault"
	"github.com/millrace-go/millrace/internal/progress"
	"github.com/millrace-go/millrace/model/metrics"
	"github.com/millrace-go/millrace/model/optim"
	"github.com/millrace-go/millrace/transforms/evaluate"
	"github.com/millrace-go/millrace/transforms/feed"
)

func init() {
	register.DoFn5x1[context.Context, int, []byte, func(int, []byte), func([]byte), error](&innerFn{})
	register.Combiner1[[]byte](&meanFn{})
	register.DoFn4x2[context.Context, int, []byte, []byte, []byte, error](&outerFn{})
	register.DoFn5x2[context.Context, []byte, []byte, func(*[]byte) bool, func(*[]byte) bool, []byte, error](&draftFn{})
	register.DoFn3x2[context.Context, int, []byte, []byte, error](&validateFn{})
	register.DoFn3x2[context.Context, []byte, []byte, []byte, error](&commitFn{})
	register.Emitter2[int, []byte]()
	register.Emitter1[[]byte]()
	register.Iter1[[]byte]()
}

// validationRows is the number of validation rows that one element of the
// validation stage covers.
const validationRows = 1 << 15

// Round takes one step of the outer optimizer from the manifest prev, and
// commits the manifest of the next round. Manifests are JSON.
//
//	Round(PCollection<manifest>) -> PCollection<manifest>
//
// Every shard takes its inner steps from the same parameters; the blocks of
// their pseudo-gradients are combined by key, and the outer step is taken where
// a block was combined, as in a reduce-scatter. The next round's side input is
// the all-gather.
func Round(s beam.Scope, p *Phase, validation int64, workers int, prev beam.PCollection) beam.PCollection {
	s = s.Scope("train.Round")
	side := beam.SideInput{Input: prev}

	var blocks, reports []beam.PCollection
	for _, shards := range spread(count(p.Spec.Shards), workers) {
		work := beam.Reshuffle(s, beam.CreateList(s, shards))
		b, r := beam.ParDo2(s, &innerFn{Phase: *p}, work, side)
		blocks, reports = append(blocks, b), append(reports, r)
	}
	means := beam.CombinePerKey(s, &meanFn{}, beam.Flatten(s, blocks...))
	stepped := beam.ParDo(s, &outerFn{Phase: *p}, means, side)
	draft := beam.ParDo(s, &draftFn{Phase: *p}, beam.Impulse(s), side,
		beam.SideInput{Input: stepped}, beam.SideInput{Input: beam.Flatten(s, reports...)})

	var scores []beam.PCollection
	chunks := count(int((validation + validationRows - 1) / validationRows))
	for _, some := range spread(chunks, workers) {
		work := beam.Reshuffle(s, beam.CreateList(s, some))
		scores = append(scores, beam.ParDo(s, &validateFn{Phase: *p}, work, beam.SideInput{Input: draft}))
	}
	score := beam.Combine(s, &evaluate.MergeFn{}, beam.Flatten(s, scores...))
	return beam.ParDo(s, &commitFn{Phase: *p}, score, beam.SideInput{Input: draft})
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

func (f *innerFn) ProcessElement(ctx context.Context, shard int, prev []byte, block func(int, []byte), done func([]byte)) error {
	return fault.Wrap(f.process(ctx, shard, prev, block, done))
}

func (f *innerFn) process(ctx context.Context, shard int, prev []byte, block func(int, []byte), done func([]byte)) error {
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
		block(b.Index, data)
	}
	data, err := encodeJSON(r)
	if err != nil {
		return err
	}
	done(data)
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

// outerFn steps one block.
type outerFn struct {
	Phase Phase
	rt    *runtime
}

func (f *outerFn) ProcessElement(ctx context.Context, index int, mean, prev []byte) ([]byte, error) {
	b, err := f.process(ctx, index, mean, prev)
	if err != nil {
		return nil, fault.Wrap(err)
	}
	return encodeJSON(b)
}

func (f *outerFn) process(ctx context.Context, index int, mean, prev []byte) (*Block, error) {
	m, err := parse(prev)
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
	if err := getFloats(ctx, f.rt.store, m.Blocks[index].Values, values); err != nil {
		return nil, err
	}
	if err := getFloats(ctx, f.rt.store, m.Blocks[index].Momentum, momentum); err != nil {
		return nil, err
	}
	outer := optim.Nesterov{LR: f.Phase.Spec.Outer.LearningRate, Momentum: f.Phase.Spec.Outer.Momentum}
	if err := outer.Step(values, momentum, delta); err != nil {
		return nil, err
	}
	out := &Block{Index: index}
	if out.Values, err = putFloats(ctx, f.rt.store, f.Phase.Prefix+"/blocks", values); err != nil {
		return nil, err
	}
	out.Momentum, err = putFloats(ctx, f.rt.store, f.Phase.Prefix+"/blocks", momentum)
	return out, err
}

// draftFn gathers the blocks and reports of a round in a manifest that lacks
// only the validation.
type draftFn struct{ Phase Phase }

func (f *draftFn) ProcessElement(_ context.Context, _, prev []byte, blocks, reports func(*[]byte) bool) ([]byte, error) {
	m, err := f.draft(prev, blocks, reports)
	if err != nil {
		return nil, fault.Wrap(err)
	}
	return encodeJSON(m)
}

func (f *draftFn) draft(prev []byte, blocks, reports func(*[]byte) bool) (*Manifest, error) {
	old, err := parse(prev)
	if err != nil {
		return nil, err
	}
	m := &Manifest{Round: old.Round + 1, Steps: old.Steps, Blocks: make([]Block, len(old.Blocks))}
	var data []byte
	for blocks(&data) {
		var b Block
		if err := json.Unmarshal(data, &b); err != nil {
			return nil, err
		}
		m.Blocks[b.Index] = b
	}
	all := make([]report, f.Phase.Spec.Shards)
	for reports(&data) {
		var r report
		if err := json.Unmarshal(data, &r); err != nil {
			return nil, err
		}
		all[r.Shard] = r
	}
	active := 0
	for _, r := range all { // in the order of shards, so that the sum is always the same
		m.States = append(m.States, r.State)
		if r.Rows > 0 {
			m.Steps += int64(f.Phase.Spec.InnerSteps)
			m.Loss += r.Loss
			active++
		}
	}
	if active == 0 {
		return nil, fmt.Errorf("train: no training shard has a row")
	}
	m.Loss /= float64(active)
	return m, nil
}

// validateFn measures the new parameters on chunks of the validation rows.
type validateFn struct {
	Phase Phase
	rt    *runtime
}

func (f *validateFn) ProcessElement(ctx context.Context, chunk int, draft []byte) ([]byte, error) {
	acc, err := f.process(ctx, chunk, draft)
	if err != nil {
		return nil, fault.Wrap(err)
	}
	return acc.MarshalBinary()
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

func (f *commitFn) ProcessElement(ctx context.Context, score, draft []byte) ([]byte, error) {
	m, err := f.process(ctx, score, draft)
	if err != nil {
		return nil, fault.Wrap(err)
	}
	return encodeJSON(m)
}

func (f *commitFn) process(ctx context.Context, score, draft []byte) (*Manifest, error) {
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
