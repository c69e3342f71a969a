package extent

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
)

// Resize is what ONNX's Resize does along each dimension.
type Resize struct {
	Axes []ResizeAxis
	// Outside is the value of what lies outside the original: see Taps.
	Outside float64
	attrs   accel.Attrs
	mode    string
}

// ResizeAxis is Resize along one dimension.
type ResizeAxis struct {
	In, Out  int
	scale    float64
	from, to float64 // the region of interest, as parts of the original
}

// NewResize resolves attributes and inputs of a Resize of the given shape. Of
// scales and sizes one is there; nil and empty are the same.
func NewResize(shape []int, attrs accel.Attrs, roi, scales, sizes *accel.Array) (*Resize, error) {
	r := &Resize{Axes: make([]ResizeAxis, len(shape)), attrs: attrs, mode: attrs.Str("mode", "nearest"), Outside: attrs.Float("extrapolation_value", 0)}
	for d, n := range shape {
		r.Axes[d] = ResizeAxis{n, n, 1, 0, 1}
	}
	var given []int
	if attrs.Has("axes") {
		given = attrs.Ints("axes")
	}
	axes, err := Axes(given, len(shape))
	if err != nil {
		return nil, err
	}
	roi, scales, sizes = present(roi), present(scales), present(sizes)
	for _, in := range []*accel.Array{scales, sizes} {
		if in != nil && in.Len() != len(axes) {
			return nil, fmt.Errorf("%v for %d axes", in, len(axes))
		}
	}
	switch {
	case scales != nil && sizes == nil:
		err = r.byScales(axes, scales)
	case sizes != nil && scales == nil:
		err = r.bySizes(axes, sizes)
	default:
		err = fmt.Errorf("scales and sizes: want one of them")
	}
	if err != nil {
		return nil, err
	}
	return r, r.regions(axes, roi)
}

func present(a *accel.Array) *accel.Array {
	if a != nil && a.Len() == 0 {
		return nil
	}
	return a
}

func (r *Resize) byScales(axes []int, scales *accel.Array) error {
	for i, d := range axes {
		s := Float(scales, i)
		n := math.Floor(float64(float32(s) * float32(r.Axes[d].In))) // in float32, as ONNX's shape inference
		if !(s > 0) || n > most {
			return fmt.Errorf("scale %g of a dimension of %d", s, r.Axes[d].In)
		}
		r.Axes[d].scale, r.Axes[d].Out = s, int(n)
	}
	return nil
}

// bySizes makes the sizes, or the largest or smallest ones of the same aspect ratio.
func (r *Resize) bySizes(axes []int, sizes *accel.Array) error {
	least, greatest := math.Inf(1), math.Inf(-1)
	for i, d := range axes {
		a := &r.Axes[d]
		a.Out = int(Int(sizes, i))
		if a.Out < 0 || a.Out > most || a.In == 0 && a.Out > 0 {
			return fmt.Errorf("size %d of a dimension of %d", a.Out, a.In)
		}
		if a.In > 0 {
			a.scale = float64(a.Out) / float64(a.In)
		}
		least, greatest = min(least, a.scale), max(greatest, a.scale)
	}
	scale := least
	switch policy := r.attrs.Str("keep_aspect_ratio_policy", "stretch"); policy {
	case "stretch":
		return nil
	case "not_larger":
	case "not_smaller":
		scale = greatest
	default:
		return fmt.Errorf("keep_aspect_ratio_policy %q", policy)
	}
	for _, d := range axes {
		a := &r.Axes[d]
		a.scale, a.Out = scale, int(math.Floor(scale*float64(a.In)+0.5))
	}
	return nil
}

func (r *Resize) regions(axes []int, roi *accel.Array) error {
	if r.attrs.Str("coordinate_transformation_mode", "half_pixel") != "tf_crop_and_resize" {
		return nil
	}
	if roi == nil || roi.Len() != 2*len(axes) || !roi.DType.IsFloat() {
		return fmt.Errorf("region of interest %v, want a start and an end of %d axes", roi, len(axes))
	}
	for i, d := range axes {
		r.Axes[d].from, r.Axes[d].to = Float(roi, i), Float(roi, len(axes)+i)
	}
	return nil
}

// Shape is the shape of the result.
func (r *Resize) Shape() []int {
	out := make([]int, len(r.Axes))
	for d, a := range r.Axes {
		out[d] = a.Out
	}
	return out
}

// Same reports whether dimension d stays as it is.
func (r *Resize) Same(d int) bool {
	a := r.Axes[d]
	return a.In == a.Out && a.scale == 1 && a.from == 0 && a.to == 1
}

// Taps is how the elements of a dimension are made of the original's: element i
// is the sum over k < K of Weight[i·K+k] times element Index[i·K+k]. Where
// Outside[i], it is the value for that instead.
type Taps struct {
	K       int
	Index   []int
	Weight  []float64
	Outside []bool
}

