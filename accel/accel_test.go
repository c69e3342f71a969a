package accel

import (
	"strings"
	"testing"
)

func TestCodeValidate(t *testing.T) {
	ok := func() *Code {
		return &Code{Args: 1, ArenaBytes: 128, Tensors: []Tensor{
			{Name: "a", DType: Float32, Shape: []int{2, 3}, Arg: 0},
			{Name: "b", DType: Float32, Shape: []int{16}, Arg: -1, Offset: 64},
		}, Instrs: []Instr{{Op: "Relu", In: []int{0}, Out: []int{1, -1}}}}
	}
	if err := ok().Validate(); err != nil {
		t.Fatalf("valid code: %v", err)
	}
	for _, c := range []struct {
		name   string
		change func(c *Code)
		want   string
	}{
		{"type", func(c *Code) { c.Tensors[0].DType = 99 }, "unknown element type"},
		{"negative dimension", func(c *Code) { c.Tensors[0].Shape = []int{2, -1} }, "is none, or too large"},
		{"more elements than an int counts", func(c *Code) { c.Tensors[0].Shape = []int{1 << 40, 1 << 40} }, "is none, or too large"},
		{"constant of other bytes", func(c *Code) { c.Tensors[0].Arg, c.Tensors[0].Data = -1, make([]byte, 23) }, "23 bytes of data"},
		{"writing to a constant", func(c *Code) { c.Tensors[1].Data = make([]byte, 64) }, "writes to the constant b"},
		{"argument", func(c *Code) { c.Tensors[0].Arg = 1 }, "argument 1 of 1"},
		{"beyond the arena", func(c *Code) { c.Tensors[1].Shape = []int{17} }, "arena of 128"},
		{"an offset whose end no int counts", func(c *Code) { c.Tensors[1].Shape, c.Tensors[1].Offset = []int{1 << 59}, 1<<63-64 }, "arena of 128"},
		{"negative offset", func(c *Code) { c.Tensors[1].Offset = -64 }, "arena of 128"},
		{"not aligned", func(c *Code) { c.Tensors[1].Offset = 4 }, "aligned"},
		{"tensor id", func(c *Code) { c.Instrs[0].In[0] = 2 }, "tensor 2 of 2"},
	} {
		code := ok()
		c.change(code)
		if err := code.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestAttrs(t *testing.T) {
	a := Attrs{Int("axis", 2), Float("alpha", 0.5), Ints("pads", 1, 2), String("mode", "tanh")}
	if got := a.Int("axis", 7); got != 2 {
		t.Errorf("Int = %d, want 2", got)
	}
	if got := a.Int("alpha", 7); got != 7 {
		t.Errorf("Int of a float attribute = %d, want the default 7", got)
	}
	if got := a.Float("alpha", 1); got != 0.5 {
		t.Errorf("Float = %g, want 0.5", got)
	}
	if got := a.Str("none", "x"); got != "x" {
		t.Errorf("Str of nothing = %q, want x", got)
	}
	if got := a.Ints("strides"); got != nil {
		t.Errorf("Ints of nothing = %v, want nil", got)
	}
	if got, want := a.String(), "{axis=2, alpha=0.5, pads=[1 2], mode=tanh}"; got != want {
		t.Errorf("String = %s, want %s", got, want)
	}
}

func TestDTypes(t *testing.T) {
	for d := DType(1); d.Valid(); d++ {
		got, err := ParseDType(d.String())
		if err != nil || got != d {
			t.Errorf("ParseDType(%q) = %v, %v", d, got, err)
		}
	}
	if _, err := ParseDType("complex64"); err == nil {
		t.Error("ParseDType(complex64): no error")
	}
	for d, size := range map[DType]int{0: 0, Float32: 4, Float16: 2, Uint64: 8, Bool: 1, Int4: 1} {
		if d.Size() != size {
			t.Errorf("%s has %d bytes, want %d", d, d.Size(), size)
		}
	}
	if !BFloat16.IsFloat() || !BFloat16.IsHalf() || Float8E5M2.IsFloat() || !Uint8.IsUnsigned() || Bool.IsNumeric() || !Int64.IsInt() {
		t.Error("a type is in the wrong class")
	}
}

func TestArray(t *testing.T) {
	a := ArrayOf(Int32, []int{2, 2}, []int32{1, 2, 3, 4})
	if got := Values[int32](a)[3]; got != 4 || a.Len() != 4 || a.String() != "int32[2 2]" {
		t.Errorf("array %s of %d with last element %d; want int32[2 2] of 4 with 4", a, a.Len(), got)
	}
	Values[int32](a)[0] = 7
	if a.Data[0] != 7 {
		t.Error("Values is no view of the array's bytes")
	}
	if n := NewArray(Float16, 3, 0).Len(); n != 0 {
		t.Errorf("3 x 0 array has %d elements", n)
	}
	for name, f := range map[string]func(){
		"length":      func() { ArrayOf(Int32, []int{3}, []int32{1}) },
		"width":       func() { ArrayOf(Int64, []int{1}, []int32{1}) },
		"odd bytes":   func() { View[int32](Aligned(6)) },
		"unaligned":   func() { View[int64](Aligned(24)[4:12]) },
		"wrong shape": func() { NewArray(Int8, -1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestSize(t *testing.T) {
	for _, c := range []struct {
		shape []int
		want  int
	}{{nil, 1}, {[]int{2, 3}, 6}, {[]int{0, 1 << 40}, 0}, {[]int{-1}, -1}, {[]int{1 << 40, 1 << 40}, -1}} {
		if got := Size(c.shape); got != c.want {
			t.Errorf("Size(%v) = %d, want %d", c.shape, got, c.want)
		}
	}
}
