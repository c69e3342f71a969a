package normalize

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

func lists(name string, v ...any) column {
	return column{name, arrow.ListOf(arrow.PrimitiveTypes.Float64), v}
}
func files(name string, v ...any) column { return column{name, arrow.BinaryTypes.Binary, v} }

// TestSequenceOfNumbers: lists 1 2 3, null, 5, and "", of which two values stay.
func TestSequenceOfNumbers(t *testing.T) {
	x := lists("x", []any{1, 2, 3}, nil, []any{5}, []any{}, []any{nil, 9})
	y := texts("y", "n", "y", "n", "y", "n")
	for _, c := range []struct {
		name string
		f    Feature
		want []float64
	}{
		{"first", Feature{Fill: &Fill{With: "constant", Value: "7"}, Sequence: &Sequence{Length: 2, Pad: -1}}, []float64{1, 2, -1, -1, 5, -1, -1, -1, 7, 9}},
		{"last, padded before", Feature{Fill: &Fill{With: "constant", Value: "7"}, Sequence: &Sequence{Length: 2, Pad: -1, Side: "start", Keep: "last"}}, []float64{2, 3, -1, -1, -1, 5, -1, -1, 7, 9}},
		// The 3 is cut off, so the range is 1 to 9 and the mean 17/4; a pad is not scaled.
		{"scaled", Feature{Fill: &Fill{With: "mean"}, Scale: "min_max", Sequence: &Sequence{Length: 2, Pad: 4}}, []float64{0, .125, 4, 4, .5, 4, 4, 4, 3.25 / 8, 1}},
		{"buckets", Feature{Fill: &Fill{With: "constant", Value: "0"}, Bucketize: &Bucketize{Boundaries: []float64{4}}, Sequence: &Sequence{Length: 2}},
			[]float64{1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1}},
	} {
		c.f.Column = "x"
		b := table(x, y)
		p := plan(t, Spec{Features: []Feature{c.f}, Label: Label{Column: "y"}}, b)
		var got []float32
		for _, row := range features(t, apply(t, p, b, Options{})) {
			got = append(got, row...)
		}
		near(t, c.name, got, c.want, 0)
		if n := len(p.FeatureNames()); n != p.Width() {
			t.Errorf("%s: %d names for %d numbers", c.name, n, p.Width())
		}
	}
	b := table(x, y)
	p := plan(t, Spec{Features: []Feature{{Column: "x", Sequence: &Sequence{Length: 3}}}, Label: Label{Column: "y"}}, b)
	if out := apply(t, p, b, Options{}); len(out.Dead) != 1 || out.Dead[0].Rule != "x.null" || out.Dead[0].Row != 5 {
		t.Errorf("a null within: got %+v want one dead letter, row 5", out.Dead)
	}
}

// TestSequenceOfTokens: of the tokens that stay, b is there three times, a
// twice; ids are b, a, other, (null,) and nothing.
func TestSequenceOfTokens(t *testing.T) {
	text := texts("x", "a,b,b,c", "", "b", nil, "a,c")
	list := column{"x", arrow.ListOf(arrow.BinaryTypes.String), []any{[]any{"a", "b", "b", "c"}, []any{}, []any{"b"}, nil, []any{"a", "c"}}}
	y := texts("y", "n", "y", "n", "y", "n")
	for _, c := range []struct {
		col column
		s   Sequence
		v   Vocabulary
		ids int
		w   string
	}{
		{text, Sequence{Length: 3, Separator: ","}, Vocabulary{TopK: 2}, 5, "[1 0 0 4 4 4 0 4 4 4 4 4 1 2 4]"},
		{list, Sequence{Length: 3, Side: "start", Keep: "last"}, Vocabulary{MinCount: 2}, 5, "[0 0 1 4 4 4 4 4 0 4 4 4 4 2 1]"}, // b b c: b 3, c 2, a 1
	} {
		b := table(c.col, y)
		p := plan(t, Spec{Features: []Feature{{Column: "x", Vocabulary: &c.v, Encode: "embedding", Sequence: &c.s}}, Label: Label{Column: "y"}}, b)
		in := p.Inputs()[0]
		if in.Cardinality != c.ids || !slices.Equal(in.Shape, []int{3}) {
			t.Errorf("got input %+v want %d ids of 3", in, c.ids)
		}
		out := apply(t, p, b, Options{})
		ids := out.Batch.Record.Column(0).(*array.FixedSizeList).ListValues().(*array.Int32).Int32Values()
		if got := fmt.Sprint(ids); got != c.w {
			t.Errorf("%+v: got %s want %s", c.s, got, c.w)
		}
	}
	b := table(text, y)
	p := plan(t, Spec{Features: []Feature{{Column: "x", Hash: &Hash{Buckets: 2}, Fill: &Fill{With: "constant", Value: "z"}, Sequence: &Sequence{Length: 2, Separator: ","}}}, Label: Label{Column: "y"}}, b)
	for i, row := range features(t, apply(t, p, b, Options{})) {
		sum := float32(0)
		for _, v := range row {
			sum += v
		}
		if want := []float32{2, 0, 1, 0, 2}[i]; len(row) != 4 || sum != want {
			t.Errorf("row %d: got %v want %g of four set", i, row, want)
		}
	}
}

