package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// formatVersion is the version of the envelope.
const formatVersion = 1

// A record's file is head, 64 hex digits, and a tail that the digits are the
// SHA-256 of. Head is compared and tail is hashed, so every byte is covered.
const head = "{\n  \"sha256\": \""

const digestLen = 2 * sha256.Size

// envelope is the whole file.
type envelope[T any] struct {
	SHA256  string `json:"sha256"`
	Version int    `json:"version"`
	ID      int    `json:"id"`
	Record  T      `json:"record"`
}

// encode returns the file of a record.
func encode[T any](id int, rec T) ([]byte, error) {
	var file bytes.Buffer
	enc := json.NewEncoder(&file)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	blank := strings.Repeat("0", digestLen)
	if err := enc.Encode(envelope[T]{SHA256: blank, Version: formatVersion, ID: id, Record: rec}); err != nil {
		return nil, err
	}
	if file.Len() > MaxRecordBytes {
		return nil, fmt.Errorf("the record has %d bytes, want at most %d", file.Len(), MaxRecordBytes)
	}
	sign(file.Bytes())
	return file.Bytes(), nil
}

// sign puts the digest into a record's file, if that is long enough to have one.
func sign(data []byte) {
	if len(data) >= len(head)+digestLen {
		sum := sha256.Sum256(data[len(head)+digestLen:])
		hex.Encode(data[len(head):], sum[:])
	}
}

const damaged = "the record was changed or damaged; restore it from a copy"

// decode checks the file of record id and returns what it holds.
func decode[T any](id int, data []byte) (T, error) {
	var e envelope[T]
	if len(data) < len(head)+digestLen || string(data[:len(head)]) != head {
		return e.Record, fmt.Errorf("does not begin like a record (%d bytes): %s", len(data), damaged)
	}
	want, tail := string(data[len(head):len(head)+digestLen]), data[len(head)+digestLen:]
	sum := sha256.Sum256(tail)
	if got := hex.EncodeToString(sum[:]); got != want {
		return e.Record, fmt.Errorf("digest %s, want %s: %s", got, want, damaged)
	}
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return e.Record, fmt.Errorf("%w: %s", err, damaged)
	}
	if version.Version != formatVersion {
		return e.Record, fmt.Errorf("version %d, want %d: it was written by another version of millrace", version.Version, formatVersion)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		return e.Record, fmt.Errorf("%w: it was written by another version of millrace, or is a record of another kind", err)
	}
	if e.ID != id {
		return e.Record, fmt.Errorf("holds record %d, want %d: the file was renamed; restore its name", e.ID, id)
	}
	return e.Record, nil
}
