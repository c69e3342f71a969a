//go:build !amd64

package gemm

import "github.com/millrace-go/millrace/accel/cpu/isa"

func (b *Block) run(isa.Level) { b.portable() }
