"""Reads .coclico files as FORMAT.md says, with nothing of the Go program but its tables: proof that the specification is
enough. Run it here:  python3 read.py  reads every golden file, and compares the symbols' checksums with golden.sums."""
import glob, os, re, sys, zlib

here = os.path.dirname(os.path.abspath(__file__))


def go_table(path):
    """The composite literals of a Go file as nested lists, by name."""
    text = re.sub(r"//.*", "", open(os.path.join(here, path)).read())
    tables = {}
    for m in re.finditer(r"var (\w+) = [^{\n]*?(?=\{)", text):
        depth, i = 0, m.end()
        while True:
            depth += {"{": 1, "}": -1}.get(text[i], 0)
            i += 1
            if depth == 0:
                break
        body = re.sub(r"\[\w+\](\[\w+\])?\w+(?=\{)", "", text[m.end():i])
        body = re.sub(r"(\w+):", r"", body)
        tables[m[1]] = eval(body.replace("{", "[").replace("}", "]"))
    return tables


tables = go_table("../tables.go")
gains = 55764, 29694, 14975, 7556, 3932


class Range:
    def __init__(self, data):
        self.data, self.at, self.width, self.value = data, 0, 1 << 48, 0
        for _ in range(6):
            self.shift()

    def shift(self):
        self.value = self.value << 8 | (self.data[self.at] if self.at < len(self.data) else 0)
        self.at += 1

    def symbol(self, edges):
        """The k whose interval [edges(k), edges(k+1)) holds the value."""
        unit = self.width >> 16
        v, k = min(self.value // unit, 65535), 0
        while edges(k + 1) <= v:
            k += 1
        lo, hi = edges(k), edges(k + 1)
        self.value -= unit * lo
        self.width = unit * (hi - lo)
        while self.width < 1 << 40:
            self.width <<= 8
            self.shift()
        return k

    def bits(self, n):
        return self.symbol(lambda k: k << 16 - n)


class Plain:
    def __init__(self, data):
        self.data, self.at = data, 0

    def bits(self, n):
        v = 0
        for _ in range(n):
            byte = self.data[self.at // 8] if self.at // 8 < len(self.data) else 0
            v = v << 1 | byte >> 7 - self.at % 8 & 1
            self.at += 1
        return v


def text_coder(cells, code):
    """Runs a text through its model; code(ones, i) returns bit i of a byte, given the probability of a one."""
    before = b"\n" * 4
    while True:
        bits = 1
        for i in range(8):
            at = [cells.setdefault((k, before[4 - k:], bits), [0, 0]) for k in range(5)]
            ones = 32768
            for f, n in at:
                ones += (f - ones) * n // (n + 4)
            bit = code(min(max(ones, 32), 65504), i)
            for c in at:
                c[0] += (65536 * bit - c[0]) // (c[1] + 1)
                c[1] = min(c[1] + 1, 30)
            bits = 2 * bits + bit
        before = before[1:] + bytes([bits & 255])
        yield bits & 255


def read_prompt(r):
    with open(os.path.join(here, "..", "prompt.txt"), "rb") as f:
        primer = f.read()
    cells, at = {}, [0]

    def known(ones, i):
        at[0] += i == 0
        return primer[at[0] - 1] >> 7 - i & 1

    learn = text_coder(cells, known)
    for _ in primer:
        next(learn)
    text = b""
    for byte in text_coder(cells, lambda ones, i: r.symbol(lambda k: (0, 65536 - ones, 65536)[k])):
        if byte == 10:
            return text.decode()
        text += bytes([byte])


def read_header(data):
    word = data[0] << 8 | data[1]
    version = (word >> 12) - 11
    assert version in (1, 2), "magic and version"
    tuned_profile, extended = word >> 11 & 1, word >> 10 & 1
    begin = 1 + version
    p = Plain(data[begin:])
    flag = lambda: extended and p.bits(1)
    field = lambda default, least, n: p.bits(n) + least if flag() else default

    def long(m):
        k = p.bits(m) + 1
        return 1 << k - 1 | p.bits(k - 1)

    h = {"tuned": tuned_profile, "fingerprint": word & 1023, "candidate": data[2] if version == 2 else 0}
    assert version == 1 or 0 < h["candidate"] < 64, "candidate"
    h["d"] = field(768, 1, 16)
    h["n"] = 2 * field(4, 1, 5)
    h["b"] = field(2, 1, 3)
    if tuned_profile:
        h["t"] = long(5) if flag() else h["d"]
    else:
        h["a"] = field(1, 1, 4)
    h["shape"], h["steps"] = field(0, 1, 6), field(20, 1, 10)
    h["guidance"], h["strength"] = field(1200, 0, 16), field(880, 0, 10)
    h["color guidance"] = field(80, 0, 7) if tuned_profile else 0
    h["seed"] = (long(6) if flag() else 0) + h["candidate"] & (1 << 64) - 1
    h["prompt"] = ""
    if flag():
        n = long(4)
        h["prompt"] = read_prompt(Range(bytes(p.bits(8) for _ in range(n))))
        assert not flag(), "an extension of a later version"
    if tuned_profile:
        h["spread"] = p.bits(2)
        h["range"] = [p.bits(3) for _ in range(3)]
    return h, begin, p.at


def curve(table, z):
    if z < 0:
        return 65536 - curve(table, -z)
    if z >= 16 * 128:
        return table[128]
    p, q = table[z // 16], table[z // 16 + 1]
    return p + (q - p) * (z % 16) // 16


def share(table, z, k, b):
    if k == 0 or k == 1 << b:
        return 65536 * (k > 0)
    e = max(1, 128 >> b)
    return k * e + (curve(table, z) * (65536 - (e << b)) >> 16)


def read_color(r, h):
    n, b = h["n"], h["b"]
    planes = []
    for plane in range(3):
        side = n // 2 if plane else n
        half = int(h["tuned"] and plane > 0 and b > 1)
        v, codes = {}, []
        for y in range(side):
            for x in range(side):
                f = [0] * 14
                w, up = v.get((x - 1, y)), v.get((x, y - 1))
                position = 0 if x == y == 0 else 1 if y == 0 else 2 if x == 0 else 3
                w0 = w if w is not None else up if up is not None else 0
                n0 = up if up is not None else w0
                nw, ne = v.get((x - 1, y - 1), n0), v.get((x + 1, y - 1), n0)
                ww, nn = v.get((x - 2, y), w0), v.get((x, y - 2), n0)
                f[:8] = w0, n0, nw, ne, ww, nn, 256, (2 * y + 1) * 256 // side - 256
                activity = sum(t <= abs(w0 - nw) + abs(n0 - nw) + abs(n0 - ne) + abs(w0 - ww) + abs(n0 - nn)
                               for t in (1, 64, 128, 192, 256, 384, 512, 768))
                here = lambda g: (g[x, y], g[max(x - 1, 0), y], g[x, max(y - 1, 0)])
                if plane == 0:
                    cross = sum(t <= n for t in (8, 16))
                else:
                    f[8:11] = last = here(luma)
                    if plane == 2:
                        f[11:14] = last = here(planes[1][1])
                    cross = sum(t <= abs(last[0] - last[1]) + abs(last[0] - last[2]) for t in (1, 134))
                W, S, A, C = tables["predictors"][h["tuned"]][min(b, 5) - 1][plane]
                mean = sum(a * c for a, c in zip(W[position], f)) >> 7
                inverse = tables["inverseScales"][min(max(S[position] + A[activity] + C[cross], 0), 63)]
                z = lambda k: ((2 * k + half << 11 - b) - 2048 - mean) * inverse >> 8
                code = r.symbol(lambda k: share(tables["colorCurve"], z(k), k, b))
                codes.append(code)
                v[x, y] = (2 * code + 1 + half << 8 - b) - 256
        planes.append((codes, v))
        if plane == 0:
            luma = {(x, y): sum(v[2 * x + i, 2 * y + j] for i in (0, 1) for j in (0, 1)) >> 2
                    for x in range(n // 2) for y in range(n // 2)}
    return [codes for codes, _ in planes]


def dimension_bits(h, moments):
    if not h["tuned"]:
        return [h["a"]] * h["d"]
    pairs = sorted((-max(s, 0) * g, i) for i, (_, s) in enumerate(moments) for g in gains)
    bits = [0] * h["d"]
    for _, i in pairs[:h["t"]]:
        bits[i] += 1
    return bits


def read_vector(r, h, moments):
    bits = dimension_bits(h, moments)
    if h["tuned"]:
        return [r.bits(c) for c in bits]
    common, m, codes = r.symbol(lambda k: (0, 4096, 65536)[k]), min(6, h["a"]), []
    for M, S in moments:
        z = lambda k: min(max(((k << 25 - m) - (1 << 24) - M) * 512 // max(S, 1), -2048), 2048)
        first = r.symbol(lambda k: share(tables["gaussCurve"], z(k), k, m)) if common else r.bits(m)
        codes.append(first << h["a"] - m | r.bits(h["a"] - m))
    return codes


def read(data, moments):
    h, begin, at = read_header(data)
    rest = data[begin:]
    moments = moments(h["d"])
    bits = dimension_bits(h, moments)
    sizes = [h["n"] ** 2, h["n"] ** 2 // 4, h["n"] ** 2 // 4]
    stored = (at + sum(bits) + sum(sizes) * h["b"] + 7) // 8
    if len(rest) == stored:
        p = Plain(rest)
        p.at = at
        vector = [p.bits(c) for c in bits]
        return h, vector, [[p.bits(h["b"]) for _ in range(s)] for s in sizes]
    assert len(rest) < stored
    r = Range(rest)
    for _ in range(at):
        r.bits(1)
    color = read_color(r, h)
    return h, read_vector(r, h, moments), color


def golden_moments(d):
    """Those of golden_test.go."""
    return [(((i * 40503 % 1024) - 512) << 13, (512 + i * 48271 % 512) << 14) for i in range(d)]


if __name__ == "__main__":
    want = dict(line.split() for line in open(os.path.join(here, "golden.sums")))
    names = sorted(glob.glob(os.path.join(here, "golden", "*.hex")))
    for name in names:
        h, vector, color = read(bytes.fromhex(open(name).read()), golden_moments)
        text = " ".join(map(str, vector + color[0] + color[1] + color[2])) + h["prompt"]
        key = os.path.basename(name)[:-4]
        if format(zlib.crc32(text.encode()), "08x") != want[key]:
            sys.exit(key + ": other symbols")
    print(len(names), "golden files read, all symbols as written")
