package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// window is how a kernel slides over the spatial dimensions of a tensor (N, C,
// d1, …): the attributes of convolutions and pools with every default resolved.
type window struct {
	kernel, strides, dilations []int
	begin, end                 []int // pads
	out                        []int
}

// windowOf resolves the attributes kernel_shape, strides, dilations, pads and
// auto_pad for spatial sizes in. kernel is the shape of the weights, nil for a pool.
func windowOf(a accel.Attrs, in, kernel []int) (window, error) {
	w, err := windowBase(a, len(in), kernel)
	if err != nil {
		return w, err
	}
	w.out = make([]int, len(in))
	for i, size := range in {
		span := (w.kernel[i]-1)*w.dilations[i] + 1
		switch mode := a.Str("auto_pad", "NOTSET"); mode {
		case "SAME_UPPER", "SAME_LOWER":
			w.out[i] = (size + w.strides[i] - 1) / w.strides[i]
			w.begin[i], w.end[i] = halves(max(0, (w.out[i]-1)*w.strides[i]+span-size), mode == "SAME_UPPER")
			continue
		case "VALID":
			w.begin[i], w.end[i] = 0, 0
		}
		room := size + w.begin[i] + w.end[i] - span
		if room < 0 {
			return w, fmt.Errorf("window of %d with pads %d and %d does not fit into %d", span, w.begin[i], w.end[i], size)
		}
		w.out[i] = room/w.strides[i] + 1
		if a.Int("ceil_mode", 0) != 0 {
			w.out[i] = (room+w.strides[i]-1)/w.strides[i] + 1
			if (w.out[i]-1)*w.strides[i] >= size+w.begin[i] {
				w.out[i]-- // a window that would start in the padding behind
			}
		}
	}
	return w, nil
}

// halves splits padding in two; upper puts the larger half at the end.
func halves(total int, upper bool) (begin, end int) {
	if upper {
		return total / 2, total - total/2
	}
	return total - total/2, total / 2
}

// windowBase reads the attributes that do not depend on sizes.
func windowBase(a accel.Attrs, rank int, kernel []int) (window, error) {
	w := window{kernel: kernel, strides: a.Ints("strides"), dilations: a.Ints("dilations")}
	if k := a.Ints("kernel_shape"); k != nil {
		if kernel != nil && !slices.Equal(k, kernel) {
			return w, fmt.Errorf("kernel_shape %v, but the weights are of %v", k, kernel)
		}
		w.kernel = k
	}
	if w.strides == nil {
		w.strides = slices.Repeat([]int{1}, rank)
	}
	if w.dilations == nil {
		w.dilations = slices.Repeat([]int{1}, rank)
	}
	pads := a.Ints("pads")
	if pads == nil || a.Str("auto_pad", "NOTSET") != "NOTSET" {
		pads = make([]int, 2*rank)
	}
	if len(w.kernel) != rank || len(w.strides) != rank || len(w.dilations) != rank || len(pads) != 2*rank {
		return w, fmt.Errorf("kernel %v, strides %v, dilations %v, pads %v: want %d, %d, %d and %d numbers", w.kernel, w.strides, w.dilations, pads, rank, rank, rank, 2*rank)
	}
	if slices.Min(append([]int{1}, slices.Concat(w.kernel, w.strides, w.dilations)...)) < 1 || slices.Min(append([]int{0}, pads...)) < 0 {
		return w, fmt.Errorf("kernel %v, strides %v, dilations %v, pads %v: want positive numbers", w.kernel, w.strides, w.dilations, pads)
	}
	switch a.Str("auto_pad", "NOTSET") {
	case "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID":
	default:
		return w, fmt.Errorf("auto_pad %q", a.Str("auto_pad", ""))
	}
	w.begin, w.end = slices.Clone(pads[:rank]), slices.Clone(pads[rank:])
	return w, nil
}

// attrs writes the window out in full, in place of what a had.
func (w window) attrs(a accel.Attrs) accel.Attrs {
	return append(a.Without("auto_pad", "kernel_shape", "strides", "dilations", "pads", "output_shape", "output_padding"),
		accel.Ints("kernel_shape", w.kernel...), accel.Ints("strides", w.strides...), accel.Ints("dilations", w.dilations...),
		accel.Ints("pads", slices.Concat(w.begin, w.end)...))
}

// spelled reports whether the attributes give the window in full: kernels take
// no others.
func spelled(n *Node) bool {
	a := n.Attrs
	return a.Str("auto_pad", "NOTSET") == "NOTSET" && a.Ints("kernel_shape") != nil && a.Ints("strides") != nil &&
		a.Ints("dilations") != nil && a.Ints("pads") != nil && !a.Has("output_shape")
}
