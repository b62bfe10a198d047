"""Makes added.jsonl: what transformers' CLIPTokenizer does with tokens that were added to a vocabulary.

    python added.py                 into the current folder

The vocabulary is small: CLIP's first 8 merges. Each case has the texts of its files besides vocab.json and merges.txt,
and the ids of some texts, without their begin, end and padding. The case "saved" is one that transformers has written,
with tokenizer.json in the place of those two.
"""

import gzip
import json
import os
import tempfile

from transformers import CLIPTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
MERGES = os.path.join(HERE, "..", "..", "vit", "tokenizer", "testdata", "merges.txt.gz")
TEXTS = ["a <cat-toy>", "<CAT-TOY>on!the<Dog><dog>", "wow!! <pad>x", "<|startoftext|>in<|ENDOFTEXT|>the <DOG>", "<cat-toy", "the<cat-toys>"]


def token(text, normalized, special=True):
    return {"content": text, "lstrip": False, "normalized": normalized, "rstrip": False, "single_word": False, "special": special}


def words():
    """The merges, and the words in the order of their ids."""
    with gzip.open(MERGES) as f:
        merges = f.read().decode().split("\n")[1:9]
    printable = [*range(0x21, 0x7f), *range(0xa1, 0xad), *range(0xae, 0x100)]
    characters = [chr(b) for b in printable] + [chr(0x100 + i) for i in range(256 - len(printable))]
    return merges, characters + [c + "</w>" for c in characters] + [m.replace(" ", "") for m in merges] + ["<|startoftext|>", "<|endoftext|>"]


def write(folder, files):
    for name, text in files.items():
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)


def cases(n):
    config = {"model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}
    begin, end = token("<|startoftext|>", True), token("<|endoftext|>", False)
    decoder = {"0": token("!", False), str(n - 2): begin, str(n - 1): end, str(n): token("<cat-toy>", True, False), str(n + 1): token("<Dog>", False, False)}
    yield "decoder", {"tokenizer_config.json": {**config, "pad_token": "<|endoftext|>", "added_tokens_decoder": decoder}}
    specials = {"bos_token": {k: v for k, v in begin.items() if k != "special"}, "eos_token": "<|endoftext|>", "pad_token": "<pad>"}
    yield "saved", {"tokenizer_config.json": {**config, "pad_token": "!", "added_tokens_decoder": decoder}}
    yield "legacy", {
        "tokenizer_config.json": config,
        "special_tokens_map.json": specials,
        "added_tokens.json": {"<Dog>": n + 1, "<cat-toy>": n, "<pad>": n + 2},
    }


def main():
    merges, all_words = words()
    base = {"vocab.json": json.dumps({w: i for i, w in enumerate(all_words)}), "merges.txt": "#version: 0.2\n" + "\n".join(merges) + "\n"}
    with open("added.jsonl", "w") as out:
        for name, files in cases(len(all_words)):
            files = base | {k: json.dumps(v) for k, v in files.items()}
            with tempfile.TemporaryDirectory() as folder:
                write(folder, files)
                t = CLIPTokenizer.from_pretrained(folder)
                if name == "saved":
                    t.save_pretrained(folder)
                    files = {k: json.dumps(json.load(open(os.path.join(folder, k)))) for k in ("tokenizer.json", "tokenizer_config.json")}
            ids = {text: t(text, add_special_tokens=False).input_ids for text in TEXTS}
            files = {k: v for k, v in files.items() if k not in base}
            out.write(json.dumps({"name": name, "files": files, "size": len(t), "pad": t.pad_token_id, "ids": ids}) + "\n")


if __name__ == "__main__":
    main()
