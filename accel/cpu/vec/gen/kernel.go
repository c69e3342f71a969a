//go:build ignore

package main

import (
	"fmt"
	"math"
	"sort"
	"strings"
)

// arch is an instruction set.
type arch struct {
	name   string // suffix of the functions
	level  string // its name in package isa
	prefix string // of its registers
	lanes  int    // float32 of a register
	regs   int
}

var (
	avx2   = &arch{"AVX2", "isa.AVX2", "Y", 8, 16}
	avx512 = &arch{"AVX512", "isa.AVX512", "Z", 16, 32}
)

// val is a vector, or a mask of lanes: a temporary of straight-line code, a
// pinned register, or a constant in memory.
type val struct {
	pinned bool
	mask   bool // in a K register
	isC    bool
	bits   uint32 // of a constant
	reg    int    // -1 before it is assigned; of a constant, unless hoisted
	last   int    // index of the last instruction that reads a temporary
}

// ins is an instruction whose registers are not known yet.
type ins struct {
	// text has {d} for the destination, {0}, {1}, … for the sources, and {0:X}
	// or {0:Y} for their lower parts.
	text string
	dst  *val
	src  []*val
	// kind "bin" may take its second source from memory, and swap the two if
	// swap is set; "fma" is resolved to one of the forms 132, 213, 231.
	kind string
	swap bool
}

// kernel is one assembly function being built.
type kernel struct {
	*arch
	file   *file
	name   string
	code   []ins
	consts map[uint32]*val
	pinned int // registers pinned so far, from the top
	labels int
	blocks int  // groups of 16 that a loop does at once
	mixed  bool // in turns, not one after the other
}

// constant is the vector of one float32.
func (k *kernel) constant(x float64) *val { return k.bits(math.Float32bits(float32(x))) }

// integer is the vector of one int32.
func (k *kernel) integer(x int32) *val { return k.bits(uint32(x)) }

func (k *kernel) bits(b uint32) *val {
	if k.consts[b] == nil {
		k.consts[b] = &val{isC: true, bits: b, reg: -1}
	}
	return k.consts[b]
}

// pin reserves a register for the whole function.
func (k *kernel) pin() *val {
	k.pinned++
	return &val{pinned: true, reg: k.regs - k.pinned}
}

// raw adds an instruction; d may be nil, pinned or a new temporary.
func (k *kernel) raw(d *val, text string, src ...*val) *val {
	k.code = append(k.code, ins{text: text, dst: d, src: src})
	return d
}

// op is raw with a new temporary as the destination.
func (k *kernel) op(text string, src ...*val) *val {
	return k.raw(&val{reg: -1}, text, src...)
}

// bin is a three-operand instruction, dst = a op b.
func (k *kernel) bin(text string, swap bool, a, b *val) *val {
	d := &val{reg: -1}
	k.code = append(k.code, ins{text: text, dst: d, src: []*val{a, b}, kind: "bin", swap: swap})
	return d
}

func (k *kernel) fused(text string, a, b, c *val) *val {
	d := &val{reg: -1}
	k.code = append(k.code, ins{text: text, dst: d, src: []*val{a, b, c}, kind: "fma"})
	return d
}

// label returns a new name.
func (k *kernel) label(s string) string {
	k.labels++
	return fmt.Sprintf("%s%d", s, k.labels)
}

// outOfRegisters is what building panics with when too much is done at once.
type outOfRegisters struct{}

// alloc assigns registers in one walk over the code and prints it.
type alloc struct {
	*kernel
	out    strings.Builder
	used   []bool // vector registers
	usedK  [8]bool
	peak   int // most temporaries at once
	limit  int // registers below it are for temporaries
	at     int
	freeAt []*val // temporaries made while printing one instruction
}

