package normalize

import (
	"math"
	"strings"
	"testing"
)

// scaled fits a feature to x and prepares z with it; the values of a row side
// by side.
func scaled(t testing.TB, f Feature, x, z []any) []float32 {
	t.Helper()
	f.Column = "x"
	spec, y := labelled(f, len(x))
	p := plan(t, spec, table(floats("x", x...), y))
	_, y = labelled(f, len(z))
	var got []float32
	for _, row := range features(t, apply(t, p, table(floats("x", z...), y), Options{})) {
		got = append(got, row...)
	}
	return got
}

// near fails unless got is want, computed in float64 with a relative error of
// tol and rounded to float32.
func near(t testing.TB, name string, got []float32, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %v want %v", name, got, want)
		return
	}
	for i, w := range want {
		if !(math.Abs(float64(got[i])-w) <= (tol+0x1p-23)*math.Max(math.Abs(w), 1e-3)) {
			t.Errorf("%s: value %d: got %v want %v", name, i, got[i], w)
		}
	}
}

// TestScalesAsScikitLearn holds the scales against scikit-learn 1.9.1's
// RobustScaler, MaxAbsScaler, MinMaxScaler, QuantileTransformer (without
// sampling) and PowerTransformer, fitted on x = 1, 2, 2, 3, 5, 8, 13, 40.
func TestScalesAsScikitLearn(t *testing.T) {
	x := []any{1, 2, 2, 3, 5, 8, 13, 40}
	z := []any{0, 1, 2, 2.5, 3, 5, 8, 13, 40, 50}
	const end = 5.199337582605575
	q := func(n int, to string) Feature {
		return Feature{Scale: "quantile", Quantile: &QuantileMap{Quantiles: n, To: to}}
	}
	for _, c := range []struct {
		name string
		f    Feature
		z    []any
		want []float64
	}{
		{"robust", Feature{Scale: "robust"}, x, []float64{-0.41379310344827586, -0.27586206896551724, -0.27586206896551724, -0.13793103448275862, 0.13793103448275862, 0.5517241379310345, 1.2413793103448276, 4.9655172413793105}},
		{"robust, 10 to 90 %", Feature{Scale: "robust", Robust: &Robust{.1, .9}}, x, []float64{-0.154639175257732, -0.10309278350515466, -0.10309278350515466, -0.05154639175257733, 0.05154639175257733, 0.20618556701030932, 0.463917525773196, 1.855670103092784}},
		{"max_abs", Feature{Scale: "max_abs"}, x, []float64{0.025, 0.05, 0.05, 0.075, 0.125, 0.2, 0.325, 1}},
		{"min_max to -1, 3", Feature{Scale: "min_max", Range: &Range{-1, 3}}, x, []float64{-1, -0.8974358974358976, -0.8974358974358976, -0.7948717948717949, -0.5897435897435899, -0.28205128205128216, 0.23076923076923062, 3}},
		{"uniform", Feature{Scale: "quantile"}, z, []float64{0, 0, 0.21428571428571427, 0.3571428571428571, 0.42857142857142855, 0.5714285714285714, 0.7142857142857142, 0.8571428571428571, 1, 1}},
		{"normal", q(0, "normal"), z, []float64{-end, -end, -0.7916386077433746, -0.3661063568005698, -0.1800123697927051, 0.18001236979270496, 0.5659488219328628, 1.0675705238781412, end, end}},
		{"5 quantiles", q(5, ""), z, []float64{0, 0, 0.25, 0.3125, 0.375, 0.5476190476190477, 0.6904761904761905, 0.7804878048780488, 1, 1}},
		{"3 quantiles, normal", q(3, "normal"), z, []float64{-end, -end, -0.967421566101701, -0.6744897501960817, -0.43072729929545744, 0.03482131726034756, 0.13971029888186212, 0.31863936396437514, end, end}},
		{"yeo_johnson", Feature{Scale: "power"}, x, []float64{-1.5329102039613383, -0.7973410556872201, -0.7973410556872201, -0.35422364760643926, 0.1768415129411415, 0.6157660255029879, 1.0078218627709583, 1.6813865617271342}},
		{"box_cox", Feature{Scale: "power", Power: &Power{"box_cox"}}, x, []float64{-1.6201111567779602, -0.7520609009815895, -0.7520609009815895, -0.30904058231886467, 0.18952640587982228, 0.5958967089935224, 0.9689791083466756, 1.6788713178399841}},
	} {
		near(t, c.name, scaled(t, c.f, x, c.z), c.want, 1e-6)
	}
	mixed := []any{-3, -1, 0, .5, 2, 7, 30}
	near(t, "yeo_johnson of both signs", scaled(t, Feature{Scale: "power"}, mixed, mixed),
		[]float64{-1.7639298339374452, -0.5770217897365563, -0.19921736832584006, -0.07233345231761995, 0.19076111553193262, 0.690355356272607, 1.7313859725129215}, 1e-6)
}

