"""Makes the files beside it: four .pth files of torch.save and one of numpy.savez with their contents as safetensors, and
malformed or hostile .pth files. TestHostile says what must become of each.

    python make.py [DIR]
    python make.py --try DIR       what torch.load(weights_only=True) makes of each, in a process of its own with 8 GiB
"""

import io
import os
import pickletools
import struct
import subprocess
import sys
import zipfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "bench", "golden"))


# ---- pickle opcodes, by hand ------------------------------------------------------------------------------------

def text(s):
    b = s.encode()
    return b"X" + struct.pack("<I", len(b)) + b  # BINUNICODE


def number(n):
    if -(2**31) <= n < 2**31:
        return b"J" + struct.pack("<i", n)  # BININT
    b = n.to_bytes((n.bit_length() + 8) // 8, "little", signed=True)
    return b"\x8a" + bytes([len(b)]) + b  # LONG1


def numbers(v):
    return b"(" + b"".join(number(n) for n in v) + b"t"  # MARK ... TUPLE


def tensor(shape, stride, offset=0, numel=6, key="0"):
    """_rebuild_tensor_v2(storage, offset, shape, stride, requires_grad False, hooks OrderedDict())"""
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu") + number(numel) + b"tQ"  # BINPERSID
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset) + numbers(shape) + numbers(stride) + b"\x89" +
            b"ccollections\nOrderedDict\n)R" + b"tR")


def state(*items):
    return b"\x80\x02}(" + b"".join(text(k) + v for k, v in items) + b"u."


GOOD = ("a", tensor([2, 3], [3, 1]))
SIX = struct.pack("<6f", 1, 2, 3, 4, 5, 6)


def archive(pickle, data=SIX, byteorder=b"little", method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, b in (("data.pkl", pickle), ("byteorder", byteorder), ("data/0", data), ("version", b"3\n")):
            z.writestr(zipfile.ZipInfo("archive/" + name, (1980, 1, 1, 0, 0, 0)), b, method)
    return out.getvalue()


def claimed(files, sizes):
    """A zip whose directory claims other (zip64) sizes for some entries than the file holds."""
    body, directory = b"", b""
    for name, b in files:
        n, size, crc = name.encode(), sizes.get(name, len(b)), zlib.crc32(b)
        extra = struct.pack("<HHQQ", 1, 16, size, size)
        fixed = struct.pack("<HHHHIIIHH", 0, 0, 0, 0x21, crc, 0xFFFFFFFF, 0xFFFFFFFF, len(n), len(extra))
        directory += b"PK\x01\x02" + struct.pack("<HH", 45, 45) + fixed + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + n + extra
        body += b"PK\x03\x04" + struct.pack("<H", 45) + fixed + n + extra + b
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(directory), len(body), 0)
    return body + directory + end


# ---- the files --------------------------------------------------------------------------------------------------

def valid(out):
    import torch
    from safetensors.torch import save_file
    import synth

    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8 - 1
    plain = {
        "base.weight": base,
        "view.weight": base[1:3, 2:5].t(),  # [3, 2], stride [1, 6], offset 8 of base's storage
        "half.weight": torch.tensor([[0.0, -0.0, 1 / 3], [65504.0, 6e-8, -2.0]], dtype=torch.float16),
        "bfloat.weight": torch.tensor([1.0, -3.140625, 1e30], dtype=torch.bfloat16),
        "count": torch.tensor(2**40 + 7),
    }
    torch.save(plain, os.path.join(out, "plain.pth"))  # the folder in the zip is named after the file: plain/
    save_file({k: v.clone().contiguous() for k, v in plain.items()}, os.path.join(out, "plain.safetensors"))

    net = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
    with torch.no_grad():
        for name, p in net.state_dict().items():
            p.copy_(torch.from_numpy(synth.tensor(name, tuple(p.shape), 1))) if p.is_floating_point() else p.fill_(5)
    b = io.BytesIO()
    torch.save({"params": net.state_dict()}, b)  # an OrderedDict with _metadata: BUILD; the folder is archive/
    with open(os.path.join(out, "params.pth"), "wb") as f:
        f.write(b.getvalue())
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, os.path.join(out, "params.safetensors"))

    parameters = {"weight": torch.nn.Parameter(base), "view": torch.nn.Parameter(base[1:3, 2:5].t(), requires_grad=False), "plain": base}
    torch.save(parameters, os.path.join(out, "parameters.pth"))
    torch.save(parameters, os.path.join(out, "protocol.pth"), pickle_protocol=4)
    for name in ("parameters", "protocol"):
        save_file({k: v.detach().clone().contiguous() for k, v in parameters.items()}, os.path.join(out, name + ".safetensors"))

    count = torch.arange(3, dtype=torch.float32)
    torch.save({"a": torch.complex(count, count + 1).conj().imag}, os.path.join(out, "16_negated.pth"))  # its metadata is {"neg": True}

    b = io.BytesIO()
    torch.save({"a": torch.tensor([[1.0, 2, 3], [4, 5, 6]])}, b, _use_new_zipfile_serialization=False)
    b.seek(0)
    for _ in range(5):  # five pickles in a row; the last is the list of the storages' keys
        last = list(pickletools.genops(b))
    key = next(arg for op, arg, _ in last if op.name == "BINUNICODE")
    return b.getvalue().replace(text(key), text("94"))  # the key is an address: every run another


