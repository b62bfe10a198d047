package catalog

import (
	"fmt"
	"os"
	"path/filepath"
)

// MetricsVar is the environment variable that names the folder of the networks
// that rate pictures, if it is not the user's own.
const MetricsVar = "COCLICO_METRICS"

// MetricsDir returns the folder of the networks that rate pictures, which need
// not exist.
func MetricsDir(getenv func(string) string) (string, error) {
	if dir := getenv(MetricsVar); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place for the networks that rate pictures: set %s to a folder (%w)", MetricsVar, err)
	}
	return filepath.Join(dir, "coclico", "metrics"), nil
}
