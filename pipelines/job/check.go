package job

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/millrace-go/millrace/internal/fielderr"
)

// check adds what is wrong with a job whose keys all decoded.
func (j *Job) check(p *problems) {
	if err := checkName(j.Name); err != nil {
		p.addPath("name", "%v", err)
	}
	j.Input.check(p, "input")
	if j.Score != nil {
		j.Score.Input.check(p, "score.input")
	}
	j.checkRanges(p)
	j.checkModel(p)
	j.checkColumns(p)
	if len(p.found) == 0 { // the transforms' own checks take a spec that is sound, and bounded, so far
		p.addSection("clean", j.Clean)
		p.addSection("normalize", j.Normalize)
		p.addSection("split", j.Split)
	}
}

// addSection adds what a section's own Validate, if it has one, finds.
func (p *problems) addSection(section string, spec any) {
	v, ok := spec.(interface{ Validate() error })
	if !ok {
		return
	}
	err := v.Validate()
	if err == nil {
		return
	}
	fields := fielderr.All(err)
	if len(fields) == 0 {
		p.addPath(section, "%v", err)
	}
	for _, f := range fields {
		if f.Path != section && !strings.HasPrefix(f.Path, section+".") {
			f = f.Under(section)
		}
		p.addPath(f.Path, "%v", f.Err)
	}
}

// check adds what is wrong with an input section at the key path at.
func (in *Input) check(p *problems, at string) {
	if p.has(at+".files") && len(in.Files) == 0 {
		p.addPath(at+".files", "an empty list; give at least one file or glob")
	}
	for i, pattern := range in.Files {
		key := fmt.Sprintf("%s.files[%d]", at, i)
		if err := checkPattern(pattern); err != nil {
			p.addPath(key, "%v", err)
		} else if _, err := in.FormatOf(pattern); err != nil {
			p.addPath(key, "%v", err)
		}
	}
	if in.BatchRows < 1 || in.BatchRows > 1<<20 {
		p.addPath(at+".batch_rows", "want 1 to %d, got %d", 1<<20, in.BatchRows)
	}
	if in.SpanBytes < 1<<10 || in.SpanBytes > 1<<30 {
		p.addPath(at+".span_bytes", "want 1024 (1 KiB) to %d (1 GiB), got %d", 1<<30, in.SpanBytes)
	}
	in.CSV.check(p, at+".csv")
	if d := in.JSON.FlattenDepth; d < 1 || d > 64 {
		p.addPath(at+".json.flatten_depth", "want 1 to 64, got %d", d)
	}
	if n := in.LibSVM.Features; n < 0 {
		p.addPath(at+".libsvm.features", "want a number of features, got %d", n)
	}
	if c := in.Image.Channels; c < 0 || c == 2 || c > 4 {
		p.addPath(at+".image.channels", "want 1 (grey), 3 (RGB) or 4 (RGB and alpha), got %d", c)
	}
	for _, n := range []struct {
		key string
		v   int
	}{{"width", in.Image.Width}, {"height", in.Image.Height}, {"max_pixels", in.Image.MaxPixels}} {
		if n.v < 0 {
			p.addPath(at+".image."+n.key, "want a number of pixels, got %d", n.v)
		}
	}
	if n := in.JSON.MaxColumns; n < 1 || n > 1<<16 {
		p.addPath(at+".json.max_columns", "want 1 to %d, got %d", 1<<16, n)
	}
}

func checkPattern(pattern string) error {
	if pattern == "" {
		return errors.New("an empty file name")
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf("%q is no glob: %w; write \\[ for a bracket", pattern, err)
	}
	return nil
}

func (c *CSV) check(p *problems, at string) {
	if c.Delimiter != "" {
		r, size := utf8.DecodeRuneInString(c.Delimiter)
		if size != len(c.Delimiter) || size != 1 || r == '"' || r == '\n' || r == '\r' || r == 0 {
			p.addPath(at+".delimiter", "want one ASCII character other than a quote or a line break, got %q", c.Delimiter)
		}
	}
	columns, err := expand(c.Names)
	switch {
	case err != nil:
		p.addPath(at+".names", "%v", err)
	case c.Header && len(c.Names) > 0:
		p.addPath(at+".names", "the first line names the columns; set header: false if it is data, or rename columns under clean.columns")
	case !c.Header && len(c.Names) == 0:
		p.addPath(at+".names", "missing; files without a header need the names of their columns")
	}
	if twice := firstRepeated(columns); twice != "" {
		p.addPath(at+".names", "the column %q is named twice", twice)
	}
}

func firstRepeated(list []string) string {
	seen := make(map[string]bool, len(list))
	for _, s := range list {
		if seen[s] {
			return s
		}
		seen[s] = true
	}
	return ""
}
