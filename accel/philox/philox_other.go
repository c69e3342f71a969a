//go:build !amd64

package philox

func available() []impl { return []impl{portable} }
