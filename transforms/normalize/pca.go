package normalize

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/exactsum"
)

// productStats are the exact sums of several columns and of their products,
// over the rows where each has a finite value.
type productStats struct {
	nulls, bad, n int64
	sums          []exactsum.Sum
	products      []exactsum.Sum // of columns j <= i at i(i+1)/2+j

	fill    *float64 // what a null counts as; nil leaves its row out
	scratch [][]float64
}

func newProductStats(columns int) *productStats {
	return &productStats{sums: make([]exactsum.Sum, columns), products: make([]exactsum.Sum, columns*(columns+1)/2)}
}

func (s *productStats) total() int64 { return s.nulls + s.bad + s.n }

func (s *productStats) add(cols []arrow.Array, _ *source) error {
	if s.scratch == nil {
		s.scratch = make([][]float64, len(cols))
	}
	for i, col := range cols {
		var err error
		if s.scratch[i], err = readNumbers(col, s.scratch[i]); err != nil {
			return err
		}
	}
	row := make([]float64, len(cols))
	for r := range cols[0].Len() {
		null, bad := false, false
		for i, col := range cols {
			row[i] = s.scratch[i][r]
			if col.IsNull(r) {
				null = null || s.fill == nil
				row[i] = 0
				if s.fill != nil {
					row[i] = *s.fill
				}
			}
			bad = bad || !finite(row[i])
		}
		switch {
		case bad:
			s.bad++
		case null:
			s.nulls++
		default:
			s.addRow(row)
		}
	}
	return nil
}

func (s *productStats) addRow(row []float64) {
	s.n++
	at := 0
	for i, x := range row {
		s.sums[i].Add(x)
		for _, y := range row[:i+1] {
			s.products[at].AddProduct(x, y)
			at++
		}
	}
}

func (s *productStats) merge(other stats) error {
	o, ok := other.(*productStats)
	if !ok || len(s.sums) != len(o.sums) {
		return errOtherKind
	}
	s.nulls += o.nulls
	s.bad += o.bad
	s.n += o.n
	for i := range s.sums {
		s.sums[i].Merge(&o.sums[i])
	}
	for i := range s.products {
		s.products[i].Merge(&o.products[i])
	}
	return nil
}

func (s *productStats) append(b []byte) ([]byte, error) {
	b = append(b, wireVersion, wireProducts, 0)
	b = appendCounts(b, int64(len(s.sums)), s.nulls, s.bad, s.n)
	for i := range s.sums {
		b, _ = s.sums[i].AppendBinary(b)
	}
	for i := range s.products {
		b, _ = s.products[i].AppendBinary(b)
	}
	return b, nil
}

func (d *decoder) products(flags byte) *productStats {
	n := d.count("columns")
	if flags != 0 || n < 1 || n > maxPCA || n*(n+3)/2*4 > int64(len(d.b)) { // a sum takes 4 bytes at least
		d.fail("sums of %d columns with flags %#x", n, flags)
		return newProductStats(1)
	}
	s := newProductStats(int(n))
	s.nulls, s.bad, s.n = d.count("nulls"), d.count("bad values"), d.count("rows")
	for i := range s.sums {
		d.sum(&s.sums[i])
	}
	for i := range s.products {
		d.sum(&s.products[i])
	}
	return s
}

// FittedPCA makes components of the feature's column and of others: the
// products of (x-Mean)/Divisor with each of Components, over the root of its
// variance if Whiten is set.
type FittedPCA struct {
	With       []FittedColumn `json:"with"`
	Fill       []float64      `json:"fill,omitempty"` // of each column's nulls
	Mean       []float64      `json:"mean"`
	Divisor    []float64      `json:"divisor,omitempty"` // 0 makes 0 of the column
	Components [][]float64    `json:"components"`
	Variances  []float64      `json:"variances"` // of the components
	Whiten     bool           `json:"whiten,omitempty"`
}

func fitPCA(f feature, s *productStats, out *Fitted) error {
	if s.n == 0 {
		return fmt.Errorf("pca: no row of the train split has a value in every column; fill them")
	}
	p := &FittedPCA{Whiten: f.PCA.Whiten}
	for _, c := range f.others {
		p.With = append(p.With, FittedColumn{c.name, c.kind})
	}
	d := len(s.sums)
	covariance := make([][]float64, d)
	for i := range covariance {
		covariance[i] = make([]float64, d)
		p.Mean = append(p.Mean, exactsum.Mean(&s.sums[i], s.n)+0)
		for j := range i + 1 {
			c := exactsum.Covariance(&s.sums[i], &s.sums[j], &s.products[i*(i+1)/2+j], s.n)
			if !isFinite(c) {
				return fmt.Errorf("pca: the covariance of columns %d and %d is out of range; scale them in clean", j, i)
			}
			covariance[i][j], covariance[j][i] = c, c
		}
	}
	if f.PCA.Standardize {
		p.Divisor = standardize(covariance)
	}
	values, vectors := eigen(covariance)
	k := f.PCA.Components
	if k == 0 {
		k = d
	}
	if k > d {
		return fmt.Errorf("pca: %d components of %d columns", k, d)
	}
	for i := range k {
		p.Variances = append(p.Variances, max(values[i], 0)+0)
		p.Components = append(p.Components, vectors[i])
	}
	if fill := f.Fill; fill != nil {
		out.Fill = &FittedFill{With: fill.With}
		p.Fill = p.Mean
		if s.fill != nil {
			out.Fill.Value = *s.fill
			p.Fill = make([]float64, d)
			for i := range p.Fill {
				p.Fill[i] = *s.fill
			}
		}
	}
	out.PCA = p
	return nil
}