def arrays(out):
    import numpy as np
    from safetensors.numpy import save_file

    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    t = {"opt/target/kernel": x, "opt/target/columns": np.asfortranarray(x + 1), "opt/target/cube": np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
         "half": (x / 3).astype(np.float16), "scalar": np.array(7, np.int64), "none": np.zeros((0, 4), np.float32), "bytes": np.array([[1], [255]], np.uint8)}
    np.savez(os.path.join(out, "arrays.npz"), **t)
    save_file({k: np.ascontiguousarray(v).reshape(v.shape) for k, v in t.items()}, os.path.join(out, "arrays.safetensors"))


def make(out):
    os.makedirs(out, exist_ok=True)
    arrays(out)
    legacy = valid(out)
    with open(os.path.join(out, "plain.pth"), "rb") as f:
        plain = f.read()
    evil = b"cos\nsystem\n(" + text("echo coclico: a pickle was run") + b"tR"
    big = 2**31
    laughs = b")" + b"".join(b"q" + bytes([i]) + b"h" + bytes([i]) + b"\x86" for i in range(60))  # BINPUT i, BINGET i, TUPLE2
    bad = {
        "01_forbidden_global": archive(state(GOOD, ("b", evil))),
        "02_truncated": plain[: len(plain) * 6 // 10],
        "03_offset_outside": archive(state(("a", tensor([2, 2], [2, 1], offset=3)))),
        "04_negative_stride": archive(state(("a", tensor([3], [-1], offset=2)))),
        "05_huge_shape": archive(state(("a", tensor([big - 1, big - 1], [0, 0])))),
        "06_legacy": legacy,
        "07_claims_1TiB": claimed([("archive/data.pkl", state(("a", tensor([4], [1], numel=2**38)))), ("archive/byteorder", b"little"), ("archive/data/0", SIX),
                                   ("archive/version", b"3\n")], {"archive/data/0": 2**40}),
        "08_byteorder_big": archive(state(GOOD), struct.pack(">6f", 1, 2, 3, 4, 5, 6), b"big"),
        "09_shape_overflow": archive(state(("a", tensor([2**32, 2**32], [2**32, 1])))),
        "10_storage_short": archive(state(GOOD), SIX[:8]),
        "11_deflated_bomb": archive(state(("a", tensor([4], [1], numel=2**22))), bytes(2**24), method=zipfile.ZIP_DEFLATED),
        "12_deep": archive(state(GOOD, ("b", b")" + b"\x85" * 20000))),
        "13_laughs": archive(state(GOOD, ("b", laughs))),
        "14_string_claim": archive(b"\x80\x02}(X" + struct.pack("<I", 2**31 - 1) + b"a"),
        "15_negative_size": archive(state(("a", tensor([-2, -3], [3, 1])))),
    }
    for name, b in bad.items():
        with open(os.path.join(out, name + ".pth"), "wb") as f:
            f.write(b)
    for name in sorted(os.listdir(out)):
        print(name, os.path.getsize(os.path.join(out, name)), "bytes")


def attempt(out):
    code = ("import resource, sys, torch; resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))\n"
            "d = torch.load(sys.argv[1], weights_only=True)\n"
            "print('LOADED', {k: (tuple(v.shape), v.stride(), v.storage_offset(), v.reshape(-1)[:6].tolist() if v.numel() < 99 else '') if torch.is_tensor(v) else type(v) for k, v in d.items()})")
    for name in sorted(os.listdir(out)):
        if name.endswith(".pth"):
            r = subprocess.run([sys.executable, "-B", "-c", code, os.path.join(out, name)], capture_output=True, text=True)
            lines = (r.stdout + r.stderr).strip().splitlines() or [""]
            last = next((x for x in lines if x.startswith("LOADED")), None) or next((x for x in lines if "Error" in x), lines[-1])
            print(f"{name}: rc {r.returncode}: {last[:300]}")


if __name__ == "__main__":
    args = [a for a in sys.argv[1:] if a != "--try"] or ["."]
    (attempt if "--try" in sys.argv else make)(args[0])
