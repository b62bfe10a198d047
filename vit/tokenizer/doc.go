// Package tokenizer turns text into the token ids of CLIP's text towers.
//
// A [Tokenizer] is read from a model's tokenizer folder: its vocabulary
// (vocab.json), the merges of its byte-pair encoding (merges.txt), the special
// tokens in tokenizer_config.json and special_tokens_map.json, and words that
// were added later (added_tokens.json). Newer versions of transformers write the
// first two, and these words, into tokenizer.json. It computes what
// transformers' CLIPTokenizer computes from the same files:
//
//  1. Special and added tokens in the text, such as <|endoftext|>, become their
//     ids, and the text between them is tokenized piece by piece.
//  2. The text is composed (NFC) and made lower case.
//  3. It is split at white space and into contractions ('s, 't, 're, 've, 'm,
//     'll, 'd), runs of letters, single numbers, and runs of everything else.
//  4. Each byte of a piece is written as a printable character, and </w> is
//     appended to the last one.
//  5. Of all pairs of neighbors in the piece that merges.txt has, the earliest
//     in that file is joined, the leftmost first, until none is left.
//
// The vocabulary is English: other languages become many short tokens, which the
// towers know little about.
package tokenizer
