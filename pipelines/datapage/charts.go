package datapage

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/millrace-go/millrace/transforms/stats"
)

// The size of a chart in points, the unit of vg.
const (
	chartWidth  = 150
	chartHeight = 75
)

var (
	fill    = color.RGBA{R: 0x4c, G: 0x78, B: 0xa8, A: 0xff}
	outline = color.RGBA{R: 0x2f, G: 0x4b, B: 0x6a, A: 0xff}
)

// chartsOf are the histograms of a numeric column, of buckets of equal width
// and of equal count. Those of one row share their axes, and areas are
// shares of the values, so that tables of any size can be compared by eye.
func chartsOf(each []*stats.Column) ([]chartRow, error) {
	var out []chartRow
	for _, kind := range []struct {
		name string
		of   func(*stats.Moments) []stats.Bucket
	}{
		{"histogram", func(m *stats.Moments) []stats.Bucket { return m.Histogram }},
		{"quantile histogram", func(m *stats.Moments) []stats.Bucket { return m.QuantileHistogram }},
	} {
		bins := make([][]plotter.HistogramBin, len(each))
		var axes frame
		for i, c := range each {
			if c != nil && c.Numeric != nil && c.Numeric.Moments != nil {
				bins[i] = densities(kind.of(c.Numeric.Moments))
				axes.extend(bins[i])
			}
		}
		if !axes.some {
			continue
		}
		row := chartRow{Name: kind.name}
		for i, c := range each {
			var svg template.HTML
			if len(bins[i]) > 0 {
				var err error
				if svg, err = chart(c, bins[i], axes); err != nil {
					return nil, err
				}
			}
			row.Charts = append(row.Charts, svg)
		}
		out = append(out, row)
	}
	return out, nil
}

// frame is what the charts of a row have in common.
type frame struct {
	some           bool
	low, high, top float64
}

func (f *frame) extend(bins []plotter.HistogramBin) {
	for _, b := range bins {
		if !f.some {
			f.some, f.low, f.high, f.top = true, b.Min, b.Max, b.Weight
		}
		f.low, f.high, f.top = min(f.low, b.Min), max(f.high, b.Max), max(f.top, b.Weight)
	}
}

// unit is where x lies between low and high, from 0 to 1; halves, for their
// difference may be too large for a number.
func (f *frame) unit(x float64) float64 { return (x/2 - f.low/2) / (f.high/2 - f.low/2) }

// densities makes bars of buckets: their areas are shares of all values, with
// the whole range as the unit of width. Buckets that are too narrow to be seen,
// such as those of a frequent value, are joined with the next.
func densities(buckets []stats.Bucket) []plotter.HistogramBin {
	if len(buckets) == 0 {
		return nil
	}
	total, low, high := 0., buckets[0].Low, buckets[len(buckets)-1].High
	for _, b := range buckets {
		total += b.Count
	}
	if total == 0 {
		return nil
	}
	span := high/2 - low/2 // half the range, which cannot overflow
	if span == 0 {
		return []plotter.HistogramBin{{Min: low - 0.5, Max: low + 0.5, Weight: 1}}
	}
	const narrow = 1. / 150
	var out []plotter.HistogramBin
	from, count := low, 0.
	for i, b := range buckets {
		count += b.Count
		width := (b.High/2 - from/2) / span // of the range
		if width < narrow && i < len(buckets)-1 {
			continue
		}
		out = append(out, plotter.HistogramBin{Min: from, Max: b.High, Weight: count / total / max(width, narrow)})
		from, count = b.High, 0
	}
	return out
}

// chart draws one histogram as SVG. Its only texts are both ends of its axis.
func chart(c *stats.Column, bins []plotter.HistogramBin, axes frame) (template.HTML, error) {
	p := plot.New()
	p.BackgroundColor = nil // transparent
	p.HideY()
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.LineStyle.Width = vg.Points(0.5)
	p.X.Tick.Length = vg.Points(2)
	p.X.Tick.Label.Font.Size = vg.Points(7)
	p.X.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: label(c, axes.low)}, {Value: 1, Label: label(c, axes.high)}}
	unit := make([]plotter.HistogramBin, len(bins))
	for i, b := range bins {
		unit[i] = plotter.HistogramBin{Min: axes.unit(b.Min), Max: axes.unit(b.Max), Weight: b.Weight / axes.top}
	}
	p.Add(&plotter.Histogram{Bins: unit, FillColor: fill, LineStyle: draw.LineStyle{Color: outline, Width: vg.Points(0.25)}})
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1

	canvas := vgsvg.New(chartWidth, chartHeight)
	left := vg.Length(2 * len(label(c, axes.low))) // half of the first label, which would be cut
	p.Draw(draw.Crop(draw.New(canvas), left, 0, 0, 0))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return "", err
	}
	at := bytes.Index(b.Bytes(), []byte("<svg")) // a page has no room for an XML declaration
	if at < 0 {
		return "", fmt.Errorf("the chart is no SVG")
	}
	return template.HTML(b.Bytes()[at:]), nil
}
