package modelfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/model/arch"
	"github.com/millrace-go/millrace/model/nn"
	"github.com/millrace-go/millrace/model/prune"
	"github.com/millrace-go/millrace/model/weights"
)

// network returns a convolutional network of 40,394 normal weights, as large
// as the one for the handwritten digits.
func network(seed uint64) weights.Set {
	rng := rand.New(rand.NewPCG(seed, 1))
	set := weights.Set{
		weights.New("conv1.weight", 16, 1, 3, 3), weights.New("conv1.bias", 16),
		weights.New("conv2.weight", 32, 16, 3, 3), weights.New("conv2.bias", 32),
		weights.New("fc1.weight", 256, 128), weights.New("fc1.bias", 256),
		weights.New("out.weight", 10, 256), weights.New("out.bias", 10),
	}
	for _, t := range set {
		for i := range t.Data() {
			t.Data()[i] = float32(rng.NormFloat64() * 0.1)
		}
	}
	return set
}

func digitsHeader() Header {
	return Header{
		Arch:    arch.Config{Name: "convnet", Image: []int{1, 8, 8}, Channels: []int{16, 32}, Hidden: []int{256}},
		Inputs:  []nn.Input{{Name: "pixels", DType: "float32", Shape: []int{64}}},
		Classes: strings.Split("0123456789", ""), Label: "label",
		PlanDigest: "sha256:09f66e6debdee2cd8f1d5f4e2b1a7c3d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b",
	}
}

func pruned(t *testing.T, set weights.Set, sparsity float64) prune.Mask {
	t.Helper()
	mask, err := prune.Global(set, prune.Matrices(set), sparsity)
	if err != nil {
		t.Fatal(err)
	}
	return mask
}

// file compresses a network at 90 % sparsity.
func file(t *testing.T, seed uint64) (data []byte, digest string, coded []Coded) {
	t.Helper()
	set := network(seed)
	coded, err := Compress(set, Options{Mask: pruned(t, set, 0.9)})
	if err != nil {
		t.Fatal(err)
	}
	data, digest, err = EncodeBytes(digitsHeader(), coded)
	if err != nil {
		t.Fatal(err)
	}
	return data, digest, coded
}

func sameSet(t *testing.T, got, want weights.Set) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d tensors, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i].Name != want[i].Name || !slices.Equal(got[i].Shape(), want[i].Shape()) {
			t.Errorf("tensor %d: %q %v, want %q %v", i, got[i].Name, got[i].Shape(), want[i].Name, want[i].Shape())
		}
		for j, x := range want[i].Data() {
			if math.Float32bits(got[i].Data()[j]) != math.Float32bits(x) {
				t.Fatalf("%s[%d] = %v, want %v", want[i].Name, j, got[i].Data()[j], x)
			}
		}
	}
}

func TestRoundTrip(t *testing.T) {
	data, digest, coded := file(t, 1)
	f, err := DecodeBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Tensors(coded)
	if err != nil {
		t.Fatal(err)
	}
	sameSet(t, f.Tensors, want)
	if !reflect.DeepEqual(f.Header, digitsHeader()) {
		t.Errorf("header %+v, want %+v", f.Header, digitsHeader())
	}
	if sum := sha256.Sum256(data); f.Digest != digest || digest != digestString(sum[:]) {
		t.Errorf("digests %s from Encode, %s from Decode, want that of the file", digest, f.Digest)
	}
	again, _, _ := file(t, 1)
	if !bytes.Equal(again, data) {
		t.Error("two encodings of the same model differ")
	}
}

