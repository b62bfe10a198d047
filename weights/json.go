package weights

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits on a model's JSON: headers, indices of shards, model indices.
const (
	maxMembers = 1 << 16 // of one object or array
	maxDepth   = 4
	maxName    = 512 // bytes of a key
)

// checkJSON walks a JSON object and refuses what encoding/json accepts: equal
// keys in one object (the last one wins silently), names that are not UTF-8
// (different names become one), deep nesting, and so many members that their
// decoded form takes many times the text's memory. The rest of the syntax is
// left to the decoder that follows.
func checkJSON(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("not UTF-8")
	}
	if len(data) == 0 || data[0] != '{' {
		return errors.New("does not begin with {")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	err := walkJSON(dec, 0)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func walkJSON(dec *json.Decoder, depth int) error {
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	delim, ok := tok.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxDepth {
		return errors.New("nested too deeply")
	}
	var seen map[string]bool
	if delim == '{' {
		seen = make(map[string]bool)
	}
	for n := 0; dec.More(); n++ {
		if n == maxMembers {
			return errors.New("more than 65536 members")
		}
		if seen != nil {
			if err := walkKey(dec, seen); err != nil {
				return err
			}
		}
		if err := walkJSON(dec, depth+1); err != nil {
			return err
		}
	}
	_, err = dec.Token() // the closing delimiter
	return err
}

func walkKey(dec *json.Decoder, seen map[string]bool) error {
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	key, ok := tok.(string)
	if !ok {
		return errors.New("key is not a string")
	}
	if len(key) > maxName {
		return errors.New("name longer than 512 bytes")
	}
	if seen[key] {
		return fmt.Errorf("%s appears twice", show(key))
	}
	seen[key] = true
	return nil
}

// show returns a name from a file for use in a line of text: quoted if it has
// characters that do not print.
func show(name string) string {
	if utf8.ValidString(name) && strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return name
	}
	return strconv.Quote(name)
}

// clip is like show, for texts that may be as long as a file.
func clip(text string) string {
	const most = 160
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return show(text)
}
