package graph

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// moveCase is an operator that moves the elements of x: element i of the output
// is element from(index of i) of x, or 0 if that is negative.
type moveCase struct {
	name  string
	op    string
	attrs accel.Attrs
	x     []int
	more  []*accel.Array
	want  []int
	from  func(i []int) int
}

// eachIndex calls f for the indices of a shape, in order.
func eachIndex(shape []int, f func(at int, i []int)) {
	i := make([]int, len(shape))
	for at := range accel.Size(shape) {
		rest := at
		for d := len(shape) - 1; d >= 0; d-- {
			i[d] = rest % shape[d]
			rest /= shape[d]
		}
		f(at, i)
	}
}

// sizes are types of each size and kind.
var sizes = []accel.DType{
	accel.Bool, accel.Int4, accel.Float8E4M3FN, accel.Uint8, accel.Float16, accel.BFloat16, accel.Int16,
	accel.Int32, accel.Float32, accel.Float64, accel.Int64,
}

// checkMoves runs cases with tensors of all sizes of elements, whose bytes are all
// different from 0 and as different from each other as they can be.
func checkMoves(t *testing.T, cases []moveCase) {
	t.Helper()
	for _, c := range cases {
		for _, d := range sizes {
			x := accel.NewArray(d, c.x...)
			for i := range x.Data {
				x.Data[i] = byte(1 + (i+i/255)%255)
			}
			want := accel.NewArray(d, c.want...)
			size := d.Size()
			eachIndex(c.want, func(at int, i []int) {
				if from := c.from(i); from >= 0 {
					copy(want.Data[at*size:(at+1)*size], x.Data[from*size:])
				}
			})
			name := fmt.Sprintf("%s/%s/%s", c.op, c.name, d)
			out, err := evaluateOn(c.op, c.attrs, append(ins(x), c.more...), 1)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if !slices.Equal(out[0].Shape, c.want) || out[0].DType != d || !bytes.Equal(out[0].Data, want.Data) {
				t.Errorf("%s: got %v %v, want %v %v", name, out[0], out[0].Data, want, want.Data)
			}
		}
	}
}

func TestTransposeAllTypes(t *testing.T) {
	var cases []moveCase
	add := func(shape []int, perm ...int) {
		from := make([]int, len(shape)) // stride of each dimension of the output
		want := make([]int, len(shape))
		for d, p := range perm {
			from[d], want[d] = accel.Size(shape[p+1:]), shape[p]
		}
		cases = append(cases, moveCase{
			fmt.Sprint(shape, perm), "Transpose", accel.Attrs{accel.Ints("perm", perm...)}, shape, nil, want,
			func(i []int) int {
				at := 0
				for d, v := range i {
					at += v * from[d]
				}
				return at
			},
		})
	}
	add([]int{3}, 0)
	for _, n := range []int{1, 2, 15, 16, 17, 33} { // around the block of 16
		add([]int{n, 35}, 1, 0)
		add([]int{35, n}, 1, 0)
	}
	for _, perm := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		add([]int{2, 3, 4}, perm...)
		add([]int{5, 1, 18}, perm...)
	}
	add([]int{2, 3, 4, 40}, 0, 2, 1, 3)
	add([]int{2, 17, 3, 5}, 0, 3, 1, 2)
	add([]int{2, 3, 4, 5, 6}, 4, 2, 0, 3, 1)
	add([]int{2, 0, 3}, 2, 1, 0)
	checkMoves(t, cases)
	checkMoves(t, []moveCase{
		{"default", "Transpose", nil, []int{2, 3}, nil, []int{3, 2}, func(i []int) int { return i[1]*3 + i[0] }},
		{"scalar", "Transpose", nil, []int{}, nil, []int{}, func([]int) int { return 0 }},
	})
}

