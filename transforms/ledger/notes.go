package ledger

import (
	"context"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/deadletter/letterfile"
)

// Notes is the part of a DoFn that accounts for rows: it counts them and
// writes dead letters as parts of kind "dead/<stage>". Embed it by value, call
// Start and Finish around each bundle.
type Notes struct {
	Sink  Sink
	Stage string // what the letters' parts are called: "dead/<Stage>"

	counts  Counts
	letters *Spool[*letterfile.Writer]
}

// Start begins a bundle.
func (n *Notes) Start() {
	n.counts = Counts{}
	if n.letters != nil {
		n.letters.Abandon()
	}
}

// Count adds rows to a name, here and in the Beam counter of that name. Of
// "drop:<rule>" and "dead:<rule>" the Beam counter has the sum over rules.
func (n *Notes) Count(ctx context.Context, name string, rows int64) {
	n.counts.Add(name, rows)
	counter, _, _ := strings.Cut(name, ":")
	beam.NewCounter("millrace", "rows_"+counter).Inc(ctx, rows)
}

// Dead takes letters of one span.
func (n *Notes) Dead(ctx context.Context, span int, letters ...deadletter.Letter) error {
	for _, l := range letters {
		n.Count(ctx, "dead:"+l.Rule, 1)
	}
	if n.Sink.Prefix == "" || len(letters) == 0 {
		return nil
	}
	if n.letters == nil {
		var err error
		if n.letters, err = NewSpool(n.Sink, ".parquet", letterfile.NewWriter); err != nil {
			return err
		}
	}
	w, err := n.letters.Writer(ctx, "dead/"+n.Stage, span, letters[0].Row, int64(len(letters)))
	if err != nil {
		return err
	}
	return w.Write(letters...)
}

// Finish ends a bundle and emits its entry, if there is anything to say.
// More parts may be given.
func (n *Notes) Finish(note func(Entry), parts ...Part) error {
	if n.letters != nil {
		letters, err := n.letters.Flush()
		if err != nil {
			return err
		}
		parts = append(parts, letters...)
	}
	if len(n.counts) > 0 || len(parts) > 0 {
		note(Entry{Counts: n.counts, Parts: parts})
	}
	n.counts = Counts{}
	return nil
}
