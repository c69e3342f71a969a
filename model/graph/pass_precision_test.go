package graph

import (
	"errors"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// TestLowerPrecision: which products are rounded, whether or not they were fused.
func TestLowerPrecision(t *testing.T) {
	for _, tc := range []struct {
		name   string
		dtype  accel.DType
		a, b   []int
		attrs  accel.Attrs
		lowers bool
	}{
		{"large", accel.Float32, []int{128, 128}, []int{128, 64}, nil, true},
		{"a column less", accel.Float32, []int{128, 128}, []int{128, 63}, nil, false},
		{"short sums", accel.Float32, []int{512, 63}, []int{63, 512}, nil, false},
		{"transposed", accel.Float32, []int{512, 64}, []int{512, 64}, accel.Attrs{accel.Int("transB", 1)}, true},
		{"transposed, short sums", accel.Float32, []int{63, 512}, []int{512, 63}, accel.Attrs{accel.Int("transA", 1), accel.Int("transB", 1)}, false},
		{"one right operand", accel.Float32, []int{2, 3, 128, 128}, []int{1, 128, 128}, nil, true},
		{"many right operands", accel.Float32, []int{2, 3, 128, 128}, []int{3, 128, 128}, nil, false},
		{"float64", accel.Float64, []int{128, 128}, []int{128, 128}, nil, false},
	} {
		op := "MatMul"
		if tc.attrs != nil {
			op = "FusedMatMul"
		}
		g := New(tc.name)
		a, errA := g.Input("a", tc.dtype, tc.a...)
		b, errB := g.Input("b", tc.dtype, tc.b...)
		y, err := g.Apply(op, "y", tc.attrs, a, b)
		if err := errors.Join(errA, errB, err); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		g.Outputs = []*Value{y}
		if err := g.LowerPrecision(accel.BFloat16); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		n, want := g.Outputs[0].Producer, ""
		if tc.lowers {
			want = "bfloat16"
		}
		if got := n.Attrs.Str("compute", ""); got != want || len(g.Nodes) != 1 {
			t.Errorf("%s: %s of %d nodes computes in %q, want %q", tc.name, n.Op, len(g.Nodes), got, want)
		}
	}
}

func TestLowerPrecisionTypes(t *testing.T) {
	if err := New("").LowerPrecision(accel.Float64); !errors.Is(err, accel.ErrUnsupported) {
		t.Errorf("float64: error %v, want %v", err, accel.ErrUnsupported)
	}
	if err := New("").LowerPrecision(accel.Float32); err != nil {
		t.Errorf("float32: %v", err)
	}
}