func TestViewsAllTypes(t *testing.T) {
	same := func(strides ...int) func(i []int) int {
		return func(i []int) int {
			at := 0
			for d, v := range i {
				at += v * strides[d]
			}
			return at
		}
	}
	checkMoves(t, []moveCase{
		{"", "Identity", nil, []int{2, 3}, nil, []int{2, 3}, same(3, 1)},
		{"keep and rest", "Reshape", nil, []int{2, 3, 4}, ins(accel.Ints64(0, -1)), []int{2, 12}, same(12, 1)},
		{"scalar", "Reshape", nil, []int{1, 1}, ins(accel.Ints64()), []int{}, same()},
		{"allowzero", "Reshape", accel.Attrs{accel.Int("allowzero", 1)}, []int{0, 3}, ins(accel.Ints64(3, 0)), []int{3, 0}, same(0, 0)},
		{"default", "Flatten", nil, []int{2, 3, 4}, nil, []int{2, 12}, same(12, 1)},
		{"0", "Flatten", accel.Attrs{accel.Int("axis", 0)}, []int{2, 3}, nil, []int{1, 6}, same(0, 1)},
		{"rank", "Flatten", accel.Attrs{accel.Int("axis", 2)}, []int{2, 3}, nil, []int{6, 1}, same(1, 0)},
		{"-1", "Flatten", accel.Attrs{accel.Int("axis", -1)}, []int{2, 3, 4}, nil, []int{6, 4}, same(4, 1)},
		{"scalar", "Flatten", accel.Attrs{accel.Int("axis", 0)}, []int{}, nil, []int{1, 1}, same(0, 0)},
		{"all", "Squeeze", nil, []int{1, 3, 1}, nil, []int{3}, same(1)},
		{"one", "Squeeze", nil, []int{1, 3, 1}, ins(accel.Ints64(-1)), []int{1, 3}, same(0, 1)},
		{"none", "Squeeze", nil, []int{1, 3}, ins(accel.Ints64()), []int{1, 3}, same(0, 1)},
		{"two", "Unsqueeze", nil, []int{2, 3}, ins(accel.Ints64(-1, 0)), []int{1, 2, 3, 1}, same(0, 3, 1, 0)},
		{"scalar", "Unsqueeze", nil, []int{}, ins(accel.Ints64(0)), []int{1}, same(0)},
		{"rows", "Expand", nil, []int{3, 1}, ins(accel.Ints64(2, 1, 40)), []int{2, 3, 40}, same(0, 1, 0)},
		{"columns", "Expand", nil, []int{40}, ins(accel.Ints64(3, 1)), []int{3, 40}, same(0, 1)},
		{"scalar", "Expand", nil, []int{}, ins(accel.Ints64(2, 2)), []int{2, 2}, same(0, 0)},
		{"empty", "Expand", nil, []int{1, 3}, ins(accel.Ints64(0, 1)), []int{0, 3}, same(0, 0)},
	})
}

