package serve

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/codec/archive"
)

// queryOf returns the parameters of a request. Package url leaves out those that
// it cannot parse.
func queryOf(r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badParameter.problem("the query: %v", err)
	}
	return query, nil
}

// checkNames refuses a query with other parameters than these, each once and not
// too long.
func checkNames(query url.Values, names ...string) error {
	known := map[string]bool{}
	for _, name := range names {
		known[name] = true
	}
	for name, values := range query {
		if !known[name] {
			return badParameter.problem("%s: no such parameter", name).of(name)
		}
		if len(values) > 1 {
			return badParameter.problem("%s: given %d times", name, len(values)).of(name)
		}
		if most, ok := lengths[name]; ok && len(values[0]) > most {
			return badParameter.problem("%s: at most %d bytes", name, most).of(name)
		}
	}
	return nil
}

// maxFileText is the length of a file in a query: that of all but the longest, whose
// request line with the rest of it would be longer than a header may be.
const maxFileText = 60_000

// lengths are the most bytes of parameters that checkNames checks.
var lengths = map[string]int{"q": 1024, "file": maxFileText, "near": archive.MaxName, "after": archive.MaxName, "name": archive.MaxName}

// bare refuses a query, for handlers that take no parameters.
func bare(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		query, err := queryOf(r)
		if err != nil {
			return err
		}
		if err := checkNames(query); err != nil {
			return err
		}
		return h(w, r)
	}
}

// encodingOf returns how a query wants a picture encoded.
func encodingOf(query url.Values) (*options.Encoding, error) {
	flags := newFlags()
	how := options.Encode(flags)
	if err := setFlags(flags, query, "raw"); err != nil {
		return nil, err
	}
	e, err := how()
	return e, usageProblem(err)
}

// decodingOf returns how a query wants a file painted.
func decodingOf(query url.Values) (*options.Decoding, error) {
	flags := newFlags()
	how := options.Decode(flags)
	if err := setFlags(flags, query); err != nil {
		return nil, err
	}
	d, err := how()
	return d, usageProblem(err)
}

func newFlags() *pflag.FlagSet { return pflag.NewFlagSet("query", pflag.ContinueOnError) }

// setFlags sets flags to the parameters of a query: color_guidance is
// --color-guidance. Some flags are no parameters.
func setFlags(flags *pflag.FlagSet, query url.Values, except ...string) error {
	for parameter, values := range query {
		name := strings.ReplaceAll(parameter, "_", "-")
		if strings.Contains(parameter, "-") || flags.Lookup(name) == nil || slices.Contains(except, name) {
			return badParameter.problem("%s: no such parameter", parameter).of(parameter)
		}
		if len(values) != 1 {
			return badParameter.problem("%s: given %d times", parameter, len(values)).of(parameter)
		}
		if err := flags.Set(name, values[0]); err != nil {
			return badParameter.problem("%s %s: %v", parameter, values[0], reason(flags, name, err)).of(parameter)
		}
	}
	return nil
}

// reason returns why a value is wrong.
func reason(flags *pflag.FlagSet, name string, err error) error {
	if flags.Lookup(name).Value.Type() == "bool" {
		return errors.New("must be true or false")
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return e.Unwrap()
	}
	return err
}

var flagName = regexp.MustCompile(`--[a-z][a-z-]*`)

// usageProblem turns an error about flags into one about parameters.
func usageProblem(err error) error {
	usage, ok := errors.AsType[options.UsageError](err)
	if !ok {
		return err
	}
	first := ""
	text := flagName.ReplaceAllStringFunc(usage.Error(), func(flag string) string {
		name := strings.ReplaceAll(strings.TrimLeft(flag, "-"), "-", "_")
		if first == "" {
			first = name
		}
		return name
	})
	return badParameter.problem("%s", text).of(first)
}

// checkMediaType refuses a body of another media type. One of unknown type is
// what it should be.
func checkMediaType(r *http.Request, wanted string) error {
	header := r.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(header)
	family, any := strings.CutSuffix(wanted, "*")
	switch {
	case header == "", media == "application/octet-stream", media == wanted, any && strings.HasPrefix(media, family):
		return nil
	case err != nil:
		return badMediaType.problem("the Content-Type cannot be parsed")
	}
	return badMediaType.problem("%s: must be %s or application/octet-stream", media, wanted)
}

// accepted returns the media type that the client likes best of those that are
// offered; the first one of several, and if it likes none.
func accepted(r *http.Request, offers ...string) string {
	best, bestQuality := offers[0], 0.0
	header := strings.Join(r.Header.Values("Accept"), ",")
	for _, offer := range offers {
		if q := quality(header, offer); q > bestQuality {
			best, bestQuality = offer, q
		}
	}
	return best
}

// quality returns how much an Accept header likes a media type, as its most
// specific range says.
func quality(header, offer string) float64 {
	family, _, _ := strings.Cut(offer, "/")
	q, rank := 0.0, 0
	for part := range strings.SplitSeq(header, ",") {
		media, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		r := 0
		switch media {
		case offer:
			r = 3
		case family + "/*":
			r = 2
		case "*/*":
			r = 1
		}
		if r <= rank {
			continue
		}
		rank, q = r, 1
		if v, err := strconv.ParseFloat(parameters["q"], 64); err == nil && v >= 0 && v <= 1 {
			q = v
		}
	}
	return q
}
