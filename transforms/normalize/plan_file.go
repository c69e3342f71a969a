package normalize

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
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
// sha256 is that of the whole file with 64 zeros in its own place, so that any
// change of any byte is found before the content is looked at. Equal Plans are
// equal bytes: keys in the order of the Go types, numbers in the shortest form
// that reads back as the same float64.
const (
	planHead   = "{\n  \"format\": \"millrace-plan\",\n  \"version\": 1,\n  \"sha256\": \""
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
	case len(file) < start+len(planBody)+len(planTail) || !strings.HasPrefix(string(file[:len(planHead)]), planHead):
		return nil, errors.New("no plan of version 1, or damaged; fit it again with millrace prepare")
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
		return nil, errors.New("not laid out as a plan of version 1")
	}
	return body, nil
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
