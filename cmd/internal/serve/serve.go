// Package serve answers HTTP requests with a codec. The API is described by
// openapi.yaml, which is also served.
package serve

import _ "embed"

// Document is the API's description in OpenAPI 3.1.
//
//go:embed openapi.yaml
var Document []byte