// TestPowers: lambdas from scikit-learn 1.9.1, but where it goes beyond 16.
func TestPowers(t *testing.T) {
	lambda := func(method string, x ...any) float64 {
		spec, y := labelled(Feature{Column: "x", Scale: "power", Power: &Power{method}}, len(x))
		return plan(t, spec, table(floats("x", x...), y)).Features[0].Power.Lambda
	}
	for _, c := range []struct {
		name      string
		got, want float64
		tol       float64
	}{
		{"yeo_johnson", lambda("yeo_johnson", 1, 2, 2, 3, 5, 8, 13, 40), -0.4699720830988864, 2e-7},
		{"box_cox", lambda("box_cox", 1, 2, 2, 3, 5, 8, 13, 40), -0.24690045416914982, 2e-7},
		{"both signs", lambda("yeo_johnson", -3, -1, 0, .5, 2, 7, 30), 0.348503324274791, 2e-7},
		{"negative", lambda("yeo_johnson", -1, -2, -2, -3, -5, -8, -13, -40), 2.4699720830988864, 2e-7}, // 2 less that of the positive
		{"bounded", lambda("yeo_johnson", 1, 1.000001, 1.000004, 1.000009, 1.000016, 1.000025, 1.000036, 1.000049), -16, 1e-6},
		// Logs of 1, 2, 4, …: symmetric, so log is likeliest.
		{"logarithm", lambda("box_cox", 1, 2, 4, 8, 16, 32, 64), 0, 1e-6},
		{"constant", lambda("box_cox", 3, 3), lambda("box_cox", 3, 3), 0}, // any, but one
	} {
		if !(math.Abs(c.got-c.want) <= c.tol) {
			t.Errorf("%s: got %v want %v", c.name, c.got, c.want)
		}
	}
	spec, y := labelled(Feature{Column: "x", Scale: "power", Power: &Power{"box_cox"}}, 3)
	if _, err := analyze(t, spec, table(floats("x", 1, 0, 2), y)).Plan(); err == nil || !strings.Contains(err.Error(), "yeo_johnson") {
		t.Errorf("box_cox of 0: got %v want an error with the remedy", err)
	}
	p := plan(t, spec, table(floats("x", 1, 4, 2), y))
	if out := apply(t, p, table(floats("x", -1, 3, 0), y), Options{}); len(out.Dead) != 2 || out.Dead[0].Rule != "x.power" {
		t.Errorf("box_cox of -1 and 0: got %+v want two dead letters", out.Dead)
	}
}

// TestScalesOfConstants: every scale but max_abs makes 0, or the low end of
// its range, also of a value the train split did not have.
func TestScalesOfConstants(t *testing.T) {
	for _, c := range []struct {
		f    Feature
		want float64
	}{
		{Feature{Scale: "z_score"}, 0}, {Feature{Scale: "robust"}, 0}, {Feature{Scale: "min_max", Range: &Range{2, 5}}, 2},
		{Feature{Scale: "quantile"}, 0}, {Feature{Scale: "quantile", Quantile: &QuantileMap{To: "normal"}}, 0}, {Feature{Scale: "power"}, 0},
		{Feature{Scale: "max_abs"}, 1},
	} {
		near(t, c.f.Scale, scaled(t, c.f, []any{4, 4, 4}, []any{4}), []float64{c.want}, 0)
	}
	near(t, "robust of mostly equal values", scaled(t, Feature{Scale: "robust"}, []any{4, 4, 4, 4, 4, 9}, []any{4, 9}), []float64{0, 5}, 0)
	near(t, "max_abs of zeros", scaled(t, Feature{Scale: "max_abs"}, []any{0, 0}, []any{0, 3}), []float64{0, 0}, 0)
}

