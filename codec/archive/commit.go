package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// clone returns a copy that does not change with m.
func (m *Manifest) clone() *Manifest {
	c := *m
	c.Shards = slices.Clone(m.Shards)
	return &c
}

// commit makes shards a part of the archive, and others none: it replaces the
// manifest. The shards' files must have been synced. The manifest is read again,
// for a second writer on a file system without locks may have changed it.
func (w *Writer) commit(added []ShardInfo, dropped []string) error {
	if err := syncFolder(w.dir); err != nil { // the names of the shards
		return err
	}
	m, err := readManifest(os.DirFS(w.dir))
	if errors.Is(err, fs.ErrNotExist) && added == nil {
		m, err = w.manifest.clone(), nil
	}
	if err != nil {
		return err
	}
	m.Shards = slices.DeleteFunc(m.Shards, func(s ShardInfo) bool { return slices.Contains(dropped, s.Name) })
	for _, s := range added {
		if !m.has(s.Name) {
			m.Shards = append(m.Shards, s)
		}
	}
	if err := w.adopt(m); err != nil {
		return err
	}
	slices.SortFunc(m.Shards, func(a, b ShardInfo) int { return strings.Compare(a.Name, b.Name) })
	for _, s := range m.Shards {
		m.Next = max(m.Next, shardNumber(s.Name)+1)
	}
	if err := writeManifest(w.dir, m); err != nil {
		return err
	}
	w.manifest = m
	for _, name := range dropped {
		os.Remove(filepath.Join(w.dir, name)) // or the next run does
	}
	return nil
}

func (m *Manifest) has(name string) bool {
	return slices.ContainsFunc(m.Shards, func(s ShardInfo) bool { return s.Name == name })
}

// adopt adds the shards that are not in the manifest and have a number that none
// there had: those of a run that was killed before it could, or of a second
// writer where there are no locks.
func (w *Writer) adopt(m *Manifest) error {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if shardNumber(e.Name()) < m.Next || m.has(e.Name()) {
			continue
		}
		info, err := w.inspect(e.Name(), m.Fingerprint)
		switch {
		case err != nil:
			return fmt.Errorf("%w; it is not in the manifest: move it away", err)
		case info.Rows > 0:
			m.Shards = append(m.Shards, info)
		}
	}
	return nil
}

// inspect returns the entry of a shard's file, without rows if the file is
// empty: it only claims its number.
func (w *Writer) inspect(name, fingerprint string) (ShardInfo, error) {
	info := ShardInfo{Name: name}
	f, err := openFile(os.DirFS(w.dir), name)
	if err != nil {
		return info, named(name, err)
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil || stat.Size() == 0 {
		return info, named(name, err)
	}
	a := newArchive(os.DirFS(w.dir), &Manifest{Fingerprint: fingerprint, Shards: []ShardInfo{info}})
	for e, err := range a.shards[0].Entries() {
		if err != nil {
			return info, err
		}
		if info.Rows++; info.First == "" {
			info.First = strings.Clone(e.Name)
		}
		info.Last = strings.Clone(e.Name)
	}
	info.Bytes = stat.Size()
	info.SHA256, err = hashFile(f)
	return info, named(name, err)
}

// stale is the age at which a temporary file is taken for a killed run's where
// no lock says so.
const stale = 24 * time.Hour

// repair brings the folder to what the manifest says, after a run that was
// killed.
func (w *Writer) repair() error {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	manifest, err := os.Stat(filepath.Join(w.dir, ManifestName))
	if err != nil {
		return err
	}
	pending := false
	for _, e := range entries {
		path := filepath.Join(w.dir, e.Name())
		n := shardNumber(e.Name())
		switch {
		case isTemp(e.Name()):
			if info, err := e.Info(); w.held || err == nil && time.Since(info.ModTime()) > stale {
				os.Remove(path)
			}
		case n < 0 || w.manifest.has(e.Name()):
		case n < w.manifest.Next && w.held:
			// One that others have replaced is older than the manifest that
			// lists them. Any other one may be somebody's who put it there.
			if info, err := e.Info(); err == nil && !info.ModTime().After(manifest.ModTime()) {
				os.Remove(path)
			}
		case n >= w.manifest.Next:
			if info, err := e.Info(); w.held && err == nil && info.Size() == 0 {
				os.Remove(path)
				continue
			}
			pending = true
		}
	}
	if pending {
		return w.commit(nil, nil)
	}
	return nil
}

// isTemp reports whether a name is one of createTemp's.
func isTemp(name string) bool {
	return strings.HasSuffix(name, tempSuffix) && (strings.HasPrefix(name, "shard-") || strings.HasPrefix(name, ManifestName))
}

// writeManifest replaces the manifest as a whole.
func writeManifest(dir string, m *Manifest) error {
	data, err := m.encode()
	if err != nil {
		return err
	}
	f, err := createTemp(dir, ManifestName+"-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, ManifestName))
	}
	if err != nil {
		os.Remove(f.Name())
		return named(ManifestName, err)
	}
	return syncFolder(dir)
}
