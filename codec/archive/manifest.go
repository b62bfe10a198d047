package archive

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Version is the version of archives that this package writes, and the only one
// that it reads.
const Version = 1

// ManifestName is the name of an archive's manifest.
const ManifestName = "_manifest.json"

// A Manifest lists an archive's shards.
type Manifest struct {
	Version int `json:"version"`

	// Fingerprint is the model's, in eight hex digits. All shards have it.
	Fingerprint string `json:"fingerprint"`

	// Next is the first number that no shard has had. A shard's file of a
	// lower number that is not listed was replaced by others and may be
	// deleted. One of a higher number was written by a run that was killed or
	// has not ended, and is adopted by the next one.
	Next int `json:"next"`

	// Shards are the shards, the oldest first: of several rows of one name,
	// that of the last shard counts.
	Shards []ShardInfo `json:"shards"`

	// CRC is the CRC-32 (that of IEEE 802.3) of the manifest's bytes without
	// these, its eight hex digits. It detects a damaged manifest. No other key
	// may have its name.
	CRC string `json:"crc32"`
}

// A ShardInfo is what the manifest says about a shard.
type ShardInfo struct {
	Name   string `json:"name"` // of its file
	Rows   int64  `json:"rows"`
	First  string `json:"first"` // the least and the greatest name
	Last   string `json:"last"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // of its file, in hex
}

// maxManifest bounds what is read and written: 200,000 shards of names that are not long.
const maxManifest = 64 << 20

// readManifest reads an archive's manifest.
func readManifest(fsys fs.FS) (*Manifest, error) {
	f, err := openFile(fsys, ManifestName)
	if err != nil {
		return nil, named(ManifestName, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err == nil && len(data) > maxManifest {
		err = errLarge
	}
	if err != nil {
		return nil, named(ManifestName, err)
	}
	m, err := parseManifest(data)
	return m, named(ManifestName, err)
}

func parseManifest(data []byte) (*Manifest, error) {
	var file struct {
		Manifest
		Shards json.RawMessage `json:"shards"`
	}
	err := json.Unmarshal(data, &file)
	m := file.Manifest
	if err != nil && m.Version <= Version {
		return nil, noManifest(err)
	}
	if err := checkVersion(m.Version); err != nil {
		return nil, err
	}
	if m.Shards, err = parseShards(file.Shards); err != nil {
		return nil, err
	}
	if sum, ok := manifestSum(data); !ok || sum != m.CRC {
		return nil, FormatError("manifest corrupt, or edited by hand: its CRC does not match")
	}
	return &m, m.check()
}

// crcField is the manifest's own CRC. No name can look like it, since quotes in
// names are escaped.
var crcField = regexp.MustCompile(`"crc32"\s*:\s*"([0-9a-f]{8})"`)

// manifestSum returns the CRC of a manifest's bytes without the digits of the CRC.
func manifestSum(data []byte) (sum string, ok bool) {
	at := crcField.FindAllSubmatchIndex(data, 2)
	if len(at) != 1 {
		return "", false
	}
	crc := crc32.ChecksumIEEE(data[:at[0][2]])
	crc = crc32.Update(crc, crc32.IEEETable, data[at[0][3]:])
	return fmt.Sprintf("%08x", crc), true
}

// parseShards decodes entries one by one, up to the first that is wrong: 64 MiB of
// empty ones would take gigabytes.
func parseShards(list json.RawMessage) (shards []ShardInfo, err error) {
	d := json.NewDecoder(bytes.NewReader(list))
	if start, err := d.Token(); err != nil || start != json.Delim('[') {
		return nil, noManifest(errors.New("it has no list of shards"))
	}
	for d.More() {
		var s ShardInfo
		if err := d.Decode(&s); err != nil {
			return nil, noManifest(err)
		}
		if err := s.check(); err != nil {
			return nil, err
		}
		shards = append(shards, s)
	}
	return shards, nil
}

func noManifest(err error) error { return FormatError("not a manifest: " + err.Error()) }

// check returns an error if a manifest is not one that Writer writes.
func (m *Manifest) check() error {
	if !isFingerprint(m.Fingerprint) {
		return errFingerprint
	}
	if m.Next < 0 || m.Next > maxShards {
		return errNumbers
	}
	last := -1
	for i := range m.Shards {
		if err := m.Shards[i].check(); err != nil {
			return err
		}
		n := shardNumber(m.Shards[i].Name)
		if n <= last || n >= m.Next {
			return errNumbers
		}
		last = n
	}
	return nil
}

func checkVersion(v int) error {
	switch {
	case v < 1:
		return FormatError("no version")
	case v > Version:
		return VersionError(fmt.Sprintf("archive version %d; this program reads version %d", v, Version))
	}
	return nil
}

// check returns an error if an entry is not one that Writer writes. The name may
// not lead out of the archive.
func (s *ShardInfo) check() error {
	sum, err := hex.DecodeString(s.SHA256)
	switch {
	case shardNumber(s.Name) < 0:
		return FormatError(fmt.Sprintf("%q is not a shard's name", s.Name))
	case s.Rows < 1 || s.Bytes < 1 || err != nil || len(sum) != 32:
		return FormatError(s.Name + ": not a shard's entry")
	case !validName(s.First) || !validName(s.Last) || s.First > s.Last:
		return FormatError(s.Name + ": first or last name is wrong")
	}
	return nil
}

// encode returns the manifest's JSON, with its CRC. More than is read is an error.
func (m *Manifest) encode() ([]byte, error) {
	if m.Shards == nil {
		m.Shards = []ShardInfo{}
	}
	m.CRC = ""
	data, err := marshal(m)
	if err != nil {
		return nil, err
	}
	m.CRC = fmt.Sprintf("%08x", crc32.ChecksumIEEE(data))
	if data, err = marshal(m); err == nil && len(data) > maxManifest {
		err = errShards
	}
	return data, err
}

func marshal(m *Manifest) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(m)
	return b.Bytes(), err
}

// Names of shards are part-00000000.parquet and so on. They sort as they are
// numbered.
const (
	shardPrefix = "part-"
	shardSuffix = ".parquet"
	shardDigits = 8
	maxShards   = 100_000_000 // numbers are below
)

func shardName(n int) string {
	return fmt.Sprintf("%s%0*d%s", shardPrefix, shardDigits, n, shardSuffix)
}

// shardNumber returns the number in a shard's name, or -1 for any other name.
func shardNumber(name string) int {
	digits, ok := strings.CutPrefix(name, shardPrefix)
	digits, ok2 := strings.CutSuffix(digits, shardSuffix)
	if !ok || !ok2 || len(digits) != shardDigits {
		return -1
	}
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return -1
		}
		n = 10*n + int(c-'0')
	}
	return n
}

// An Origin is how the rows of a shard were made. It is in the shard's footer.
// Fields other than Fingerprint inform people only. One is empty where
// nothing is known, as of tombstones, and "mixed" where rows differ.
type Origin struct {
	Fingerprint string `json:"fingerprint"` // of the model, in eight hex digits
	Model       string `json:"model"`       // its name
	Profile     string `json:"profile"`     // of the files: tuned or paper
	Params      string `json:"params"`      // how they were encoded
	Kernels     string `json:"kernels"`     // what computed them
	Software    string `json:"software"`    // the program and its version
}

// Keys of a shard's footer.
const (
	noteVersion     = "coclico.archive"
	noteFingerprint = "coclico.fingerprint"
	noteModel       = "coclico.model"
	noteProfile     = "coclico.profile"
	noteParams      = "coclico.params"
	noteKernels     = "coclico.kernels"
	noteSoftware    = "coclico.software"
)

func (o *Origin) notes() map[string]string {
	return map[string]string{
		noteVersion: fmt.Sprint(Version), noteFingerprint: o.Fingerprint, noteModel: o.Model,
		noteProfile: o.Profile, noteParams: o.Params, noteKernels: o.Kernels, noteSoftware: o.Software,
	}
}

// originOf reads an Origin from a shard's footer and checks the version.
func originOf(notes map[string]string) (Origin, error) {
	version, ok := notes[noteVersion]
	if !ok {
		return Origin{}, errNoShard
	}
	if version != fmt.Sprint(Version) {
		return Origin{}, VersionError(fmt.Sprintf("shard version %.20q; this program reads version %d", version, Version))
	}
	note := func(key string) string { // of a stranger's shard, one may have megabytes
		s := notes[key]
		if len(s) > MaxName {
			return strings.ToValidUTF8(s[:MaxName], "")
		}
		return s
	}
	return Origin{
		Fingerprint: note(noteFingerprint), Model: note(noteModel), Profile: note(noteProfile),
		Params: note(noteParams), Kernels: note(noteKernels), Software: note(noteSoftware),
	}, nil
}

// mixed is a field of an Origin in which rows differ.
const mixed = "mixed"

// both returns the origin of the rows of two.
func (o Origin) both(p Origin) Origin {
	for _, f := range [][2]*string{{&o.Model, &p.Model}, {&o.Profile, &p.Profile}, {&o.Params, &p.Params}, {&o.Kernels, &p.Kernels}, {&o.Software, &p.Software}} {
		switch {
		case *f[0] == "":
			*f[0] = *f[1]
		case *f[1] != "" && *f[0] != *f[1]:
			*f[0] = mixed
		}
	}
	return o
}

// check returns an error if a fingerprint cannot be a model's.
func (o *Origin) check() error {
	if !isFingerprint(o.Fingerprint) || !utf8.ValidString(o.Model) {
		return errFingerprint
	}
	return nil
}

// isFingerprint reports whether a string can be a model's fingerprint: eight hex
// digits, in one spelling since they are compared.
func isFingerprint(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 4 && hex.EncodeToString(b) == s
}
