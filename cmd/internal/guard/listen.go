package guard

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A Policy says under which conditions a server may listen beyond the loopback
// interface. The zero Policy forbids it.
type Policy struct {
	Token *Token      // that clients must send; nil if none
	TLS   *tls.Config // with which to speak; nil if in the clear
	Open  bool        // the user lets in anyone (--no-auth)
	Plain bool        // the user lets everything be read on the way (--no-tls)
}

// allows returns an error if the policy forbids to listen at an address.
func (p *Policy) allows(host string, addr netip.Addr) error {
	switch {
	case addr.IsLoopback():
		return nil
	case host == "":
		return errors.New("no host stands for all of this machine's interfaces: write 0.0.0.0, or 127.0.0.1 for this machine alone")
	case p.Token == nil && !p.Open:
		return errors.New("others could connect here without a token: give --token-file FILE, or --no-auth to let in anyone")
	case p.TLS == nil && !p.Plain:
		return errors.New("others could read what is sent here: give --tls-cert FILE and --tls-key FILE, or --no-tls if something else encrypts it")
	}
	return nil
}

// Resolve returns the IP address and port that an address such as
// "localhost:7788" or "[::]:7788" stands for, if the policy allows to listen
// there. It is for servers that open their listeners themselves; others call
// [Listen].
func Resolve(ctx context.Context, address string, p Policy) (netip.AddrPort, error) {
	addr, err := resolve(ctx, address, p)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%s: %w", address, err)
	}
	return addr, nil
}

func resolve(ctx context.Context, address string, p Policy) (none netip.AddrPort, _ error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return none, errors.New("must be HOST:PORT, such as 127.0.0.1:7788 or [::1]:7788")
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return none, errors.New("port must be a whole number from 0 to 65535")
	}
	ip, err := lookup(ctx, host)
	if err != nil {
		return none, err
	}
	if err := p.allows(host, ip); err != nil {
		return none, err
	}
	return netip.AddrPortFrom(ip, uint16(port)), nil
}

// lookup returns the address of a host, preferably of IPv4. Localhost is the
// loopback interface whatever a resolver says (RFC 6761), and needs none.
func lookup(ctx context.Context, host string) (netip.Addr, error) {
	if host == "" {
		return netip.IPv6Unspecified(), nil
	}
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap(), nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, err
	}
	return prefer(ips), nil
}

// prefer returns the address of several at which to listen: the first of IPv4, or
// else the first.
func prefer(ips []netip.Addr) netip.Addr {
	for i := range ips {
		ips[i] = ips[i].Unmap()
	}
	return ips[max(0, slices.IndexFunc(ips, netip.Addr.Is4))]
}

// Listen listens for TCP connections at an address, with TLS if the policy has
// it. It refuses an address that the policy does not allow.
func Listen(ctx context.Context, address string, p Policy) (net.Listener, error) {
	addr, err := Resolve(ctx, address, p)
	if err != nil {
		return nil, err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr.String())
	if err != nil || p.TLS == nil {
		return ln, err
	}
	return tls.NewListener(ln, p.TLS), nil
}

// loadTLS reads a certificate chain and its private key from PEM files. Without
// either name it returns nil.
func loadTLS(certFile, keyFile string) (*tls.Config, error) {
	switch {
	case certFile == "" && keyFile == "":
		return nil, nil
	case keyFile == "":
		return nil, fmt.Errorf("%s: a certificate needs its private key too", certFile)
	case certFile == "":
		return nil, fmt.Errorf("%s: a private key needs its certificate too", keyFile)
	}
	chain, err := os.ReadFile(certFile)
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, err
	}
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", certFile, keyFile, err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{cert},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
	}, nil
}
