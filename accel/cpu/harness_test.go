package cpu

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/counter"
)

// trial is one instruction to run: the inputs, of which nil is absent and known
// says which are constants of the code, and the outputs' types.
type trial struct {
	op    string
	attrs accel.Attrs
	in    []*accel.Array
	known []int
	out   []accel.Tensor
}

// guard is what lies behind the memory of each output.
const guard = 64

// code is the trial as a program, and the buffers of its inputs.
func (tr trial) code() (*accel.Code, []accel.Buffer) {
	code, args := &accel.Code{}, []accel.Buffer{}
	instr := accel.Instr{Op: tr.op, Name: "node", Attrs: tr.attrs}
	for i, a := range tr.in {
		if a == nil {
			instr.In = append(instr.In, -1)
			continue
		}
		t := accel.Tensor{Name: fmt.Sprint("in", i), DType: a.DType, Shape: a.Shape, Arg: -1, Data: a.Data}
		if !slices.Contains(tr.known, i) {
			t.Arg, t.Data = code.Args, nil
			code.Args++
			args = append(args, wrapped8(a.Data))
		}
		instr.In = append(instr.In, len(code.Tensors))
		code.Tensors = append(code.Tensors, t)
	}
	for _, t := range tr.out {
		t.Name, t.Arg = "out", code.Args
		code.Args++
		instr.Out = append(instr.Out, len(code.Tensors))
		code.Tensors = append(code.Tensors, t)
	}
	code.Instrs = []accel.Instr{instr}
	return code, args
}

// run compiles and runs the instruction. The outputs are filled with 0xFF before,
// which is NaN for floats, and what lies behind them is checked.
func (tr trial) run(d accel.Device) ([]*accel.Array, error) {
	code, args := tr.code()
	var out []*accel.Array
	var whole [][]byte
	for _, t := range tr.out {
		mem := accel.Aligned(t.Bytes() + guard)
		setAll(mem, 0xFF)
		whole = append(whole, mem)
		a := &accel.Array{DType: t.DType, Shape: t.Shape, Data: mem[:t.Bytes():t.Bytes()]}
		out, args = append(out, a), append(args, wrapped8(a.Data))
	}
	p, err := d.Compile(code)
	if err != nil {
		return nil, err
	}
	q := d.NewQueue()
	if err := q.Run(p, args); err != nil {
		return nil, err
	}
	for i, mem := range whole {
		if end := mem[len(out[i].Data):]; !bytes.Equal(end, bytes.Repeat([]byte{0xFF}, guard)) {
			return nil, fmt.Errorf("output %d: written behind its end", i)
		}
	}
	return out, q.Wait()
}

// ready compiles the trial and returns a function that runs it on two threads.
func (tr trial) ready(t testing.TB) func() {
	t.Helper()
	d := WithThreads(2)
	code, args := tr.code()
	for _, o := range tr.out {
		args = append(args, wrapped8(accel.Aligned(o.Bytes())))
	}
	p, err := d.Compile(code)
	if err != nil {
		t.Fatal(err)
	}
	q := d.NewQueue()
	return func() {
		if err := q.Run(p, args); err != nil {
			t.Fatal(err)
		}
	}
}

// wrapped8 is a buffer of these bytes.
func wrapped8(b []byte) accel.Buffer { return &buffer{b} }

// runAll runs the trial on one thread and on three, which must give the same bits.
func (tr trial) runAll(t *testing.T) []*accel.Array {
	t.Helper()
	one, err := tr.run(New())
	if err != nil {
		t.Fatalf("%s: %v", tr.op, err)
	}
	three, err := tr.run(WithThreads(3))
	if err != nil {
		t.Fatalf("%s: %v", tr.op, err)
	}
	for i := range one {
		if !bytes.Equal(one[i].Data, three[i].Data) {
			t.Fatalf("%s: output %d differs between one thread and three", tr.op, i)
		}
	}
	return one
}

// typed is the type of an output.
func typed(t accel.DType, shape ...int) accel.Tensor { return accel.Tensor{DType: t, Shape: shape} }

// floats32 is an array of numbers between low and high, fixed by the key.
func floats32(key uint64, low, high float64, shape ...int) *accel.Array {
	a := accel.NewArray(accel.Float32, shape...)
	for i := range accel.Values[float32](a) {
		accel.Values[float32](a)[i] = float32(low + (high-low)*counter.Float64(key, uint64(i)))
	}
	return a
}

// near reports the first element that is not within ulps units of the last
// place of want, rounded to float32; NaN must be NaN.
func near(got []float32, want []float64, ulps float64) error {
	for i, w := range want {
		g, r := float64(got[i]), math.Abs(float64(float32(w)))
		unit := max(0x1p-149, math.Ldexp(1, math.Ilogb(r)-23))
		same := g == w || g != g && w != w || math.IsInf(float64(float32(w)), 0) && g == float64(float32(w))
		if diff := math.Abs(g - w); !same && !(diff <= ulps*unit) {
			return fmt.Errorf("element %d: got %g, want %g", i, g, w)
		}
	}
	return nil
}
