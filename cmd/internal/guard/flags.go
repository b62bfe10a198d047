package guard

import (
	"errors"

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

// Policy reads the files that the flags name.
func (f *Flags) Policy() (p Policy, err error) {
	p = Policy{Open: f.open, Plain: f.plain}
	if f.tokenFile != "" {
		if f.open {
			return Policy{}, errors.New("--token-file and --no-auth exclude each other")
		}
		if p.Token, err = ReadToken(f.tokenFile); err != nil {
			return Policy{}, err
		}
	}
	if f.plain && f.cert+f.key != "" {
		return Policy{}, errors.New("--tls-cert and --no-tls exclude each other")
	}
	if p.TLS, err = LoadTLS(f.cert, f.key); err != nil {
		return Policy{}, err
	}
	return p, nil
}
