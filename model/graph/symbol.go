package graph

import "fmt"

// Shape rules are written for numbers only. A shape with symbols is found by
// probing: the rule runs for a few different assignments of numbers to the
// symbols, and a dimension that comes out the same each time is that number; one
// that varies as a symbol does is that symbol; and else it is a new symbol,
// named for the expression that fits, such as 2*N+1 or N*S.

// probes is the number of assignments. Two would do to tell sums from products
// of one symbol; the others make chance agreement unlikely.
const probes = 4

// symbol is a dimension that is not a number: declared, or derived from others.
type symbol struct {
	name    string
	at      [probes]int
	derived bool
}

// primes are the numbers that declared symbols are probed with. They are larger
// than the windows of convolutions, and smaller than tables of positions.
var primes = [...]int{
	101, 131, 173, 211, 103, 137, 179, 223, 107, 139, 181, 227, 109, 149, 191, 229,
	113, 151, 193, 233, 127, 157, 197, 239, 97, 163, 199, 241, 89, 167, 251, 257,
}

// Symbol returns the symbolic dimension of that name, a new one at first.
func (g *Graph) Symbol(name string) int {
	declared := 0
	for i, s := range g.symbols {
		if s.name == name {
			return -1 - i
		}
		if !s.derived {
			declared++
		}
	}
	s := symbol{name: name}
	for p := range s.at {
		i := declared*probes + p
		s.at[p] = primes[i%len(primes)] + 1000*(i/len(primes))
	}
	g.symbols = append(g.symbols, s)
	return -len(g.symbols)
}

// SymbolName is the name of a symbolic dimension, as it is printed.
func (g *Graph) SymbolName(d int) string { return g.symbolName(d) }

// symbolName is SymbolName, for shapes to be printed with.
func (g *Graph) symbolName(d int) string {
	if i := -1 - d; i < len(g.symbols) {
		return g.symbols[i].name
	}
	return fmt.Sprintf("?%d", -d)
}

// probe is a shape for assignment p.
func (g *Graph) probe(s Shape, p int) []int {
	out := make([]int, len(s))
	for i, d := range s {
		out[i] = d
		if d < 0 {
			out[i] = g.symbols[-1-d].at[p]
		}
	}
	return out
}

// fit finds the dimension that has these values, one an assignment.
func (g *Graph) fit(at [probes]int) int {
	same := true
	for _, d := range at {
		same = same && d == at[0]
	}
	if same {
		return at[0]
	}
	for i, s := range g.symbols {
		if s.at == at {
			return -1 - i
		}
	}
	g.symbols = append(g.symbols, symbol{name: g.expression(at), at: at, derived: true})
	return -len(g.symbols)
}

// expression names the values: a*S+b or S*T of declared symbols S and T, if
// one fits.
func (g *Graph) expression(at [probes]int) string {
	for i, s := range g.symbols {
		if s.derived {
			continue
		}
		if text, ok := s.linear(at); ok {
			return text
		}
		for _, t := range g.symbols[:i+1] {
			if t.derived {
				continue
			}
			product := at
			for p := range product {
				product[p] = s.at[p] * t.at[p]
			}
			if product == at {
				return t.name + "*" + s.name
			}
		}
	}
	return fmt.Sprintf("d%d", len(g.symbols))
}

func (s symbol) linear(at [probes]int) (string, bool) {
	dx, dy := s.at[1]-s.at[0], at[1]-at[0]
	if dx == 0 || dy%dx != 0 {
		return "", false
	}
	a := dy / dx
	b := at[0] - a*s.at[0]
	for p := range at {
		if at[p] != a*s.at[p]+b {
			return "", false
		}
	}
	text := s.name
	if a != 1 {
		text = fmt.Sprintf("%d*%s", a, text)
	}
	if b != 0 {
		text = fmt.Sprintf("%s%+d", text, b)
	}
	return text, true
}
