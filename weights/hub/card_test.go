package hub

import (
	"reflect"
	"strings"
	"testing"
	"unicode"
)

func TestParseCard(t *testing.T) {
	for _, test := range []struct {
		name, card string
		want       License
	}{
		{"empty", "", License{}},
		{"no front matter", "license: mit\n", License{Text: []string{"license: mit"}}},
		{"front matter", "---\ntags:\n- x\nlicense: \"openrail++\"\n---\ntext\n", License{Name: "openrail++"}},
		{"a name of its own", "---\r\nlicense: other\r\nlicense_name: my-license\r\nlicense_link: LICENSE.md\r\n---\r\n", License{Name: "my-license", Link: "LICENSE.md"}},
		{"other without a name", "---\nlicense: other\n---\n", License{Name: "other"}},
		{"a list item", "# A model\n- **License:** [CreativeML](https://example.com/L \"title\")\n- **Language:** English\n", License{Text: []string{"- License: CreativeML (https://example.com/L)"}}},
		{"sections", "# A\nno\n## Misuse\n\none `two`\n### Deeper\nthree\n## Other\nno\n# Licence\nfour<br>\n", License{Text: []string{"Misuse", "one two", "Deeper", "three", "Licence", "four"}}},
		{"orders for a terminal", "the license\x1b[2J\u009b\u202e is\x00 mine\n", License{Text: []string{"the license[2J is mine"}}},
		{"an unclosed front matter", "---\nlicense: mit\n", License{Name: "mit"}},
	} {
		if got := ParseCard([]byte(test.card)); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
	if got := ParseCard([]byte(strings.Repeat("license\n", 10*maxLicense))); len(got.Text) != maxLicense {
		t.Errorf("%d lines", len(got.Text))
	}
	if got := ParseCard([]byte("license " + strings.Repeat("é", 1<<20))); len(got.Text) != 1 || len(got.Text[0]) > maxLicenseLine+10 {
		t.Errorf("%d lines", len(got.Text))
	}
}

// FuzzParseCard: a card is a stranger's text, which is shown on a terminal.
func FuzzParseCard(f *testing.F) {
	f.Add([]byte("---\nlicense: other\n---\n# License\n[a](b)\x1b]0;x\a\n"))
	f.Fuzz(func(t *testing.T, card []byte) {
		l := ParseCard(card)
		for _, line := range append(l.Text, l.Name, l.Link) {
			if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsGraphic(r) }) {
				t.Errorf("%q", line)
			}
		}
	})
}
