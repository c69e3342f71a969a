package vec

// Add is a+b.
func Add(dst, a, b []float32) { same3(dst, a, b); add(dst, a, b) }

// Sub is a-b.
func Sub(dst, a, b []float32) { same3(dst, a, b); sub(dst, a, b) }

// Mul is a·b.
func Mul(dst, a, b []float32) { same3(dst, a, b); mul(dst, a, b) }

// Div is a/b, correctly rounded.
func Div(dst, a, b []float32) { same3(dst, a, b); div(dst, a, b) }

// Minimum is the smaller of a and b; NaN if either is NaN, -0 below +0.
func Minimum(dst, a, b []float32) { same3(dst, a, b); minimum(dst, a, b) }

// Maximum is the larger of a and b; NaN if either is NaN, +0 above -0.
func Maximum(dst, a, b []float32) { same3(dst, a, b); maximum(dst, a, b) }

// MulAdd is a·b+c, rounded once.
func MulAdd(dst, a, b, c []float32) { same3(dst, a, b); same(dst, c); mulAdd(dst, a, b, c) }

// AddScalar is a+s.
func AddScalar(dst, a []float32, s float32) { same(dst, a); addScalar(dst, a, s) }

// MulScalar is a·s.
func MulScalar(dst, a []float32, s float32) { same(dst, a); mulScalar(dst, a, s) }

// SubScalar is a-s.
func SubScalar(dst, a []float32, s float32) { same(dst, a); addScalar(dst, a, -s) }

// ScalarSub is s-a.
func ScalarSub(dst []float32, s float32, a []float32) { same(dst, a); scalarSub(dst, a, s) }

// DivScalar is a/s, correctly rounded.
func DivScalar(dst, a []float32, s float32) { same(dst, a); divScalar(dst, a, s) }

// ScalarDiv is s/a, correctly rounded.
func ScalarDiv(dst []float32, s float32, a []float32) { same(dst, a); scalarDiv(dst, a, s) }

// MinScalar is Minimum of a and s.
func MinScalar(dst, a []float32, s float32) { same(dst, a); minScalar(dst, a, s) }

// MaxScalar is Maximum of a and s.
func MaxScalar(dst, a []float32, s float32) { same(dst, a); maxScalar(dst, a, s) }

// Axpy adds s·x to dst, rounded once.
func Axpy(dst []float32, s float32, x []float32) { same(dst, x); axpy(dst, x, s) }

// Axpby sets dst to s·x + t·dst: the product t·dst is rounded, then the sum.
func Axpby(dst []float32, s float32, x []float32, t float32) { same(dst, x); axpby(dst, x, s, t) }

// Scale multiplies dst by s.
func Scale(dst []float32, s float32) { mulScalar(dst, dst, s) }
