package nn

import (
	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/program"
)

// session runs a network for any batch size: it compiles an executable a size
// and keeps the last few.
type session struct {
	dev   accel.Device
	build func(rows int) (*graph.Graph, error) // the concrete graph of a size
	sizes map[int]*size
	clock int
}

// maxSizes bounds the executables kept. Training has two sizes, the batch and
// the last one of an epoch; scoring may have some more.
const maxSizes = 16

// size is an executable with its arguments, whose Data is set for each run.
type size struct {
	exec    *program.Executable
	inputs  []*accel.Array
	outputs []*accel.Array
	used    int // session.clock when it was last run
}

func newSession(dev accel.Device, build func(rows int) (*graph.Graph, error)) *session {
	return &session{dev: dev, build: build, sizes: map[int]*size{}}
}

// at returns the executable for n rows, compiling it if need be.
func (s *session) at(n int) (*size, error) {
	s.clock++
	if z := s.sizes[n]; z != nil {
		z.used = s.clock
		return z, nil
	}
	g, err := s.build(n)
	if err != nil {
		return nil, err
	}
	z, err := compile(s.dev, g)
	if err != nil {
		return nil, err
	}
	z.used = s.clock
	s.evict()
	s.sizes[n] = z
	return z, nil
}

func compile(dev accel.Device, g *graph.Graph, skip ...string) (*size, error) {
	exec, err := program.Compile(dev, g, program.Options{SkipPasses: skip})
	if err != nil {
		return nil, err
	}
	z := &size{exec: exec}
	for _, list := range [][]*graph.Value{g.Inputs, g.Params} {
		for _, v := range list {
			z.inputs = append(z.inputs, &accel.Array{DType: v.Type.DType, Shape: v.Type.Shape})
		}
	}
	for _, v := range g.Outputs {
		z.outputs = append(z.outputs, &accel.Array{DType: v.Type.DType, Shape: v.Type.Shape})
	}
	return z, nil
}

// run runs the executable on what the arguments' Data is.
func (z *size) run() error { return z.exec.RunInto(z.outputs, z.inputs) }

// evict drops the executable that was not used for longest, if there are too many.
func (s *session) evict() {
	if len(s.sizes) < maxSizes {
		return
	}
	oldest, at := 0, s.clock+1
	for n, z := range s.sizes {
		if z.used < at { // each clock value belongs to one size
			oldest, at = n, z.used
		}
	}
	delete(s.sizes, oldest)
}