// finish returns the text of the function's body. A first walk finds how many
// registers the temporaries need; the constants used most get the others.
func (k *kernel) finish() string {
	for i, in := range k.code {
		for _, s := range in.src {
			s.last = i
		}
	}
	dry := k.walk(k.regs - k.pinned)
	k.hoist(k.regs - k.pinned - dry.peak)
	a := k.walk(dry.peak)
	var head strings.Builder
	if k.arch == avx512 && len(k.consts) > 0 {
		head.WriteString("\tLEAQ constants<>+63(SB), DX\n\tANDQ $-64, DX\n")
	}
	for _, c := range k.ordered() {
		if c.reg >= 0 {
			fmt.Fprintf(&head, "\tVMOVUPS %s, %s%d\n", k.file.constant(c.bits), k.prefix, c.reg)
		}
	}
	return head.String() + a.out.String()
}

func (k *kernel) ordered() []*val {
	var cs []*val
	for _, c := range k.consts {
		cs = append(cs, c)
	}
	sort.Slice(cs, func(i, j int) bool { return cs[i].bits < cs[j].bits })
	return cs
}

func (k *kernel) hoist(free int) {
	count := map[*val]int{}
	for _, in := range k.code {
		for _, s := range in.src {
			if s.isC {
				count[s]++
			}
		}
	}
	cs := k.ordered()
	sort.SliceStable(cs, func(i, j int) bool { return count[cs[i]] > count[cs[j]] })
	for i, c := range cs {
		if i < free {
			c.reg = k.regs - k.pinned - 1 - i
		}
	}
}

func (k *kernel) walk(limit int) *alloc {
	a := &alloc{kernel: k, used: make([]bool, k.regs), limit: limit}
	for i := range k.code {
		a.at = i
		in := &k.code[i]
		switch in.kind {
		case "bin":
			a.bin(in)
		case "fma":
			a.fma(in)
		default:
			a.plain(in)
		}
		a.free(in)
	}
	return a
}

// free gives back the registers of temporaries that are not read again.
func (a *alloc) free(in *ins) {
	dead := func(v *val) {
		if v.pinned || v.isC || v.reg < 0 || v.last > a.at {
			return
		}
		if v.mask {
			a.usedK[v.reg] = false
		} else {
			a.used[v.reg] = false
		}
		v.reg = -1
	}
	for _, s := range in.src {
		if s != in.dst {
			dead(s)
		}
	}
	if in.dst != nil {
		dead(in.dst)
	}
	for _, v := range a.freeAt {
		a.used[v.reg] = false
	}
	a.freeAt = a.freeAt[:0]
}

// dies says whether v's register may be overwritten by this instruction.
func (a *alloc) dies(v *val) bool { return !v.pinned && !v.isC && v.last == a.at }

func (a *alloc) fresh() int {
	for i := range a.limit {
		if !a.used[i] {
			a.used[i] = true
			n := 0
			for _, u := range a.used {
				if u {
					n++
				}
			}
			a.peak = max(a.peak, n)
			return i
		}
	}
	panic(outOfRegisters{})
}

// define gives the destination a register, one of a dying source if take is not nil.
func (a *alloc) define(d, take *val) {
	switch {
	case d.pinned:
	case d.mask:
		for i := 3; i < 8; i++ {
			if !a.usedK[i] {
				a.usedK[i], d.reg = true, i
				return
			}
		}
		panic(outOfRegisters{})
	case take != nil:
		d.reg, take.reg = take.reg, -1
	default:
		d.reg = a.fresh()
	}
}

// inMemory says whether v must be read from memory.
func (a *alloc) inMemory(v *val) bool { return v.isC && v.reg < 0 }

// loaded returns v in a register, for this instruction.
func (a *alloc) loaded(v *val) *val {
	if !a.inMemory(v) {
		return v
	}
	t := &val{reg: a.fresh()}
	a.freeAt = append(a.freeAt, t)
	fmt.Fprintf(&a.out, "\tVMOVUPS %s, %s\n", a.file.constant(v.bits), a.reg(t, ""))
	return t
}

// reg prints a register.
func (a *alloc) reg(v *val, width string) string {
	switch {
	case v.mask:
		return fmt.Sprintf("K%d", v.reg)
	case width != "":
		return fmt.Sprintf("%s%d", width, v.reg)
	}
	return fmt.Sprintf("%s%d", a.prefix, v.reg)
}

