package lint

import (
	"go/ast"
	"strings"
	"testing"
)

// reportEmptyTests reports the tests of a file that do nothing, or nothing but skip.
func reportEmptyTests(t *testing.T, g goFile) {
	for _, d := range g.syntax.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || f.Body == nil || !strings.HasPrefix(f.Name.Name, "Test") || f.Name.Name == "TestMain" {
			continue
		}
		if doesNothing(f.Body) {
			t.Errorf("%s: %s does nothing", g.name, f.Name.Name)
		}
	}
}

// doesNothing says whether a test's body is empty or skips and ends at once.
func doesNothing(body *ast.BlockStmt) bool {
	if len(body.List) == 0 {
		return true
	}
	first, ok := body.List[0].(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := first.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && strings.HasPrefix(sel.Sel.Name, "Skip")
}
