package gemm

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel/cpu/isa"
	"github.com/millrace-go/millrace/accel/cpu/vec"
)

// Bias says what a bias is added to.
type Bias uint8

// A bias has one value for each column of C (the usual one of a linear layer),
// or one for each row.
const (
	NoBias Bias = iota
	BiasColumns
	BiasRows
)

// Activation is applied to every element of C at the end.
type Activation uint8

// The activations, by their ONNX names.
const (
	Identity Activation = iota
	Relu                // max(x, 0); NaN stays NaN
	Clip                // min(max(x, Lo), Hi); NaN stays NaN
	Gelu                // x * Φ(x), by erf
	GeluTanh            // its approximation by tanh
	Sigmoid
	Tanh
	Silu // x * sigmoid(x), also called Swish
)

// functions has the activations that are not part of the pass that adds bias and
// residual.
var functions = [...]func(dst, x []float32){
	Gelu: vec.Gelu, GeluTanh: vec.GeluTanh, Sigmoid: vec.Sigmoid, Tanh: vec.Tanh, Silu: vec.Silu,
}

// Epilogue is what is done to C while it is in cache: bias, residual, activation. A batch
// shares one bias.
type Epilogue struct {
	Bias     Bias
	Residual bool // add Operands.Residual
	Act      Activation
	Lo, Hi   float32 // bounds of Clip
}

func (e *Epilogue) check() error {
	switch {
	case e.Bias > BiasRows:
		return fmt.Errorf("unknown bias %d", e.Bias)
	case int(e.Act) >= len(functions):
		return fmt.Errorf("unknown activation %d", e.Act)
	case e.Act == Clip && !(e.Lo <= e.Hi):
		return fmt.Errorf("clip to [%g, %g]", e.Lo, e.Hi)
	case e.Act == Relu:
		e.Lo, e.Hi = 0, float32(math.Inf(1))
	}
	return nil
}

// none reports whether there is nothing to do.
func (e *Epilogue) none() bool { return e.Bias == NoBias && !e.Residual && e.Act == Identity }

// finisher applies an epilogue to rows of C.
type finisher struct {
	epilogue   *Epilogue
	c          []float32
	bias       []float32 // from the first column or row
	residual   []float32
	ld         int
	rows, cols int
}

func (f *finisher) run(level isa.Level) {
	if e := f.epilogue; e.Bias != NoBias || e.Residual || e.clips() {
		if level == isa.Portable {
			f.portable()
		} else {
			f.assembly(level)
		}
	}
	act := functions[f.epilogue.Act]
	if act == nil {
		return
	}
	for i := range f.rows {
		row := f.c[i*f.ld:][:f.cols]
		act(row, row)
	}
}

// portable is one row after the other in plain Go.
func (f *finisher) portable() {
	e := f.epilogue
	for i := range f.rows {
		row := f.c[i*f.ld:][:f.cols]
		switch e.Bias {
		case BiasColumns:
			for j := range row {
				row[j] += f.bias[j]
			}
		case BiasRows:
			for j := range row {
				row[j] += f.bias[i]
			}
		}
		if e.Residual {
			for j, x := range f.residual[i*f.ld:][:f.cols] {
				row[j] += x
			}
		}
		if e.clips() {
			clip(row, e.Lo, e.Hi)
		}
	}
}

// clip bounds x; a NaN stays.
func clip(x []float32, lo, hi float32) {
	for i, v := range x {
		if lo > v {
			x[i] = lo
		} else if hi < v {
			x[i] = hi
		}
	}
}

func (e *Epilogue) clips() bool { return e.Act == Relu || e.Act == Clip }
