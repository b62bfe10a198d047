package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/coclico/coclico/cmd/coclico/internal/files"
)

// ConfigVar names the configuration file in place of the user's own.
const ConfigVar = "COCLICO_CONFIG"

// A Config is what the user has decided, as the configuration file has it.
type Config struct {
	Model   string            `json:"model,omitempty"`   // the default, "" for the built-in one
	Folders map[string]string `json:"folders,omitempty"` // by name

	path string
}

// maxConfig bounds the configuration file.
const maxConfig = 1 << 20

// configPath returns where the configuration is.
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

// ReadConfig reads the configuration. That there is none is none.
func ReadConfig(getenv func(string) string) (*Config, error) {
	c := &Config{}
	var err error
	if c.path, err = configPath(getenv); err != nil {
		return c, nil // no home folder, nothing decided
	}
	f, err := os.Open(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
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
		err = errors.New("something follows the configuration")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: mend it or delete it", c.path, err)
	}
	return c, nil
}

// Save writes the configuration, where a link leads if it is one.
func (c *Config) Save() error {
	if c.path == "" {
		return errors.New("no folder for the configuration: set " + ConfigVar)
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o777); err != nil {
		return err
	}
	return files.New(nil, nil).Write(c.path, func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}

// CheckName refuses names that could be taken for something else: a path, a
// name on the hub, the built-in model.
func CheckName(name string) error {
	if name == "" || len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" ||
		strings.ContainsRune(".-", rune(name[0])) || name == BuiltIn {
		return fmt.Errorf("%q is no name for a folder: letters, digits and . _ -, and not %s", name, BuiltIn)
	}
	return nil
}
