package conv

import (
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/isa"
	"github.com/millrace-go/millrace/accel/cpu/par"
)

// TestEpilogue compares bias, residual and activation with what they do to the
// plain sums, element by element and bit by bit.
func TestEpilogue(t *testing.T) {
	for _, name := range []string{"lenet2", "resnet in", "asymmetric", "1x1", "long chain", "squares", "transposed 8x8", "transposed lenet2", "transposed asymmetric", "transposed multiplier"} {
		for _, e := range []Epilogue{{}, {Act: Relu}, {Act: Clip, Lo: -0.5, Hi: 0.75}} {
			spec := specs()[name]
			spec.Epilogue = e
			t.Run(name, func(t *testing.T) {
				levels(t, spec, func(t *testing.T, l isa.Level, p *Plan) {
					spec := spec
					spec.Epilogue = Epilogue{}
					plain, err := plan(spec, byLevel(l))
					if err != nil {
						t.Fatal(err)
					}
					testEpilogue(t, p, plain, e)
				})
			})
		}
	}
}

func testEpilogue(t *testing.T, p, plain *Plan, e Epilogue) {
	in := newInputs(p)
	bias, residual := in.dy[:p.BiasLen()], in.dy
	scratch, packed := make([]float32, p.ForwardScratch(1)), make([]float32, p.PackedLen())
	sums, got := make([]float32, p.YLen()), make([]float32, p.YLen())
	plain.Forward(nil, sums, in.x, in.w, nil, nil, scratch)
	copy(got, residual) // which y may be
	p.PackWeights(packed, in.w)
	p.ForwardPacked(nil, got, in.x, packed, bias, got, scratch)
	for i, v := range got {
		want := sums[i] + bias[i/product(p.out)%p.spec.M]
		want += residual[i]
		switch e.Act {
		case Relu:
			want = max(0, want)
		case Clip:
			want = min(max(e.Lo, want), e.Hi)
		}
		if v != want {
			t.Fatalf("y[%d] = %g, want %g", i, v, want)
		}
	}
}

// TestNaN checks that NaN passes every activation, and stays in its image.
func TestNaN(t *testing.T) {
	for _, act := range []Activation{None, Relu, Clip} {
		spec := specs()["resnet in"]
		spec.Epilogue = Epilogue{Act: act, Hi: 1}
		levels(t, spec, func(t *testing.T, _ isa.Level, p *Plan) {
			in := newInputs(p)
			in.x[3*32*32+40] = float32(math.NaN()) // of image 1
			y := make([]float32, p.YLen())
			p.Forward(nil, y, in.x, in.w, nil, nil, make([]float32, p.ForwardScratch(1)))
			n := 0
			for i, v := range y {
				if v != v {
					n++
					if i/(16*32*32) != 1 {
						t.Fatalf("y[%d] of image %d is NaN", i, i/(16*32*32))
					}
				}
			}
			if n != 16*9 {
				t.Errorf("%d outputs are NaN, want the 9 of 16 channels that see it", n)
			}
		})
	}
}

// TestBatchNeighbours checks that an image has the same bits alone and in a batch.
func TestBatchNeighbours(t *testing.T) {
	for name, spec := range specs() {
		spec.N = 1
		one, err := New(spec)
		if err != nil {
			t.Fatal(err)
		}
		spec.N = 7
		many, err := New(spec)
		if err != nil {
			t.Fatal(err)
		}
		in := newInputs(many)
		all, alone := make([]float32, many.YLen()), make([]float32, one.YLen())
		many.Forward(nil, all, in.x, in.w, nil, nil, make([]float32, many.ForwardScratch(1)))
		one.Forward(nil, alone, in.x[5*one.XLen():6*one.XLen()], in.w, nil, nil, make([]float32, one.ForwardScratch(1)))
		for i, v := range alone {
			if got := all[5*len(alone)+i]; math.Float32bits(got) != math.Float32bits(v) {
				t.Fatalf("%s: y[%d] of image 5 is %g in a batch, %g alone", name, i, got, v)
			}
		}
	}
}

// TestGradientsByDifferences holds the gradients of Σ y·dy to central
// differences: exact but for rounding, since y is linear in x and in w.
func TestGradientsByDifferences(t *testing.T) {
	for _, name := range []string{"asymmetric", "strided dilated", "groups", "3-d", "transposed extra", "transposed 1-d"} {
		spec := specs()[name]
		p, err := New(spec)
		if err != nil {
			t.Fatal(err)
		}
		in := newInputs(p)
		r := in.run(t, p, nil)
		y, scratch := make([]float32, p.YLen()), make([]float32, p.ForwardScratch(1))
		objective := func() float64 {
			p.Forward(nil, y, in.x, in.w, nil, nil, scratch)
			sum := 0.0
			for i, v := range y {
				sum += float64(v) * float64(in.dy[i])
			}
			return sum
		}
		for _, c := range []struct {
			what    string
			v, grad []float32
		}{{"x", in.x, r.dx}, {"w", in.w, r.dw}} {
			for i := 0; i < len(c.v); i += 1 + len(c.v)/20 {
				old := c.v[i]
				c.v[i] = old + 1
				up := objective()
				c.v[i] = old - 1
				down := objective()
				c.v[i] = old
				// y is of the order of 10 and rounded to 2^-24 of it; a few hundred elements change
				if diff := math.Abs((up-down)/2 - float64(c.grad[i])); !(diff <= 2e-4) {
					t.Errorf("%s: gradient of %s[%d] is %g, by differences %g", name, c.what, i, c.grad[i], (up-down)/2)
				}
			}
		}
	}
}

