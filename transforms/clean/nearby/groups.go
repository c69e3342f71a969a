package nearby

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/transforms/clean"
)

// Position is the place of a row in the input: its span, then its row, in one
// number that orders like them.
type Position uint64

// PositionOf is the position of a row. It panics if they are out of clean's bounds.
func PositionOf(span int, row int64) Position {
	if span < 0 || span > clean.MaxSpan || row < 0 || row > clean.MaxRow {
		panic(fmt.Sprintf("nearby: span %d, row %d, want at most %d and %d", span, row, clean.MaxSpan, int64(clean.MaxRow)))
	}
	return Position(uint64(span)<<40 | uint64(row))
}

// Span and Row take a position apart.
func (p Position) Span() int  { return int(p >> 40) }
func (p Position) Row() int64 { return int64(p & clean.MaxRow) }

// Member is a row in a bucket: those of one band whose minima agree.
type Member struct {
	Bucket xxh3.Uint128
	Position
	Set    uint64 // hash of the row's set
	Offset int64  // where the set lies in the object of its span
}

// memberBytes is the size of an encoded Member.
const memberBytes = 40

func appendMember(p []byte, m Member) []byte {
	p = binary.BigEndian.AppendUint64(p, m.Bucket.Hi)
	p = binary.BigEndian.AppendUint64(p, m.Bucket.Lo)
	p = binary.BigEndian.AppendUint64(p, uint64(m.Position))
	p = binary.BigEndian.AppendUint64(p, m.Set)
	return binary.BigEndian.AppendUint64(p, uint64(m.Offset))
}

func decodeMembers(list []Member, p []byte) ([]Member, error) {
	if len(p)%memberBytes != 0 {
		return nil, fmt.Errorf("nearby: %d bytes of band members, want a multiple of %d", len(p), memberBytes)
	}
	list = slices.Grow(list, len(p)/memberBytes)
	for ; len(p) > 0; p = p[memberBytes:] {
		at := binary.BigEndian.Uint64
		list = append(list, Member{xxh3.Uint128{Hi: at(p), Lo: at(p[8:])}, Position(at(p[16:])), at(p[24:]), int64(at(p[32:]))})
	}
	return list, nil
}

// Edge links two rows that are near duplicates.
type Edge struct{ A, B Position }

// maxCompared is how many sets of a bucket are held against every other one.
// Where a bucket has more distinct sets, as one of a frequent boilerplate may,
// the first ones in the order of the input are taken.
const maxCompared = 32

// Edges links the near duplicates among members, which it sorts. sets reads the
// set of a member. Rows of equal sets are linked to their first without reading.
func Edges(members []Member, threshold float64, sets func(Member) ([]uint64, error)) ([]Edge, error) {
	slices.SortFunc(members, func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.Bucket.Hi, b.Bucket.Hi), cmp.Compare(a.Bucket.Lo, b.Bucket.Lo), cmp.Compare(a.Position, b.Position))
	})
	var edges []Edge
	for start := 0; start < len(members); {
		end := start + 1
		for end < len(members) && members[end].Bucket == members[start].Bucket {
			end++
		}
		var err error
		if edges, err = bucketEdges(edges, members[start:end], threshold, sets); err != nil {
			return nil, err
		}
		start = end
	}
	return edges, nil
}

func bucketEdges(edges []Edge, bucket []Member, threshold float64, sets func(Member) ([]uint64, error)) ([]Edge, error) {
	if len(bucket) < 2 {
		return edges, nil
	}
	var distinct []Member
	first := map[uint64]Position{}
	for _, m := range bucket {
		if p, seen := first[m.Set]; !seen {
			first[m.Set] = m.Position
			distinct = append(distinct, m)
		} else if p != m.Position { // a bundle that ran twice lists a row twice
			edges = append(edges, Edge{p, m.Position})
		}
	}
	if len(distinct) < 2 {
		return edges, nil
	}
	var held [][]uint64
	for i, m := range distinct {
		set, err := sets(m)
		if err != nil {
			return nil, err
		}
		for k, other := range held {
			if Jaccard(set, other) >= threshold {
				edges = append(edges, Edge{distinct[k].Position, m.Position})
			}
		}
		if i < maxCompared {
			held = append(held, slices.Clone(set))
		}
	}
	return edges, nil
}

// Groups joins rows that edges link, directly or by others. It lists every row
// of a group but the first, with the group's first row as the high half of its
// hash, ordered by position: what clean.DropDuplicates leaves out.
func Groups(edges []Edge) []clean.Entry {
	parent := map[Position]Position{}
	root := func(p Position) Position {
		top := p
		for {
			up, ok := parent[top]
			if !ok || up == top {
				break
			}
			top = up
		}
		for p != top { // the next search is shorter
			up, ok := parent[p]
			if !ok {
				break
			}
			parent[p] = top
			p = up
		}
		return top
	}
	for _, e := range edges {
		a, b := root(e.A), root(e.B)
		parent[max(a, b)] = min(a, b) // the first row is the root, whatever the order of edges
	}
	var out []clean.Entry
	for p := range parent {
		if top := root(p); top != p {
			out = append(out, clean.Entry{Hash: xxh3.Uint128{Hi: uint64(top)}, Span: p.Span(), Row: p.Row()})
		}
	}
	slices.SortFunc(out, func(a, b clean.Entry) int {
		return cmp.Or(cmp.Compare(a.Span, b.Span), cmp.Compare(a.Row, b.Row))
	})
	return out
}
