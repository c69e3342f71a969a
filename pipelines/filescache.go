package pipelines

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/transforms/ledger"
	"github.com/millrace-go/millrace/transforms/read"
)

// filesCache keeps what a first look found in groups of files, so that a file
// that comes to others is the only one to be read. Its folder is that of all
// else that the result depends on.
type filesCache struct {
	run    *Run
	folder string
}

// fileID names a file by its content; letters name it as the job does.
type fileID struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

func idOf(f *table.File) fileID { return fileID{f.Name, f.SHA256, f.Bytes} }

// fileGroup is a run of files of an input that are looked at together.
type fileGroup struct {
	folder string
	files  []fileID
	spans  []table.Span
	first  int          // the index of its first span
	shift  int          // how many places its spans moved since it was looked at
	found  bool         // it was looked at before
	rows   ledger.Entry // of the look
}

// groupRecord is the object of a group that says what it is of; it is written last.
type groupRecord struct {
	Files     []fileID `json:"files"`
	FirstSpan int      `json:"first_span"`
}

func (f *fileGroup) manifest() string { return f.folder + "/gathered.json" }
func (f *fileGroup) record() string   { return f.folder + "/group.json" }

// moved is what the look found, its parts numbered by the spans of now.
func (f *fileGroup) moved() ledger.Entry {
	out := ledger.Entry{Counts: f.rows.Counts}
	for _, p := range f.rows.Parts {
		if strings.HasPrefix(p.Kind, "dead/") {
			p.Span += f.shift
		}
		out.Parts = append(out.Parts, p)
	}
	return out
}

// maxGroups bounds the groups that new files are put in: each is a part of the pipeline.
const maxGroups = 16

// groups puts the files of an input into the groups that are kept, and the
// others into new ones. With together, all files are one group: where a row
// counts only if no other file has it, no file stands alone.
func (c *filesCache) groups(ctx context.Context, s *read.Survey, together bool) ([]*fileGroup, error) {
	kept, err := c.kept(ctx)
	if err != nil {
		return nil, err
	}
	var ids []fileID
	for _, f := range s.Files {
		ids = append(ids, idOf(f))
	}
	size := (len(ids) + maxGroups - 1) / maxGroups
	if together {
		size = len(ids)
	}
	var out []*fileGroup
	span := 0
	for i := 0; i < len(ids); {
		group := kept[ids[i]]
		if group == nil || !startsWith(ids[i:], group.files) || together && len(group.files) != len(ids) {
			if group, err = c.fresh(ids, i, size, kept); err != nil {
				return nil, err
			}
		}
		first := span
		for range group.files {
			span += len(s.Files[i].Spans)
			i++
		}
		group.spans = s.Spans[first:span]
		if group.found {
			group.shift = first - group.first
		}
		group.first = first
		if len(group.spans) == 0 { // no rows, nothing to look at
			group.found = true
		}
		out = append(out, group)
	}
	return out, nil
}

// fresh is a group of at most size files from ids[i] on, up to the next that is kept.
func (c *filesCache) fresh(ids []fileID, i, size int, kept map[fileID]*fileGroup) (*fileGroup, error) {
	n := 1
	for n < size && i+n < len(ids) {
		if next := kept[ids[i+n]]; next != nil && startsWith(ids[i+n:], next.files) && size < len(ids) {
			break
		}
		n++
	}
	files := ids[i : i+n]
	k, err := derive("", "files", files)
	if err != nil {
		return nil, err
	}
	return &fileGroup{folder: c.folder + "/" + string(k)[:16], files: files}, nil
}

func startsWith(ids, files []fileID) bool {
	if len(files) == 0 || len(files) > len(ids) {
		return false
	}
	for i, f := range files {
		if ids[i] != f {
			return false
		}
	}
	return true
}

// kept are the groups that are there and whole, by their first file.
func (c *filesCache) kept(ctx context.Context) (map[fileID]*fileGroup, error) {
	list, err := c.run.out.List(ctx, c.folder+"/")
	if err != nil {
		return nil, err
	}
	out := map[fileID]*fileGroup{}
	for _, info := range list {
		folder, ok := strings.CutSuffix(info.Name, "/group.json")
		if !ok {
			continue
		}
		data, err := store.ReadAll(ctx, c.run.out, info.Name, 1<<30)
		if err != nil {
			return nil, err
		}
		var rec groupRecord
		if err := json.Unmarshal(data, &rec); err != nil || len(rec.Files) == 0 {
			return nil, fmt.Errorf("%s: damaged (%v); remove it and run again", info.Name, err)
		}
		group := &fileGroup{folder: folder, files: rec.Files, first: rec.FirstSpan}
		if group.rows, group.found, err = ledger.Load(ctx, c.run.out, group.manifest()); err != nil {
			return nil, err
		}
		if group.found && c.run.verify(ctx, group.rows.Parts) == nil {
			out[rec.Files[0]] = group
		}
	}
	return out, nil
}

// keep records the new groups, and removes those that were of no use.
func (c *filesCache) keep(ctx context.Context, groups []*fileGroup) error {
	used := map[string]bool{}
	for _, group := range groups {
		used[group.folder] = true
		if group.found {
			continue
		}
		data, err := json.Marshal(groupRecord{group.files, group.first})
		if err != nil {
			return err
		}
		if err := store.WriteAll(ctx, c.run.out, group.record(), data); err != nil {
			return err
		}
	}
	list, err := c.run.out.List(ctx, c.folder+"/")
	if err != nil {
		return err
	}
	for _, info := range list {
		group, _, _ := strings.Cut(strings.TrimPrefix(info.Name, c.folder+"/"), "/")
		if used[c.folder+"/"+group] {
			continue
		}
		if err := c.run.out.Delete(ctx, info.Name); err != nil {
			return err
		}
	}
	return nil
}
