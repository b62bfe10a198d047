// Package page is the page that pictures are dropped on: one HTML file, one
// stylesheet, the modules of page.js, and the workers of the static site. It
// asks for v1/info: where a server answers, the server encodes and paints; where
// none does, package codec does, as WebAssembly in a worker. See command
// coclico-web.
//
// No file has an inline script or style, or a request to another host, so that
// the page works under [ContentSecurityPolicy].
package page

import (
	"embed"
	"io/fs"
)

// ContentSecurityPolicy is the strictest policy that the page works under.
// Previews are data and blob URLs.
const ContentSecurityPolicy = "default-src 'self'; img-src 'self' blob: data:; worker-src 'self'; script-src 'self' 'wasm-unsafe-eval'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

// Modules are the scripts of the page. Each imports some of those before it, and
// the last is the page's own.
var Modules = []string{"tools.js", "store.js", "engines.js", "page.js"}

//go:embed index.html page.css tools.js store.js engines.js page.js worker.js sw.js icon.svg
var files embed.FS

// Files are the files of the page, index.html among them.
var Files fs.FS = files
