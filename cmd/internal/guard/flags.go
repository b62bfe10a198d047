package guard

import (
	"strings"

	"github.com/spf13/pflag"
)

// Flags are the flags of a server that fill in a [Policy].
type Flags struct {
	tokenFile, cert, key string
	open, plain          bool
}

// AddFlags defines --token-file, --no-auth, --tls-cert, --tls-key and --no-tls.
func AddFlags(flags *pflag.FlagSet) *Flags {
	f := new(Flags)
	flags.StringVar(&f.tokenFile, "token-file", "", "a file with the token that clients must send")
	flags.BoolVar(&f.open, "no-auth", false, "let in anyone who can connect, without a token")
	flags.StringVar(&f.cert, "tls-cert", "", "a PEM file with the certificate to serve with")
	flags.StringVar(&f.key, "tls-key", "", "a PEM file with its private key")
	flags.BoolVar(&f.plain, "no-tls", false, "serve beyond this machine without TLS")
	return f
}

// A FlagError is a contradiction of flags. It is a string.
type FlagError string

func (e FlagError) Error() string { return string(e) }

// check returns a FlagError for flags that do not go together.
func (f *Flags) check() error {
	switch {
	case f.tokenFile != "" && f.open:
		return FlagError("--token-file and --no-auth exclude each other")
	case f.plain && f.cert != "":
		return FlagError("--tls-cert and --no-tls exclude each other")
	case f.plain && f.key != "":
		return FlagError("--tls-key and --no-tls exclude each other")
	case f.cert != "" && f.key == "":
		return FlagError("--tls-cert " + f.cert + " needs --tls-key")
	case f.cert == "" && f.key != "":
		return FlagError("--tls-key " + f.key + " needs --tls-cert")
	}
	return nil
}

// Policy reads the files that the flags name. An error is a [FlagError] if no
// file is to blame.
func (f *Flags) Policy() (p Policy, err error) {
	if err := f.check(); err != nil {
		return Policy{}, err
	}
	p = Policy{Open: f.open, Plain: f.plain}
	if f.tokenFile != "" {
		if p.Token, err = ReadToken(f.tokenFile); err != nil {
			return Policy{}, err
		}
	}
	if p.TLS, err = loadTLS(f.cert, f.key); err != nil {
		return Policy{}, err
	}
	return p, nil
}

// AddHosts defines --allow-host for the names that [NewHosts] takes. A value that
// is not a host is refused with the command line, before anything listens.
func AddHosts(flags *pflag.FlagSet, to *[]string, usage string) {
	flags.Var((*hostNames)(to), "allow-host", usage)
}

// hostNames is the value of --allow-host, which may be given several times, and
// have several names with commas between them.
type hostNames []string

func (h *hostNames) String() string { return strings.Join(*h, ",") }
func (h *hostNames) Type() string   { return "names" }

func (h *hostNames) Set(s string) error {
	names := strings.Split(s, ",")
	for _, name := range names {
		if _, err := allowedName(name); err != nil {
			return err
		}
	}
	*h = append(*h, names...)
	return nil
}
