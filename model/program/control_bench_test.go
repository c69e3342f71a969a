package program

import (
	"fmt"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/graph"
)

// BenchmarkScan runs a cumulative sum over rows of 64, unrolled and by rounds.
func BenchmarkScan(b *testing.B) {
	for _, rows := range []int{1000, 5000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			g, body := graph.New("g"), graph.New("body")
			sum0, _ := g.InputOf("sum0", graph.Type{Form: graph.Unknown})
			x, _ := g.InputOf("x", graph.Type{Form: graph.Unknown})
			sum, _ := body.InputOf("sum", graph.Type{Form: graph.Unknown})
			e, _ := body.InputOf("e", graph.Type{Form: graph.Unknown})
			if err := body.Append(&graph.Node{Op: "Add", Inputs: []*graph.Value{sum, e}}, []string{"next"}); err != nil {
				b.Fatal(err)
			}
			next := body.Nodes[0].Outputs[0]
			body.Outputs = []*graph.Value{next, next}
			scan := &graph.Node{Op: "Scan", Inputs: []*graph.Value{sum0, x}, Attrs: accel.Attrs{accel.Int("num_scan_inputs", 1)},
				Graphs: []graph.Body{{Attr: "body", Graph: body}}}
			if err := g.Append(scan, []string{"last", "sums"}); err != nil {
				b.Fatal(err)
			}
			g.Outputs = scan.Outputs
			p := New(g, cpu.New(), Options{})
			in := []*accel.Array{counting(64), counting(rows, 64)}
			if _, err := p.Run(in...); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := p.Run(in...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/round")
		})
	}
}
