package cpu

import (
	"fmt"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// networkTrials are calls of normalisations and attention, large enough to be
// cut into tiles.
func networkTrials() []trial {
	f := accel.Float32
	x, dy := floats32(1, -2, 2, 70, 130), floats32(2, -1, 1, 70, 130)
	gain, shift, stat, inv := floats32(3, 0.5, 1.5, 130), floats32(4, -1, 1, 130), floats32(5, -0.1, 0.1, 70, 1), floats32(6, 0.5, 1, 70, 1)
	images, dImages := floats32(7, -2, 2, 3, 6, 9, 11), floats32(8, -1, 1, 3, 6, 9, 11)
	channel, positive := floats32(9, -1, 1, 6), floats32(10, 0.5, 1.5, 6)
	groups, groupInv := floats32(11, -0.1, 0.1, 3, 2), floats32(12, 0.5, 1, 3, 2)
	training := accel.Attrs{accel.Int("training_mode", 1)}
	two := accel.Attrs{accel.Int("num_groups", 2)}
	q, k, v := floats32(13, -1, 1, 2, 4, 50, 24), floats32(14, -1, 1, 2, 2, 90, 24), floats32(15, -1, 1, 2, 2, 90, 40)
	dq, mask := floats32(16, -1, 1, 2, 4, 50, 40), floats32(17, -1, 1, 2, 1, 1, 90)
	causal := accel.Attrs{accel.Int("is_causal", 1), accel.Int("causal_offset", 40)}
	whole := typed(f, 3, 6, 9, 11)
	list := func(in ...*accel.Array) []*accel.Array { return in }
	return []trial{
		{op: "LayerNormalization", in: list(x, gain, shift), out: []accel.Tensor{typed(f, 70, 130), typed(f, 70, 1), typed(f, 70, 1)}},
		{op: "RMSNormalization", in: list(x, gain), out: []accel.Tensor{typed(f, 70, 130), typed(f, 70, 1)}},
		{op: "SkipLayerNormalization", in: list(x, dy, gain, shift, floats32(18, -1, 1, 130)), out: []accel.Tensor{typed(f, 70, 130), typed(f, 70, 1), typed(f, 70, 1), typed(f, 70, 130)}},
		{op: "LayerNormGrad", in: list(dy, x, gain, stat, inv), out: []accel.Tensor{typed(f, 70, 130), typed(f, 130), typed(f, 130)}},
		{op: "RMSNormGrad", in: list(dy, x, gain, inv), out: []accel.Tensor{typed(f, 70, 130), typed(f, 130)}},
		{op: "BatchNormalization", in: list(images, positive, channel, channel, positive), out: []accel.Tensor{whole}},
		{op: "BatchNormalization", attrs: training, in: list(images, positive, channel, channel, positive), out: slices.Concat([]accel.Tensor{whole}, slices.Repeat([]accel.Tensor{typed(f, 6)}, 4))},
		{op: "BatchNormalization", attrs: training, in: list(x, gain, shift, shift, gain), out: slices.Concat([]accel.Tensor{typed(f, 70, 130)}, slices.Repeat([]accel.Tensor{typed(f, 130)}, 4))},
		{op: "BatchNormGrad", in: list(dImages, images, positive, channel, positive), out: []accel.Tensor{whole, typed(f, 6), typed(f, 6)}},
		{op: "BatchNormGrad", in: list(dy, x, gain, shift, gain), out: []accel.Tensor{typed(f, 70, 130), typed(f, 130), typed(f, 130)}},
		{op: "GroupNormalization", attrs: two, in: list(images, positive, channel), out: []accel.Tensor{whole, typed(f, 3, 2), typed(f, 3, 2)}},
		{op: "GroupNormGrad", attrs: two, in: list(dImages, images, positive, groups, groupInv), out: []accel.Tensor{whole, typed(f, 6), typed(f, 6)}},
		{op: "FusedAttention", in: list(q, k, v, mask), out: []accel.Tensor{typed(f, 2, 4, 50, 40)}},
		{op: "FusedAttention", attrs: causal, in: list(q, k, v), out: []accel.Tensor{typed(f, 2, 4, 50, 40)}},
		{op: "FusedAttentionGrad", attrs: causal, in: list(dq, q, k, v, mask), out: []accel.Tensor{typed(f, 2, 4, 50, 24), typed(f, 2, 2, 90, 24), typed(f, 2, 2, 90, 40)}},
	}
}

// TestNetworkKernels holds float32 to float64, whose kernels are definitions, on
// one thread and three. Sums here have up to 297 terms of a few units, so 2⁻¹³ is
// far above their rounding and far below a wrong term.
func TestNetworkKernels(t *testing.T) {
	for i, tr := range networkTrials() {
		t.Run(fmt.Sprint(i, tr.op), func(t *testing.T) {
			got := tr.runAll(t)
			wide := tr
			wide.in, wide.out = nil, nil
			for _, a := range tr.in {
				w := accel.NewArray(accel.Float64, a.Shape...)
				for i, v := range accel.Values[float32](a) {
					accel.Values[float64](w)[i] = float64(v)
				}
				wide.in = append(wide.in, w)
			}
			for _, o := range tr.out {
				wide.out = append(wide.out, typed(accel.Float64, o.Shape...))
			}
			want, err := wide.run(New())
			if err != nil {
				t.Fatal(err)
			}
			for o := range got {
				for j, v := range accel.Values[float64](want[o]) {
					g := float64(accel.Values[float32](got[o])[j])
					if diff := g - v; !(max(diff, -diff) <= 0x1p-13*max(1, v, -v)) {
						t.Fatalf("output %d, element %d: got %g, want %g", o, j, g, v)
					}
				}
			}
		})
	}
}

// lstm is an LSTM of some steps, a batch, and as many elements in as out; w and r
// are constants if they are known.
func lstm(steps, batch, width int, known ...int) trial {
	f := accel.Float32
	return trial{
		op: "LSTM", known: known,
		in:  []*accel.Array{floats32(1, -1, 1, steps, batch, width), floats32(2, -0.1, 0.1, 1, 4*width, width), floats32(3, -0.1, 0.1, 1, 4*width, width), floats32(4, -1, 1, 1, 8*width)},
		out: []accel.Tensor{typed(f, steps, 1, batch, width), typed(f, 1, batch, width), typed(f, 1, batch, width)},
	}
}

// TestPackedRecurrence: weights packed beforehand and during the run give the same bits.
func TestPackedRecurrence(t *testing.T) {
	packed, now := lstm(5, 33, 40, 1, 2).runAll(t), lstm(5, 33, 40).runAll(t)
	for i := range packed {
		if !slices.Equal(packed[i].Data, now[i].Data) {
			t.Errorf("output %d depends on when weights are packed", i)
		}
	}
}

func TestNetworkKernelsAllocateNothing(t *testing.T) {
	for i, tr := range append(networkTrials(), lstm(3, 5, 8), lstm(3, 5, 8, 1, 2)) {
		run := tr.ready(t)
		run()
		if n := testing.AllocsPerRun(50, run); n > 0 {
			t.Errorf("%d %s: %g allocations a run", i, tr.op, n)
		}
	}
}

// BenchmarkAttention is 12 heads of 32, as in a small BERT: forward 4·S² and
// backward 10·S² multiply-adds a head and element of it, counted as two each.
func BenchmarkAttention(b *testing.B) {
	for _, s := range []int{64, 128, 512} {
		const batch, heads, width = 4, 12, 32
		shape := []int{batch, s, heads * width}
		at := accel.Attrs{accel.Int("q_num_heads", heads), accel.Int("kv_num_heads", heads)}
		q, k, v, mask := floats32(1, -1, 1, shape...), floats32(2, -1, 1, shape...), floats32(3, -1, 1, shape...), floats32(4, -1, 1, batch, 1, 1, s)
		out := typed(accel.Float32, shape...)
		for _, tr := range []trial{
			{op: "FusedAttention", attrs: at, in: []*accel.Array{q, k, v, mask}, out: []accel.Tensor{out}},
			{op: "FusedAttentionGrad", attrs: at, in: []*accel.Array{q, q, k, v, mask}, out: []accel.Tensor{out, out, out}},
		} {
			b.Run(fmt.Sprintf("op=%s/seq=%d", tr.op, s), func(b *testing.B) {
				run := tr.ready(b)
				for b.Loop() {
					run()
				}
				macs := 2.0 * batch * heads * float64(s*s) * width
				if tr.op == "FusedAttentionGrad" {
					macs *= 2.5
				}
				b.ReportMetric(2*macs*float64(b.N)/1e9/b.Elapsed().Seconds(), "GFLOP/s")
			})
		}
	}
}

func BenchmarkBatchNorm(b *testing.B) {
	for _, shape := range [][]int{{128, 16, 32, 32}, {128, 64, 8, 8}, {256, 1024}} {
		x := floats32(1, -1, 1, shape...)
		c := floats32(2, 0.5, 1, shape[1])
		stat := typed(accel.Float32, shape[1])
		for _, tr := range []trial{
			{op: "BatchNormalization", attrs: accel.Attrs{accel.Int("training_mode", 1)}, in: []*accel.Array{x, c, c, c, c}, out: []accel.Tensor{typed(accel.Float32, shape...), stat, stat, stat, stat}},
			{op: "BatchNormGrad", in: []*accel.Array{x, x, c, c, c}, out: []accel.Tensor{typed(accel.Float32, shape...), stat, stat}},
		} {
			b.Run(fmt.Sprintf("op=%s/shape=%v", tr.op, shape), func(b *testing.B) {
				run := tr.ready(b)
				b.SetBytes(int64(8 * accel.Size(shape)))
				for b.Loop() {
					run()
				}
			})
		}
	}
}

func BenchmarkLSTM(b *testing.B) {
	for _, batch := range []int{1, 32} {
		const steps, width = 100, 256
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			run := lstm(steps, batch, width, 1, 2).ready(b)
			for b.Loop() {
				run()
			}
			b.ReportMetric(2*steps*float64(batch)*4*width*2*width*float64(b.N)/1e9/b.Elapsed().Seconds(), "GFLOP/s")
		})
	}
}
