package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coclico/coclico/weights"
)

// A Use is what a model is wanted for.
type Use uint8

const (
	Everything Use = iota
	Encoding
	Decoding
)

// needs reports whether a use needs a part.
func (u Use) needs(part weights.Part) bool {
	switch u {
	case Encoding:
		return part.Encodes()
	case Decoding:
		return part.Decodes()
	}
	return true
}

// A Plan lists the files that a use of a model needs. Weights are safetensors
// files of one precision for each part: the one that is in the cache already,
// and otherwise float16 where the hub has it. The rest are configurations, the
// tokenizer and the model card, which are small.
type Plan struct {
	Repo             Repo
	Revision, Commit string
	Files            []Item
	Parts            []weights.Part // of the model
	License          License
	listing          *Listing
}

// An Item is a file of a plan.
type Item struct {
	File
	Have int64 // bytes of it that are in the cache
}

// Size returns the bytes of all files.
func (p *Plan) Size() int64 { return p.sum(func(i Item) int64 { return i.Size }) }

// Left returns the bytes that are not in the cache yet.
func (p *Plan) Left() int64 { return p.sum(func(i Item) int64 { return i.Size - i.Have }) }

func (p *Plan) sum(f func(Item) int64) (n int64) {
	for _, i := range p.Files {
		n += f(i)
	}
	return n
}

// Weights returns the plan's files of weights.
func (p *Plan) Weights() []Item {
	return slices.DeleteFunc(slices.Clone(p.Files), func(i Item) bool { return path.Ext(i.Path) != ".safetensors" })
}

// small bounds every file except weights; the tokenizer's vocabulary has 1 MB.
const small = 8 << 20

// Plan asks the hub for a model's listing and determines which files are needed
// and which of them are missing. For that it downloads the model's index, its
// card and the indices of shards.
func (c *Client) Plan(ctx context.Context, r Repo, revision string, use Use) (*Plan, error) {
	if err := CheckRevision(revision); err != nil {
		return nil, err
	}
	l, err := c.list(ctx, r, revision)
	if err != nil {
		return nil, err
	}
	s := &selection{ctx: ctx, c: c, plan: &Plan{Repo: r, Revision: revision, Commit: l.Commit, License: License{Name: l.License}, listing: l}}
	if err := s.model(use); err != nil {
		return nil, fmt.Errorf("%s: %w", r, err)
	}
	return s.plan, nil
}

// PlanFiles is like [Client.Plan] for files that are not those of a model, by
// their paths. A path whose name ends in a hyphen and eight hexadecimal digits,
// as files of PyTorch's own hub do, must have a SHA-256 that begins with them.
func (c *Client) PlanFiles(ctx context.Context, r Repo, revision string, paths ...string) (*Plan, error) {
	return c.planFiles(ctx, r, revision, func(*Listing) ([]string, error) { return paths, nil })
}

// planFiles plans the files that choose chooses from the listing.
func (c *Client) planFiles(ctx context.Context, r Repo, revision string, choose func(*Listing) ([]string, error)) (*Plan, error) {
	l, err := c.list(ctx, r, revision)
	if err != nil {
		return nil, err
	}
	s := &selection{ctx: ctx, c: c, plan: &Plan{Repo: r, Revision: revision, Commit: l.Commit, License: License{Name: l.License}, listing: l}}
	paths, err := choose(l)
	if err == nil {
		err = s.files(paths)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r, err)
	}
	return s.plan, nil
}

// A selection makes a plan.
type selection struct {
	ctx  context.Context
	c    *Client
	plan *Plan
}

const (
	modelIndex = "model_index.json"
	modelCard  = "README.md"
)

func (s *selection) model(use Use) error {
	index, ok := s.plan.listing.find(modelIndex)
	if !ok {
		return fmt.Errorf("not a diffusers model: no %s in it", modelIndex)
	}
	data, err := s.read(index)
	if err != nil {
		return err
	}
	if s.plan.Parts, err = weights.IndexParts(data); err != nil {
		return fmt.Errorf("%s: %w", modelIndex, err)
	}
	const constant = weights.PromptEmbeds // which no index lists
	if _, ok := s.plan.listing.find(path.Join(string(constant), constant.WeightFile())); ok && !slices.Contains(s.plan.Parts, constant) {
		s.plan.Parts = append(s.plan.Parts, constant)
	}
	for _, part := range s.plan.Parts {
		if !use.needs(part) {
			continue
		}
		if err := s.part(part); err != nil {
			return err
		}
	}
	for _, name := range []string{"LICENSE", "LICENSE.md"} {
		if f, ok := s.plan.listing.find(name); ok && f.Size <= small {
			if err := s.add(f); err != nil {
				return err
			}
		}
	}
	return s.card()
}

// files selects files by their paths, and the card.
func (s *selection) files(paths []string) error {
	for _, name := range paths {
		f, ok := s.plan.listing.find(name)
		if !ok {
			return fmt.Errorf("no %s in it", name)
		}
		f, err := s.complete(f)
		if err != nil {
			return err
		}
		if digits := namedHash(name); !strings.HasPrefix(f.Hash, digits) || digits != "" && len(f.Hash) != 64 {
			return fmt.Errorf("%s has the hash %s: it is another file than its name says", name, f.Hash)
		}
		if err := s.add(f); err != nil {
			return err
		}
	}
	return s.card()
}

