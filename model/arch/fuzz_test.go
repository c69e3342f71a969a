package arch_test

import (
	"encoding/json"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/arch"
	"github.com/millrace-go/millrace/model/nn"
	"github.com/millrace-go/millrace/model/precision"
)

// FuzzBuild reads what a model file's header holds, JSON from outside: Build
// gives an error or a model that can be trained, and never panics.
func FuzzBuild(f *testing.F) {
	f.Add(`{"arch":"convnet","image":[1,2,3],"channels":[2],"hidden":[3]}`, `[{"name":"x","dtype":"float32","shape":[6]}]`, 2)
	f.Add(`{"arch":"tabular","hidden":[3],"dropout":0.5}`, `[{"name":"x","dtype":"float32","shape":[2]},{"name":"id","dtype":"int32","shape":[],"cardinality":9,"dim":2}]`, 3)
	f.Add(`{"arch":"tabular","hidden":[65536,65536]}`, `[{"name":"x","dtype":"float32","shape":[-1]}]`, -1)
	f.Add(`{"arch":"convnet","image":[9999999,9999999,9999999],"channels":[1]}`, `[{"name":"","dtype":"","shape":[0]}]`, 1<<30)
	f.Fuzz(func(t *testing.T, config, inputs string, classes int) {
		var c arch.Config
		var in []nn.Input
		if json.Unmarshal([]byte(config), &c) != nil || json.Unmarshal([]byte(inputs), &in) != nil {
			return
		}
		m, err := arch.Build(c, in, classes)
		if err != nil {
			return
		}
		scalars := 0
		for _, p := range m.Params {
			n := 1
			for _, d := range p.Shape {
				n *= d
			}
			if n < 1 {
				t.Fatalf("%s has shape %v", p.Name, p.Shape)
			}
			scalars += n
		}
		if scalars < 1 || scalars >= 1<<31 {
			t.Fatalf("%d scalars", scalars)
		}
		if m.Classes > 1000 {
			return // the trainer's class weights are as long
		}
		if _, err := m.NewTrainer(cpu.New(), precision.FP32); err != nil {
			t.Fatalf("built, but not trainable: %v", err)
		}
	})
}
