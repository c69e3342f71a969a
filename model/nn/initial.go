package nn

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel/counter"
	"github.com/millrace-go/millrace/accel/philox"
	"github.com/millrace-go/millrace/model/weights"
)

// Initializer is how a parameter begins: it fills a tensor with the draws of a
// random variable, on the stream that belongs to the tensor. Streams of other IDs but
// the same key are its own as well.
type Initializer func(t weights.Tensor, s philox.Stream) error

// Fill initialises a parameter. The result is a function of seed, the tensor's
// name and its shape: with all but Orthogonal, element i is one of (seed, name, i)
// alone but for the scale that the shape gives. The bits are the same on every CPU.
func (in Initializer) Fill(t weights.Tensor, seed uint64) error {
	if err := in(t, philox.Stream{Key: counter.Key(seed, "init", t.Name)}); err != nil {
		return fmt.Errorf("nn: initial values of %q: %w", t.Name, err)
	}
	return nil
}

// Zeros is for biases.
func Zeros() Initializer { return Constant(0) }

// Ones is for the gains of normalisations.
func Ones() Initializer { return Constant(1) }

// Constant gives all elements one value.
func Constant(value float64) Initializer {
	return func(t weights.Tensor, _ philox.Stream) error {
		if !isFinite(value) {
			return fmt.Errorf("value %v, want a finite one", value)
		}
		data := t.Data()
		for i := range data {
			data[i] = float32(value)
		}
		return nil
	}
}

// Uniform draws from low to high: their middle and (2u-1) times half their distance,
// with u a multiple of 2⁻⁵³ of [0, 1). That is exact arithmetic but for the last two
// roundings; u comes of the stream's key by package counter, not of the stream.
func Uniform(low, high float64) Initializer {
	return func(t weights.Tensor, s philox.Stream) error {
		if !isFinite(high-low) || !(low <= high) {
			return fmt.Errorf("uniform from %v to %v, want finite bounds, the lower first", low, high)
		}
		half := (high - low) / 2
		middle, data := low+half, t.Data()
		for i := range data {
			data[i] = float32(middle + float64(half*(2*counter.Float64(s.Key, uint64(i))-1)))
		}
		return nil
	}
}

// Normal draws from the normal distribution.
func Normal(mean, deviation float64) Initializer {
	return func(t weights.Tensor, s philox.Stream) error {
		if !isFinite(mean) || !isFinite(deviation) || !(deviation >= 0) {
			return fmt.Errorf("normal of mean %v and deviation %v, want finite numbers, and no negative deviation", mean, deviation)
		}
		data := t.Data()
		s.Normal(data, 0)
		affine(data, mean, deviation)
		return nil
	}
}

func affine(data []float32, mean, deviation float64) {
	for i, z := range data {
		data[i] = float32(mean + float64(deviation*float64(z)))
	}
}

// minLimit keeps TruncatedNormal from throwing most draws away: 38 % of a normal
// distribution are within half a deviation.
const minLimit = 0.5

// TruncatedNormal draws from the normal distribution of mean and deviation, and
// again where a draw is further than limit deviations from the mean; 2 is usual.
// The limit is at least 0.5. The deviation of what is left is smaller: 0.88 of it for limit 2.
func TruncatedNormal(mean, deviation, limit float64) Initializer {
	return func(t weights.Tensor, s philox.Stream) error {
		if !(limit >= minLimit) {
			return fmt.Errorf("normal truncated at %v deviations, want at least %v", limit, minLimit)
		}
		if !isFinite(mean) || !isFinite(deviation) || !(deviation >= 0) {
			return fmt.Errorf("normal of mean %v and deviation %v, want finite numbers, and no negative deviation", mean, deviation)
		}
		data := t.Data()
		s.Normal(data, 0)
		for i := range data {
			again := s // the stream of the k-th attempt has ID k more
			for math.Abs(float64(data[i])) > limit {
				again.ID++
				again.Normal(data[i:i+1], uint64(i))
			}
		}
		affine(data, mean, deviation)
		return nil
	}
}

// Fan says whose variance a Kaiming initializer keeps.
type Fan uint8

// Weights are (out, in, …), as in Gemm with transB, Conv and PyTorch: FanIn, the
// product of all dimensions but the first, keeps the variance forward; FanOut,
// all but the second, backward. For (in, out) weights, as MatMul has them, take the other one.
const (
	FanIn Fan = iota
	FanOut
)

// The gains of activations: how much larger weights must be where one follows,
// as PyTorch's calculate_gain has them.
const (
	GainLinear = 1 // and Sigmoid
	GainTanh   = 5.0 / 3
	GainSelu   = 3.0 / 4
	GainRelu   = math.Sqrt2
)

// GainLeakyRelu is √(2/(1+slope²)).
func GainLeakyRelu(slope float64) float64 { return math.Sqrt(2 / (1 + float64(slope*slope))) }

// XavierUniform draws from -b to b with b = gain*√(6/(fan in + fan out)): Glorot
// & Bengio, AISTATS 2010. Weights have two dimensions or more.
func XavierUniform(gain float64) Initializer {
	return scaled(func(in, out float64) Initializer {
		b := gain * math.Sqrt(6/(in+out))
		return Uniform(-b, b)
	})
}

// XavierNormal draws from a normal distribution of deviation gain*√(2/(fan in + fan out)).
func XavierNormal(gain float64) Initializer {
	return scaled(func(in, out float64) Initializer { return Normal(0, gain*math.Sqrt(2/(in+out))) })
}

// KaimingUniform draws from -b to b with b = gain*√(3/fan): He et al.,
// https://arxiv.org/abs/1502.01852. Weights have two dimensions or more.
func KaimingUniform(fan Fan, gain float64) Initializer {
	return scaled(func(in, out float64) Initializer {
		b := gain * math.Sqrt(3/fan.of(in, out))
		return Uniform(-b, b)
	})
}

// KaimingNormal draws from a normal distribution of deviation gain/√fan.
func KaimingNormal(fan Fan, gain float64) Initializer {
	return scaled(func(in, out float64) Initializer { return Normal(0, gain/math.Sqrt(fan.of(in, out))) })
}

func (f Fan) of(in, out float64) float64 {
	if f == FanOut {
		return out
	}
	return in
}

// scaled is an initializer that depends on the fans of the weights.
func scaled(of func(in, out float64) Initializer) Initializer {
	return func(t weights.Tensor, s philox.Stream) error {
		shape := t.Shape()
		if len(shape) < 2 {
			return fmt.Errorf("%d dimensions, want two or more", len(shape))
		}
		if len(t.Data()) == 0 {
			return nil
		}
		window := 1.0
		for _, d := range shape[2:] {
			window *= float64(d)
		}
		return of(float64(shape[1])*window, float64(shape[0])*window)(t, s)
	}
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
