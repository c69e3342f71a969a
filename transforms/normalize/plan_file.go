package normalize

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A Plan's file is JSON:
//
//	{
//	  "format": "millrace-plan",
//	  "version": 1,
//	  "sha256": "…",
//	  "plan": {…}
//	}
//
// The version is 1, or 2 where the plan says what version 1 cannot: so a program
// of version 1 refuses it by its version, and all else stays the same bytes.
//
// sha256 is that of the whole file with 64 zeros in its own place, so that any
// change of any byte is found before the content is looked at. Equal Plans are
// equal bytes: keys in the order of the Go types, numbers in the shortest form
// that reads back as the same float64.
const (
	planFormat = "{\n  \"format\": \"millrace-plan\",\n  \"version\": "
	planHead   = planFormat + "1,\n  \"sha256\": \""
	planFiller = "0000000000000000000000000000000000000000000000000000000000000000"
	planBody   = "\",\n  \"plan\": "
	planTail   = "}\n"

	// MaxPlanBytes bounds the file that DecodePlan takes.
	MaxPlanBytes = 1 << 30
)

// Encode is the Plan's file.
func (p *Plan) Encode() ([]byte, error) {
	var buf bytes.Buffer
	buf.WriteString(planHead + planFiller + planBody)
	buf.Bytes()[len(planFormat)] = p.version()
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("  ", "  ")
	if err := e.Encode(p); err != nil {
		return nil, fmt.Errorf("normalize.Plan: %w", err)
	}
	buf.WriteString(planTail)
	file := buf.Bytes()
	if len(file) > MaxPlanBytes {
		return nil, fmt.Errorf("normalize.Plan: %d bytes, want at most %d; limit the vocabularies by top_k or min_count", len(file), MaxPlanBytes)
	}
	seal(file)
	return file, nil
}

// seal writes the digest in its place, where zeros are.
func seal(file []byte) {
	sum := sha256.Sum256(file)
	hex.Encode(file[len(planHead):], sum[:])
}

// DecodePlan reads a Plan's file. It verifies the digest first, then that the
// content is a Plan that this version could have written.
func DecodePlan(file []byte) (*Plan, error) {
	body, err := unseal(file)
	if err != nil {
		return nil, fmt.Errorf("normalize.DecodePlan: %w", err)
	}
	p := &Plan{}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("normalize.DecodePlan: %w", err)
	}
	if rest, err := io.ReadAll(d.Buffered()); err != nil || len(bytes.TrimSpace(rest)) != 0 {
		return nil, errors.New("normalize.DecodePlan: text after the plan")
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("normalize.DecodePlan: %w", err)
	}
	again, err := p.Encode()
	if err != nil || !bytes.Equal(again, file) {
		return nil, errors.New("normalize.DecodePlan: not as this version writes a plan; fit it again with millrace prepare")
	}
	p.digest = digest(file)
	return p, nil
}

// unseal verifies the digest and returns the plan's JSON.
func unseal(file []byte) ([]byte, error) {
	start := len(planHead) + len(planFiller)
	switch {
	case len(file) > MaxPlanBytes:
		return nil, fmt.Errorf("%d bytes, want at most %d", len(file), MaxPlanBytes)
	case len(file) < start+len(planBody)+len(planTail) || !isPlan(file):
		return nil, errors.New("no plan of version 1 or 2, or damaged; fit it again with millrace prepare")
	}
	blank := bytes.Clone(file)
	copy(blank[len(planHead):], planFiller)
	seal(blank)
	if want := blank[len(planHead):start]; !bytes.Equal(file[len(planHead):start], want) {
		return nil, fmt.Errorf("damaged: its sha256 is %s, it says %q; fit it again with millrace prepare", want, file[len(planHead):start])
	}
	body, ok := bytes.CutPrefix(file[start:], []byte(planBody))
	body, ok2 := bytes.CutSuffix(body, []byte(planTail))
	if !ok || !ok2 {
		return nil, errors.New("not laid out as a plan")
	}
	return body, nil
}

// isPlan says whether the file starts as a plan of a version that is known.
func isPlan(file []byte) bool {
	head := []byte(planHead)
	if file[len(planFormat)] == version2 {
		head[len(planFormat)] = version2
	}
	return bytes.HasPrefix(file, head)
}

// The digits of the versions.
const version1, version2 = '1', '2'

// version is the first that can say what the plan says.
func (p *Plan) version() byte {
	for i := range p.Features {
		if p.Features[i].isNew() {
			return version2
		}
	}
	return version1
}

// isNew says whether the feature has what version 1 did not.
func (f *Fitted) isNew() bool {
	return f.PerKey != nil || f.Cross != nil || f.Target != nil || f.Text != nil ||
		f.Sequence != nil || f.PCA != nil || f.Image != nil ||
		f.Power != nil || f.Quantiles != nil || f.Vocabulary != nil && f.Vocabulary.Hashed ||
		f.Scale != nil && (f.Scale.Range != nil || f.Scale.Kind != scaleZ && f.Scale.Kind != scaleMinMax)
}

// Digest is "sha256:" and that of the Plan's file.
func (p *Plan) Digest() string {
	if p.digest != "" {
		return p.digest
	}
	file, err := p.Encode()
	if err != nil {
		return "" // a Plan put together by hand that no file can hold
	}
	return digest(file)
}

func digest(file []byte) string {
	sum := sha256.Sum256(file)
	return "sha256:" + hex.EncodeToString(sum[:])
}
