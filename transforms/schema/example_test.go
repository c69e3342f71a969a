package schema_test

import (
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/transforms/schema"
	"github.com/millrace-go/millrace/transforms/stats"
)

func statistics(rows string) (*stats.Analyzer, error) {
	columns := arrow.NewSchema([]arrow.Field{{Name: "phase", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "speed", Type: arrow.PrimitiveTypes.Float64, Nullable: true}}, nil)
	record, _, err := array.RecordFromJSON(memory.DefaultAllocator, columns, strings.NewReader(rows))
	if err != nil {
		return nil, err
	}
	a, err := stats.NewAnalyzer(stats.Options{}, columns)
	if err != nil {
		return nil, err
	}
	return a, a.Add(record)
}

func Example() {
	monday, err := statistics(`[{"phase":"Climb","speed":140},{"phase":"Taxi","speed":20}]`)
	if err != nil {
		fmt.Println(err)
		return
	}
	tuesday, err := statistics(`[{"phase":"Climb","speed":150},{"phase":"taxi"}]`)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := schema.Infer(monday, schema.InferOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := s.Check(tuesday, schema.CheckOptions{Previous: monday})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range report.Anomalies {
		fmt.Printf("%s: %s: %s\n", a.Column, a.Short, a.Description)
	}
	fmt.Printf("the share of %q moved by %g\n", report.Drift[0].LInfinityValue, *report.Drift[0].LInfinity)
	// Output:
	// phase: Values outside of the domain: 1 of 2 values, a share of 0.5, are outside of the domain, want at most 0: "taxi" (50 %).
	// speed: Values missing: The column is null in 1 of 2 rows, so that a share of 0.5 has it, want at least 1.
	// the share of "Taxi" moved by 0.5
}
