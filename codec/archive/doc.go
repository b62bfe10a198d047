// Package archive holds millions of pictures in a folder of Parquet files: it
// writes them, finds one by its name, and reads them all. A .coclico file of 110
// bytes takes 4,096 on a disk; in an archive it takes about 125, with its name
// and where it came from. DuckDB, pandas, Polars and Spark read an archive as it
// is.
//
// # Format
//
// An archive of version 1 is a folder with these files:
//
//	part-00000000.parquet   shards, numbered as they were written
//	part-00000001.parquet
//	_manifest.json          the list of the shards that count
//	_lock                   empty; a writer holds a lock on it
//
// A shard is a Parquet file whose footer has coclico.archive = 1 among its
// key-value metadata, and these columns. A reader must pass over others, which
// later programs may add as optional columns. A writer that does not know them
// must leave such a shard as it is: merging it would delete them.
//
//	name          BYTE_ARRAY, UTF-8   path below the root, separated by '/'
//	coclico       BYTE_ARRAY          the .coclico file, or empty
//	width         INT32               of the source, as it is shown; 0 unknown
//	height        INT32
//	source_bytes  INT64               size of the source
//	source_time   INT64, TIMESTAMP    when the source was modified, in milliseconds;
//	                                  0 unknown
//	error         BYTE_ARRAY, UTF-8   optional: why the source could not be read
//
// The rows of a shard are in the order of their names, byte by byte, and no name
// comes twice. A row with an error has no coclico. A row with neither is a
// tombstone, see below. A path that is not UTF-8 is quoted, see [Quote].
//
// The footer also has coclico.fingerprint, the fingerprint of the model in eight
// hex digits (package codec/model has its definition), without which the
// pictures cannot be decoded, and for people: coclico.model, coclico.profile,
// coclico.params, coclico.kernels and coclico.software. Each is "mixed" where
// rows differ in it.
//
// This package writes row groups of 131,072 rows, pages of 64 KiB, shards of a
// million rows, and a split-block bloom filter of 10 bits a name. Names are
// PLAIN, compressed with zstd; the coclico column is PLAIN and not compressed,
// since its bytes are entropy-coded. Other encodings of byte arrays save three
// bytes a row, but several versions of Spark read them wrongly or not at all. It
// reads data pages of versions 1 and 2, PLAIN or, for numbers, with a
// dictionary, zstd or uncompressed, with an offset index.
//
// # Manifest
//
// The manifest is JSON, see [Manifest], with a CRC of its own bytes. Its shards are
// listed from the oldest to the newest, which is the order of their numbers. A row
// replaces the rows of its name in older shards, and a tombstone removes them. Where names of shards do
// not overlap, as after [Writer.Compact], the rows are those of all shards:
//
//	SELECT * FROM 'A/part-*.parquet'
//
// and otherwise, in DuckDB,
//
//	SELECT * EXCLUDE (n, filename) FROM (
//	  SELECT *, row_number() OVER (PARTITION BY name ORDER BY filename DESC) n
//	  FROM read_parquet('A/part-*.parquet', filename = true))
//	WHERE n = 1 AND (octet_length(coclico) > 0 OR error IS NOT NULL)
//
// # Whole at any moment
//
// A process may be killed, and a machine lose its power, at any moment. Nothing
// is ever changed in place:
//
//   - A shard is written under a temporary name, which ends in .tmp, synced, and
//     read back. Only then does it get its own name, the first number that is
//     free, by a hard link, which cannot replace a file. It never changes again.
//   - The folder is synced, and then the manifest is replaced: written under a
//     temporary name, synced and renamed. Then the folder is synced again.
//   - Shards that others replace are deleted after that.
//
// So a file with a shard's name is a whole shard, or it is empty: where a file
// system has no hard links, an empty file claims the number until the shard
// replaces it. If a shard is not in the manifest, there are two cases. Its number
// is at least the manifest's "next": it was finished by a run that was killed
// before it wrote the manifest, and the next writer adds it. Its rows are right,
// whether they are new or part of a merge's output: a merge writes the newest row
// of each name, under higher numbers, and what it replaces stays until all of its
// output is in the manifest. Or its number is lower: it was replaced but not
// deleted yet, and the next writer deletes it, as it does temporary files, unless it
// is newer than the manifest: somebody may have put it there, and it stays. A reader
// goes by the manifest alone and so sees the archive as it was at one moment, or, if a writer has deleted a shard since then, gets [ErrChanged]:
// adding rows merges small shards, and [Writer.Compact] all of them.
//
// Two writers exclude each other by a lock on the file _lock (flock, LockFileEx):
// the second gets [ErrBusy]. Where a file system has no locks, two writers that
// add rows still lose none: the numbers of shards are claimed by links, each adds
// to the manifest what the other has written, and small shards are not merged.
// Compacting and removing must then be left to one.
//
// # Hostile and damaged files
//
// An archive may come from a stranger. Shards are therefore not read with the
// library that writes them, github.com/parquet-go/parquet-go, which trusts the
// sizes in a file and allocates what they say, but with a reader in this package
// for the subset of Parquet above. It checks each number against the file before
// using it, reads no page of more than 1 MiB or 20,480 values, and takes a few
// megabytes a shard. Tests compare the two. Where more than 512 shards may have
// one name, reading rows in order is [ErrOverlap] until [Writer.Compact], which
// reads 64 of them at once. It takes hundreds of millions of pictures, in no
// order, to come to that with shards of a million rows.
//
// Every page that this package writes has a CRC-32, which is checked whenever the
// page is read; those of other programs need not have one. What the offset index
// says is compared with the pages, and names are found by comparing names alone,
// so that a damaged index is an error and not another picture. The manifest has a
// CRC, and the SHA-256 of each shard, which [Archive.Check] compares. An error in
// one shard is a [ShardError], which names it; the others stay readable.
package archive
