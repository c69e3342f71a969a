package isa

import "golang.org/x/sys/cpu"

func detect() Level {
	x := &cpu.X86
	if !x.HasAVX2 || !x.HasFMA || !x.HasAVX {
		return Portable
	}
	if !x.HasAVX512F || !x.HasAVX512BW || !x.HasAVX512DQ || !x.HasAVX512VL {
		return AVX2
	}
	VNNI, BF16 = x.HasAVX512VNNI, x.HasAVX512BF16
	return AVX512
}
