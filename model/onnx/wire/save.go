package wire

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// SaveOptions says where Save puts the data of tensors.
type SaveOptions struct {
	// ExternalBytes moves the data of initializers of at least so many bytes to
	// an external file. The default, 0, moves none.
	ExternalBytes int64
	// ExternalName is the external file's, relative to the model's folder. The
	// default is the model file's name and ".data".
	ExternalName string
}

// externalAlign is the alignment of data in an external file, which lets
// readers map it into memory.
const externalAlign = 4096

// Save writes a model file, and the file of external data if there is any.
// Each is written beside its place and renamed once both are complete, so a
// failed Save leaves what was there. The model is not changed. Initializers
// that already are external are copied, whatever their size, if any are to be
// moved; else, and in attributes, they go on referring to their file.
func Save(path string, m *Model, opt SaveOptions) (err error) {
	if opt.ExternalName == "" {
		opt.ExternalName = filepath.Base(path) + ".data"
	}
	folder := filepath.Dir(path)
	var moved map[*Tensor][]Entry
	var data *pending
	if opt.ExternalBytes > 0 {
		if err := checkLocation(opt.ExternalName); err != nil {
			return within("model", -1, err)
		}
		data, err = create(filepath.Join(folder, filepath.FromSlash(opt.ExternalName)), func(w io.Writer) error {
			moved, err = moveData(w, m, opt)
			return err
		})
		if err != nil {
			return err
		}
		defer data.discard()
	}
	model, err := create(path, func(w io.Writer) error { return encode(w, m, moved) })
	if err != nil {
		return err
	}
	defer model.discard()
	if len(moved) > 0 {
		if err := data.keep(); err != nil {
			return err
		}
	}
	return model.keep()
}

// moveData writes the data of large initializers to w and returns where each is.
func moveData(w io.Writer, m *Model, opt SaveOptions) (map[*Tensor][]Entry, error) {
	moved := map[*Tensor][]Entry{}
	b := bufio.NewWriterSize(w, windowBytes)
	var at int64
	err := eachInitializer(m.Graph, 0, func(t *Tensor) error {
		if _, again := moved[t]; again || t.Type == String {
			return nil
		}
		raw, err := t.RawData()
		if err != nil || raw.Len() < opt.ExternalBytes && t.Location != External {
			return err
		}
		gap := -at & (externalAlign - 1)
		if _, err := b.Write(make([]byte, gap)); err != nil {
			return t.fail(err)
		}
		at += gap
		moved[t] = []Entry{{"location", filepath.ToSlash(opt.ExternalName)},
			{"offset", strconv.FormatInt(at, 10)}, {"length", strconv.FormatInt(raw.Len(), 10)}}
		n, err := raw.WriteTo(b)
		at += n
		if err != nil {
			return t.fail(err)
		}
		return nil
	})
	return moved, errors.Join(err, b.Flush())
}

// eachInitializer calls f with the initializers of g and of the graphs in its
// nodes' attributes.
func eachInitializer(g *Graph, depth int, f func(*Tensor) error) error {
	if g == nil || depth > defaultDepth { // encode refuses what is nested deeper
		return nil
	}
	for _, t := range g.Initializers {
		if t == nil {
			continue
		}
		if err := f(t); err != nil {
			return err
		}
	}
	for _, n := range g.Nodes {
		if n == nil {
			continue
		}
		for _, a := range n.Attributes {
			if a == nil {
				continue
			}
			for _, inner := range append(a.Graphs[:len(a.Graphs):len(a.Graphs)], a.Graph) {
				if err := eachInitializer(inner, depth+1, f); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// pending is a file that is complete but not yet in its place.
type pending struct{ temp, path string }

// create writes a file beside path.
func create(path string, write func(io.Writer) error) (*pending, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	p := &pending{f.Name(), path}
	err = write(f)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		p.discard()
		return nil, err
	}
	return p, nil
}

// keep moves the file to its place.
func (p *pending) keep() error { return os.Rename(p.temp, p.path) }

// discard removes the file, unless it was kept. That it cannot be is no news to
// the caller, who gets the error that led here.
func (p *pending) discard() { _ = os.Remove(p.temp) }