// standardize makes correlations of covariances, and returns the deviations.
func standardize(c [][]float64) []float64 {
	out := make([]float64, len(c))
	for i := range c {
		out[i] = math.Sqrt(c[i][i])
	}
	for i := range c {
		for j := range c {
			switch {
			case out[i] == 0 || out[j] == 0:
				c[i][j] = 0
			case i == j:
				c[i][j] = 1
			default:
				c[i][j] = c[i][j] / out[i] / out[j]
			}
		}
	}
	for i := range c { // division in two steps may round the two halves apart
		for j := range i {
			c[j][i] = c[i][j]
		}
	}
	return out
}

func (p *FittedPCA) check(f *Fitted) error {
	d := len(p.With) + 1
	ok := d <= maxPCA && len(p.Mean) == d && (len(p.Divisor) == 0 || len(p.Divisor) == d) && (len(p.Fill) == d) == (f.Fill != nil) &&
		(f.Fill != nil || len(p.Fill) == 0) && len(p.Components) >= 1 && len(p.Components) <= d && len(p.Variances) == len(p.Components)
	for _, c := range p.Components {
		ok = ok && len(c) == d
	}
	for _, v := range p.Variances {
		ok = ok && v >= 0
	}
	for _, v := range p.Divisor {
		ok = ok && v >= 0
	}
	for _, w := range p.With {
		ok = ok && w.Column != "" && isNumber(w.Kind)
	}
	if !ok || !isNumber(f.Kind) {
		return fmt.Errorf("pca of %d columns of kind %q, %d components", d, f.Kind, len(p.Components))
	}
	return nil
}

type pcaStep struct {
	where
	f     *FittedPCA
	names []string
	// weights[i] are what column i gives to each component.
	weights [][]float64
}

func newPCAStep(f *Fitted, w where) *pcaStep {
	s := &pcaStep{where: w, f: f.PCA}
	for i, c := range f.reads() {
		s.names = append(s.names, c.name)
		weights := make([]float64, len(f.PCA.Components))
		for k, v := range f.PCA.Components {
			weights[k] = v[i]
			if f.PCA.Whiten {
				weights[k] = 0
				if f.PCA.Variances[k] > 0 {
					weights[k] = v[i] / math.Sqrt(f.PCA.Variances[k])
				}
			}
		}
		s.weights = append(s.weights, weights)
	}
	return s
}

func (s *pcaStep) apply(cols []arrow.Array, o *output) error {
	k := len(s.f.Components)
	sums := make([]float64, o.n*k)
	for i, col := range cols {
		values, err := readNumbers(col, o.scratch)
		if err != nil {
			return fmt.Errorf("column %q: %w", s.names[i], err)
		}
		o.scratch = values
		s.column(i, col, o)
		for row, x := range values {
			to := sums[row*k:][:k]
			for c, w := range s.weights[i] {
				to[c] += float64(x * w)
			}
		}
	}
	for row := range o.n {
		out := o.slab[row*o.width+s.offset:][:k]
		for c, x := range sums[row*k:][:k] {
			out[c] = float32(x)
			if math.Abs(x) > math.MaxFloat32 {
				o.kill(row, cols[0], s.name, s.name+".finite", "components that fit float32")
			}
		}
	}
	return nil
}

// column centres the values of column i, in o.scratch, and kills the rows that
// have none.
func (s *pcaStep) column(i int, col arrow.Array, o *output) {
	divisor := 1.0
	if s.f.Divisor != nil {
		divisor = s.f.Divisor[i]
	}
	name := s.names[i]
	for row, x := range o.scratch {
		if col.IsNull(row) {
			if s.f.Fill == nil {
				o.kill(row, col, name, name+".null", "a value, as nothing fills nulls")
				o.scratch[row] = 0
				continue
			}
			x = s.f.Fill[i]
		}
		if !finite(x) {
			o.kill(row, col, name, name+".finite", "a finite number")
			x = s.f.Mean[i]
		}
		o.scratch[row] = 0
		if divisor != 0 {
			o.scratch[row] = (x - s.f.Mean[i]) / divisor
		}
	}
}