// namedHash returns the digits of a hash at the end of a file's name, "" if
// there are none.
func namedHash(name string) string {
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	i := strings.LastIndexByte(stem, '-')
	if digits := stem[i+1:]; i >= 0 && len(digits) == 8 && strings.Trim(digits, "0123456789abcdef") == "" {
		return digits
	}
	return ""
}

// card reads the model's card, which the user is shown the license from before
// the weights are downloaded.
func (s *selection) card() error {
	f, ok := s.plan.listing.find(modelCard)
	if !ok || f.Size > small {
		return nil
	}
	data, err := s.read(f)
	if err != nil {
		return err
	}
	l := ParseCard(data)
	l.Name = cmp.Or(l.Name, s.plan.License.Name)
	s.plan.License = l
	return nil
}

// part selects the files of a part.
func (s *selection) part(part weights.Part) error {
	for _, name := range part.Texts() {
		if f, ok := s.plan.listing.find(path.Join(string(part), name)); ok {
			if f.Size > small {
				return fmt.Errorf("%s has %d bytes", f.Path, f.Size)
			}
			if err := s.add(f); err != nil {
				return err
			}
		}
	}
	if !part.HasWeights() {
		return nil
	}
	return s.weights(part)
}

// weights selects a part's weights: files that are all in the cache, and
// otherwise those that package weights prefers.
func (s *selection) weights(part weights.Part) error {
	var best []File
	for _, name := range weights.WeightFiles() {
		f, ok := s.plan.listing.find(path.Join(string(part), name))
		if !ok {
			continue
		}
		files, err := s.shards(f)
		if err != nil {
			return err
		}
		cached := !slices.ContainsFunc(files, func(f File) bool { return !s.c.Cache.has(s.plan.Repo, s.plan.Commit, f) })
		if best == nil || cached {
			best = files
		}
		if cached {
			break
		}
	}
	if best == nil {
		return fmt.Errorf("no safetensors file of its %s", part)
	}
	return s.add(best...)
}

// shards returns a file of weights, or an index and the files that it names.
func (s *selection) shards(f File) ([]File, error) {
	if !strings.HasSuffix(f.Path, ".json") {
		f, err := s.complete(f)
		return []File{f}, err
	}
	data, err := s.read(f)
	if err != nil {
		return nil, err
	}
	names, err := weights.Shards(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	files := []File{f}
	for _, name := range names {
		shard, ok := s.plan.listing.find(path.Join(path.Dir(f.Path), name))
		if !ok {
			return nil, fmt.Errorf("%s names %s, which the model does not have", f.Path, name)
		}
		if shard, err = s.complete(shard); err != nil {
			return nil, err
		}
		files = append(files, shard)
	}
	return files, nil
}

// complete returns a file with the size and the hash that the listing lacks.
func (s *selection) complete(f File) (File, error) {
	if f.Hash != "" {
		return f, nil
	}
	f, err := s.c.stat(s.ctx, s.plan.Repo, s.plan.Commit, f)
	for i := range s.plan.listing.Files {
		if s.plan.listing.Files[i].Path == f.Path && err == nil {
			s.plan.listing.Files[i] = f
		}
	}
	return f, err
}

// add adds files to the plan.
func (s *selection) add(files ...File) error {
	for _, f := range files {
		f, err := s.complete(f)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(s.plan.Files, func(i Item) bool { return i.Path == f.Path }) {
			continue
		}
		if i := slices.IndexFunc(s.plan.Files, func(i Item) bool { return strings.EqualFold(i.Path, f.Path) }); i >= 0 {
			return fmt.Errorf("%s and %s are one file on some systems", s.plan.Files[i].Path, f.Path)
		}
		if err := s.c.Pins.check(s.plan.Commit, f); err != nil {
			return err
		}
		item := Item{File: f, Have: s.c.Cache.part(s.plan.Repo, f)}
		if s.c.Cache.has(s.plan.Repo, s.plan.Commit, f) {
			item.Have = f.Size
		}
		s.plan.Files = append(s.plan.Files, item)
	}
	return nil
}

// read downloads a small file, adds it to the plan, and returns its content.
func (s *selection) read(f File) ([]byte, error) {
	f, err := s.complete(f)
	if err != nil {
		return nil, err
	}
	if f.Size > small {
		return nil, fmt.Errorf("%s has %d bytes", f.Path, f.Size)
	}
	r := s.plan.Repo
	if err := s.c.fetch(s.ctx, r, s.plan.Commit, f, func(int64) {}); err != nil {
		return nil, err
	}
	name := s.c.Cache.blob(r, f.Hash)
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
		name = filepath.Join(s.c.Cache.snapshot(r, s.plan.Commit), filepath.FromSlash(f.Path))
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, small))
	if err != nil {
		return nil, err
	}
	return data, s.add(f)
}
