package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/millrace-go/millrace/internal/fault"
	"github.com/millrace-go/millrace/io/store"
)

func init() {
	register.DoFn3x1[context.Context, int, func(*Entry) bool, error](&commitFn{})
	register.Function1x2(keyed)
	register.Iter1[Entry]()
	register.Emitter1[Entry]()
}

// Commit gathers entries into one manifest, the object name of the store, and
// replaces it atomically.
//
//	Commit(PCollection<Entry>...) -> nothing
func Commit(s beam.Scope, storeURI, name string, entries ...beam.PCollection) {
	s = s.Scope("ledger.Commit")
	all := beam.ParDo(s, keyed, beam.Flatten(s, entries...))
	beam.ParDo0(s, &commitFn{Store: storeURI, Name: name}, beam.GroupByKey(s, all))
}

func keyed(e Entry) (int, Entry) { return 0, e }

type commitFn struct {
	Store string
	Name  string
}

func (f *commitFn) ProcessElement(ctx context.Context, _ int, entries func(*Entry) bool) error {
	total := Entry{Counts: Counts{}}
	var e Entry
	for entries(&e) {
		total.Merge(e)
		e = Entry{}
	}
	total.Sort()
	return fault.Wrap(Save(ctx, f.Store, f.Name, &total))
}

// sealed is the form of a manifest in the store: the entry and a digest of its bytes.
type sealed struct {
	SHA256 string          `json:"sha256"`
	Entry  json.RawMessage `json:"entry"`
}

func seal(e *Entry) ([]byte, error) {
	entry, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(entry)
	return json.Marshal(sealed{SHA256: hex.EncodeToString(sum[:]), Entry: entry})
}

// unseal accepts nothing but the bytes that seal makes, so that it finds any change.
func unseal(data []byte) (Entry, error) {
	var s sealed
	if err := json.Unmarshal(data, &s); err != nil {
		return Entry{}, fmt.Errorf("ledger: damaged manifest: %w", err)
	}
	e, err := decodeEntry(s.Entry)
	if err != nil {
		return e, err
	}
	again, err := seal(&e)
	if err != nil {
		return e, err
	}
	if !bytes.Equal(again, data) {
		return e, errors.New("ledger: damaged manifest: its digest does not match")
	}
	return e, nil
}

// Save writes the manifest name.
func Save(ctx context.Context, storeURI, name string, e *Entry) error {
	s, err := store.At(storeURI)
	if err != nil {
		return err
	}
	data, err := seal(e)
	if err != nil {
		return fmt.Errorf("ledger: %s: %w", name, err)
	}
	return store.WriteAll(ctx, s, name, data)
}

// maxManifestBytes bounds what Load reads: a million parts are about 250 MB.
const maxManifestBytes = 1 << 30

// Load reads the manifest name; found is false if no pipeline committed it,
// which is the case when no bundle had anything to say.
func Load(ctx context.Context, s store.Store, name string) (e Entry, found bool, err error) {
	data, err := store.ReadAll(ctx, s, name, maxManifestBytes)
	if errors.Is(err, store.ErrNotExist) {
		return Entry{Counts: Counts{}}, false, nil
	}
	if err != nil {
		return e, false, err
	}
	if e, err = unseal(data); err != nil {
		return e, false, fmt.Errorf("%s: %w; remove it and run again", name, err)
	}
	if e.Counts == nil {
		e.Counts = Counts{}
	}
	return e, true, nil
}
