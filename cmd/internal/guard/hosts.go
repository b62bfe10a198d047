package guard

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Hosts are the names by which a server may be called.
type Hosts struct {
	any   bool       // any IP address
	addr  netip.Addr // the listener's, unless any
	names []string   // in lower case, without a dot at the end
}

// NewHosts returns the hosts of a server that listens at an address: localhost,
// the loopback addresses, the listener's own, and the names that the user allows
// (--allow-host). For a server on all interfaces, every IP address is its own.
func NewHosts(listener net.Addr, allow []string) (*Hosts, error) {
	h := &Hosts{names: []string{"localhost"}}
	if tcp, ok := listener.(*net.TCPAddr); ok {
		h.addr = tcp.AddrPort().Addr().Unmap().WithZone("")
		h.any = h.addr.IsUnspecified()
	}
	for _, name := range allow {
		canonical, err := allowedName(name)
		if err != nil {
			return nil, fmt.Errorf("--allow-host %q: %w", name, err)
		}
		h.names = append(h.names, canonical)
	}
	return h, nil
}

// allowedName returns the canonical form of a name that the user allows.
func allowedName(name string) (string, error) {
	canonical, ok := splitHost(name)
	if _, _, err := net.SplitHostPort(name); err == nil {
		ok = false // it has a port
	} else if !ok {
		canonical, ok = hostName(name) // an IPv6 address without brackets
	}
	if !ok {
		return "", errors.New("must be a name or an IP address, without a port")
	}
	return canonical, nil
}

// Allow answers requests for other hosts with status 403.
func (h *Hosts) Allow(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, ok := splitHost(r.Host)
		switch {
		case !ok:
			refuse(w, http.StatusForbidden, "the Host header does not name a host")
		case !h.has(host):
			refuse(w, http.StatusForbidden, fmt.Sprintf(
				"host %s is not allowed; if it is this server, start it with --allow-host %s", host, host))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (h *Hosts) has(host string) bool {
	if slices.Contains(h.names, host) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.IsUnspecified() {
		return false
	}
	return ip.IsLoopback() || h.any || ip == h.addr
}

// splitHost returns the host of a Host header in its canonical form.
func splitHost(header string) (string, bool) {
	host, port := header, ""
	if i := strings.LastIndexByte(header, ':'); i > strings.LastIndexByte(header, ']') {
		host, port = header[:i], header[i+1:]
	}
	if strings.HasPrefix(host, "[") {
		inner, ok := strings.CutSuffix(host[1:], "]")
		if !ok || !strings.Contains(inner, ":") {
			return "", false
		}
		host = inner
	} else if strings.Contains(host, ":") {
		return "", false // an IPv6 address needs brackets here
	}
	if len(port) > 5 || strings.Trim(port, "0123456789") != "" {
		return "", false
	}
	return hostName(host)
}

// hostName returns the canonical form of a name or an IP address: in lower case,
// without a dot at the end, without a zone, an IPv4-mapped address as IPv4.
func hostName(host string) (string, bool) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().WithZone("").String(), true
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "" || len(host) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", false
		}
	}
	return host, true
}
