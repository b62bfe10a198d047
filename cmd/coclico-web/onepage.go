package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"

	"github.com/coclico/coclico/cmd/internal/page"
)

// onePage returns a site as one HTML file. Its worker is a script that the page
// holds and does not run, with Go's runtime, the program and the model before
// worker.js.
func onePage(files map[string][]byte) ([]byte, error) {
	var l list
	if err := json.Unmarshal(files[listFile], &l); err != nil {
		return nil, err
	}
	held := map[string]string{}
	for _, e := range slices.AppendSeq([]entry{l.Program}, maps.Values(l.Model)) {
		held[e.Path] = base64.StdEncoding.EncodeToString(gzipped(files[e.Path]))
	}
	data, err := json.Marshal(held)
	if err != nil {
		return nil, err
	}
	worker := string(files[runtimeFile]) + "\nself.coclicoFiles = " + string(data) + ";\n" + string(files["worker.js"])
	module := oneModule(files)
	for _, script := range []string{worker, module} {
		if lower := strings.ToLower(script); strings.Contains(lower, "</script") || strings.Contains(lower, "<!--") {
			return nil, fmt.Errorf("a script has a word that ends it in HTML")
		}
	}
	document := string(files["index.html"])
	for _, r := range []struct{ link, content string }{
		{`href="icon.svg"`, `href="data:image/svg+xml;base64,` + base64.StdEncoding.EncodeToString(files["icon.svg"]) + `"`},
		{`<link rel="stylesheet" href="page.css">`, "<style>\n" + string(files["page.css"]) + "</style>"},
		{
			`<script type="module" src="page.js"></script>`,
			`<script type="text/plain" id="worker" data-list="` + html.EscapeString(string(files[listFile])) + `">` + worker + "</script>\n<script type=\"module\">" + module + "</script>",
		},
	} {
		if strings.Count(document, r.link) != 1 {
			return nil, fmt.Errorf("index.html does not have %s once", r.link)
		}
		document = strings.Replace(document, r.link, r.content, 1)
	}
	return []byte(document), nil
}

// oneModule returns the page's module, in which the modules that it imports are
// data addresses: a page from a disk loads no other files.
func oneModule(files map[string][]byte) string {
	var module string
	var imports []string // pairs of what a module says and what stands in its place
	for _, name := range page.Modules {
		module = strings.NewReplacer(imports...).Replace(string(files[name]))
		imports = append(imports, "'./"+name+"'", "'data:text/javascript;base64,"+base64.StdEncoding.EncodeToString([]byte(module))+"'")
	}
	return module
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data) // to memory
	_ = w.Close()
	return b.Bytes()
}
