package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"sync"
)

// verified holds the objects that Verify found whole, by store and Ref.
var verified sync.Map

// Verify checks the size and digest of an object that is then read by ranges,
// streaming it once a process.
func Verify(ctx context.Context, s Store, ref Ref) error {
	type key struct {
		uri string
		ref Ref
	}
	k := key{s.URI(), ref}
	if _, ok := verified.Load(k); ok {
		return nil
	}
	r, err := s.Open(ctx, ref.Name)
	if err != nil {
		return err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, NewReader(r, 0, -1)); err != nil {
		return fmt.Errorf("store: read %s: %w", ref.Name, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); r.Size() != ref.Bytes || got != ref.SHA256 {
		return fmt.Errorf("store: object %s: %d bytes with digest %s, want %d with %s: %s", ref.Name, r.Size(), got, ref.Bytes, ref.SHA256, damaged)
	}
	verified.Store(k, true)
	return nil
}
