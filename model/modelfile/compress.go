package modelfile

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/model/codec"
	"github.com/millrace-go/millrace/model/prune"
	"github.com/millrace-go/millrace/model/quant"
	"github.com/millrace-go/millrace/model/weights"
)

// Coded is one tensor as it is stored: a name, a shape, and what codec.Encode
// made of its elements.
type Coded struct {
	Name    string
	Shape   []int
	Payload []byte
}

// Options say how Compress quantizes.
type Options struct {
	// Clusters is the largest number of codebook values of a tensor. The default is 32.
	Clusters int
	// MinSize leaves tensors of fewer elements as they are. The default is 16.
	MinSize int
	// Mask marks the elements that are stored as zero, whatever their value.
	Mask prune.Mask
}

const (
	defaultClusters = 32
	defaultMinSize  = 16
	// codebookSlack is the share by which storing a codebook in few bits may
	// raise the squared error of quantization.
	codebookSlack = 1e-3
	// gridBits is the precision of small tensors stored without a codebook:
	// better than a codebook's, where that costs no more.
	gridBits = 7
)

// Compress quantizes a set and codes it. The non-zero elements of each tensor
// become the values of a codebook, which is the optimum for its size (see
// quant.KMeans1D) rounded to few bits, or multiples of a power of two if that
// takes fewer bytes, as for short biases. Zeros stay zero. set is not written to. It fails
// on an element that is not finite.
func Compress(set weights.Set, opts Options) ([]Coded, error) {
	if opts.Clusters == 0 {
		opts.Clusters = defaultClusters
	}
	if opts.MinSize == 0 {
		opts.MinSize = defaultMinSize
	}
	set = set.Clone()
	if err := opts.Mask.Apply(set); err != nil {
		return nil, fmt.Errorf("modelfile.Compress: %w", err)
	}
	out := make([]Coded, len(set))
	for i, t := range set {
		payload, err := compressTensor(t, opts)
		if err != nil {
			return nil, fmt.Errorf("modelfile.Compress: tensor %q: %w", t.Name, err)
		}
		out[i] = Coded{t.Name, t.Shape(), payload}
	}
	return out, nil
}

func compressTensor(t weights.Tensor, opts Options) ([]byte, error) {
	data := t.Data()
	var nonZero []float32
	for i, x := range data {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return nil, fmt.Errorf("element %d is %v, want a finite weight", i, x)
		}
		if x == 0 {
			data[i] = 0 // no −0, which would be a value of its own
		} else {
			nonZero = append(nonZero, x)
		}
	}
	if len(data) < opts.MinSize || len(nonZero) == 0 {
		return codec.Encode(data)
	}
	codebook, _, err := quant.KMeans1D(nonZero, opts.Clusters)
	if err != nil {
		return nil, err
	}
	onGrid := append([]float32(nil), data...)
	quant.Apply(data, quant.Coarsest(nonZero, codebook, codebookSlack))
	quant.Round(onGrid, gridBits)
	return smaller(data, onGrid)
}

// smaller returns the shorter coding of two, the first among equals.
func smaller(a, b []float32) ([]byte, error) {
	pa, err := codec.Encode(a)
	if err != nil {
		return nil, err
	}
	pb, err := codec.Encode(b)
	if err != nil {
		return nil, err
	}
	if len(pb) < len(pa) {
		return pb, nil
	}
	return pa, nil
}

// Dense codes a set losslessly, without quantizing it.
func Dense(set weights.Set) ([]Coded, error) {
	out := make([]Coded, len(set))
	for i, t := range set {
		payload, err := codec.Encode(t.Data())
		if err != nil {
			return nil, fmt.Errorf("modelfile.Dense: tensor %q: %w", t.Name, err)
		}
		out[i] = Coded{t.Name, t.Shape(), payload}
	}
	return out, nil
}

// Tensors decodes coded tensors: the very values that a file of them gives.
func Tensors(coded []Coded) (weights.Set, error) {
	out := make(weights.Set, len(coded))
	for i, c := range coded {
		t, _, err := c.decode()
		if err != nil {
			return nil, err
		}
		out[i] = t
	}
	return out, nil
}

// decode makes the tensor; the caller has bounded its shape.
func (c Coded) decode() (weights.Tensor, codec.Stats, error) {
	t := weights.New(c.Name, c.Shape...)
	data, st, err := codec.Decode(c.Payload, len(t.Data()))
	if err != nil {
		return weights.Tensor{}, st, fmt.Errorf("modelfile: tensor %q: %w", c.Name, err)
	}
	copy(t.Data(), data)
	return t, st, nil
}
