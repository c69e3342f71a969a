package vec

// The gradients take the gradient dy of the result and either the input x or
// the result y of the function; dx may be dy, x or y.

func same3(a, b, c []float32) { same(a, b); same(a, c) }

// ReluGrad is dy where y > 0 and 0 where y <= 0; where y is NaN, dy passes.
// The input x serves as well as y.
func ReluGrad(dx, dy, y []float32) { same3(dx, dy, y); reluGrad(dx, dy, y) }

// GeluGrad is dy·(Φ(x) + x·φ(x)), φ the normal density.
func GeluGrad(dx, dy, x []float32) { same3(dx, dy, x); geluGrad(dx, dy, x) }

// GeluTanhGrad is the derivative of GeluTanh: with s = 1/(1+exp(-2u)),
// dy·(s + x·s·(1-s)·2u′).
func GeluTanhGrad(dx, dy, x []float32) { same3(dx, dy, x); geluTanhGrad(dx, dy, x) }

// SigmoidGrad is dy·y·(1-y).
func SigmoidGrad(dx, dy, y []float32) { same3(dx, dy, y); sigmoidGrad(dx, dy, y) }

// TanhGrad is dy·(1-y²).
func TanhGrad(dx, dy, y []float32) { same3(dx, dy, y); tanhGrad(dx, dy, y) }

// SiluGrad is dy·s·(1 + x·(1-s)) with s = Sigmoid(x).
func SiluGrad(dx, dy, x []float32) { same3(dx, dy, x); siluGrad(dx, dy, x) }

// SoftplusGrad is dy·Sigmoid(x).
func SoftplusGrad(dx, dy, x []float32) { same3(dx, dy, x); softplusGrad(dx, dy, x) }

// MishGrad is dy·(t + x·s·(1-t²)) with t = tanh(Softplus(x)), s = Sigmoid(x).
func MishGrad(dx, dy, x []float32) { same3(dx, dy, x); mishGrad(dx, dy, x) }

// ErfGrad is dy·2/√π·exp(-x²).
func ErfGrad(dx, dy, x []float32) { same3(dx, dy, x); erfGrad(dx, dy, x) }

// EluGrad is dy where x > 0, and dy·alpha·eˣ below.
func EluGrad(dx, dy, x []float32, alpha float32) { same3(dx, dy, x); eluGrad(dx, dy, x, alpha) }

// LeakyReluGrad is dy where x >= 0, and dy·alpha below.
func LeakyReluGrad(dx, dy, x []float32, alpha float32) {
	same3(dx, dy, x)
	leakyReluGrad(dx, dy, x, alpha)
}

// HardSigmoidGrad is dy·alpha where 0 < alpha·x+beta < 1, and 0 elsewhere.
func HardSigmoidGrad(dx, dy, x []float32, alpha, beta float32) {
	same3(dx, dy, x)
	hardSigmoidGrad(dx, dy, x, alpha, beta)
}

// HardSwishGrad is dy·(x/3+½) where -3 < x < 3, dy above, and 0 below.
func HardSwishGrad(dx, dy, x []float32) { same3(dx, dy, x); hardSwishGrad(dx, dy, x) }
