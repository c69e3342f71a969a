package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/onnx/wire"
)

// charge takes the memory of a tensor from what is left.
func (im *importer) charge(t accel.DType, shape []int) error {
	n := accel.Size(shape)
	if n < 0 || int64(n) > im.left/int64(t.Size()) {
		return fmt.Errorf("%s%v takes the model's tensors beyond %d bytes: %w", t, shape, im.opt.MaxBytes, wire.ErrLimit)
	}
	im.left -= int64(n) * int64(t.Size())
	return nil
}

// array reads a tensor.
func (im *importer) array(t *wire.Tensor) (*accel.Array, error) {
	dtype, err := dtypeOf(t.Type)
	if err != nil {
		return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	raw, err := t.RawData()
	if err != nil {
		return nil, bare(err)
	}
	shape := make([]int, len(t.Dims))
	for i, d := range t.Dims {
		shape[i] = int(d)
	}
	if err := im.charge(dtype, shape); err != nil {
		return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	a := accel.NewArray(dtype, shape...)
	if err := readElements(a, t.Type, raw); err != nil {
		return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	return a, nil
}

// readElements fills a from the raw data of a file.
func readElements(a *accel.Array, t wire.DataType, raw wire.Blob) error {
	if t.Bits() < 8 {
		p, err := raw.Bytes()
		if err != nil {
			return err
		}
		p, err = wire.Unpack(t, p, a.Len())
		copy(a.Data, p)
		return err
	}
	n, err := raw.ReadAt(a.Data, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err // of the file, which says how much was to be read
	}
	if n < len(a.Data) {
		return fmt.Errorf("%d of %d bytes read", n, len(a.Data))
	}
	if a.DType == accel.Bool {
		for i, b := range a.Data {
			a.Data[i] = min(b, 1)
		}
	}
	toHost(a.Data, a.DType.Size())
	return nil
}

// toHost turns little-endian elements of size bytes into the host's order, and back.
func toHost(p []byte, size int) {
	if size == 1 || binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return
	}
	for ; len(p) >= size; p = p[size:] {
		slices.Reverse(p[:size])
	}
}

// dense writes out a sparse tensor.
func (im *importer) dense(s *wire.SparseTensor) (*accel.Array, error) {
	values, err := im.array(s.Values)
	if err != nil {
		return nil, err
	}
	shape := make([]int, len(s.Dims))
	for i, d := range s.Dims {
		shape[i] = int(d)
	}
	if err := im.charge(values.DType, shape); err != nil {
		return nil, fmt.Errorf("sparse tensor %q: %w", s.Values.Name, err)
	}
	out := accel.NewArray(values.DType, shape...)
	if s.Indices == nil {
		return out, nil
	}
	indices, err := im.array(s.Indices)
	if err != nil {
		return nil, err
	}
	size, rank := values.DType.Size(), len(s.Indices.Dims)
	for i := range values.Len() {
		at, err := position(accel.Values[int64](indices), i, rank, shape)
		if err != nil {
			return nil, fmt.Errorf("sparse tensor %q: %w", s.Values.Name, err)
		}
		copy(out.Data[at*size:(at+1)*size], values.Data[i*size:])
	}
	return out, nil
}

// position is where the i-th value of a sparse tensor stands: at an index of all
// elements if the indices have rank 1, at one index a dimension if 2.
func position(indices []int64, i, rank int, shape []int) (int, error) {
	if rank == 1 {
		if v := indices[i]; v >= 0 && v < int64(accel.Size(shape)) {
			return int(v), nil
		}
		return 0, fmt.Errorf("index %d of shape %v", indices[i], shape)
	}
	at := 0
	for d, n := range shape {
		v := indices[i*len(shape)+d]
		if v < 0 || v >= int64(n) {
			return 0, fmt.Errorf("index %d of dimension %d of shape %v", v, d, shape)
		}
		at = at*n + int(v)
	}
	return at, nil
}

// tensorOf is an array as a file holds it. It shares memory with a where it can.
func tensorOf(name string, a *accel.Array) (*wire.Tensor, error) {
	dataType, ok := dataTypes[a.DType]
	if !ok {
		return nil, fmt.Errorf("tensor %q: no element type %s in ONNX", name, a.DType)
	}
	t := &wire.Tensor{Name: name, Type: dataType, Dims: make([]int64, len(a.Shape))}
	for i, d := range a.Shape {
		t.Dims[i] = int64(d)
	}
	data := a.Data
	if dataType.Bits() < 8 {
		var err error
		if data, err = wire.Pack(dataType, data); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
	} else if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		data = slices.Clone(data)
		toHost(data, a.DType.Size())
	}
	t.Raw = wire.NewBlob(data)
	return t, nil
}
