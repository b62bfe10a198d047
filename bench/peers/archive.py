"""Reads an archive with DuckDB and pyarrow, and compares what they read with what
coclico reads:

    pip install duckdb pyarrow
    coclico archive create photos/ -o A
    python bench/peers/archive.py coclico A

coclico is the program. The archive may have shards that overlap and names that
were removed.
"""

import base64
import json
import subprocess
import sys
import time

import duckdb
import pyarrow
import pyarrow.dataset
import pyarrow.parquet

# Rows that count: of each name the one of the newest shard, unless it is a
# tombstone. For an archive that was compacted, SELECT * FROM 'A/part-*.parquet'
# is enough.
NEWEST = """
    SELECT * EXCLUDE (n, filename) FROM (
        SELECT *, row_number() OVER (PARTITION BY name ORDER BY filename DESC) AS n
        FROM read_parquet('{}/part-*.parquet', filename = true))
    WHERE n = 1 AND (octet_length(coclico) > 0 OR error IS NOT NULL)
    ORDER BY name"""


def main(coclico, archive):
    run = lambda *args: subprocess.run([coclico, "archive", *args], check=True, capture_output=True).stdout
    ours = [json.loads(line) for line in run("ls", archive, "--json").splitlines()]
    info = json.loads(run("info", archive, "--json"))
    print(f"coclico: {len(ours)} rows in {info['shards']} shards")

    start = time.time()
    db = duckdb.connect()
    rows = db.execute(NEWEST.format(archive)).fetchall()
    print(f"DuckDB {duckdb.__version__}: {len(rows)} rows in {time.time() - start:.3f} s")
    check("rows", len(rows), len(ours))
    for row, want in zip(rows, ours):
        name, data, width, height, size, when, error = row
        check("name", name, want["name"])
        check(f"{name}: bytes", len(data), want["bytes"])
        check(f"{name}: dimensions", (width, height), (want.get("width", 0), want.get("height", 0)))
        check(f"{name}: size", size, want["source_bytes"])
        check(f"{name}: time", when.astimezone(datetime_utc()).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z", want["source_time"])
        check(f"{name}: error", error or "", want.get("error", ""))
    sample = [row for row in rows if row[1]][:: max(1, len(rows) // 20)]
    for row in sample:
        check(f"{row[0]}: bits", row[1], run("get", archive, row[0], "-o", "-"))

    start = time.time()
    name = sample[len(sample) // 2][0]
    found = db.execute(f"SELECT coclico FROM '{archive}/part-*.parquet' WHERE name = ?", [name]).fetchall()
    check("by name", any(f[0] == sample[len(sample) // 2][1] for f in found), True)
    print(f"DuckDB: one name in {1000 * (time.time() - start):.1f} ms")

    # pyarrow, shard by shard, the newest last.
    start = time.time()
    newest = {}
    for shard in sorted(info["files"], key=lambda s: s["name"]):
        path = f"{archive}/{shard['name']}"
        file = pyarrow.parquet.ParquetFile(path, page_checksum_verification=True)
        notes = file.metadata.metadata
        check(f"{path}: version", notes[b"coclico.archive"], b"1")
        check(f"{path}: fingerprint", notes[b"coclico.fingerprint"].decode(), info["fingerprint"])
        check(f"{path}: rows", file.metadata.num_rows, shard["rows"])
        for row in file.read().to_pylist():
            newest[row["name"]] = row
    theirs = [newest[name] for name in sorted(newest, key=lambda s: s.encode()) if newest[name]["coclico"] or newest[name]["error"]]
    print(f"pyarrow {pyarrow.__version__}: {len(theirs)} rows in {time.time() - start:.3f} s, with the CRC of every page")
    check("pyarrow", [(r["name"], r["coclico"], r["width"], r["height"], r["source_bytes"], r["source_time"], r["error"]) for r in theirs], rows)

    table = pyarrow.dataset.dataset([f"{archive}/{s['name']}" for s in info["files"]]).to_table(columns=["name", "width"])
    check("dataset", table.num_rows, sum(s["rows"] for s in info["files"]))
    print("all three read the same")


def datetime_utc():
    import datetime

    return datetime.timezone.utc


def check(what, got, want):
    if got != want:
        sys.exit(f"{what}: {got!r}, want {want!r}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
