//go:build !amd64

package pool

import "github.com/millrace-go/millrace/accel/cpu/isa"

func byLevel(isa.Level) *kernels { return &portable }
