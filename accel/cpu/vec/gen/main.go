//go:build ignore

// This program writes the assembly of package vec, for AVX2 and AVX-512 from
// one description, and the Go functions that choose between them. Run it in the
// package's folder, by go generate.
package main

import (
	"fmt"
	"os"
)

// definition is a function and the code that builds its assembly.
type definition struct {
	signature
	build func(*kernel)
}

// families are the assembly files.
var families = []struct {
	name string
	defs []definition
}{
	{"unary", unary}, {"grad", grad}, {"binary", binary}, {"reduce", reductions}, {"rows", rowwise}, {"optim", optimizers},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run() error {
	var all []definition
	for _, fam := range families {
		for _, a := range []*arch{avx2, avx512} {
			f := &file{arch: a, family: fam.name, index: map[uint32]int{}, sigs: map[string]signature{}}
			for _, d := range fam.defs {
				f.function(d.signature, d.build)
			}
			if err := f.write(); err != nil {
				return err
			}
		}
		if err := writeGo("dispatch_"+fam.name+"_amd64.go", dispatch(fam.defs)); err != nil {
			return err
		}
		all = append(all, fam.defs...)
	}
	return writeGo("dispatch_other.go", portable(all))
}
