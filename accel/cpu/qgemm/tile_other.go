//go:build !amd64

package qgemm

func available() []impl { return []impl{portable} }
