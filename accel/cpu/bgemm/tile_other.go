//go:build !amd64

package bgemm

func available() []impl { return []impl{portable} }
