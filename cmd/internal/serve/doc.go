// Package serve answers HTTP requests with a codec: it encodes pictures, paints
// files, and searches an archive. The API is specified by openapi.yaml, which is
// also served; tests compare every answer with it. The page that uses the API is
// served beside it.
//
// # Work
//
// A picture is encoded while its client waits, some at a time: the image encoder
// sees those that wait for it together, and clients take turns. A painting takes
// long, so it is a resource: a decode, whose ID is a hash of the file, the model, the kernels and
// the parameters. Who posts the same again gets the same decode. One is painted
// at a time; the others wait in a queue that goes round the clients, by their
// addresses, so that a client with many does not hold up one with a few.
//
// A decode belongs to the clients that posted it. Nobody needs to stay: its
// picture is kept for an hour, unless all of them delete it.
//
// # Memory
//
// Everything that requests can make the server hold is bounded: the bytes of
// bodies that are read, the memory of pictures that are encoded, the decodes that
// wait, the pictures that are kept, the lists of an archive's rows that clients
// have not read, the streams of events, and the connections. See [Limits]. A
// stream of events has no queue of its own. It sends the newest event of each
// kind when the connection takes it, so that a slow client misses steps and costs
// nothing.
//
// # Strangers
//
// Requests pass package guard first. The header of a request must come within 5
// seconds and its body within a minute; each write to a client has a deadline of
// its own. The whole answer has no deadline, since that would cut the streams.
// What a GET does costs no more than a read. The log of level info has neither
// names of files nor words of prompts and queries.
package serve