// pcaTable is the data of the figures below, which are numpy's: eigh of
// cov(ddof=0), by falling value, the largest entry positive.
func pcaTable() (cols []column) {
	x := [][]any{{1, 2, 3, 4, 6, 7}, {2, 1, 5, 4, 9, 7}, {0, 1, 0, 2, 1, 5}}
	for i, v := range x {
		cols = append(cols, floats(fmt.Sprint("x", i), v...))
	}
	return append(cols, texts("y", "n", "y", "n", "y", "n", "y"))
}

func TestPCAAsNumpy(t *testing.T) {
	for _, c := range []struct {
		name      string
		pca       PCA
		variances []float64
		rows      [][]float64 // the first and the last
	}{
		{"plain", PCA{}, []float64{12.386437102952073, 2.502267076555844, 0.05574026493652504},
			[][]float64{{-4.1265005529686904, -0.46661655580591604, -0.378353095779336}, {4.7056343655695745, 2.3543718851262008, -0.19015905531987326}}},
		{"two components", PCA{Components: 2}, []float64{12.386437102952073, 2.502267076555844},
			[][]float64{{-4.1265005529686904, -0.46661655580591604}, {4.7056343655695745, 2.3543718851262008}}},
		{"standardized", PCA{Standardize: true}, []float64{2.3733759183020187, 0.6146067327966971, 0.012017348901284345},
			[][]float64{{-1.8644309224978477, 0.026821445269758586, -0.17553929253843895}, {2.504515515239719, 0.939871763785897, -0.08286954627819157}}},
		{"whitened", PCA{Whiten: true}, []float64{12.386437102952073, 2.502267076555844, 0.05574026493652504},
			[][]float64{{-1.1724888105682998, -0.29498050368919143, -1.6025543874647235}, {1.3370417789685558, 1.4883608305468372, -0.8054387074362443}}},
	} {
		b := table(pcaTable()...)
		p := plan(t, Spec{Features: []Feature{{Column: "x{0..2}", PCA: &c.pca}}, Label: Label{Column: "y"}}, b)
		var variances []float32
		for _, v := range p.Features[0].PCA.Variances {
			variances = append(variances, float32(v))
		}
		near(t, c.name, variances, c.variances, 1e-12)
		rows := features(t, apply(t, p, b, Options{}))
		near(t, c.name, rows[0], c.rows[0], 1e-11)
		near(t, c.name, rows[5], c.rows[1], 1e-11)
		if got := p.Columns(); !slices.Equal(got, []string{"x0", "x1", "x2"}) {
			t.Errorf("%s: got columns %q", c.name, got)
		}
	}
}

