// Package guard decides where a server may listen and who may come in.
//
// # Listeners
//
// [Listen] opens an address on the loopback interface for anyone, because who
// can connect to that runs programs on this machine already. Any other address
// must be written out, needs a [Token] so that not everyone on the network may
// spend this machine's time, and TLS so that the token cannot be read on the
// way; a [Policy] says which of these the user waived.
//
// # Connections
//
// Each connection takes a file of the process. [Connections] bound them, so that
// nobody keeps out others by opening many.
//
// # Requests
//
// A browser on this machine can reach the loopback interface on behalf of any
// page that it shows. Two attacks follow, and each has its own middleware:
//
//   - DNS rebinding. A page's own host name suddenly resolves to 127.0.0.1, and
//     the browser takes this server for the page's. [Hosts] refuses requests
//     for names that are not known to be the server's. A request for an IP
//     address cannot be rebound: no name was resolved.
//   - Cross-site requests. A page posts to http://127.0.0.1 and does not need
//     the answer. [CrossOrigin] refuses what a browser marks as sent by another
//     site. It cannot do the first one's work: to the browser, a rebound page
//     and the server have the same origin.
//
// Refusals are RFC 9457 problems, whose detail says what to do.
package guard
