//go:build gcs

package bucket

import _ "gocloud.dev/blob/gcsblob" // gs://

func init() { schemes = append(schemes, "gs") }
