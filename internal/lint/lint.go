// Package lint holds the tests that keep the repository in order: imports
// point down, generated files are in step, every dependency is explained.
//
// It has no code of its own; run it with go test ./internal/lint.
package lint
