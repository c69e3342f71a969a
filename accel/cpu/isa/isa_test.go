package isa

import "testing"

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		have Level
		wish string
		want Level
	}{
		{AVX512, "", AVX512}, {AVX512, "avx2", AVX2}, {AVX512, "portable", Portable},
		{AVX2, "avx512", AVX2}, {AVX2, "", AVX2}, {Portable, "avx2", Portable},
	} {
		vnni, bf16 := VNNI, BF16
		if got := choose(c.have, c.wish); got != c.want {
			t.Errorf("choose(%s, %q) = %s, want %s", c.have, c.wish, got, c.want)
		}
		VNNI, BF16 = vnni, bf16
	}
	defer func() {
		if recover() == nil {
			t.Error("a wish that is no level: no panic")
		}
	}()
	choose(AVX512, "sse9")
}

func TestExtensionsNeedAVX512(t *testing.T) {
	if Best() < AVX512 && (VNNI || BF16) {
		t.Errorf("level %s with VNNI=%v BF16=%v", Best(), VNNI, BF16)
	}
}
