package store

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// glob is a compiled pattern: path.Match syntax within a segment, and the
// segment ** for any number of folders, none included. A pattern that ends in
// ** matches every object below.
type glob struct {
	base string   // the leading segments without wildcards
	segs []string // the rest
}

func compileGlob(pattern string) (*glob, error) {
	if err := checkName(pattern); err != nil {
		return nil, err
	}
	segs := strings.Split(pattern, "/")
	for _, seg := range segs {
		if _, err := path.Match(seg, ""); err != nil {
			return nil, fmt.Errorf("store: pattern %q: segment %q: %w", pattern, seg, err)
		}
	}
	if segs[len(segs)-1] == "**" {
		segs = append(segs, "*")
	}
	n := 0
	for n < len(segs)-1 && !strings.ContainsAny(segs[n], `*?[\`) {
		n++
	}
	return &glob{base: path.Join(segs[:n]...), segs: segs[n:]}, nil
}

// start is the set of positions in segs before any segment of a name below
// base was read.
func (g *glob) start() []int { return g.close([]int{0}) }

// step returns the positions reached from at by one segment; none means that
// no name that begins so can match.
func (g *glob) step(at []int, seg string) []int {
	var next []int
	for _, i := range at {
		if i == len(g.segs) {
			continue
		}
		if g.segs[i] == "**" {
			next = append(next, i)
			continue
		}
		if ok, _ := path.Match(g.segs[i], seg); ok { // the syntax was checked
			next = append(next, i+1)
		}
	}
	return g.close(next)
}

// close adds the positions reached by letting ** match no folder.
func (g *glob) close(at []int) []int {
	for k := 0; k < len(at); k++ {
		if i := at[k]; i < len(g.segs) && g.segs[i] == "**" {
			at = append(at, i+1)
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// done says that the whole pattern has been matched.
func (g *glob) done(at []int) bool { return slices.Contains(at, len(g.segs)) }
