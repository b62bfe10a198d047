// Package hub downloads models from the Hugging Face hub, and finds those that
// are already on the machine.
//
// A [Client] makes a [Plan] of the files that a use of a model needs, with
// their sizes, and pulls it into the cache that the hub's Python libraries use
// too, so that neither downloads what the other has. Only the caller's own
// requests go over the network: there is no telemetry and no check for updates.
//
// # The model
//
// The model that the codec is made for has had three names on the hub, and a
// cache may have it under any of them: [DefaultRepo], [MirrorRepo] and
// [WithdrawnRepo]; see [Repo.Aliases]. Unless another revision is asked for, it
// is the default one at [DefaultCommit].
//
// # The cache
//
//	$HF_HUB_CACHE, $HUGGINGFACE_HUB_CACHE, $HF_HOME/hub,
//	$XDG_CACHE_HOME/huggingface/hub, or ~/.cache/huggingface/hub
//	    models--OWNER--NAME/
//	        blobs/HASH                    a file's bytes: SHA-256 for large files (git-lfs), else
//	                                      git's SHA-1, the hash of "blob LENGTH\0" and the bytes
//	        blobs/HASH.incomplete         a download, which is resumed where it was interrupted
//	        snapshots/COMMIT/PATH         links to ../../blobs/HASH: the model's folder
//	        refs/main                     COMMIT
//	    .locks/models--OWNER--NAME/HASH.lock
//
// A blob gets its name only after its bytes were hashed, so that every blob is
// complete. Whoever downloads one holds its lock (flock or LockFileEx on the
// same file as Python); where locks do not work, the worst that can happen is
// that something is downloaded twice. Snapshots consist of symbolic links, of
// hard links where the system forbids those, and of copies where it has
// neither.
//
// # Trust
//
// A server's answers are refused if a file's name is not a plain relative path,
// if a hash is not 40 or 64 hexadecimal digits, and if a size is above 1 TiB, a
// listing above 8 MiB or 20,000 files, or a body's announced length greater than
// the listing's; of any other body, no more than the listed size is read. [Pins]
// refuse a listing that promises other files than those that are known.
//
// The token is sent to the endpoint, and never to the host that it redirects to.
// No token is sent by plain http, except to this machine, and the token of a
// login only to [DefaultEndpoint]; see [FromEnv]. A refusal says when one was
// held back. The second host's addresses are signed and expire: when it refuses
// one, the hub is asked for another. A connection that is idle for half a
// minute is dropped, and the download resumes with a new one as long as it
// makes progress; after five attempts without any it fails, and what has come
// stays for the next pull. A server that is busy is asked again when it wants,
// if that is within five minutes; otherwise the error says when.
//
// # Parts of a file
//
// [Client.PlanExcerpt] and [Client.PullExcerpt] download some tensors of a
// safetensors file by the ranges of bytes that its header gives, as CLIP's text
// tower without the vision tower. They become a file of their own, outside the
// cache, in which a whole file would have its hash for a name. That hash cannot
// be compared: what is checked is that all answers are from one commit and one
// ETag (If-Range), that each is the range that was asked for, and that the header
// describes whole tensors side by side to the end of the file. A header above 8
// MiB, tensors in more than 256 places, and a server that sends all of a file in
// place of a range are refused. Bytes are synced every 4 MiB, and the next pull
// resumes there.
//
// # Why not a library
//
// github.com/gomlx/go-huggingface v0.3.1 (2025) was considered. It does not
// resume a download (hub/download.go creates the file anew and removes it after
// an error), compares no hash, reads neither HF_HOME nor HF_TOKEN, takes the
// ETag after redirects, which for large files is the second host's and not the
// blob's name, has no timeouts, prints its progress to standard output, and
// needs five modules for the work of this one package.
package hub
