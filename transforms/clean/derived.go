package clean

import (
	"fmt"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/internal/names"
)

// derivePositions maps the names of derived columns to their key paths.
func derivePositions(derive []Derive) map[string]string {
	at := make(map[string]string, len(derive))
	for i, d := range derive {
		at[d.Name] = fmt.Sprintf("derive[%d]", i)
	}
	return at
}

// addDerived plans the derived columns; at gives their key paths.
func (c *Cleaner) addDerived(derive []Derive, at map[string]string) error {
	position, kinds := map[string]int{}, []kind{}
	for i, col := range c.columns {
		position[col.name] = i
		kinds = append(kinds, col.kind)
	}
	for _, d := range derive {
		from, ok := position[d.From]
		if !ok {
			return fielderr.New(at[d.Name]+".from", "column %q: not cleaned, or derived only later; did you mean %q?", d.From, names.Nearest(d.From, sortedKeys(position)))
		}
		as, _ := deriveOf(d.As)
		if err := as.accepts(kinds[from]); err != nil {
			return fielderr.New(at[d.Name]+".from", "column %q: %w", d.From, err)
		}
		position[d.Name] = len(kinds)
		kinds = append(kinds, as.to)
		c.derive = append(c.derive, derivedColumn{Derive: d, derivation: as, from: from})
	}
	return nil
}
