// Command coclico-web writes the page of coclico serve as a folder for any
// static host: the page, package codec as WebAssembly, and the built-in model.
// Pictures do not leave the browser, and after the first visit the site works
// without a network.
//
//	go run ./cmd/coclico-web -o site
//	go run ./cmd/coclico-web -file coclico.html
//
// Browsers fetch nothing from file:// addresses, so that a folder needs a server
// of files, such as python3 -m http.server -d site. With -file all of it is one
// page, which they open from a disk too.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	dir := flag.String("o", "", "write the site to `folder`, which must be empty or not exist")
	file := flag.String("file", "", "write all of it to one HTML `file`")
	flag.Parse()
	if (*dir == "") == (*file == "") || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*dir, *file); err != nil {
		fmt.Fprintf(os.Stderr, "coclico-web: %v\n", err)
		os.Exit(1)
	}
}

func run(dir, file string) error {
	if dir != "" {
		entries, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		if len(entries) > 0 {
			return fmt.Errorf("%s is not empty", dir)
		}
	}
	files, err := site()
	if err != nil {
		return err
	}
	if file != "" {
		data, err := onePage(files)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %.1f MB\n", file, float64(len(data))/1e6)
		return os.WriteFile(file, data, 0o644)
	}
	if err := write(dir, files); err != nil {
		return err
	}
	plain, packed := sizes(files)
	fmt.Printf("%s: %d files, %.1f MB, %.1f MB as gzip\n", dir, len(files), float64(plain)/1e6, float64(packed)/1e6)
	return nil
}
