//go:build !amd64

package qconv

func available() bool { return false }

// tiles is empty: New makes no plan here.
var tiles [2][]func(t *tile)
