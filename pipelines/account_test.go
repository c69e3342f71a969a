package pipelines

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/io/registry"
	"github.com/millrace-go/millrace/model/metrics"
)

func TestConserve(t *testing.T) {
	for _, c := range []struct {
		name                                string
		read, surveyed, kept, dropped, dead int64
		want                                string
	}{
		{"all kept", 10, 10, 10, 0, 0, ""},
		{"every way out", 10, 10, 5, 3, 2, ""},
		{"nothing", 0, 0, 0, 0, 0, ""},
		{"a row not read", 9, 10, 9, 0, 0, "the files have 10 rows, 9 were read"},
		{"a row read twice", 11, 10, 11, 0, 0, "the files have 10 rows, 11 were read"},
		{"a row lost later", 10, 10, 5, 3, 1, "10 read, but 5 kept + 3 dropped + 1 dead"},
		{"a row doubled later", 10, 10, 6, 3, 2, "10 read, but 6 kept + 3 dropped + 2 dead"},
	} {
		err := conserve(c.read, c.surveyed, c.kept, c.dropped, c.dead)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %q", c.name, err, c.want)
		}
	}
}

func TestBalanced(t *testing.T) {
	// 12 rows of 3 classes: a class with its fair share of 4 weighs 1.
	if got, want := balanced([]int64{4, 2, 6}), []float32{1, 2, 2.0 / 3}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := balanced([]int64{0, 5}), []float32{0, 0.5}; !slices.Equal(got, want) {
		t.Errorf("a class without rows: got %v, want %v", got, want)
	}
}

func TestTopRules(t *testing.T) {
	rules := map[string]int64{"a": 1, "b": 9, "c": 1, "d": 3, "e": 2, "f": 1}
	if got, want := topRules(rules), "b 9, d 3, e 2, a 1, c 1, …"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGateDecides(t *testing.T) {
	champion := &registry.Release{ID: 4}
	of := func(accuracy, loss, auc float64) *metrics.Metrics {
		return &metrics.Metrics{Rows: 50, Accuracy: accuracy, LogLoss: loss, AUC: &auc}
	}
	fewer := of(0.9, 0.3, 0.9)
	fewer.Rows = 49
	for _, c := range []struct {
		name     string
		metric   string
		margin   float64
		have     *metrics.Metrics
		champion *registry.Release
		of       *metrics.Metrics
		want     string
		reason   string
	}{
		{"the first", "accuracy", 0, of(0.1, 9, 0.1), nil, nil, registry.Released, "first release"},
		{"better", "accuracy", 0, of(0.91, 9, 0), champion, of(0.9, 0, 1), registry.Released, "accuracy 0.9100, release 4 has 0.9000"},
		{"equal", "accuracy", 0, of(0.9, 9, 0), champion, of(0.9, 0, 1), registry.Released, ""},
		{"worse within the margin", "accuracy", 0.0625, of(0.4375, 9, 0), champion, of(0.5, 0, 1), registry.Released, "margin is 0.0625"},
		{"worse beyond the margin", "accuracy", 0.0625, of(0.4374, 9, 0), champion, of(0.5, 0, 1), registry.Rejected, "accuracy 0.4374"},
		{"auc", "auc", 0.01, of(1, 0, 0.7), champion, of(0, 9, 0.8), registry.Rejected, "auc 0.7000"},
		{"log-loss is better when lower", "log_loss", 0.01, of(0, 0.2, 0), champion, of(1, 0.3, 1), registry.Released, "log_loss 0.2000"},
		{"log-loss is worse when higher", "log_loss", 0.01, of(1, 0.4, 1), champion, of(0, 0.3, 0), registry.Rejected, "log_loss 0.4000"},
		{"no number", "log_loss", 1e9, of(1, math.NaN(), 1), champion, of(0, 0.3, 0), registry.Rejected, "NaN"},
		{"a metric that neither has", "auc", 1, &metrics.Metrics{Rows: 50}, champion, &metrics.Metrics{Rows: 50}, registry.Rejected, "NaN"},
		{"other rows", "accuracy", 1, of(1, 0, 1), champion, fewer, registry.Rejected, "can score 49 of the 50 test rows"},
		{"incomparable", "accuracy", 1, of(1, 0, 1), champion, nil, registry.Rejected, "cannot be measured on the same rows (other classes)"},
	} {
		e := &evaluation{compressed: *c.have, champion: c.of, incomparable: "other classes"}
		got, reason := decide(c.metric, c.margin, e, c.champion)
		if got != c.want || !strings.Contains(reason, c.reason) {
			t.Errorf("%s: got %s (%s), want %s (…%s…)", c.name, got, reason, c.want, c.reason)
		}
	}
}
