package clean

import (
	"fmt"
	"strings"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/transforms/clean/expression"
)

// vector is the column as an expression sees it; they share memory.
func (c *cells) vector() *expression.Vector {
	return &expression.Vector{Kind: expression.Kind(c.kind), Ints: c.ints, Floats: c.floats, Texts: c.texts, Valid: c.valid}
}

// formula is a compiled expression and where its columns are among the
// columns, then the derived ones.
type formula struct {
	program *expression.Program
	at      []int
}

// eval computes the formula on n rows.
func (f *formula) eval(n int, work []*cells) *expression.Vector {
	columns := make([]*expression.Vector, len(f.at))
	for i, position := range f.at {
		columns[i] = work[position].vector()
	}
	return f.program.Eval(n, columns)
}

// scope is the columns that an expression may read.
type scope struct {
	position map[string]int
	kinds    map[string]expression.Kind
}

func newScope(columns []*column) *scope {
	s := &scope{position: map[string]int{}, kinds: map[string]expression.Kind{}}
	for _, c := range columns {
		s.add(c.name, c.kind)
	}
	return s
}

func (s *scope) add(name string, k kind) {
	s.kinds[name] = expression.Kind(k)
	s.position[name] = len(s.position)
}

// compile compiles an expression of the columns so far.
func (s *scope) compile(text string) (*formula, error) {
	p, err := expression.Compile(text, s.kinds)
	if err != nil {
		return nil, err
	}
	f := &formula{program: p}
	for _, name := range p.Columns() {
		f.at = append(f.at, s.position[name])
	}
	return f, nil
}

// rowRule is a rule that looks at whole rows.
type rowRule struct {
	*rule
	formula *formula
	names   []string // of the columns it reads
}

// addRules plans the rules that s can compute; at gives their key paths.
func (c *Cleaner) addRules(list []Rule, at map[string]string, s *scope) error {
	for _, r := range list {
		f, err := s.compile(r.Expr)
		if err == nil && f.program.Kind() != expression.Bool {
			err = fmt.Errorf("the expression is a %v, want a bool: true for a good row", f.program.Kind())
		}
		if err != nil {
			return fielderr.FieldError{Path: at[r.Name] + ".expr", Err: err}
		}
		action := r.Action
		if action == "" {
			action = Dead
		}
		made := &rule{index: int32(len(c.rules)), id: "rules." + r.Name, reason: "want " + r.Expr, action: action}
		row := &rowRule{rule: made, formula: f, names: f.program.Columns()}
		made.row = row
		c.rules = append(c.rules, made)
		c.rowRules = append(c.rowRules, row)
	}
	return nil
}

// check tells s which rows fail. A row for which the rule is null passes.
func (r *rowRule) check(n int, work []*cells, s *sieve) {
	for _, row := range expression.False(r.formula.eval(n, work), n) {
		s.fail(r.rule, nil, row)
	}
}

// shown is the cells that the rule read, as cleaned.
func (r *rowRule) shown(work []*cells, row int) string {
	var b strings.Builder
	for i, name := range r.names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(name)
		b.WriteByte('=')
		if c := work[r.formula.at[i]]; !c.isNull(row) {
			b.WriteString(c.text(row))
		}
	}
	return b.String()
}

// rulePositions maps the names of rules to their key paths.
func rulePositions(list []Rule) map[string]string {
	at := make(map[string]string, len(list))
	for i, r := range list {
		at[r.Name] = fmt.Sprintf("rules[%d]", i)
	}
	return at
}

// computable are the rules whose columns are all wanted.
func computable(list []Rule, wanted map[string]bool) []Rule {
	var out []Rule
	for _, r := range list {
		columns, err := expression.Names(r.Expr)
		if err != nil {
			continue // Validate has said so
		}
		all := true
		for _, name := range columns {
			all = all && wanted[name]
		}
		if all {
			out = append(out, r)
		}
	}
	return out
}

// fromOf lists the columns that a derived column is computed from.
func (d Derive) fromOf() []string {
	if d.Expr == "" {
		return []string{d.From}
	}
	columns, err := expression.Names(d.Expr)
	if err != nil {
		return nil // Validate has said so
	}
	return columns
}

// deriveBy plans a column computed by an expression.
func deriveBy(text string, s *scope) (derivedColumn, error) {
	f, err := s.compile(text)
	if err != nil {
		return derivedColumn{}, err
	}
	return derivedColumn{to: kind(f.program.Kind()), compute: func(n int, work []*cells) *cells {
		v := f.eval(n, work)
		return &cells{kind: kind(v.Kind), n: n, ints: v.Ints, floats: v.Floats, texts: v.Texts, valid: v.Valid}
	}}, nil
}

// checkExpression checks an expression as far as the spec alone tells: all of
// it if the types of its columns are known, else its syntax and names.
func (v *validator) checkExpression(path, text string) (k kind, known bool) {
	columns, err := expression.Names(text)
	if err != nil {
		v.add(path, "%w", err)
		return 0, false
	}
	typed := !v.open
	for _, name := range columns {
		_, made := v.outputs[name]
		_, has := v.kinds[name]
		typed = typed && (has || !made)
	}
	if !typed {
		return 0, false
	}
	kinds := map[string]expression.Kind{}
	for name, k := range v.kinds {
		kinds[name] = expression.Kind(k)
	}
	for name := range v.outputs { // those of unknown type are not read, but may be what was meant
		if _, ok := kinds[name]; !ok {
			kinds[name] = expression.String
		}
	}
	p, err := expression.Compile(text, kinds)
	if err != nil {
		v.add(path, "%w", err)
		return 0, false
	}
	return kind(p.Kind()), true
}

func (v *validator) rule(path string, r Rule, seen map[string]bool) {
	switch {
	case r.Name == "":
		v.add(path+".name", "empty name")
	case seen[r.Name]:
		v.add(path+".name", "there is a rule %q already", r.Name)
	}
	seen[r.Name] = true
	v.action(path+".action", r.Action, Dead, Drop)
	if k, known := v.checkExpression(path+".expr", r.Expr); known && k != kindBool {
		v.add(path+".expr", "the expression is a %v, want a bool: true for a good row", k)
	}
}
