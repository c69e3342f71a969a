package pipelines

import (
	"errors"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/pipelines/job"
)

// inJob turns an error about keys of a section of the job into one that says
// where in the job file they are, and against which data they were checked.
// Other errors stay as they are.
func (r *Run) inJob(section string, err error, in *input) error {
	var all *job.Error
	for _, f := range fielderr.All(err) {
		var one *job.Error
		at := r.job.ErrorAt(f.Under(section).Path, "%v (checked with the columns of %s)", f.Err, in.survey.Files[0].Name)
		switch {
		case !errors.As(at, &one):
			return at
		case all == nil:
			all = one
		default:
			all.Problems = append(all.Problems, one.Problems...)
		}
	}
	if all == nil {
		return err
	}
	if n := len(all.Problems); n > job.MaxErrors {
		all.Problems, all.Omitted = all.Problems[:job.MaxErrors], n-job.MaxErrors
	}
	return all
}
