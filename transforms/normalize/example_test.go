package normalize

import "fmt"

func Example() {
	spec := Spec{
		Features: []Feature{
			{Column: "speed", Fill: &Fill{With: "mean", Indicator: true}, Scale: "min_max"},
			{Column: "phase", Vocabulary: &Vocabulary{MinCount: 2}},
		},
		Label: Label{Column: "damage"},
	}
	train := table(
		floats("speed", 100, nil, 200, 120),
		texts("phase", "Climb", "Climb", "Taxi", nil),
		bools("damage", false, true, false, false))

	analyzer, err := NewAnalyzer(spec, train.Record.Schema())
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := analyzer.Add(train); err != nil {
		fmt.Println(err)
		return
	}
	plan, err := analyzer.Plan()
	if err != nil {
		fmt.Println(err)
		return
	}
	applier, err := plan.Bind(train.Record.Schema(), Options{Label: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	prepared, err := applier.Apply(train)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, name := range plan.FeatureNames() {
		fmt.Println(i, name)
	}
	fmt.Println(prepared.Batch.Record.Column(0))
	fmt.Println(prepared.Batch.Record.Column(1), plan.Classes())
	// Output:
	// 0 speed
	// 1 speed is null
	// 2 phase = Climb
	// 3 phase = (other 0)
	// 4 phase is null
	// [[0 0 1 0 0] [0.4 1 1 0 0] [1 0 0 1 0] [0.2 0 0 0 1]]
	// [0 1 0 0] [false true]
}