// TestPCANulls: a row with a null is left out of the fit and dies, unless there is a fill.
func TestPCANulls(t *testing.T) {
	b := table(floats("x", 1, 3, nil, 9), floats("z", 2, 4, 100, math.Inf(1)), texts("y", "n", "y", "n", "y"))
	for _, c := range []struct {
		fill *Fill
		mean []float64
		dead string
	}{
		{nil, []float64{2, 3}, "[x.null z.finite]"},
		{&Fill{With: "mean"}, []float64{2, 3}, "[z.finite]"},
		{&Fill{With: "constant", Value: "5"}, []float64{3, 106. / 3}, "[z.finite]"},
	} {
		p := plan(t, Spec{Features: []Feature{{Column: "x", PCA: &PCA{With: []string{"z"}}, Fill: c.fill}}, Label: Label{Column: "y"}}, b)
		if got := p.Features[0].PCA.Mean; !slices.Equal(got, c.mean) {
			t.Errorf("%+v: got means %v want %v", c.fill, got, c.mean)
		}
		var rules []string
		for _, l := range apply(t, p, b, Options{}).Dead {
			rules = append(rules, l.Rule)
		}
		if got := fmt.Sprint(rules); got != c.dead {
			t.Errorf("%+v: got %s want %s", c.fill, got, c.dead)
		}
	}
}

// TestEigen: V diag(values) V' is the matrix again, and V is orthogonal, for
// matrices with equal, zero and very different eigenvalues.
func TestEigen(t *testing.T) {
	for _, n := range []int{1, 2, 5, 30} {
		for _, scale := range []float64{0, 1, 1e-8} {
			a := make([][]float64, n)
			for i := range a {
				a[i] = make([]float64, n)
				for j := range i + 1 {
					a[i][j] = math.Sin(float64(7*i+3*j)) * math.Pow(scale, float64((i+j)%3))
					if i == j {
						a[i][j] = 2
					}
					a[j][i] = a[i][j]
				}
			}
			want := make([][]float64, n)
			for i := range a {
				want[i] = slices.Clone(a[i])
			}
			values, v := eigen(a)
			for i := range n {
				for j := range n {
					back, dot := 0.0, 0.0
					for k := range n {
						back += v[k][i] * values[k] * v[k][j]
						dot += v[i][k] * v[j][k]
					}
					unit := 0.0
					if i == j {
						unit = 1
					}
					if tol := float64(n*n) * 0x1p-48; !(math.Abs(back-want[i][j]) <= tol) || !(math.Abs(dot-unit) <= tol) {
						t.Fatalf("%d of scale %g: entry %d, %d: got %v want %v; product of vectors %v", n, scale, i, j, back, want[i][j], dot)
					}
				}
			}
		}
	}
}

// picture is 4 pixels high and 5 wide; grey v, or the channels v, 255-v and 0.
func picture(coloured bool) image.Image {
	grey := image.NewGray(image.Rect(0, 0, 5, 4))
	rgb := image.NewNRGBA(image.Rect(0, 0, 5, 4))
	for y := range 4 {
		for x := range 5 {
			v := uint8((37*y*y + 11*x*x + 29*y*x) % 256)
			grey.SetGray(x, y, color.Gray{Y: v})
			rgb.SetNRGBA(x, y, color.NRGBA{v, 255 - v, 0, 200}) // transparent, which changes nothing
		}
	}
	if coloured {
		return rgb
	}
	return grey
}