func TestSliceAllTypes(t *testing.T) {
	least, greatest := -1<<63, 1<<63-1
	axis0 := func(start, step, inner int) func(i []int) int {
		return func(i []int) int {
			at := (start + i[0]*step) * inner
			if len(i) > 1 {
				at += i[1]
			}
			return at
		}
	}
	in := func(start, end, axis, step int) []*accel.Array {
		return ins(accel.Ints64(start), accel.Ints64(end), accel.Ints64(axis), accel.Ints64(step))
	}
	checkMoves(t, []moveCase{
		{"rows", "Slice", nil, []int{5, 40}, in(1, 3, 0, 1), []int{2, 40}, axis0(1, 1, 40)},
		{"without axes", "Slice", nil, []int{5, 2}, ins(accel.Ints64(1), accel.Ints64(3)), []int{2, 2}, axis0(1, 1, 2)},
		{"both", "Slice", nil, []int{5, 4}, ins(accel.Ints64(1, 0), accel.Ints64(3, -1)), []int{2, 3}, func(i []int) int { return (1+i[0])*4 + i[1] }},
		{"from the end", "Slice", nil, []int{5}, in(-2, greatest, -1, 1), []int{2}, axis0(3, 1, 1)},
		{"steps", "Slice", nil, []int{7}, in(1, 7, 0, 2), []int{3}, axis0(1, 2, 1)},
		{"last step", "Slice", nil, []int{7}, in(0, 7, 0, 3), []int{3}, axis0(0, 3, 1)},
		{"long step", "Slice", nil, []int{7}, in(1, 7, 0, greatest), []int{1}, axis0(1, 0, 1)},
		{"reversed", "Slice", nil, []int{5, 2}, in(greatest, least, 0, -1), []int{5, 2}, axis0(4, -1, 2)},
		{"reversed in part", "Slice", nil, []int{7}, in(5, 1, 0, -2), []int{2}, axis0(5, -2, 1)},
		{"reversed to -1", "Slice", nil, []int{4}, in(3, -1, 0, -1), []int{0}, axis0(0, 0, 1)},
		{"beyond", "Slice", nil, []int{4}, in(9, 12, 0, 1), []int{0}, axis0(0, 0, 1)},
		{"before", "Slice", nil, []int{4}, in(-9, 2, 0, 1), []int{2}, axis0(0, 1, 1)},
		{"reversed before", "Slice", nil, []int{4}, in(-9, least, 0, -1), []int{1}, axis0(0, 1, 1)},
		{"empty", "Slice", nil, []int{0}, in(0, 1, 0, -1), []int{0}, axis0(0, 0, 1)},
		{"columns", "Slice", nil, []int{3, 7}, in(1, 6, 1, 2), []int{3, 3}, func(i []int) int { return i[0]*7 + 1 + 2*i[1] }},
	})
}

func TestTileAndPadAllTypes(t *testing.T) {
	pads := accel.Ints64(1, 2, 0, 1) // of shape [2 3]: one row before, two columns before, one after
	at := func(row, col func(i int) int) func(i []int) int {
		return func(i []int) int {
			r, c := row(i[0]-1), col(i[1]-2)
			if r < 0 || c < 0 {
				return -1
			}
			return r*3 + c
		}
	}
	pick := func(places ...int) func(i int) int { // of -2, -1, 0, …
		return func(i int) int { return places[i+2] }
	}
	mode := func(m string) accel.Attrs { return accel.Attrs{accel.String("mode", m)} }
	checkMoves(t, []moveCase{
		{"", "Tile", nil, []int{2, 3}, ins(accel.Ints64(2, 3)), []int{4, 9}, func(i []int) int { return i[0]%2*3 + i[1]%3 }},
		{"rows", "Tile", nil, []int{2, 40}, ins(accel.Ints64(3, 1)), []int{6, 40}, func(i []int) int { return i[0]%2*40 + i[1] }},
		{"none", "Tile", nil, []int{2}, ins(accel.Ints64(0)), []int{0}, func([]int) int { return 0 }},
		{"constant", "Pad", nil, []int{2, 3}, ins(pads), []int{3, 6}, at(pick(-1, -1, 0, 1), pick(-1, -1, 0, 1, 2, -1))},
		{"edge", "Pad", mode("edge"), []int{2, 3}, ins(pads), []int{3, 6}, at(pick(0, 0, 0, 1), pick(0, 0, 0, 1, 2, 2))},
		{"reflect", "Pad", mode("reflect"), []int{2, 3}, ins(pads), []int{3, 6}, at(pick(0, 1, 0, 1), pick(2, 1, 0, 1, 2, 1))},
		{"wrap", "Pad", mode("wrap"), []int{2, 3}, ins(pads), []int{3, 6}, at(pick(0, 1, 0, 1), pick(1, 2, 0, 1, 2, 0))},
		{"crop", "Pad", nil, []int{3, 4}, ins(accel.Ints64(-1, 1, 0, -2)), []int{2, 3}, func(i []int) int {
			if i[1] == 0 {
				return -1
			}
			return (i[0]+1)*4 + i[1] - 1
		}},
		{"one axis", "Pad", nil, []int{2, 40}, ins(accel.Ints64(1, 0), nil, accel.Ints64(-2)), []int{3, 40}, func(i []int) int { return (i[0]-1)*40 + i[1] }},
		{"wide columns", "Pad", nil, []int{2, 40}, ins(accel.Ints64(0, 1, 0, 1)), []int{2, 42}, func(i []int) int {
			if i[1] == 0 || i[1] == 41 {
				return -1
			}
			return i[0]*40 + i[1] - 1
		}},
		{"scalar", "Pad", nil, []int{}, ins(accel.Ints64()), []int{}, func([]int) int { return 0 }},
		{"from nothing", "Pad", nil, []int{0}, ins(accel.Ints64(1, 1)), []int{2}, func([]int) int { return -1 }},
	})
	checkValues(t, []valueCase{
		{"Pad", nil, ins(arr[float32](accel.Float32, 1, 2), accel.Ints64(1, 1), arr[float32](accel.Float32, 7)), ins(arr[float32](accel.Float32, 7, 1, 2, 7))},
		{"Pad", mode("reflect"), ins(arr[int32](accel.Int32, 1, 2, 3), accel.Ints64(4, 3)), ins(arr[int32](accel.Int32, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2))},
		{"Pad", mode("reflect"), ins(arr[int32](accel.Int32, 5), accel.Ints64(2, 1)), ins(arr[int32](accel.Int32, 5, 5, 5, 5))},
	})
}

