package vec

// Relu is max(x, 0); -0 stays -0.
func Relu(dst, x []float32) { same(dst, x); relu(dst, x) }

// Gelu is x·Φ(x) with the normal distribution function Φ(x) = ½(1+erf(x/√2));
// see Hendrycks & Gimpel, https://arxiv.org/abs/1606.08415. The error is at most
// 3 ulp for x >= 0, 6 down to -3 and 14 down to -5.25: the tail keeps its digits.
// Below, where the result is smaller than 5·10⁻⁷, it is up to 2.6 times the exact
// one, and never off by more than 10⁻⁸. Gelu(-Inf) is NaN, as the formula (and
// PyTorch) has it.
func Gelu(dst, x []float32) { same(dst, x); gelu(dst, x) }

// GeluTanh is the tanh form of GELU, ½x(1+tanh u) with
// u = √(2/π)·(x + 0.044715·x³), computed as x/(1+exp(-2u)). The error is at most
// 4 ulp for x >= 0 and (4 + 8|u|) ulp below, or |x|·2⁻¹⁴⁹ where the result is
// that small. GeluTanh(-Inf) is NaN.
func GeluTanh(dst, x []float32) { same(dst, x); geluTanh(dst, x) }

// Sigmoid is 1/(1+exp(-x)), within 3 ulp.
func Sigmoid(dst, x []float32) { same(dst, x); sigmoid(dst, x) }

// Tanh is the hyperbolic tangent, within 2 ulp.
func Tanh(dst, x []float32) { same(dst, x); tanh(dst, x) }

// Silu is x·Sigmoid(x), also called swish, within 4 ulp, or |x|·2⁻¹⁴⁹ where
// the result is that small. Silu(-Inf) is NaN.
func Silu(dst, x []float32) { same(dst, x); silu(dst, x) }

// Exp is eˣ, within 1 ulp.
func Exp(dst, x []float32) { same(dst, x); exp(dst, x) }

// Expm1 is eˣ-1, within 2 ulp.
func Expm1(dst, x []float32) { same(dst, x); expm1(dst, x) }

// Log is the natural logarithm, within 2 ulp. Log(0) is -Inf, Log of a
// negative number NaN.
func Log(dst, x []float32) { same(dst, x); log(dst, x) }

// Log1p is log(1+x), within 2 ulp. Log1p(-1) is -Inf, Log1p of less NaN.
func Log1p(dst, x []float32) { same(dst, x); log1p(dst, x) }

// Softplus is log(1+eˣ), within 3 ulp.
func Softplus(dst, x []float32) { same(dst, x); softplus(dst, x) }

// Mish is x·tanh(Softplus(x)), within 6 ulp, or |x|·2⁻¹⁴⁷ where the result is
// that small; see Misra, https://arxiv.org/abs/1908.08681. Mish(-Inf) is NaN.
func Mish(dst, x []float32) { same(dst, x); mish(dst, x) }

// Erf is the error function 2/√π ∫₀ˣ exp(-t²) dt, within 2 ulp.
func Erf(dst, x []float32) { same(dst, x); erf(dst, x) }

// Sin is the sine, within 1 ulp for every finite x; Sin(±Inf) is NaN.
func Sin(dst, x []float32) { same(dst, x); sinGo(dst, x) }

// Cos is the cosine, within 1 ulp for every finite x; Cos(±Inf) is NaN.
func Cos(dst, x []float32) { same(dst, x); cosGo(dst, x) }

// Sqrt is the square root, correctly rounded.
func Sqrt(dst, x []float32) { same(dst, x); sqrt(dst, x) }

// Reciprocal is 1/x, correctly rounded.
func Reciprocal(dst, x []float32) { same(dst, x); reciprocal(dst, x) }

// Neg is -x.
func Neg(dst, x []float32) { same(dst, x); neg(dst, x) }

// Abs is |x|.
func Abs(dst, x []float32) { same(dst, x); abs(dst, x) }

// Square is x².
func Square(dst, x []float32) { same(dst, x); square(dst, x) }

// Floor is the largest integer not above x.
func Floor(dst, x []float32) { same(dst, x); floor(dst, x) }

// Ceil is the smallest integer not below x.
func Ceil(dst, x []float32) { same(dst, x); ceil(dst, x) }

// RoundEven is the integer nearest to x, the even one of two.
func RoundEven(dst, x []float32) { same(dst, x); roundEven(dst, x) }

// Softsign is x/(1+|x|). Softsign(±Inf) is NaN.
func Softsign(dst, x []float32) { same(dst, x); softsign(dst, x) }

// Clip is min(max(x, lo), hi); NaN stays NaN.
func Clip(dst, x []float32, lo, hi float32) { same(dst, x); clip(dst, x, lo, hi) }

// LeakyRelu is x where x >= 0, and alpha·x below.
func LeakyRelu(dst, x []float32, alpha float32) { same(dst, x); leakyRelu(dst, x, alpha) }

// HardSigmoid is max(0, min(1, alpha·x+beta)); ONNX's defaults are 0.2 and 0.5,
// PyTorch's 1/6 and 0.5.
func HardSigmoid(dst, x []float32, alpha, beta float32) {
	same(dst, x)
	hardSigmoid(dst, x, alpha, beta)
}

// HardSwish is x·max(0, min(1, x/6+½)); see Howard et al.,
// https://arxiv.org/abs/1905.02244.
func HardSwish(dst, x []float32) { same(dst, x); hardSwish(dst, x) }

// Elu is x where x > 0, and alpha·(eˣ-1) below, within 3 ulp; see Clevert et
// al., https://arxiv.org/abs/1511.07289.
func Elu(dst, x []float32, alpha float32) { same(dst, x); elu(dst, x, 1, alpha, 1) }

// Selu is gamma·Elu(x), within 4 ulp; see Klambauer et al.,
// https://arxiv.org/abs/1706.02515. Of alpha and gamma, the product is rounded.
func Selu(dst, x []float32, alpha, gamma float32) {
	same(dst, x)
	elu(dst, x, gamma, alpha*gamma, 1)
}

// Celu is x where x > 0, and alpha·(exp(x/alpha)-1) below, with 1/alpha rounded
// to float32; see Barron, https://arxiv.org/abs/1704.07483.
func Celu(dst, x []float32, alpha float32) { same(dst, x); elu(dst, x, 1, alpha, 1/alpha) }
