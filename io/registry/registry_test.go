package registry

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/store/storetest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// candidate is a release with every field set.
func candidate(decision string, champion int) Release {
	return Release{
		Decision: decision, Reason: "accuracy 0.98 is not below 0.97 by more than 0.005: a < b & \"c\"",
		Key: "key", Job: "job", Code: "code", Data: "data",
		Model: store.RefOf("models/m", []byte("m")), ModelDigest: "sha256:m",
		Plan: store.RefOf("plan.json", []byte("p")), PlanDigest: "sha256:p",
		Objects:         map[string]store.Ref{"report": store.RefOf("r", nil), "dense": store.RefOf("d", nil)},
		Metrics:         map[string]float64{"accuracy": 0.98, "loss": 1e-9, "auc": 1.0 / 3},
		Champion:        champion,
		ChampionMetrics: map[string]float64{"accuracy": 0.97},
	}
}

func appendAll(t *testing.T, s store.Store, decisions ...string) *Log[Release] {
	t.Helper()
	log := Releases(s, "registry")
	for i, d := range decisions {
		r := candidate(d, i)
		r.Key = fmt.Sprintf("key %d", i+1)
		if id, err := log.Append(t.Context(), r); id != i+1 || err != nil {
			t.Fatalf("Append: got %d, %v, want %d", id, err, i+1)
		}
	}
	return log
}

func TestAppendAndRead(t *testing.T) {
	log := appendAll(t, storetest.NewMemory(), Released, Rejected, Released)
	all, err := log.All(t.Context())
	if err != nil || len(all) != 3 {
		t.Fatalf("All: got %d records, error %v, want 3", len(all), err)
	}
	for i, e := range all {
		if e.ID != i+1 || e.Record.ID != i+1 || e.Record.Champion != i || e.Record.Metrics["auc"] != 1.0/3 {
			t.Errorf("record %d: got %+v", i+1, e)
		}
	}
	id, last, err := log.Last(t.Context())
	if err != nil || id != 3 || last.Key != "key 3" || last.Reason != candidate("", 0).Reason {
		t.Errorf("Last: got %d, %+v, error %v, want record 3", id, last, err)
	}
	if _, err := log.Get(t.Context(), 4); !errors.Is(err, store.ErrNotExist) {
		t.Errorf("Get of a missing record: got error %v, want %v", err, store.ErrNotExist)
	}
}

func TestEmptyLog(t *testing.T) {
	log := Releases(storetest.NewMemory(), "registry")
	id, last, err := log.Last(t.Context())
	champion, err2 := Champion(t.Context(), log)
	all, err3 := log.All(t.Context())
	if id != 0 || last != nil || champion != nil || len(all) != 0 || errors.Join(err, err2, err3) != nil {
		t.Errorf("got %d, %v, %v, %v, errors %v %v %v, want nothing", id, last, champion, all, err, err2, err3)
	}
}

func TestChampion(t *testing.T) {
	for _, tt := range []struct {
		decisions []string
		want      int // 0 is none
	}{
		{[]string{Rejected}, 0},
		{[]string{Released}, 1},
		{[]string{Released, Rejected, Rejected}, 1},
		{[]string{Released, Rejected, Released, Rejected}, 3},
	} {
		log := appendAll(t, storetest.NewMemory(), tt.decisions...)
		got, err := Champion(t.Context(), log)
		switch {
		case err != nil:
			t.Error(err)
		case tt.want == 0 && got != nil, tt.want > 0 && (got == nil || got.ID != tt.want):
			t.Errorf("%q: got %+v, want %d", tt.decisions, got, tt.want)
		}
		byKey, err := ByKey(t.Context(), log, "key 1")
		if err != nil || byKey == nil || byKey.ID != 1 {
			t.Errorf("ByKey: got %+v, error %v, want record 1", byKey, err)
		}
		if none, err := ByKey(t.Context(), log, "other"); none != nil || err != nil {
			t.Errorf("ByKey of a new key: got %+v, error %v, want nothing", none, err)
		}
	}
}

