// Package isa chooses the instruction set that kernels use: once a process,
// the best that the CPU has, or the one that MILLRACE_ISA names.
package isa

import (
	"fmt"
	"os"
)

// EnvVar names the environment variable that lowers the level, for tests and
// for finding faults: "avx512", "avx2" or "portable".
const EnvVar = "MILLRACE_ISA"

// Level is a set of instructions; each includes the ones below it.
type Level uint8

// The levels. AVX2 and AVX512 kernels give the same bits; Portable ones, which
// have no float32 FMA, may differ in the last places.
const (
	Portable Level = iota // plain Go
	AVX2                  // AVX2, FMA, F16C
	AVX512                // and AVX-512 F, BW, DQ, VL
)

// String is the level's name, as EnvVar takes it.
func (l Level) String() string {
	return [...]string{"portable", "avx2", "avx512"}[l]
}

// Extensions that some CPUs have beside AVX512. They are never set below it.
var (
	VNNI bool // VPDPBUSD on 512 bits
	BF16 bool // VDPBF16PS, VCVTNE2PS2BF16
)

// level is what this process uses.
var level = choose(detect(), os.Getenv(EnvVar))

// Best is the level that kernels should use.
func Best() Level { return level }

// Has reports whether this process may use level l: a test of all
// implementations skips those it may not.
func Has(l Level) bool { return l <= level }

// choose applies the environment's wish, which cannot raise the level.
func choose(have Level, wish string) Level {
	l := have
	switch wish {
	case "", AVX512.String():
	case AVX2.String():
		l = min(have, AVX2)
	case Portable.String():
		l = Portable
	default:
		panic(fmt.Sprintf("%s=%q: want avx512, avx2 or portable", EnvVar, wish))
	}
	if l < AVX512 {
		VNNI, BF16 = false, false
	}
	return l
}
