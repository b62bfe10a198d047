// Package model opens the parts of a diffusers folder of Stable unCLIP: it
// reads each part's configuration, builds its network over the weights, and
// checks that they fit, the file against the configuration and the parts
// against each other.
//
// Each part is opened when it is first asked for, and once. A part that is
// never asked for is not looked at, so that a picture is encoded with a folder
// that has the image encoder alone.
//
// # Without a text encoder
//
// diffusers' pipeline has a text encoder, which this codec shows nothing but
// the empty prompt. A folder may have the answer in its place: a part
// prompt_embeds, whose model.safetensors holds one tensor prompt_embeds [L,C],
// the encoder's last_hidden_state of that prompt, in float32 (77 x 1024 values
// of the real model). The model index then has [null, null] for text_encoder
// and tokenizer. coclico models convert writes such folders.
package model
