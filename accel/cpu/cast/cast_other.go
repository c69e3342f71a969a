//go:build !amd64

package cast

func available() []impl { return []impl{portable} }
