//go:build azure

package bucket

import _ "gocloud.dev/blob/azureblob" // azblob://

func init() { schemes = append(schemes, "azblob") }
