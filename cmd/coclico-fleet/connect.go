package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/queue"
	"github.com/coclico/coclico/cmd/internal/guard"
)

// connectFlags are the flags of a queue's client.
type connectFlags struct {
	url, token, creds, ca *string
	stream                streamName
	noTLS                 *bool
}

func addConnectFlags(flags *pflag.FlagSet) *connectFlags {
	c := addServerFlags(flags)
	c.token = flags.String("token-file", "", "a file with the token that the queue wants")
	c.noTLS = flags.Bool("no-tls", false, "send the token to a queue of another machine without TLS")
	return c
}

// addServerFlags are those without --token-file, which a server has anyway.
func addServerFlags(flags *pflag.FlagSet) *connectFlags {
	c := &connectFlags{
		url:    flags.String("queue", "", "`URL` of the queue: nats://host:4222, or tls://host:4222"),
		creds:  flags.String("creds", "", "a file with NATS's credentials"),
		ca:     flags.String("ca", "", "a PEM file with the certificates to trust for the queue (default the system's)"),
		stream: queue.DefaultStream,
	}
	flags.Var(&c.stream, "stream", "`name` of the queue's stream")
	return c
}

// A streamName is the value of --stream.
type streamName string

func (n *streamName) String() string { return string(*n) }
func (n *streamName) Type() string   { return "name" }

func (n *streamName) Set(s string) error {
	if !queue.IsStreamName(s) {
		return fmt.Errorf("must be a name of up to %d bytes without spaces and . * > / \\, and may not begin with $", queue.MaxStreamName)
	}
	*n = streamName(s)
	return nil
}

// dial returns how to connect.
func (c *connectFlags) dial(obs *observer) (*queue.Dial, error) {
	d := &queue.Dial{URL: *c.url, Creds: *c.creds, CA: *c.ca, Log: obs.log}
	var err error
	if c.token != nil && *c.token != "" {
		d.NoTLS = *c.noTLS
		d.Token, err = guard.ReadToken(*c.token)
	}
	return d, err
}
