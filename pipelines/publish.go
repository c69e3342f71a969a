package pipelines

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/transforms/ledger"
)

// published is a file that a run leaves for its users.
type published struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

// verify checks that the objects of parts are there, by size; their digests
// are checked where they are read.
func (r *Run) verify(ctx context.Context, parts []ledger.Part) error {
	for _, p := range parts {
		if err := r.present(ctx, p.Object.Name, p.Object.Bytes); err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) present(ctx context.Context, name string, bytes int64) error {
	o, err := r.out.Open(ctx, name)
	if err != nil {
		return err
	}
	defer o.Close()
	if o.Size() != bytes {
		return fmt.Errorf("%s has %d bytes, want %d", name, o.Size(), bytes)
	}
	return nil
}

// publish gives parts the names <base>-00000-of-00002.parquet and so on, in
// order, by put, and removes what an earlier run left under base. A run that was
// killed meanwhile goes on where it stopped.
func (r *Run) publish(ctx context.Context, base string, parts []ledger.Part, put func(context.Context, store.Ref, string) error) ([]published, error) {
	out := make([]published, len(parts))
	keep := map[string]bool{}
	for i, p := range parts {
		ext := path.Ext(p.Object.Name)
		name := fmt.Sprintf("%s-%05d-of-%05d%s", base, i, len(parts), ext)
		out[i] = published{Name: name, SHA256: p.Object.SHA256, Bytes: p.Object.Bytes}
		keep[name] = true
		if err := put(ctx, p.Object, name); err != nil {
			return nil, err
		}
	}
	return out, store.DeleteExcept(ctx, r.out, base+"-", keep)
}

// moveInto moves an object to its published name, unless it is there already.
func (r *Run) moveInto(ctx context.Context, object store.Ref, name string) error {
	err := r.present(ctx, object.Name, object.Bytes)
	if err == nil {
		return r.out.Move(ctx, object.Name, name)
	}
	if !errors.Is(err, store.ErrNotExist) {
		return err
	}
	_, err = store.GetObject(ctx, r.out, store.Ref{Name: name, SHA256: object.SHA256, Bytes: object.Bytes})
	return err
}

// copyInto copies an object to its published name, unless it is there already.
func (r *Run) copyInto(ctx context.Context, object store.Ref, name string) error {
	if _, err := store.GetObject(ctx, r.out, store.Ref{Name: name, SHA256: object.SHA256, Bytes: object.Bytes}); err == nil {
		return nil
	}
	from, err := r.out.Open(ctx, object.Name)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := r.out.Create(ctx, name)
	if err != nil {
		return err
	}
	defer to.Close()
	if _, err := io.Copy(to, store.NewReader(from, 0, -1)); err != nil {
		return err
	}
	return to.Commit()
}

// publishLetters publishes copies of the dead letters among parts, in the order of
// their rows, as deadletters/<step>-….parquet.
func (r *Run) publishLetters(ctx context.Context, step string, parts []ledger.Part) error {
	_, err := r.publish(ctx, "deadletters/"+step, inRowOrder(parts), r.copyInto)
	return err
}

// checkDead fails if too many rows are dead, after publishing their letters.
func (r *Run) checkDead(ctx context.Context, step string, e ledger.Entry, rows int64) error {
	if e.Counts["read"] != rows {
		return fmt.Errorf("rows are lost or doubled: the files have %d rows, %d were read", rows, e.Counts["read"])
	}
	err := r.tooManyDead(e.Counts, step)
	if err == nil {
		return nil
	}
	return errors.Join(err, r.publishLetters(ctx, step, e.Parts))
}

// tooManyDead compares the dead letters with the limit of the job.
func (r *Run) tooManyDead(c ledger.Counts, step string) error {
	dead, limit := c.Sum("dead:"), r.job.Limits.MaxDead
	if dead == 0 || float64(dead) <= limit*float64(c["read"]) {
		return nil
	}
	return fmt.Errorf("%d of %d rows are dead letters, more than limits.max_dead allows (%.4g): %s; see deadletters/%s-*.parquet, then mend the data, the rules or the limit",
		dead, c["read"], limit, topRules(c.Rules("dead:")), step)
}

// topRules names the rules that took the most rows.
func topRules(rules map[string]int64) string {
	type count struct {
		rule string
		n    int64
	}
	var list []count
	for rule, n := range rules {
		list = append(list, count{rule, n})
	}
	slices.SortFunc(list, func(a, b count) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.rule, b.rule))
	})
	var text []string
	for i, c := range list {
		if i == 5 {
			text = append(text, "…")
			break
		}
		text = append(text, fmt.Sprintf("%s %d", c.rule, c.n))
	}
	return strings.Join(text, ", ")
}