// Of the network's 40,394 normal weights, 40,080 are prunable, and 36,072 of
// these zero at 90 %. Where the 4,008 others are takes 0.469 bits an element,
// what they are about 4.7 bits each: 4,700 bytes. Biases, codebooks and header add
// 600; so a code near the entropy makes the file 30 times smaller.
func TestRatio(t *testing.T) {
	data, _, _ := file(t, 1)
	r, err := Inspect(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if r.Parameters != 40394 || r.DenseBytes != 4*40394 || r.FileBytes != int64(len(data)) {
		t.Errorf("report %d parameters, %d dense, %d bytes; want 40394, 161576, %d", r.Parameters, r.DenseBytes, r.FileBytes, len(data))
	}
	if !(r.Ratio >= 30) {
		t.Errorf("ratio %.2f, want 30", r.Ratio)
	}
	// 0.9 * 40080 = 36072 zeros of 40394.
	if want := 36072.0 / 40394; math.Abs(r.Sparsity-want) > 1e-9 {
		t.Errorf("sparsity %v, want %v", r.Sparsity, want)
	}
	if r.HeaderBytes > 200 {
		t.Errorf("the header takes %d bytes, want at most 200", r.HeaderBytes)
	}
	bits := 8 * int(r.HeaderBytes)
	for _, tr := range r.Tensors {
		bits += tr.Bits
	}
	if bits != 8*len(data) {
		t.Errorf("the parts take %d bits, the file %d", bits, 8*len(data))
	}
}

// A quantized weight may be off by half the distance of its neighbours in the
// codebook. 32 values for normal weights lose about 1/32²: the signal-to-noise
// ratio must be above 500.
func TestCompressError(t *testing.T) {
	set := network(2)
	mask := pruned(t, set, 0.5)
	coded, err := Compress(set, Options{Mask: mask})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Tensors(coded)
	if err != nil {
		t.Fatal(err)
	}
	want := set.Clone()
	if err := mask.Apply(want); err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		signal, noise := 0.0, 0.0
		for j, x := range w.Data() {
			y := got[i].Data()[j]
			if (x == 0) != (y == 0) {
				t.Fatalf("%s[%d]: %v became %v: zeros must stay, others must not become zero", w.Name, j, x, y)
			}
			signal += float64(x) * float64(x)
			noise += (float64(x) - float64(y)) * (float64(x) - float64(y))
		}
		if !(signal >= 500*noise) {
			t.Errorf("%s: signal %g, noise %g, want 500 times less", w.Name, signal, noise)
		}
	}
	sameSet(t, set, network(2)) // the input is untouched
}

func TestDense(t *testing.T) {
	set := network(3)
	set = append(set, weights.New("scalar"), weights.New("none", 0, 4), weights.New("zeros", 3, 5))
	set[0].Data()[7] = float32(math.Inf(1))
	coded, err := Dense(set)
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := EncodeBytes(Header{}, coded)
	if err != nil {
		t.Fatal(err)
	}
	f, err := DecodeBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	sameSet(t, f.Tensors, set)
	if got, limit := len(data), 4*set.Len()+300; got > limit {
		t.Errorf("%d bytes, want at most %d", got, limit)
	}
}

func TestCompressRejects(t *testing.T) {
	set := network(1)
	set[4].Data()[5] = float32(math.NaN())
	if _, err := Compress(set, Options{}); err == nil || !strings.Contains(err.Error(), `tensor "fc1.weight": element 5`) {
		t.Errorf("NaN weight: %v", err)
	}
	mask := pruned(t, network(1), 0.5)
	if _, err := Compress(network(1)[1:], Options{Mask: mask}); err == nil {
		t.Error("a mask of another model: no error")
	}
}

// small is a file of a few hundred bytes with every kind of part.
func small(t testing.TB) []byte {
	set := weights.Set{weights.New("a", 40), weights.New("b", 2, 3), weights.New("c", 10, 20)}
	for i := range set[0].Data() {
		set[0].Data()[i] = float32(i%7) / 7
	}
	copy(set[1].Data(), []float32{1, -2, 3.5, 0, 1e-20, 4})
	for i := 0; i < 200; i += 9 {
		set[2].Data()[i] = float32(i%4) - 1.5
	}
	coded, err := Compress(set, Options{Clusters: 4})
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := EncodeBytes(Header{Label: "y", Classes: []string{"n", "p"}}, coded)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEveryDamageIsFound(t *testing.T) {
	data := small(t)
	if _, err := DecodeBytes(data); err != nil {
		t.Fatal(err)
	}
	for n := range data {
		if _, err := DecodeBytes(data[:n]); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut to %d of %d bytes: %v, want ErrDamaged", n, len(data), err)
		}
	}
	for i := range data {
		for bit := range 8 {
			bad := bytes.Clone(data)
			bad[i] ^= 1 << bit
			if _, err := DecodeBytes(bad); !errors.Is(err, ErrDamaged) {
				t.Fatalf("byte %d bit %d flipped: %v, want ErrDamaged", i, bit, err)
			}
		}
	}
	if _, err := DecodeBytes(append(bytes.Clone(data), 0)); !errors.Is(err, ErrDamaged) {
		t.Errorf("one byte more: %v, want ErrDamaged", err)
	}
}

// sealed replaces the trailing digest by the right one.
func sealed(data []byte) []byte {
	if len(data) < sha256.Size {
		return data
	}
	body := data[:len(data)-sha256.Size]
	sum := sha256.Sum256(body)
	return append(bytes.Clone(body), sum[:]...)
}

