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
		{"type", func(c *Code) { c.Tensors[0].DType = 9 }, "unknown element type"},
		{"zero dimension", func(c *Code) { c.Tensors[0].Shape = []int{2, 0} }, "not positive"},
		{"argument", func(c *Code) { c.Tensors[0].Arg = 1 }, "argument 1 of 1"},
		{"beyond the arena", func(c *Code) { c.Tensors[1].Shape = []int{17} }, "arena of 128"},
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
	for _, d := range []DType{Float32, Int32, Uint64} {
		got, err := ParseDType(d.String())
		if err != nil || got != d {
			t.Errorf("ParseDType(%q) = %v, %v", d, got, err)
		}
	}
	if _, err := ParseDType("float16"); err == nil {
		t.Error("ParseDType(float16): no error")
	}
	if DType(0).Size() != 0 || Float32.Size() != 4 || Uint64.Size() != 8 {
		t.Error("sizes are not 0, 4, 8")
	}
}
