package job

import (
	"fmt"

	"github.com/millrace-go/millrace/internal/names"
)

// maxColumns bounds the columns that the patterns of one list may expand to.
const maxColumns = 100_000

// expand expands the "p{0..63}" patterns of a list of column names.
func expand(patterns []string) ([]string, error) {
	var out []string
	for _, p := range patterns {
		list, err := names.Expand(p)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", p, err)
		}
		if out = append(out, list...); len(out) > maxColumns {
			return nil, fmt.Errorf("%q: more than %d columns", p, maxColumns)
		}
	}
	return out, nil
}