// A flipped byte below a right digest must not panic; where it is accepted,
// it has changed a value or a name, and what was read can be written again.
func TestDamageBelowARightDigest(t *testing.T) {
	data := small(t)
	rejected := 0
	for i := range len(data) - sha256.Size {
		for bit := range 8 {
			bad := bytes.Clone(data)
			bad[i] ^= 1 << bit
			f, err := DecodeBytes(sealed(bad))
			if err != nil {
				rejected++
				if !strings.Contains(err.Error(), "digest is right") {
					t.Fatalf("byte %d bit %d: %v", i, bit, err)
				}
				continue
			}
			if _, err := Dense(f.Tensors); err != nil {
				t.Fatalf("byte %d bit %d: cannot write what was read: %v", i, bit, err)
			}
		}
	}
	if rejected == 0 {
		t.Error("nothing was rejected")
	}
}

// handmade builds a file around a JSON header, with a right digest.
func handmade(header string, payload ...byte) []byte {
	out := []byte(magic)
	out = binary.AppendUvarint(out, uint64(len(header)))
	out = binary.AppendUvarint(out, 0)
	out = append(append(out, header...), payload...)
	return sealed(append(out, make([]byte, sha256.Size)...))
}

func TestRejectsWrongContent(t *testing.T) {
	tests := []struct{ name, header, want string }{
		{"no JSON", `x`, "invalid character"},
		{"two values", `{}{}`, "text after its end"},
		{"unknown key", `{"speed":1}`, "unknown field"},
		{"huge", `{"tensors":[{"name":"a","shape":[2147483647]}]}`, "more elements than a file"},
		{"huge in sum", `{"tensors":[{"name":"a","shape":[4000000]},{"name":"b","shape":[4000000]}]}`, `tensor "b": more elements`},
		{"product overflows", `{"tensors":[{"name":"a","shape":[65536,65536,65536,65536]}]}`, "fewer than 2^31"},
		{"negative", `{"tensors":[{"name":"a","shape":[-1]}]}`, "want dimensions of 0"},
		{"rank", `{"tensors":[{"name":"a","shape":[` + strings.Repeat("1,", 16) + `1]}]}`, "17 dimensions"},
		{"twice", `{"tensors":[{"name":"a","shape":[0]},{"name":"a","shape":[0]}]}`, `"a" twice`},
		{"no payload", `{"tensors":[{"name":"a","shape":[1]}]}`, "EOF"},
	}
	for _, tc := range tests {
		_, err := DecodeBytes(handmade(tc.header))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
	if _, err := DecodeBytes(handmade(`{}`, 1, 2, 3)); err == nil || !strings.Contains(err.Error(), "3 unused bytes") {
		t.Errorf("bytes after the last tensor: %v", err)
	}
	if _, err := DecodeBytes(sealed(append([]byte("MLR\x02"), make([]byte, 40)...))); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("version 2: %v", err)
	}
	if _, _, err := EncodeBytes(Header{}, []Coded{{"a", []int{1 << 23}, []byte{0}}}); err == nil {
		t.Error("Encode wrote what Decode would refuse")
	}
}

// A deflated header that inflates for ever must end at the stated length.
func TestInflateIsBounded(t *testing.T) {
	stored, inflated, err := encodeHeader(index{Header: Header{Label: strings.Repeat("x", 1<<20)}})
	if err != nil || inflated < 1<<20 {
		t.Fatalf("inflated %d, %v", inflated, err)
	}
	if _, err := decodeHeader(stored, uint64(inflated)); err != nil {
		t.Errorf("right length: %v", err)
	}
	for _, n := range []uint64{1, uint64(inflated) - 1, uint64(inflated) + 1, maxHeader + 1, 1 << 63} {
		if _, err := decodeHeader(stored, n); err == nil {
			t.Errorf("%d bytes stated: no error", n)
		}
	}
}

// failing accepts n bytes.
type failing struct{ n int }

func (f *failing) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	data, _, coded := file(t, 1)
	for n := 0; n < len(data); n += 97 {
		if digest, _, err := Encode(&failing{n}, digitsHeader(), coded); err == nil || digest != "" {
			t.Fatalf("writer failing after %d bytes: digest %q, error %v", n, digest, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(small(f))
	f.Add(handmade(`{"tensors":[{"name":"a","shape":[1]}]}`, 1, 0))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := DecodeBytes(data); err == nil && !bytes.Equal(sealed(data), data) {
			t.Error("accepted a wrong digest")
		}
		got, err := DecodeBytes(sealed(data))
		if err != nil {
			return
		}
		coded, err := Dense(got.Tensors)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Tensors(coded)
		if err != nil {
			t.Fatal(err)
		}
		sameSet(t, again, got.Tensors)
	})
}