// Taps computes the table of dimension d. Positions and weights are those of
// ONNX's definition; see Keys, "Cubic convolution interpolation for digital image
// processing", IEEE TASSP 29 (1981) for mode cubic. Beyond the border lie copies of it.
func (r *Resize) Taps(d int) (*Taps, error) {
	a := r.Axes[d]
	weights, err := r.weights(a)
	if err != nil {
		return nil, err
	}
	t := &Taps{Outside: make([]bool, a.Out)}
	for i := range a.Out {
		x, outside, err := r.position(a, float64(i))
		if err != nil {
			return nil, err
		}
		base := math.Ceil(x) - 1 // so that 0 < x - base ≤ 1
		w, first := weights(x - base)
		first += int(base)
		t.K, t.Outside[i] = len(w), outside
		r.finish(a, w, first, outside)
		for k, v := range w {
			t.Index = append(t.Index, clamp(first+k, 0, a.In-1))
			t.Weight = append(t.Weight, v)
		}
	}
	return t, nil
}

// finish makes the weights of what does not count zero.
func (r *Resize) finish(a ResizeAxis, w []float64, first int, outside bool) {
	if outside {
		clear(w)
		return
	}
	if !r.attrs.Bool("exclude_outside", false) {
		return
	}
	inside, sum := func(k int) bool { return first+k >= 0 && first+k < a.In }, 0.0
	for k, v := range w {
		if inside(k) {
			sum += v
		}
	}
	for k := range w {
		switch {
		case sum == 0: // nothing counts but the border
		case inside(k):
			w[k] /= sum
		default:
			w[k] = 0
		}
	}
}

// position is where element i of the result lies in the original, and whether
// that is outside of it, which matters in mode tf_crop_and_resize only.
func (r *Resize) position(a ResizeAxis, i float64) (x float64, outside bool, err error) {
	in := float64(a.In)
	out := a.scale * in // not rounded
	switch mode := r.attrs.Str("coordinate_transformation_mode", "half_pixel"); mode {
	case "half_pixel":
		return (i+0.5)/a.scale - 0.5, false, nil
	case "half_pixel_symmetric":
		return in/2*(1-float64(a.Out)/out) + (i+0.5)/a.scale - 0.5, false, nil
	case "pytorch_half_pixel":
		if out == 1 {
			return -0.5, false, nil
		}
		return (i+0.5)/a.scale - 0.5, false, nil
	case "align_corners":
		if out == 1 {
			return 0, false, nil
		}
		return i * (in - 1) / (out - 1), false, nil
	case "asymmetric":
		return i / a.scale, false, nil
	case "tf_crop_and_resize":
		x = (a.to - a.from) * (in - 1) / 2
		if out != 1 {
			x = i * (a.to - a.from) * (in - 1) / (out - 1)
		}
		x += a.from * (in - 1)
		return x, x < 0 || x > in-1, nil
	default:
		return 0, false, fmt.Errorf("coordinate_transformation_mode %q", mode)
	}
}

// weights returns the function that gives the weights of the elements from
// base + first on, for a position base + ratio with 0 < ratio ≤ 1.
func (r *Resize) weights(a ResizeAxis) (func(ratio float64) (w []float64, first int), error) {
	shrink := 1.0
	if r.attrs.Bool("antialias", false) {
		shrink = min(a.scale, 1)
	}
	switch r.mode {
	case "nearest":
		return r.nearest()
	case "linear":
		return filter(1, shrink, func(x float64) float64 { return max(0, 1-math.Abs(x)) }), nil
	case "cubic":
		c := r.attrs.Float("cubic_coeff_a", -0.75)
		return filter(2, shrink, func(x float64) float64 { return Cubic(math.Abs(x), c) }), nil
	}
	return nil, fmt.Errorf("mode %q, want nearest, linear or cubic", r.mode)
}

// filter samples a kernel that is zero beyond ±radius; shrink < 1 makes it
// wider by 1/shrink, and then the weights are normalised.
func filter(radius, shrink float64, kernel func(x float64) float64) func(ratio float64) ([]float64, int) {
	first := int(math.Floor(-radius/shrink)) + 1
	return func(ratio float64) ([]float64, int) {
		w, sum := make([]float64, 2-2*first), 0.0
		for k := range w {
			w[k] = kernel((float64(first+k) - ratio) * shrink)
			sum += w[k]
		}
		for k := range w {
			if shrink < 1 {
				w[k] /= sum
			}
		}
		return w, first
	}
}

// Cubic is Keys' kernel with parameter a at a distance x ≥ 0.
func Cubic(x, a float64) float64 {
	switch {
	case x <= 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return ((a*x-5*a)*x+8*a)*x - 4*a
	}
	return 0
}

func (r *Resize) nearest() (func(ratio float64) ([]float64, int), error) {
	var up func(ratio float64) bool
	switch m := r.attrs.Str("nearest_mode", "round_prefer_floor"); m {
	case "round_prefer_floor":
		up = func(ratio float64) bool { return ratio > 0.5 }
	case "round_prefer_ceil":
		up = func(ratio float64) bool { return ratio >= 0.5 }
	case "floor":
		up = func(ratio float64) bool { return ratio == 1 }
	case "ceil":
		up = func(float64) bool { return true }
	default:
		return nil, fmt.Errorf("nearest_mode %q", m)
	}
	return func(ratio float64) ([]float64, int) {
		if up(ratio) {
			return []float64{1}, 1
		}
		return []float64{1}, 0
	}, nil
}