func TestConcatAndSplit(t *testing.T) {
	i := func(shape []int, v ...int32) *accel.Array { return accel.ArrayOf(accel.Int32, shape, v) }
	x := i([]int{2, 3}, 1, 2, 3, 4, 5, 6)
	axis := func(a, parts int) accel.Attrs {
		return accel.Attrs{accel.Int("axis", a), accel.Int("num_outputs", parts)}
	}
	checkValues(t, []valueCase{
		{"Concat", axis(0, 0), ins(x, i([]int{1, 3}, 7, 8, 9)), ins(i([]int{3, 3}, 1, 2, 3, 4, 5, 6, 7, 8, 9))},
		{"Concat", axis(-1, 0), ins(x, i([]int{2, 0}), i([]int{2, 1}, 7, 8)), ins(i([]int{2, 4}, 1, 2, 3, 7, 4, 5, 6, 8))},
		{"Concat", axis(0, 0), ins(x), ins(x)},
		{"Split", axis(1, 0), ins(x, accel.Ints64(1, 0, 2)), ins(i([]int{2, 1}, 1, 4), i([]int{2, 0}), i([]int{2, 2}, 2, 3, 5, 6))},
		{"Split", axis(-2, 2), ins(x), ins(i([]int{1, 3}, 1, 2, 3), i([]int{1, 3}, 4, 5, 6))},
		{"Split", axis(1, 2), ins(x), ins(i([]int{2, 2}, 1, 2, 4, 5), i([]int{2, 1}, 3, 6))},
		{"Split", axis(0, 4), ins(i([]int{5}, 1, 2, 3, 4, 5)), ins(i([]int{2}, 1, 2), i([]int{2}, 3, 4), i([]int{1}, 5), i([]int{0}))},
		{"ConstantOfShape", nil, ins(accel.Ints64(2)), ins(arr[float32](accel.Float32, 0, 0))},
		{"ConstantOfShape", nil, ins(accel.Ints64(2, 3), i([]int{1}, 9)), ins(i([]int{2, 3}, 9, 9, 9, 9, 9, 9))},
		{"ConstantOfShape", nil, ins(accel.Ints64(), i([]int{1}, 9)), ins(i([]int{}, 9))},
		{"Shape", accel.Attrs{accel.Int("start", 1)}, ins(x), ins(accel.Ints64(3))},
	})
}

