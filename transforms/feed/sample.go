package feed

import (
	"context"
	"fmt"

	"github.com/millrace-go/millrace/internal/seed"
	"github.com/millrace-go/millrace/model/nn"
)

// windowRows is the number of rows that are shuffled together. A shard of at
// most that many rows is in fully random order in each epoch; a larger one
// visits its windows in random order, the rows of each in random order.
const windowRows = 1 << 16

// Sampler gives the batches of one shard: every row once an epoch, in an order
// that depends on (seed, shard, epoch) alone. It holds one window in memory.
type Sampler struct {
	data  *Dataset
	seed  uint64
	shard uint64
	size  int

	windowRows int64 // the constant; tests lower it

	epoch  int64
	window int64 // position in the epoch's order of windows; -1 before the first
	order  []int32
	loaded int64 // the window that rows holds; -1 for none
	rows   *Rows
	perm   []int32
}

// NewSampler returns a sampler of batches of size rows.
func NewSampler(d *Dataset, jobSeed uint64, shard, size int) (*Sampler, error) {
	if d.Rows() == 0 || size < 1 {
		return nil, fmt.Errorf("feed: a sampler of %d rows in batches of %d", d.Rows(), size)
	}
	return &Sampler{data: d, seed: jobSeed, shard: uint64(shard), size: size, windowRows: windowRows, epoch: -1, window: -1, loaded: -1}, nil
}

// Batch returns the batch of a step, counted from 0 over all rounds. A batch
// goes on in the next epoch where the rows of one end.
func (s *Sampler) Batch(ctx context.Context, step int64) (nn.Batch, error) {
	var parts []nn.Batch
	at, left := step*int64(s.size), s.size
	for left > 0 {
		i, err := s.seek(ctx, at)
		if err != nil {
			return nn.Batch{}, err
		}
		n := min(left, len(s.perm)-i)
		parts = append(parts, s.rows.Gather(s.perm[i:i+n]))
		at, left = at+int64(n), left-n
	}
	return concat(s.data.inputs, parts), nil
}

// seek loads the window of a position in the endless sequence of epochs, and
// returns the position within the window. Every window but the last of an
// epoch's order that is the dataset's last is full.
func (s *Sampler) seek(ctx context.Context, at int64) (int, error) {
	n := s.data.Rows()
	epoch, at := at/n, at%n
	windows := (n + s.windowRows - 1) / s.windowRows
	if epoch != s.epoch {
		s.order = seed.Permutation(seed.Derive(s.seed, "windows", s.shard, uint64(epoch)), int(windows))
		s.epoch, s.window = epoch, -1
	}
	for i, w := range s.order {
		from := int64(w) * s.windowRows
		size := min(n-from, s.windowRows)
		if at >= size {
			at -= size
			continue
		}
		if s.window != int64(i) {
			if err := s.load(ctx, int64(w), from, size); err != nil {
				return 0, err
			}
			s.perm = seed.Permutation(seed.Derive(s.seed, "rows", s.shard, uint64(epoch), uint64(w)), int(size))
			s.window = int64(i)
		}
		return int(at), nil
	}
	return 0, fmt.Errorf("feed: no window for row %d of %d", at, n)
}

func (s *Sampler) load(ctx context.Context, window, from, size int64) (err error) {
	if s.loaded == window {
		return nil
	}
	s.loaded = -1
	if s.rows, err = s.data.Load(ctx, from, from+size); err != nil {
		return err
	}
	s.loaded = window
	return nil
}

// concat joins the batches of one step, of which there is more than one only
// where a window ends.
func concat(inputs []nn.Input, parts []nn.Batch) nn.Batch {
	if len(parts) == 1 {
		return parts[0]
	}
	joined := newRows(inputs, 0)
	var all []int32
	for _, p := range parts {
		for _, in := range inputs {
			if in.DType == "float32" {
				joined.floats[in.Name] = append(joined.floats[in.Name], p.Inputs[in.Name].Data().([]float32)...)
			} else {
				joined.ids[in.Name] = append(joined.ids[in.Name], p.Inputs[in.Name].Data().([]int32)...)
			}
		}
		joined.labels = append(joined.labels, p.Labels...)
	}
	for i := range joined.labels {
		all = append(all, int32(i))
	}
	return joined.Gather(all)
}
