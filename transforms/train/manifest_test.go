package train

import (
	"context"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/store/storetest"
	"github.com/millrace-go/millrace/model/weights"
)

func someParams() weights.Set {
	return newSet(map[string][]float32{"a": {1, -2.5, float32(math.Copysign(0, -1))}, "b": {math.MaxFloat32}})
}

func TestBeginAndParams(t *testing.T) {
	ctx, s := context.Background(), storetest.NewMemory()
	params := someParams()
	m, err := Begin(ctx, s, "p", params)
	if err != nil {
		t.Fatal(err)
	}
	if m.Round != 0 || len(m.Blocks) != 1 || len(m.States) != 0 {
		t.Errorf("got %+v, want round 0 of one block", m)
	}
	got, err := Params(ctx, s, m, params)
	if err != nil || !reflect.DeepEqual(got, params) {
		t.Errorf("got %v, %v, want %v", got, err, params)
	}
	momentum := make([]float32, 4)
	if err := getFloats(ctx, s, m.Blocks[0].Momentum, momentum); err != nil || momentum[0] != 0 || momentum[3] != 0 {
		t.Errorf("got momentum %v, %v, want zeros", momentum, err)
	}
	if err := getFloats(ctx, s, m.Blocks[0].Values, momentum[:3]); err == nil || !strings.Contains(err.Error(), "16 bytes, want 12") {
		t.Errorf("a block of another size: got error %v", err)
	}
	if err := s.Delete(ctx, m.Blocks[0].Values.Name); err != nil {
		t.Fatal(err)
	}
	if _, err := Params(ctx, s, m, params); err == nil || !strings.Contains(err.Error(), m.Blocks[0].Values.Name) {
		t.Errorf("a missing block: got error %v, want its name", err)
	}
}

// A bundle that ran twice commits the same round twice; another result is refused.
func TestCommitTwice(t *testing.T) {
	ctx, s := context.Background(), storetest.NewMemory()
	m, err := Begin(ctx, s, "p", someParams())
	if err != nil {
		t.Fatal(err)
	}
	next := *m
	next.Round, next.ValLoss, next.Steps = 1, 0.5, 40
	next.States = []store.Ref{store.RefOf("p/states/x", []byte("x"))}
	for range 2 {
		if err := commit(ctx, s, "p", &next); err != nil {
			t.Fatal(err)
		}
	}
	other := next
	other.ValLoss = 0.25
	if err := commit(ctx, s, "p", &other); err == nil || !strings.Contains(err.Error(), "round 1 in p was committed with another result; remove the folder and run again") {
		t.Errorf("got error %v, want the second result refused", err)
	}
	all, err := Log(s, "p").All(ctx)
	if err != nil || len(all) != 2 || !reflect.DeepEqual(all[1].Record, next) {
		t.Errorf("got log %+v, %v, want rounds 0 and 1 as committed first", all, err)
	}
	skipped := next
	skipped.Round = 5
	if err := commit(ctx, s, "p", &skipped); err == nil {
		t.Error("a round after one that is missing: got no error")
	}
}

// newSet builds parameters of one dimension each, in the order a, b, ….
func newSet(values map[string][]float32) weights.Set {
	var set weights.Set
	for _, name := range []string{"a", "b"} {
		p := weights.New(name, len(values[name]))
		copy(p.Data(), values[name])
		set = append(set, p)
	}
	return set
}
