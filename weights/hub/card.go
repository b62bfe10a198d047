package hub

import (
	"bufio"
	"bytes"
	"cmp"
	"regexp"
	"strings"
	"unicode"
)

// A License is what a model's card says about the terms of its weights.
type License struct {
	Name string   // such as openrail++; may be empty
	Link string   // to its text; may be empty
	Text []string // the lines of the card about it, without markup
}

// Limits on a license's text.
const (
	maxLicense     = 80   // lines
	maxLicenseLine = 2000 // bytes of a line
)

// ParseCard finds the license in a model card: README.md, which begins with
// YAML between two lines of dashes. Of its keys, license, license_name and
// license_link are read. The text consists of the sections about the license
// and about uses that it forbids, and of every other line that mentions it.
func ParseCard(card []byte) License {
	lines := bufio.NewScanner(bytes.NewReader(card))
	lines.Buffer(nil, len(card)+1)
	fields := map[string]string{}
	front, first := false, true
	var text licenseText
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), " \t\r")
		switch fence := line == "---"; {
		case fence && first:
			front = true
		case fence && front:
			front = false
		case front:
			if key, value, ok := strings.Cut(line, ":"); ok {
				fields[key] = strings.Trim(value, " \"'")
			}
		default:
			text.add(line)
		}
		first = false
	}
	return License{
		Name: licenseName(fields["license"], fields["license_name"]),
		Link: printable(fields["license_link"]),
		Text: text.lines,
	}
}

// licenseName returns what a card calls a license: the hub's name for it, or
// the card's own if the hub has none.
func licenseName(license, name string) string {
	if license == "other" {
		license = cmp.Or(name, license)
	}
	return printable(license)
}

// A licenseText collects the lines of a card that are about its license.
type licenseText struct {
	lines []string
	level int // of the heading of the section that is being collected, 0 in another
}

var (
	heading = regexp.MustCompile(`^\s{0,3}(#{1,6})\s+(.+)`)
	terms   = regexp.MustCompile(`(?i)licen[cs]|misuse|malicious|out.of.scope|prohibited|restrict`)
	license = regexp.MustCompile(`(?i)licen[cs]e|\brail\b`)
	link    = regexp.MustCompile(`!?\[([^\]]*)\]\(([^)\s]*)[^)]*\)`)
	tag     = regexp.MustCompile(`<[^<>]*>`)
)

func (t *licenseText) add(line string) {
	if len(t.lines) == maxLicense {
		return
	}
	if h := heading.FindStringSubmatch(line); h != nil {
		if t.level == 0 || len(h[1]) <= t.level {
			t.level = 0
			if terms.MatchString(h[2]) {
				t.level = len(h[1])
			}
		}
		if t.level > 0 {
			t.keep(h[2])
		}
		return
	}
	if t.level > 0 || license.MatchString(line) {
		t.keep(line)
	}
}

// keep appends a line without its markup, unless nothing is left of it.
func (t *licenseText) keep(line string) {
	if len(line) > maxLicenseLine {
		line = line[:maxLicenseLine] + "..."
	}
	line = link.ReplaceAllString(line, "$1 ($2)")
	line = strings.NewReplacer("**", "", "__", "", "`", "").Replace(tag.ReplaceAllString(line, ""))
	line = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, strings.TrimSpace(line))
	if line != "" {
		t.lines = append(t.lines, line)
	}
}
