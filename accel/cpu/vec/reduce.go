package vec

// The sums below are made in float64: element i goes to lane i mod 16, each
// lane adds its terms in order, and the lanes are added as sumLanes tells. They
// give the same bits at every level.

// Sum is the sum of the elements, 0 if there are none.
func Sum(x []float32) float64 { return sum(x) }

// SumSquares is the sum of the squares, each exact before it is added.
func SumSquares(x []float32) float64 { return sumSquares(x) }

// Dot is the sum of the products, each exact before it is added.
func Dot(x, y []float32) float64 { same(x, y); return dot(x, y) }

// SumDiffSquares is the sum of (x-mean)²; the difference is rounded to float64,
// and so is its square.
func SumDiffSquares(x []float32, mean float64) float64 { return sumDiffSquares(x, mean) }

// SumAbs is the sum of the absolute values.
func SumAbs(x []float32) float64 { return sumAbs(x) }

// Max is the largest element, NaN if one is NaN, and -Inf if there are none.
// Of zeros alone it is one of them, of either sign.
func Max(x []float32) float32 { return maxOf(x) }

// Min is the smallest element, NaN if one is NaN, and +Inf if there are none.
// Of zeros alone it is one of them, of either sign.
func Min(x []float32) float32 { return minOf(x) }