// The bytes of a record are part of the format.
func TestGolden(t *testing.T) {
	got, err := encode(7, candidate(Released, 6))
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/release.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got %s, want %s (rewrite it with -update)", got, want)
	}
	if _, err := decode[Release](7, want); err != nil {
		t.Error(err)
	}
}

// Of 8 writers of one number one wins; Append finds each of 8 a number.
func TestRace(t *testing.T) {
	log := Releases(storetest.NewMemory(), "r")
	const writers = 8
	at, ids := make([]error, writers), make([]int, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() { at[i] = log.AppendAt(t.Context(), 1, candidate(Released, i)) })
	}
	wg.Wait()
	won := 0
	for _, err := range at {
		if err == nil {
			won++
		} else if !errors.Is(err, store.ErrExist) {
			t.Errorf("got error %v, want %v", err, store.ErrExist)
		}
	}
	if won != 1 {
		t.Errorf("%d writers won, want 1", won)
	}
	for i := range writers {
		wg.Go(func() { ids[i], at[i] = log.Append(t.Context(), candidate(Released, i)) })
	}
	wg.Wait()
	seen := map[int]bool{}
	for i, id := range ids {
		if at[i] != nil || id < 2 || id > writers+1 || seen[id] {
			t.Errorf("Append: got number %d, error %v, want each of 2 to %d once", id, at[i], writers+1)
		}
		seen[id] = true
	}
}

// Every single bit flip and every truncation of a record is found.
func TestEveryFlipIsFound(t *testing.T) {
	data, err := encode(3, candidate(Released, 2))
	if err != nil {
		t.Fatal(err)
	}
	for at := range data {
		for bit := range 8 {
			data[at] ^= 1 << bit
			if _, err := decode[Release](3, data); err == nil {
				t.Errorf("bit %d of byte %d flipped: no error", bit, at)
			}
			data[at] ^= 1 << bit
		}
		if _, err := decode[Release](3, data[:at]); err == nil {
			t.Errorf("cut at byte %d: no error", at)
		}
	}
	if _, err := decode[Release](3, append(data, '\n')); err == nil {
		t.Error("a line break more: no error")
	}
}