// TestNormalQuantile: figures of SciPy's ndtri.
func TestNormalQuantile(t *testing.T) {
	for p, want := range map[float64]float64{
		1e-300: -37.0470962993612, 1e-20: -9.262340089798409, 1e-9: -5.9978070150076865, 1e-4: -3.7190164854556804,
		.05: -1.6448536269514729, .075: -1.4395314709384563, .3: -0.5244005127080409, .5: 0, .7: 0.5244005127080407,
		.9: 1.2815515655446004, .975: 1.959963984540054, .99999: 4.264890793923841, 1 - 1e-12: 7.0344869100478356,
		0: math.Inf(-1), 1: math.Inf(1),
	} {
		got := normalQuantile(p)
		if got != want && !(math.Abs(got-want) <= 8*0x1p-53*math.Abs(want)) {
			t.Errorf("of %v: got %v want %v", p, got, want)
		}
	}
}

// TestPerKey: each key is prepared by its own rows, an unknown key and null by
// all of them.
func TestPerKey(t *testing.T) {
	train := table(
		floats("x", 4, 1, 5, 2, 25, 5, 100, nil),
		texts("k", "a", "a", "a", "a", "b", "b", nil, "c"),
		texts("y", "n", "y", "n", "y", "n", "y", "n", "y"))
	spec := Spec{
		Features: []Feature{
			{Column: "x", Scale: "min_max", Fill: &Fill{With: "mean", Indicator: true}, PerKey: &PerKey{Column: "k"}},
			{Column: "x", Bucketize: &Bucketize{Quantiles: 2}, Fill: &Fill{With: "median"}, PerKey: &PerKey{Column: "k"}},
		},
		Label: Label{Column: "y"},
	}
	p := plan(t, spec, train)
	if got, want := strings.Join(p.Columns(), " "), "x k"; got != want {
		t.Errorf("columns: got %s want %s", got, want)
	}
	rows := table(floats("x", 2, 25, 20.8, nil, 100, 5), texts("k", "a", "b", "zz", "a", nil, "b"))
	// All values are 1, 2, 4, 5, 5, 25, 100, and the mean 142/7 that fills the
	// null of c, which has no value of its own; a's mean is 3.
	want := [][]float64{{.25, 0}, {1, 0}, {.2, 0}, {.5, 1}, {1, 0}, {0, 0}}
	// Medians of ranks n/2: a 4, b 25, all 5 of 1 2 4 5 5 5 25 100; a's fill is 3.
	buckets := [][]float64{{1, 0}, {0, 1}, {0, 1}, {1, 0}, {0, 1}, {1, 0}}
	for i, row := range features(t, apply(t, p, rows, Options{})) {
		near(t, "row", row, append(want[i], buckets[i]...), 0)
	}
	spec.Features[0].PerKey.MaxKeys = 2
	if _, err := analyze(t, spec, train).Plan(); err == nil || !strings.Contains(err.Error(), "max_keys") {
		t.Errorf("three keys of two: got %v want an error with the remedy", err)
	}
}

func TestValidateScales(t *testing.T) {
	for path, f := range map[string]Feature{
		"robust":             {Scale: "robust", Robust: &Robust{.8, .2}},
		"range":              {Scale: "min_max", Range: &Range{2, 1}},
		"quantile.quantiles": {Scale: "quantile", Quantile: &QuantileMap{Quantiles: 1}},
		"quantile.to":        {Scale: "quantile", Quantile: &QuantileMap{To: "gauss"}},
		"power.method":       {Scale: "power", Power: &Power{"log"}},
		"power":              {Scale: "z_score", Power: &Power{}},
		"per_key.column":     {Scale: "z_score", PerKey: &PerKey{Column: "x"}},
		"per_key.max_keys":   {Scale: "z_score", PerKey: &PerKey{Column: "k", MaxKeys: -1}},
	} {
		f.Column = "x"
		faultAt(t, f, path)
	}
	faultAt(t, Feature{Column: "x", PerKey: &PerKey{Column: "z"}}, "per_key.column")
	faultAt(t, Feature{Column: "k", PerKey: &PerKey{Column: "x"}, Scale: "z_score"}, "scale")
}
