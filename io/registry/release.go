package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/millrace-go/millrace/io/store"
)

// The decisions on a candidate.
const (
	Released = "released"
	Rejected = "rejected"
)

// Release is the record of one candidate model and what was decided about it.
type Release struct {
	// ID is the record's number; the log sets it.
	ID int `json:"-"`
	// Decision is Released or Rejected.
	Decision string `json:"decision"`
	// Reason says in a sentence why.
	Reason string `json:"reason"`
	// Key is the digest of all that the candidate was made of: Job, Code, Data
	// and what else its maker puts in. The same key means that nothing changed.
	Key string `json:"key"`
	// Job, Code and Data are the digests of the job's settings, of the program
	// and of the input files.
	Job  string `json:"job"`
	Code string `json:"code"`
	Data string `json:"data"`

	// Model and Plan are the files that score; ModelDigest and PlanDigest are
	// the digests those files carry inside.
	Model       store.Ref `json:"model"`
	ModelDigest string    `json:"model_digest"`
	Plan        store.Ref `json:"plan"`
	PlanDigest  string    `json:"plan_digest"`
	// Objects are further files of the release, by role.
	Objects map[string]store.Ref `json:"objects,omitempty"`

	// Metrics are the candidate's, on the test rows; finite numbers only.
	Metrics map[string]float64 `json:"metrics"`
	// Champion is the release it was compared with, 0 if there was none, and
	// ChampionMetrics are that model's on the same rows.
	Champion        int                `json:"champion"`
	ChampionMetrics map[string]float64 `json:"champion_metrics,omitempty"`
}

// SetID sets the number of the record.
func (r *Release) SetID(id int) { r.ID = id }

// Validate reports what a release lacks.
func (r *Release) Validate() error {
	switch {
	case r.Decision != Released && r.Decision != Rejected:
		return fmt.Errorf("registry.Release: decision %q, want %q or %q", r.Decision, Released, Rejected)
	case r.Key == "":
		return fmt.Errorf("registry.Release: empty key")
	case r.Decision == Released && (r.Model.Name == "" || r.Model.SHA256 == "" || r.Plan.Name == "" || r.Plan.SHA256 == ""):
		return fmt.Errorf("registry.Release: released without a model (%+v) or a plan (%+v)", r.Model, r.Plan)
	case r.Champion < 0:
		return fmt.Errorf("registry.Release: champion %d, want a record's number, or 0 for none", r.Champion)
	}
	return errors.Join(finite(r.Metrics), finite(r.ChampionMetrics))
}

// finite reports the first metric, in name order, that JSON cannot hold.
func finite(metrics map[string]float64) error {
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		if v := metrics[name]; math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("registry.Release: metric %q is %v, want a finite number", name, v)
		}
	}
	return nil
}

// Releases is the log of a job's releases.
func Releases(s store.Store, prefix string) *Log[Release] { return Open[Release](s, prefix) }

// Champion returns the last release whose decision was Released, nil if there is none.
func Champion(ctx context.Context, log *Log[Release]) (*Release, error) {
	return latest(ctx, log, func(r *Release) bool { return r.Decision == Released })
}

// ByKey returns the last release made of key, whatever its decision; nil if there is none.
func ByKey(ctx context.Context, log *Log[Release], key string) (*Release, error) {
	return latest(ctx, log, func(r *Release) bool { return r.Key == key })
}

// latest searches from the last record to the first.
func latest(ctx context.Context, log *Log[Release], match func(*Release) bool) (*Release, error) {
	last, err := log.LastID(ctx)
	if err != nil {
		return nil, err
	}
	for id := last; id > 0; id-- {
		r, err := log.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		if match(&r) {
			return &r, nil
		}
	}
	return nil, nil
}