func TestDamagedLogs(t *testing.T) {
	tests := []struct {
		name   string
		damage func(ctx context.Context, s store.Store) error
		want   string
	}{
		{"gap", func(ctx context.Context, s store.Store) error { return s.Delete(ctx, "registry/00000002.json") },
			"registry/00000002.json is missing but registry/00000003.json exists"},
		{"first lost", func(ctx context.Context, s store.Store) error { return s.Delete(ctx, "registry/00000001.json") },
			"registry/00000001.json is missing"},
		{"foreign file", func(ctx context.Context, s store.Store) error {
			return store.WriteAll(ctx, s, "registry/notes.txt", nil)
		}, "registry/notes.txt: not a record"},
		{"name of another width", func(ctx context.Context, s store.Store) error {
			return store.WriteAll(ctx, s, "registry/4.json", nil)
		}, "registry/4.json: not a record"},
		{"renamed", func(ctx context.Context, s store.Store) error {
			return s.Move(ctx, "registry/00000003.json", "registry/00000002.json")
		}, "registry/00000002.json: holds record 3, want 2"},
		{"empty", func(ctx context.Context, s store.Store) error {
			return store.WriteAll(ctx, s, "registry/00000003.json", nil)
		}, "registry/00000003.json: does not begin like a record"},
		{"changed", func(ctx context.Context, s store.Store) error {
			data, err := store.ReadAll(ctx, s, "registry/00000003.json", MaxRecordBytes)
			if err != nil {
				return err
			}
			return store.WriteAll(ctx, s, "registry/00000003.json", []byte(strings.Replace(string(data), "0.98", "0.99", 1)))
		}, "registry/00000003.json: digest "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := storetest.NewMemory()
			log := appendAll(t, s, Released, Released, Released)
			if err := tt.damage(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			if _, err := log.All(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestHiddenFilesAreNoRecords(t *testing.T) {
	s := storetest.NewMemory()
	log := appendAll(t, s, Released)
	if err := store.WriteAll(t.Context(), s, "registry/.DS_Store", nil); err != nil {
		t.Fatal(err)
	}
	if id, err := log.LastID(t.Context()); id != 1 || err != nil {
		t.Errorf("got %d, error %v, want 1", id, err)
	}
}

func TestRefusedRecords(t *testing.T) {
	log := appendAll(t, storetest.NewMemory(), Released)
	with := func(change func(*Release)) Release {
		r := candidate(Released, 0)
		change(&r)
		return r
	}
	tests := []struct {
		name string
		id   int
		rec  Release
		want string
	}{
		{"NaN", 2, with(func(r *Release) { r.Metrics["auc"] = math.NaN() }), `metric "auc" is NaN`},
		{"infinity", 2, with(func(r *Release) { r.ChampionMetrics["loss"] = math.Inf(1) }), `metric "loss" is +Inf`},
		{"decision", 2, with(func(r *Release) { r.Decision = "maybe" }), `decision "maybe"`},
		{"no key", 2, with(func(r *Release) { r.Key = "" }), "empty key"},
		{"no model", 2, with(func(r *Release) { r.Model = store.Ref{} }), "without a model"},
		{"champion", 2, with(func(r *Release) { r.Champion = -1 }), "champion -1"},
		{"number 0", 0, candidate(Released, 0), "record number 0"},
		{"too large", 2, with(func(r *Release) { r.Reason = strings.Repeat("x", MaxRecordBytes) }), "want at most"},
		{"a gap", 5, candidate(Released, 0), "append record 5"},
	}
	for _, tt := range tests {
		if err := log.AppendAt(t.Context(), tt.id, tt.rec); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want one with %q", tt.name, err, tt.want)
		}
	}
	if err := log.AppendAt(t.Context(), 1, candidate(Rejected, 0)); !errors.Is(err, store.ErrExist) {
		t.Errorf("a number that is taken: got error %v, want %v", err, store.ErrExist)
	}
	if id, err := log.LastID(t.Context()); id != 1 || err != nil {
		t.Errorf("after the refusals: got %d records, error %v, want 1", id, err)
	}
}

// A full disk leaves the log as it was.
func TestDiskFull(t *testing.T) {
	for _, op := range []storetest.Op{storetest.OpCreate, storetest.OpWrite, storetest.OpCommit} {
		inner := storetest.NewMemory()
		appendAll(t, inner, Released)
		full := storetest.FailAfter(inner, op, 0, nil)
		if _, err := Releases(full, "registry").Append(t.Context(), candidate(Released, 1)); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: got error %v, want %v", op, err, syscall.ENOSPC)
		}
		if id, err := Releases(inner, "registry").LastID(t.Context()); id != 1 || err != nil {
			t.Errorf("%s: the log has %d records, error %v, want 1", op, id, err)
		}
	}
}

// A record of another kind or version is refused, although it is whole.
func TestOtherKinds(t *testing.T) {
	type later struct {
		Release
		Invented int `json:"invented"`
	}
	s := storetest.NewMemory()
	if _, err := Open[later](s, "r").Append(t.Context(), later{Release: candidate(Released, 0)}); err != nil {
		t.Fatal(err)
	}
	if _, err := Releases(s, "r").Get(t.Context(), 1); err == nil || !strings.Contains(err.Error(), `"invented"`) {
		t.Errorf("got error %v, want one that names the unknown field", err)
	}
}

// FuzzDecode wants of any bytes an error or a record that encodes to the same bytes' meaning.
func FuzzDecode(f *testing.F) {
	seed, err := encode(1, candidate(Released, 0))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed, false)
	f.Add([]byte(head+strings.Repeat("0", digestLen)+`", "version": 1, "id": 1, "record": null}`), true)
	f.Add([]byte(head+strings.Repeat("0", digestLen)+`"}{`), true)
	f.Fuzz(func(t *testing.T, data []byte, repair bool) {
		if repair {
			sign(data)
		}
		rec, err := decode[Release](1, data)
		if err != nil {
			return
		}
		again, err := encode(1, rec)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decode[Release](1, again); err != nil || fmt.Sprint(back) != fmt.Sprint(rec) {
			t.Errorf("got %+v, error %v, want %+v", back, err, rec)
		}
	})
}