// TestConcurrentCalls runs one plan in several goroutines that share a pool.
func TestConcurrentCalls(t *testing.T) {
	p, err := New(specs()["8x8"])
	if err != nil {
		t.Fatal(err)
	}
	in := newInputs(p)
	want := in.run(t, p, nil)
	pool := par.New(2)
	defer pool.Close()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 3 {
				equal(t, "concurrent", in.run(t, p, pool), want)
			}
		})
	}
	wg.Wait()
}

func TestNothingAllocated(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	for _, name := range []string{"lenet2", "resnet stride", "dilated", "transposed 3-d"} {
		p, err := New(specs()[name])
		if err != nil {
			t.Fatal(err)
		}
		in := newInputs(p)
		y, dx, dw, bias := make([]float32, p.YLen()), make([]float32, p.XLen()), make([]float32, p.WLen()), make([]float32, p.BiasLen())
		scratch := make([]float32, max(p.ForwardScratch(2), p.DataScratch(2), p.WeightsScratch(2)))
		if n := testing.AllocsPerRun(20, func() {
			p.Forward(pool, y, in.x, in.w, bias, nil, scratch)
			p.BackwardData(pool, dx, in.dy, in.w, scratch)
			p.BackwardWeights(pool, dw, in.dy, in.x, scratch)
		}); n != 0 {
			t.Errorf("%s: %g allocations, want 0", name, n)
		}
	}
}

func TestBadSpecs(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{Spec{N: 1, C: 1, M: 1}, "0 spatial dimensions"},
		{Spec{N: 1, C: 1, M: 1, In: []int{1, 1, 1, 1}}, "4 spatial dimensions"},
		{Spec{N: 1, C: 1, In: []int{3}, Kernel: []int{1}}, "M=0"},
		{Spec{N: 1, C: 3, M: 4, Groups: 2, In: []int{3}, Kernel: []int{1}}, "2 groups divide not both 3 and 4"},
		{Spec{N: 1, C: 1, M: 1, In: []int{3}}, "Kernel has 0 sizes"},
		{Spec{N: 1, C: 1, M: 1, In: []int{3, 3}, Kernel: []int{1, 1}, Strides: []int{1}}, "Strides has 1 sizes"},
		{Spec{N: 1, C: 1, M: 1, In: []int{3}, Kernel: []int{1}, PadsBegin: []int{-1}}, "PadsBegin=[-1]"},
		{Spec{N: 1, C: 1, M: 1, In: []int{3}, Kernel: []int{1}, Dilations: []int{0}}, "Dilations=[0]"},
		{Spec{N: 1, C: 1, M: 1, In: []int{3}, Kernel: []int{4}}, "no output"},
		{Spec{N: 1, C: 1, M: 1, In: []int{1}, Kernel: []int{1}, PadsBegin: []int{1}, Transposed: true}, "no output"},
		{Spec{N: 1, C: 1, M: 1, In: []int{3}, Kernel: []int{1}, OutputPadding: []int{1}}, "without Transposed"},
		{Spec{N: 1 << 16, C: 1 << 16, M: 1, In: []int{3}, Kernel: []int{1}}, "x has more than"},
		{Spec{N: 1, C: 1, M: 1, In: []int{3}, Kernel: []int{2}, Dilations: []int{1 << 30}, PadsBegin: []int{1 << 30}}, "scratch"},
	} {
		if _, err := New(c.spec); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want …%s…", c.spec, err, c.want)
		}
	}
}

func TestWrongLengthsPanic(t *testing.T) {
	p, err := New(specs()["lenet1"])
	if err != nil {
		t.Fatal(err)
	}
	in := newInputs(p)
	y, s := make([]float32, p.YLen()), make([]float32, p.ForwardScratch(1))
	for what, f := range map[string]func(){
		"x has":       func() { p.Forward(nil, y, in.x[1:], in.w, nil, nil, s) },
		"y has":       func() { p.Forward(nil, y[1:], in.x, in.w, nil, nil, s) },
		"w has":       func() { p.Forward(nil, y, in.x, in.w[1:], nil, nil, s) },
		"bias has":    func() { p.Forward(nil, y, in.x, in.w, y, nil, s) },
		"scratch has": func() { p.Forward(nil, y, in.x, in.w, nil, nil, s[1:]) },
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(r.(string), what) {
					t.Errorf("panic %v, want …%s…", r, what)
				}
			}()
			f()
		}()
	}
}
