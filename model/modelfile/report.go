package modelfile

import (
	"io"

	"github.com/millrace-go/millrace/model/codec"
	"github.com/millrace-go/millrace/model/weights"
)

// TensorReport says how one tensor is stored.
type TensorReport struct {
	Name     string `json:"name"`
	Shape    []int  `json:"shape"`
	Elements int    `json:"elements"`
	NonZeros int    `json:"non_zeros"`
	// Encoding names the codings of its parts, such as "golomb gaps, grid codebook".
	Encoding string `json:"encoding"`
	// Codebook is the number of codebook values, 0 without a codebook.
	Codebook int `json:"codebook"`
	// Bits is what it takes in the file, its length included.
	Bits int `json:"bits"`
	// BitsPerWeight is Bits over Elements.
	BitsPerWeight float64 `json:"bits_per_weight"`
	// GapBits and ValueBits are where the non-zeros are, and what they are, tables included.
	GapBits   int `json:"gap_bits"`
	ValueBits int `json:"value_bits"`
}

// Report says how a model is stored.
type Report struct {
	Tensors    []TensorReport `json:"tensors"`
	Parameters int            `json:"parameters"`
	// DenseBytes is 4 bytes a parameter.
	DenseBytes int64 `json:"dense_bytes"`
	// FileBytes is the whole file; HeaderBytes of them are neither tensors nor their lengths.
	FileBytes   int64 `json:"file_bytes"`
	HeaderBytes int64 `json:"header_bytes"`
	// Ratio is DenseBytes over FileBytes.
	Ratio float64 `json:"ratio"`
	// Sparsity is the share of zeros among all parameters.
	Sparsity float64 `json:"sparsity"`
}

// Inspect says how the model in a file is stored.
func Inspect(r io.ReaderAt, size int64) (Report, error) {
	f, err := Decode(r, size)
	if err != nil {
		return Report{}, err
	}
	return f.Report, nil
}

func (r *Report) add(t weights.Tensor, st codec.Stats, payload int) {
	tr := TensorReport{
		Name: t.Name, Shape: t.Shape(), Elements: len(t.Data()), NonZeros: st.NonZeros,
		Encoding: st.Layout, Codebook: st.Codebook,
		Bits: 8 * (payload + uvarintLen(payload)), GapBits: st.GapBits, ValueBits: st.ValueBits,
	}
	if tr.Elements > 0 {
		tr.BitsPerWeight = float64(tr.Bits) / float64(tr.Elements)
	}
	r.Tensors = append(r.Tensors, tr)
}

func uvarintLen(n int) int {
	size := 1
	for ; n >= 1<<7; n >>= 7 {
		size++
	}
	return size
}

// finish computes the totals for a file of size bytes.
func (r *Report) finish(size int64) {
	nonZeros := 0
	for _, t := range r.Tensors {
		r.Parameters += t.Elements
		nonZeros += t.NonZeros
	}
	r.DenseBytes, r.FileBytes = 4*int64(r.Parameters), size
	r.Ratio = float64(r.DenseBytes) / float64(size)
	if r.Parameters > 0 {
		r.Sparsity = 1 - float64(nonZeros)/float64(r.Parameters)
	}
}
