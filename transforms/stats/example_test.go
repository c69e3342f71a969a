package stats_test

import (
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/transforms/stats"
)

func Example() {
	schema := arrow.NewSchema([]arrow.Field{{Name: "phase", Type: arrow.BinaryTypes.String}, {Name: "speed", Type: arrow.PrimitiveTypes.Float64, Nullable: true}}, nil)
	slicer, err := stats.NewSlicer(stats.Options{SliceBy: []string{"phase"}}, schema)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, rows := range []string{`[{"phase":"Climb","speed":140},{"phase":"Taxi","speed":20}]`, `[{"phase":"Climb","speed":150},{"phase":"Taxi"}]`} {
		record, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
		if err == nil {
			err = slicer.Add(record)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	found, err := slicer.Statistics()
	if err != nil {
		fmt.Println(err)
		return
	}
	speed := found.Column("speed")
	fmt.Println(speed.Present, "present,", speed.Missing, "missing, median", speed.Numeric.Moments.Median)
	for _, s := range found.Slices {
		fmt.Println(s.Value, s.Rows, "rows, mean", s.Table.Column("speed").Numeric.Moments.Mean)
	}
	// Output:
	// 3 present, 1 missing, median 140
	// Climb 2 rows, mean 145
	// Taxi 2 rows, mean 20
}