// print writes an instruction whose operands all have registers.
func (a *alloc) print(text string, dst *val, src []*val) {
	var pairs []string
	add := func(key string, v *val) {
		pairs = append(pairs, "{"+key+"}", a.reg(v, ""), "{"+key+":X}", a.reg(v, "X"), "{"+key+":Y}", a.reg(v, "Y"))
	}
	if dst != nil {
		add("d", dst)
	}
	for i, s := range src {
		add(fmt.Sprint(i), s)
	}
	line := strings.NewReplacer(pairs...).Replace(text)
	if !strings.HasSuffix(line, ":") {
		line = "\t" + line
	}
	a.out.WriteString(line + "\n")
}

// plain is an instruction without memory operands. The destination never
// shares a register with a source that it may be read after.
func (a *alloc) plain(in *ins) {
	src := make([]*val, len(in.src))
	for i, s := range in.src {
		src[i] = a.loaded(s)
	}
	if in.dst != nil && in.dst.reg < 0 {
		a.define(in.dst, nil)
	}
	a.print(in.text, in.dst, src)
}

// bin prints dst = src[0] op src[1].
func (a *alloc) bin(in *ins) {
	x, y := in.src[0], in.src[1]
	if a.inMemory(x) && !a.inMemory(y) && in.swap {
		x, y = y, x
	}
	x = a.loaded(x)
	reuse := (*val)(nil)
	for _, v := range []*val{x, y} {
		if !in.dst.mask && a.dies(v) && v.reg >= 0 && !a.temporary(v) {
			reuse = v
			break
		}
	}
	mnemonic, rest := cut(in.text)
	third := ""
	if a.inMemory(y) {
		third = a.file.constant(y.bits)
	} else {
		third = a.reg(y, "")
	}
	second := a.reg(x, "")
	a.define(in.dst, reuse)
	fmt.Fprintf(&a.out, "\t%s %s%s, %s, %s\n", mnemonic, rest, third, second, a.reg(in.dst, ""))
}

func (a *alloc) temporary(v *val) bool {
	for _, t := range a.freeAt {
		if t == v {
			return true
		}
	}
	return false
}

// cut splits "VCMPPS $1, " into the mnemonic and its immediate.
func cut(s string) (mnemonic, rest string) {
	mnemonic, rest, _ = strings.Cut(s, " ")
	return mnemonic, rest
}

// fma prints dst = ±src[0]·src[1] ± src[2] in the form that copies least.
func (a *alloc) fma(in *ins) {
	x, y, z := in.src[0], in.src[1], in.src[2]
	if a.inMemory(x) {
		x, y = y, x
	}
	if a.inMemory(x) { // both factors are constants
		x = a.loaded(x)
	}
	switch {
	case a.inMemory(z):
		if !a.dies(x) && a.dies(y) {
			x, y = y, x
		}
		if a.inMemory(y) {
			y = a.loaded(y)
		}
		a.form(in, "213", x, z, y)
	case a.inMemory(y) && a.dies(x):
		a.form(in, "132", x, y, z)
	case a.inMemory(y) || a.dies(z):
		a.form(in, "231", z, y, x)
	case a.dies(x):
		a.form(in, "213", x, z, y)
	case a.dies(y):
		a.form(in, "213", y, z, x)
	default:
		a.form(in, "231", z, y, x)
	}
}

// form prints one form; acc is overwritten, last may be in memory.
func (a *alloc) form(in *ins, digits string, acc, last, middle *val) {
	lastText := ""
	if a.inMemory(last) {
		lastText = a.file.constant(last.bits)
	} else {
		lastText = a.reg(last, "")
	}
	middleText := a.reg(middle, "")
	if a.dies(acc) && acc.reg >= 0 && !a.temporary(acc) {
		a.define(in.dst, acc)
	} else {
		from := a.reg(acc, "")
		a.define(in.dst, nil)
		fmt.Fprintf(&a.out, "\tVMOVAPS %s, %s\n", from, a.reg(in.dst, ""))
	}
	fmt.Fprintf(&a.out, "\t%s%sPS %s, %s, %s\n", in.text, digits, lastText, middleText, a.reg(in.dst, ""))
}
