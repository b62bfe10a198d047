// Package hub gets models from the Hugging Face hub, and finds those that are
// already on the machine.
//
// A [Client] makes a [Plan] of what a model's use needs, sizes first, and pulls
// it into the cache that the hub's Python libraries have too, so that neither
// downloads what the other has. Nothing but the caller's own requests goes over
// the network: no telemetry, no looking for updates.
//
// # The cache
//
//	$HF_HUB_CACHE, or $HF_HOME/hub, or ~/.cache/huggingface/hub
//	    models--OWNER--NAME/
//	        blobs/HASH                    a file's bytes: SHA-256 for large files (git-lfs), else
//	                                      git's SHA-1, the hash of "blob LENGTH\0" and the bytes
//	        blobs/HASH.incomplete         a download that goes on where it was cut
//	        snapshots/COMMIT/PATH         links to ../../blobs/HASH: the model's folder
//	        refs/main                     COMMIT
//	    .locks/models--OWNER--NAME/HASH.lock
//
// A blob has its name only after its bytes were hashed, so that a blob that is
// there is whole. Whoever downloads one holds its lock (flock, LockFileEx; the
// same file and the same kind of lock as Python); where locks do not work the
// worst is that something is downloaded twice. Snapshots consist of symbolic
// links, of hard links where the system forbids those, and of copies where it
// has neither.
//
// # What a server may say
//
// Names of files are refused unless they are plain relative paths, hashes
// unless they are 40 or 64 hexadecimal digits, sizes above 1 TiB, listings
// above 8 MiB or 20,000 files, bodies beyond the promised size. The token goes
// to the endpoint alone, not to the host that it redirects to. A connection on
// which nothing moves for half a minute is dropped and the download goes on
// with a new one, while it makes progress; after five attempts without any it
// is an error, and what came stays for the next pull.
//
// # Why not a library
//
// github.com/gomlx/go-huggingface v0.3.1 (2025) was read for this. It does not
// go on with a download that was cut (hub/download.go creates the file anew and
// removes it after an error), compares no hash, reads neither HF_HOME nor
// HF_TOKEN, takes the ETag after redirects, which for large files is the second
// host's and not the blob's name, has no time limit, tells its progress to
// standard output, and brings five modules for the work of this one package.
package hub