// TestSplitWithoutAnOutput leaves the first part out.
func TestSplitWithoutAnOutput(t *testing.T) {
	n := &Node{Op: "Split", Name: "n", Outputs: []*Value{nil, {Name: "y"}}}
	for _, a := range ins(arr[int32](accel.Int32, 1, 2, 3), accel.Ints64(1, 2)) {
		n.Inputs = append(n.Inputs, &Value{Name: "x", Kind: Const, Data: a})
	}
	out, err := Evaluate(n)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := show(out[1]), show(arr[int32](accel.Int32, 2, 3)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// refused are calls that must give an error, and a part of its text.
type refused struct {
	op    string
	attrs accel.Attrs
	in    []*accel.Array
	want  string
}

func checkRefused(t *testing.T, cases []refused) {
	t.Helper()
	for _, c := range cases {
		out, err := evaluateOn(c.op, c.attrs, c.in, 1)
		if err == nil {
			t.Errorf("%s%v%v = %v, want an error", c.op, c.attrs, c.in, show(out[0]))
			continue
		}
		if !bytes.Contains([]byte(err.Error()), []byte(c.want)) {
			t.Errorf("%s%v%v: error %q, want one with %q", c.op, c.attrs, c.in, err, c.want)
		}
	}
}

func TestMovementMistakes(t *testing.T) {
	x, y := accel.NewArray(accel.Float32, 2, 3), accel.NewArray(accel.Int32, 2, 3)
	axis := func(a int) accel.Attrs { return accel.Attrs{accel.Int("axis", a)} }
	checkRefused(t, []refused{
		{"Reshape", nil, ins(x, accel.Ints64(4, -1)), "[2 3]"},
		{"Reshape", nil, ins(x, accel.Ints64(-1, -1)), "not allowed"},
		{"Reshape", nil, ins(x, accel.Ints64(1, 1, 0)), "dimension 2"},
		{"Flatten", axis(3), ins(x), "axis 3"},
		{"Squeeze", nil, ins(x, accel.Ints64(0)), "dimension 0 of [2 3]"},
		{"Squeeze", nil, ins(x, accel.Ints64(2)), "axis 2"},
		{"Unsqueeze", nil, ins(x, accel.Ints64(0, -4)), "twice"},
		{"Transpose", accel.Attrs{accel.Ints("perm", 0, 0)}, ins(x), "permutation"},
		{"Transpose", accel.Attrs{accel.Ints("perm", 1, 0)}, ins(accel.NewArray(accel.Int8)), "scalar"},
		{"Concat", nil, ins(x, x), "no attribute axis"},
		{"Concat", axis(0), ins(x, y), "int32"},
		{"Concat", axis(0), ins(x, accel.NewArray(accel.Float32, 2, 2)), "[2 2]"},
		{"Split", nil, ins(x, accel.Ints64(1, 2)), "make up 2"},
		{"Split", nil, ins(x, accel.Ints64(-1, 3)), "make up 2"},
		{"Split", nil, ins(x), "0 parts"},
		{"Slice", nil, ins(x, accel.Ints64(0), accel.Ints64(1), accel.Ints64(0), accel.Ints64(0)), "step of 0"},
		{"Slice", nil, ins(x, accel.Ints64(0), accel.Ints64(1, 2)), "2 ends"},
		{"Slice", nil, ins(x, accel.Ints64(0, 0), accel.Ints64(1, 1), accel.Ints64(0, -2)), "twice"},
		{"Slice", nil, ins(x, accel.NewArray(accel.Float32, 1), accel.Ints64(1)), "int64"},
		{"Expand", nil, ins(x, accel.Ints64(4, 3)), "broadcast"},
		{"Expand", nil, ins(x, accel.Ints64(-1, 3)), "no shape"},
		{"Tile", nil, ins(x, accel.Ints64(2)), "1 repeats of 2"},
		{"Tile", nil, ins(x, accel.Ints64(2, -1)), "repeats"},
		{"Pad", nil, ins(x, accel.Ints64(1, 1)), "2 pads"},
		{"Pad", nil, ins(x, accel.Ints64(-2, 0, -1, 0)), "dimension of 2"},
		{"Pad", accel.Attrs{accel.String("mode", "mirror")}, ins(x, accel.Ints64(1, 0, 0, 0)), "mirror"},
		{"Pad", accel.Attrs{accel.String("mode", "edge")}, ins(accel.NewArray(accel.Int8, 0), accel.Ints64(1, 0)), "empty"},
		{"Pad", nil, ins(x, accel.Ints64(1, 0, 0, 0), accel.NewArray(accel.Int32, 1)), "int32"},
		{"ConstantOfShape", nil, ins(accel.Ints64(2, -3)), "no shape"},
		{"ConstantOfShape", nil, ins(accel.Ints64(2), x), "one element"},
	})
}

func TestMovementGradients(t *testing.T) {
	x, y := distinct(1, 3, 4), distinct(2, 3, 2)
	one := func(v ...int) []*accel.Array { return ins(x, accel.Ints64(v...)) }
	axis := func(a int) accel.Attrs { return accel.Attrs{accel.Int("axis", a)} }
	mode := func(m string) accel.Attrs { return accel.Attrs{accel.String("mode", m)} }
	part := ins(x, accel.Ints64(2, 3), accel.Ints64(-4, 0), accel.Ints64(0, 1), accel.Ints64(-2, -1))
	checkGradCases(t, movementOps(), []gradCase{
		{"", "Identity", nil, ins(x), 0}, {"", "Reshape", nil, one(2, -1), 0}, {"", "Flatten", axis(0), ins(x), 0},
		{"", "Squeeze", nil, ins(distinct(3, 2, 1)), 0}, {"", "Unsqueeze", nil, one(1), 0},
		{"", "Transpose", nil, ins(distinct(4, 2, 3, 4)), 0},
		{"cycle", "Transpose", accel.Attrs{accel.Ints("perm", 1, 2, 0)}, ins(distinct(4, 2, 3, 4)), 0},
		{"columns", "Concat", axis(-1), ins(x, y), 0}, {"rows", "Concat", axis(0), ins(x, distinct(8, 1, 4)), 0},
		{"all", "Split", axis(1), one(1, 0, 3), 3}, {"some", "Split", axis(1), one(1, 1, 2), 2},
		{"rows", "Slice", nil, ins(x, accel.Ints64(1), accel.Ints64(3)), 0}, {"backwards", "Slice", nil, part, 0},
		{"", "SliceGrad", nil, ins(distinct(5, 2, 3), accel.Ints64(3, 4), accel.Ints64(2, 3), accel.Ints64(-4, 0), accel.Ints64(0, 1), accel.Ints64(-2, -1)), 0},
		{"", "Expand", nil, ins(distinct(6, 3, 1), accel.Ints64(2, 1, 4)), 0},
		{"", "Tile", nil, one(2, 3), 0}, {"", "ConstantOfShape", nil, ins(accel.Ints64(2, 3), float64s([]int{1}, 0.7)), 0},
		{"value", "Pad", nil, ins(x, accel.Ints64(1, 0, -1, 2), float64s([]int{1}, 0.3)), 0},
		{"one axis", "Pad", nil, ins(x, accel.Ints64(1, 2), nil, accel.Ints64(0)), 0},
		{"edge", "Pad", mode("edge"), one(1, 2, 3, 0), 0}, {"reflect", "Pad", mode("reflect"), one(1, 3, 2, 0), 0},
		{"wrap", "Pad", mode("wrap"), one(1, 5, 2, 0), 0},
		{"", "PadGrad", mode("reflect"), ins(distinct(7, 5, 5), accel.Ints64(3, 4), accel.Ints64(1, 1, 1, 0)), 0},
	})
}
