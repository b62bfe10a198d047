package evaluate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A coder is a codec whose programs are on PATH, at its smallest size.
type coder struct {
	id, name string
	programs []string // that it runs; "a|b" is the first that is found
	get      string   // where they come from

	in, out string // endings of the picture files that the programs read and write
	stream  string // ending of the codec's files

	// encode and decode are the command lines after the program's name.
	encode, decode func(in, out string) []string
}

// coders are the codecs that have no parameter besides their floor. The command
// lines are those that gave the smallest files in the versions of Debian 12.
func coders() []coder {
	words := func(format string) func(in, out string) []string {
		return func(in, out string) []string {
			args := strings.Fields(format)
			for i, a := range args {
				args[i] = strings.NewReplacer("IN", in, "OUT", out).Replace(a)
			}
			return args
		}
	}
	return []coder{
		{
			id: "jxl", name: "JPEG XL", programs: []string{"cjxl", "djxl"}, get: "apt install libjxl-tools", in: ".png", out: ".png", stream: ".jxl",
			encode: words("-d 15 --resampling=8 -e 7 IN OUT"), decode: words("IN OUT"),
		},
		{
			id: "avif", name: "AVIF", programs: []string{"avifenc", "avifdec"}, get: "apt install libavif-bin", in: ".png", out: ".png", stream: ".avif",
			encode: words("--min 63 --max 63 -a end-usage=q -a cq-level=63 -s 2 -y 420 -d 10 IN OUT"), decode: words("-d 8 IN OUT"),
		},
		{
			id: "heic", name: "HEIC", programs: []string{"heif-enc", "heif-dec|heif-convert"}, get: "apt install libheif-examples", in: ".png", out: ".png", stream: ".heic",
			encode: words("-q 0 -o OUT IN"), decode: words("IN OUT"),
		},
		{
			id: "webp", name: "WebP", programs: []string{"cwebp", "dwebp"}, get: "apt install webp", in: ".png", out: ".png", stream: ".webp",
			encode: words("-quiet -q 0 -m 6 IN -o OUT"), decode: words("-quiet IN -o OUT"),
		},
		{
			id: "jpeg", name: "JPEG", programs: []string{"cjpeg", "djpeg"}, get: "apt install libjpeg-turbo-progs", in: ".ppm", out: ".ppm", stream: ".jpg",
			encode: words("-quality 1 -optimize -progressive -sample 2x2 -outfile OUT IN"), decode: words("-ppm -outfile OUT IN"),
		},
	}
}

// look returns the paths of the programs, or one line that names the first that
// is missing.
func (b *toolbox) look(programs []string, get string) (paths []string, absent string) {
	for _, names := range programs {
		path := ""
		for _, name := range strings.Split(names, "|") {
			if path == "" {
				path = b.find(name)
			}
		}
		if path == "" {
			return nil, fmt.Sprintf("%s not found on PATH: %s", strings.ReplaceAll(names, "|", " or "), get)
		}
		paths = append(paths, path)
	}
	return paths, ""
}

// toolParams describes a row of programs.
func (e *Evaluation) toolParams(paths []string, how string) (string, error) {
	var parts []string
	for _, path := range paths {
		id, err := e.tools.identify(path)
		if err != nil {
			return "", err
		}
		parts = append(parts, id)
	}
	return fmt.Sprintf("%s, size %d: %s", strings.Join(parts, ", "), e.Size, how), nil
}

// coderRow returns the row of a codec.
func (e *Evaluation) coderRow(c coder) row {
	r := row{id: c.id, name: c.name, program: true, note: strings.Join(append([]string{strings.Split(c.programs[0], "|")[0]}, c.encode("IN", "OUT")...), " ")}
	paths, absent := e.tools.look(c.programs, c.get)
	if r.absent = absent; absent != "" {
		return r
	}
	r.params = func(*task) (string, error) { return e.toolParams(paths, r.note) }
	r.make = func(ctx context.Context, t *task) (*made, error) {
		return e.inFolder(func(dir string) (*made, error) { return e.code(ctx, dir, c, paths, t.ref) })
	}
	return r
}

// inFolder calls make with a temporary folder.
func (e *Evaluation) inFolder(make func(dir string) (*made, error)) (*made, error) {
	dir, err := os.MkdirTemp("", "coclico-evaluate-*")
	if err != nil {
		return nil, fatal{fmt.Errorf("%s: no temporary folder: %w", os.TempDir(), cause(err))}
	}
	defer os.RemoveAll(dir)
	return make(dir)
}

// code encodes and decodes a picture with a codec's programs.
func (e *Evaluation) code(ctx context.Context, dir string, c coder, paths []string, ref *Picture) (*made, error) {
	in, stream, out := filepath.Join(dir, "in"+c.in), filepath.Join(dir, "stream"+c.stream), filepath.Join(dir, "out"+c.out)
	write, read := writePNG, readPNG
	if c.in == ".ppm" {
		write = writePPM
	}
	if c.out == ".ppm" {
		read = readPPM
	}
	if err := writeTo(in, write, ref); err != nil {
		return nil, fatal{err}
	}
	u, err := e.tools.run(ctx, dir, append(paths[:1:1], c.encode(in, stream)...)...)
	if err != nil {
		return nil, err
	}
	m := &made{encode: u.elapsed, memory: u.memory}
	if m.bytes, err = streamSize(stream); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(paths[0]), err)
	}
	if u, err = e.tools.run(ctx, dir, append(paths[1:2:2], c.decode(stream, out)...)...); err != nil {
		return nil, err
	}
	m.decode, m.memory = u.elapsed, max(m.memory, u.memory)
	if m.picture, err = read(out, ref.Side); err != nil {
		return nil, fmt.Errorf("%s: the decoded picture: %w", filepath.Base(paths[1]), err)
	}
	return m, nil
}

// streamSize returns the length of a stream, which is not empty.
func streamSize(path string) (int64, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return 0, errors.New("no stream was written")
	case err != nil:
		return 0, cause(err)
	case !info.Mode().IsRegular():
		return 0, errors.New("the stream is not a file")
	case info.Size() == 0:
		return 0, errors.New("the stream has 0 bytes")
	}
	return info.Size(), nil
}
