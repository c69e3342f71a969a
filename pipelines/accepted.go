package pipelines

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/registry"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/transforms/stats"
)

// accepted is the record of data that was held against the schema and let
// pass. Drift is measured from the last of them that is other data.
type accepted struct {
	// Data is the digest of the input files.
	Data string `json:"data"`
	// All are the statistics of all rows.
	All store.Ref `json:"all"`
}

// Validate reports what a record lacks.
func (a *accepted) Validate() error {
	if a.Data == "" || a.All.Name == "" {
		return fmt.Errorf("data %q, statistics %q; want both", a.Data, a.All.Name)
	}
	return nil
}

func (r *Run) acceptedLog() *registry.Log[accepted] {
	return registry.Open[accepted](r.out, "stats/accepted")
}

// keptStats is the form in which the statistics of a table stay in the store:
// with the distributions, which statistics.json does not have.
type keptStats struct {
	Options  stats.Options `json:"options"`
	Schema   []byte        `json:"schema"`
	Analyzer []byte        `json:"analyzer"`
}

// accept records that data was let pass, and removes statistics that no later
// run can ask for.
func (r *Run) accept(ctx context.Context, in *input, t *gatheredTable) error {
	log := r.acceptedLog()
	analyzer, err := t.slicer.Whole.MarshalBinary()
	if err != nil {
		return err
	}
	o := r.job.Stats.Options()
	o.SliceBy = nil
	data, err := json.Marshal(keptStats{o, batch.EncodeSchema(in.schema), analyzer})
	if err != nil {
		return err
	}
	ref, err := store.PutNamed(ctx, r.out, "stats/data/"+store.RefOf("", data).SHA256[:16]+".json", data)
	if err != nil {
		return err
	}
	rec := accepted{Data: in.survey.Digest(), All: ref}
	_, last, err := log.Last(ctx)
	if err != nil {
		return err
	}
	if last == nil || *last != rec {
		if _, err := log.Append(ctx, rec); err != nil {
			return err
		}
	}
	return r.pruneAccepted(ctx, rec.Data)
}

// pruneAccepted removes the statistics of all but data, the data before it and
// the data of the last release.
func (r *Run) pruneAccepted(ctx context.Context, data string) error {
	keep := map[string]bool{}
	champion, err := r.champion(ctx)
	if err != nil {
		return err
	}
	wanted := []func(*accepted) bool{
		func(a *accepted) bool { return a.Data == data },
		func(a *accepted) bool { return a.Data != data },
	}
	if champion != nil {
		wanted = append(wanted, func(a *accepted) bool { return a.Data == champion.Data })
	}
	for _, match := range wanted {
		a, err := r.lastAccepted(ctx, match)
		if err != nil {
			return err
		}
		if a != nil {
			keep[a.All.Name] = true
		}
	}
	return store.DeleteExcept(ctx, r.out, "stats/data/", keep)
}

// lastAccepted is the last record that matches, nil if there is none.
func (r *Run) lastAccepted(ctx context.Context, match func(*accepted) bool) (*accepted, error) {
	log := r.acceptedLog()
	last, err := log.LastID(ctx)
	if err != nil {
		return nil, err
	}
	for id := last; id > 0; id-- {
		a, err := log.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		if match(&a) {
			return &a, nil
		}
	}
	return nil, nil
}

// before are the statistics of the data before data; nil if there is none.
func (r *Run) before(ctx context.Context, data string) (*stats.Analyzer, error) {
	a, err := r.lastAccepted(ctx, func(a *accepted) bool { return a.Data != data })
	if err != nil || a == nil {
		return nil, err
	}
	return r.keptAnalyzer(ctx, a.All)
}

// ofRelease are the statistics of the data of the last release; nil if there
// is none, or its data was not held against a schema.
func (r *Run) ofRelease(ctx context.Context) (*registry.Release, *stats.Analyzer, error) {
	champion, err := r.champion(ctx)
	if err != nil || champion == nil {
		return nil, nil, err
	}
	a, err := r.lastAccepted(ctx, func(a *accepted) bool { return a.Data == champion.Data })
	if err != nil || a == nil {
		return nil, nil, err
	}
	kept, err := r.keptAnalyzer(ctx, a.All)
	return champion, kept, err
}

func (r *Run) keptAnalyzer(ctx context.Context, ref store.Ref) (*stats.Analyzer, error) {
	data, err := store.GetObject(ctx, r.out, ref)
	if err != nil {
		return nil, err
	}
	var kept keptStats
	if err := json.Unmarshal(data, &kept); err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Name, err)
	}
	schema, err := batch.DecodeSchema(kept.Schema)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Name, err)
	}
	a, err := stats.UnmarshalAnalyzer(kept.Options, schema, kept.Analyzer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Name, err)
	}
	return a, nil
}
