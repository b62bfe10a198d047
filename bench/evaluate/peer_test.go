package evaluate

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A peer's missing picture, one of another size, one that is broken, a missing
// stream and one of 0 bytes are named; the rest is evaluated.
func TestPeer(t *testing.T) {
	dir, peer := t.TempDir(), t.TempDir()
	scenes(t, dir, 7)
	pictures, streams := filepath.Join(peer, "pictures"), filepath.Join(peer, "streams")
	for i, side := range []int{64, 0, 48, 64, 64, 64, 64} {
		name := []string{"scene0", "scene1", "scene2", "scene3", "scene4", "scene5", "scene6"}[i]
		if side != 0 {
			savePNG(t, filepath.Join(pictures, name+".png"), scene(i+1, side))
		}
		if i != 3 {
			write(t, filepath.Join(streams, name+".bin"), map[bool]string{true: "", false: "a stream"}[i == 4])
		}
	}
	write(t, filepath.Join(pictures, "scene5.png"), "a broken picture")
	e := evaluation(dir, t.TempDir(), "thumbhash", "peer-a-peer")
	e.Peers = []Peer{{"A Peer!", pictures, streams}}
	r := run(t, e)
	want := []string{
		"A Peer!: scene1.png: no picture named scene1 in " + pictures,
		"A Peer!: scene2.png: a picture of 48 x 48 pixels, not 64 x 64",
		"A Peer!: scene3.png: no stream named scene3 in " + streams,
		"A Peer!: scene4.png: scene4.bin: the stream has 0 bytes",
		"A Peer!: scene5.png: png: invalid format: not a PNG file",
	}
	if got := r.problems(); !slices.Equal(got, want) {
		t.Errorf("problems:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := cellOf(r, "A Peer!", "bytes"); got != "8" {
		t.Errorf("bytes %s, want 8", got)
	}
	if of := r.Lines[1].Of; of != "2 of 7" {
		t.Errorf("pictures: %q, want 2 of 7", of)
	}
	if got := cellOf(r, "ThumbHash", "bytes"); got != "24" {
		t.Error("the rest was not evaluated")
	}
}

// In one folder a picture is told from its stream by its name's ending, whatever
// their order; without a stream, or with several, the bytes are not guessed.
func TestPeerInOneFolder(t *testing.T) {
	dir, peer, kept := t.TempDir(), t.TempDir(), t.TempDir()
	scenes(t, dir, 6)
	for i, others := range [][]string{{".tfci"}, {".bin"}, {}, {".bin", ".txt"}, {".webp"}, {}} {
		stem := filepath.Join(peer, "scene"+strconv.Itoa(i))
		savePNG(t, filepath.Join(kept, strconv.Itoa(i)), scene(i+1, 64))
		if err := os.Symlink(filepath.Join(kept, strconv.Itoa(i)), stem+".png"); err != nil {
			t.Skip(err)
		}
		for _, ending := range others {
			write(t, stem+ending, "a stream")
		}
	}
	if err := os.Rename(filepath.Join(peer, "scene5.png"), filepath.Join(peer, "scene5")); err != nil {
		t.Fatal(err)
	}
	e := evaluation(dir, t.TempDir(), "peer-p")
	e.Peers = []Peer{{"P", peer, peer + "/."}}
	r := run(t, e)
	want := []string{
		"P: scene2.png: no stream named scene2 in " + peer + "/.",
		"P: scene3.png: several files may be the stream named scene3 in " + peer + "/.: keep one of scene3.bin, scene3.txt",
		"P: scene4.png: several files may be the picture named scene4 in " + peer + ": keep one of scene4.png, scene4.webp",
		"P: scene5.png: no picture named scene5 in " + peer,
	}
	if got := r.problems(); !slices.Equal(got, want) {
		t.Errorf("problems:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := cellOf(r, "P", "bytes"); got != "8" {
		t.Errorf("bytes %s, want 8", got)
	}
}

func write(t *testing.T, path, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o666); err != nil {
		t.Fatal(err)
	}
}

// Bytes are a stream's or a table's, or unknown.
func TestPeerSizes(t *testing.T) {
	dir, peer := t.TempDir(), t.TempDir()
	scenes(t, dir, 2)
	for i := range 2 {
		savePNG(t, filepath.Join(peer, []string{"scene0.png", "scene1.png"}[i]), scene(i+1, 64))
	}
	table := filepath.Join(t.TempDir(), "rates.csv")
	bytesOf := func(streams string) (string, []string) {
		e := evaluation(dir, t.TempDir(), "peer-p")
		e.Peers = []Peer{{"P", peer, streams}}
		r := run(t, e)
		return cellOf(r, "P", "bytes"), r.problems()
	}
	if got, problems := bytesOf(""); got != "-" || problems != nil {
		t.Errorf("without streams: %s bytes, %v", got, problems)
	}
	write(t, table, "stem,bpp,bytes\nscene0.png,0.1,100\n")
	if got, problems := bytesOf(table); got != "100" || len(problems) != 1 || !strings.Contains(problems[0], "no size of scene1") {
		t.Errorf("a table: %s bytes, %v", got, problems)
	}
	write(t, table, "stem,bytes\nscene0,100\nscene0.v2,999\nscene0.v2.x,998\nscene1.png,300\n")
	if got, problems := bytesOf(table); got != "200 ± 100" || problems != nil {
		t.Errorf("stems with dots: %s bytes, %v", got, problems)
	}
	write(t, table, "name,bytes\nscene0.tfci,100\nscene1.tfci,300\nscene1.rec,5\n")
	if got, problems := bytesOf(table); got != "100" || len(problems) != 1 || !strings.Contains(problems[0], "2 sizes of scene1") {
		t.Errorf("names of streams: %s bytes, %v", got, problems)
	}
	write(t, filepath.Join(peer, sizesFile), "scene0,70\nscene1,80\n")
	if got, problems := bytesOf(""); got != "75 ± 5" || problems != nil {
		t.Errorf("sizes.csv: %s bytes, %v", got, problems)
	}
	for _, bad := range []string{"scene0,many\n", "scene0,0\n", "scene0\n", "a,\"b\n"} {
		write(t, table, bad)
		e := evaluation(dir, t.TempDir(), "thumbhash")
		e.Peers = []Peer{{"P", peer, table}}
		if _, err := e.Run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), table) {
			t.Errorf("table %q: %v", bad, err)
		}
	}
	write(t, table, "stem,bytes\n\nscene0,1\nscene0.png,2\n")
	twice := evaluation(dir, t.TempDir(), "peer-p")
	twice.Peers = []Peer{{"P", peer, table}}
	if _, err := twice.Run(t.Context()); err == nil || err.Error() != table+": line 4: a second size of scene0" {
		t.Errorf("two sizes of a picture: %v", err)
	}
	for _, p := range []Peer{{"P", "/nonexistent", ""}, {"P", peer, "/nonexistent"}} {
		e := evaluation(dir, t.TempDir())
		e.Peers = []Peer{p}
		if _, err := e.Run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "/nonexistent: ") {
			t.Errorf("%v: %v", p, err)
		}
	}
	e := evaluation(dir, t.TempDir())
	e.Peers = []Peer{{"P", peer, ""}, {"p!", peer, ""}}
	if _, err := e.Run(t.Context()); err == nil || err.Error() != "peers P and p! are both row peer-p: rename one" {
		t.Errorf("two of one name: %v", err)
	}
	var ids []string
	for _, name := range []string{"CoD v1.5", "算法", "方法", "Ünïcode", "हिन्दी"} {
		r, err := e.peerRow(Peer{name, peer, ""})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.id)
	}
	if want := []string{"peer-cod-v1-5", "peer-算法", "peer-方法", "peer-ünïcode", "peer-हिन्दी"}; !slices.Equal(ids, want) {
		t.Errorf("IDs %q, want %q", ids, want)
	}
}

func TestParsePeer(t *testing.T) {
	for in, want := range map[string]Peer{"CoD=a": {"CoD", "a", ""}, " CoD = a,b": {"CoD", " a", "b"}} {
		if p, err := ParsePeer(in); err != nil || p != want {
			t.Errorf("%q: %v, %v", in, p, err)
		}
	}
	for _, in := range []string{"", "a", "=a", "a=", "a=,b"} {
		if _, err := ParsePeer(in); err == nil {
			t.Errorf("%q is a peer", in)
		}
	}
}
