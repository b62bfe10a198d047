package guard

import (
	"net"
	"net/netip"
)

// Sharer returns whose share something is to be counted as: that of a client's
// address, given with its port. IPv6 addresses share with the other 2^64 of their
// network: one client may have them all.
func Sharer(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if ip = ip.Unmap(); ip.Is6() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
		network, _ := ip.Prefix(64) // which IPv6 addresses have
		return network.String()
	}
	return ip.String()
}