func pngOf(t testing.TB, p image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func preparedImage(t *testing.T, m Image, file []byte) []float32 {
	t.Helper()
	b := table(files("x", file, file), texts("y", "n", "y"))
	p := plan(t, Spec{Features: []Feature{{Column: "x", Image: &m}}, Label: Label{Column: "y"}}, b)
	return features(t, apply(t, p, b, Options{}))[1]
}

// TestImagesAsPyTorch: figures of torch.nn.functional.interpolate, bilinear,
// align_corners=False, of the picture above.
func TestImagesAsPyTorch(t *testing.T) {
	grey, rgb := pngOf(t, picture(false)), pngOf(t, picture(true))
	small := []float64{27.0, 91.5, 136.66666666666666, 140.33333333333334, 45.5, 101.99999999999997}
	large := []float64{
		0.0, 6.285714285714286, 20.428571428571434, 44.0, 83.28571428571429, 132.00000000000003, 176.0, 18.499999999999996, 33.07142857142856,
		57.57142857142857, 91.49999999999999, 141.14285714285714, 145.35714285714283, 124.49999999999999, 55.499999999999986, 81.11904761904759,
		107.23809523809524, 124.50000000000001, 187.952380952381, 151.1190476190476, 68.16666666666667, 129.5, 166.16666666666666, 157.33333333333331,
		66.50000000000001, 143.7619047619048, 120.73809523809521, 48.833333333333336, 112.5, 160.21428571428572, 153.0, 45.5, 136.57142857142858,
		127.35714285714283, 66.5, 77.0, 133.0, 136.1428571428571, 39.0, 140.42857142857144, 141.57142857142856, 88.99999999999999,
	}
	near(t, "smaller", preparedImage(t, Image{Height: 2, Width: 3, Channels: 1, Scale: "none"}, grey), small, 1e-12)
	near(t, "larger", preparedImage(t, Image{Height: 6, Width: 7, Channels: 1, Scale: "none"}, grey), large, 1e-12)
	var chw, hwc, standardized []float64
	for _, v := range small {
		hwc = append(hwc, v/255, 1-v/255, 0)
	}
	for c := range 3 {
		for i := range small {
			chw = append(chw, hwc[3*i+c])
			standardized = append(standardized, (hwc[3*i+c]-[]float64{.5, .4, .3}[c])/[]float64{.2, .25, .5}[c])
		}
	}
	near(t, "chw", preparedImage(t, Image{Height: 2, Width: 3}, rgb), chw, 1e-12)
	near(t, "hwc", preparedImage(t, Image{Height: 2, Width: 3, Layout: "hwc"}, rgb), hwc, 1e-12)
	near(t, "standardized", preparedImage(t, Image{Height: 2, Width: 3, Mean: []float64{.5, .4, .3}, Std: []float64{.2, .25, .5}}, rgb), standardized, 1e-12)
	// The middle 4 x 4 of the picture starts half a pixel in: columns 0.5, 1.5, 2.5, 3.5.
	near(t, "cover", preparedImage(t, Image{Height: 4, Width: 4, Channels: 1, Fit: "cover", Scale: "none"}, grey)[:4], []float64{5.5, 27.5, 71.5, 137.5}, 1e-12)
	// The middle half of 4 x 4 is two pixels of rows 1 and 2, at columns 1.5 and 2.5.
	near(t, "crop", preparedImage(t, Image{Height: 2, Width: 2, Channels: 1, Fit: "cover", Crop: .5, Scale: "none"}, grey), []float64{108, 181, 134.5, 108.5}, 1e-12)
	// Mean 90.5 of 27 … 102: deviations -63.5, 1, 46.17, 49.83, -45, 11.5.
	std := math.Sqrt((63.5*63.5 + 1 + 46.1666666666666*46.1666666666666 + 49.8333333333333*49.8333333333333 + 45*45 + 11.5*11.5) / 6)
	near(t, "per image", preparedImage(t, Image{Height: 2, Width: 3, Channels: 1, Scale: "per_image"}, grey)[:2], []float64{-63.5 / std, 1 / std}, 1e-9)
}

// TestImageFaults: what is no image is a dead letter, whatever is wrong with it.
func TestImageFaults(t *testing.T) {
	good := pngOf(t, picture(true))
	var asJPEG bytes.Buffer
	if err := jpeg.Encode(&asJPEG, picture(true), nil); err != nil {
		t.Fatal(err)
	}
	huge := bytes.Clone(good)
	copy(huge[16:24], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // 65,536 x 65,536 in the header; its checksum no longer holds
	b := table(files("x", good, asJPEG.Bytes(), nil, []byte("GIF89a"), good[:len(good)/2], []byte{}, huge), texts("y", "n", "y", "n", "y", "n", "y", "n"))
	p := plan(t, Spec{Features: []Feature{{Column: "x", Image: &Image{Height: 4, Width: 5}}}, Label: Label{Column: "y"}}, b)
	out := apply(t, p, b, Options{})
	var got []string
	for _, l := range out.Dead {
		got = append(got, fmt.Sprint(l.Row, " ", l.Rule))
	}
	if s := strings.Join(got, ", "); s != "3 x.null, 4 x.image, 5 x.image, 6 x.image, 7 x.image" || out.Batch.NumRows() != 2 {
		t.Errorf("got %s and %d rows", s, out.Batch.NumRows())
	}
	if v := out.Dead[1].Value; v != "6 bytes" {
		t.Errorf("value of a letter: got %q want its size", v)
	}
}

func TestValidateWide(t *testing.T) {
	for _, c := range []struct {
		f    Feature
		path string
	}{
		{Feature{Sequence: &Sequence{}}, "sequence.length"},
		{Feature{Sequence: &Sequence{Length: 3}}, "sequence"},
		{Feature{Sequence: &Sequence{Length: 3, Side: "left"}}, "sequence.side"},
		{Feature{Sequence: &Sequence{Length: 3, Keep: "middle"}}, "sequence.keep"},
		{Feature{Sequence: &Sequence{Length: 3}, PerKey: &PerKey{Column: "k"}}, "sequence"},
		{Feature{PCA: &PCA{With: []string{"x"}}}, "pca.with"},
		{Feature{PCA: &PCA{With: []string{"z"}, Components: 3}}, "pca"},
		{Feature{PCA: &PCA{With: []string{"k"}}}, "column"},
		{Feature{PCA: &PCA{}, Fill: &Fill{With: "median"}}, "fill.with"},
		{Feature{PCA: &PCA{}, Scale: "z_score"}, "scale"},
		{Feature{Image: &Image{Height: 4, Width: 4}}, "image"},
		{Feature{Image: &Image{Height: 4}}, "image"},
		{Feature{Image: &Image{Height: 4, Width: 4, Channels: 2}}, "image.channels"},
		{Feature{Image: &Image{Height: 4, Width: 4, Std: []float64{0, 1, 1}}}, "image.std"},
		{Feature{Image: &Image{Height: 4, Width: 4, Crop: 2}}, "image.crop"},
	} {
		c.f.Column = "x"
		faultAt(t, c.f, c.path)
	}
	faultAt(t, Feature{Column: "k", Sequence: &Sequence{Length: 3}}, "sequence.separator")
	schema := table(lists("l"), files("f"), texts("y")).Record.Schema()
	for _, name := range []string{"l", "f"} {
		if _, err := NewAnalyzer(Spec{Features: []Feature{{Column: name}}, Label: Label{Column: "y"}}, schema); err == nil || !strings.Contains(err.Error(), "features[0].column") {
			t.Errorf("column %s as a number: got %v want an error", name, err)
		}
	}
}

// TestBindsOtherWidths: a list of integers serves a Plan of a list of floats, a
// number does not serve for an image.
func TestBindsOtherWidths(t *testing.T) {
	train := table(lists("x", []any{1, 2}, []any{3}), texts("y", "n", "y"))
	p := plan(t, Spec{Features: []Feature{{Column: "x", Sequence: &Sequence{Length: 2}}}, Label: Label{Column: "y"}}, train)
	score := table(column{"x", arrow.ListOf(arrow.PrimitiveTypes.Int64), []any{[]any{7, 8}}})
	near(t, "integers", features(t, apply(t, p, score, Options{}))[0], []float64{7, 8}, 0)
	if _, err := p.Bind(table(floats("x", 1)).Record.Schema(), Options{}); err == nil {
		t.Error("a number for a list: got no error")
	}
	pictures := table(files("x", pngOf(t, picture(false)), nil), texts("y", "n", "y"))
	p = plan(t, Spec{Features: []Feature{{Column: "x", Image: &Image{Height: 1, Width: 1}}}, Label: Label{Column: "y"}}, pictures)
	if _, err := p.Bind(table(floats("x", 1)).Record.Schema(), Options{}); err == nil {
		t.Error("a number for an image: got no error")
	}
}
