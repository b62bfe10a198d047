package catalog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/coclico/coclico/cmd/internal/files"
)

// ConfigVar is the environment variable that names the configuration file, if
// it is not the user's own.
const ConfigVar = "COCLICO_CONFIG"

// A Config is the content of the configuration file: the user's decisions.
type Config struct {
	Model   string            `json:"model,omitempty"`   // the default, "" for the built-in one
	Folders map[string]string `json:"folders,omitempty"` // by name

	path string
}

// maxConfig bounds the configuration file.
const maxConfig = 1 << 20

// configPath returns the path of the configuration file.
func configPath(getenv func(string) string) (string, error) {
	if path := getenv(ConfigVar); path != "" {
		return path, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "coclico", "config.json"), nil
}

// ReadConfig reads the configuration. A missing file is an empty configuration.
func ReadConfig(getenv func(string) string) (*Config, error) {
	path, err := configPath(getenv)
	if err != nil {
		return &Config{}, nil // no home folder, so no decisions
	}
	return readConfig(path)
}

func readConfig(path string) (*Config, error) {
	c := &Config{path: path}
	// The home folder of a service may be a file: /dev/null.
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: set %s to a file that can be read", files.Named(path, err), ConfigVar)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(data) > maxConfig {
		err = fmt.Errorf("more than %d bytes", maxConfig)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.path, err)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return c, nil
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err = dec.Decode(c)
	if _, more := dec.Token(); err == nil && more != io.EOF {
		err = errors.New("data after the configuration")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: correct it or delete it", c.path, err)
	}
	return c, nil
}

// Update changes the configuration and writes its file. change is applied to what
// the file has by then, under the lock of the file's writer, so that where the
// system has locks no decision of another process is lost. If the file is a link, its target is written.
func (c *Config) Update(change func(now *Config)) error {
	if c.path == "" {
		return errors.New("no folder for the configuration: set " + ConfigVar)
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o777); err != nil {
		return err
	}
	return files.New(nil, nil).Write(context.Background(), c.path, func(w io.Writer) error {
		now, err := readConfig(c.path)
		if err != nil {
			return err
		}
		change(now)
		data, err := json.MarshalIndent(now, "", "  ")
		if err != nil {
			return err
		}
		*c = *now
		_, err = w.Write(append(data, '\n'))
		return err
	})
}

// CheckName returns an error for a name that could be mistaken for something
// else: a path, a name on the hub, the built-in model.
func CheckName(name string) error {
	if name == "" || len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" ||
		strings.ContainsRune(".-", rune(name[0])) || name == BuiltIn {
		return fmt.Errorf("%q cannot be the name of a folder: letters, digits and . _ -, and not %s", name, BuiltIn)
	}
	return nil
}
