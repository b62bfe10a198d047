// Package model opens the parts of a diffusers folder of Stable unCLIP. It
// reads each part's configuration, builds its network over the weights, and
// checks that everything fits: weights against configuration, and the parts
// against each other.
//
// Each part is opened once, when it is first asked for. A part that is never
// asked for is never looked at, so a folder with nothing but the image encoder
// is enough to encode a picture.
//
// # Without a text encoder
//
// diffusers' pipeline has a text encoder, to which this codec shows nothing
// but the empty prompt unless it is given another. A folder may hold the answer
// instead: a part prompt_embeds, whose model.safetensors has one tensor prompt_embeds [L,C],
// the encoder's last_hidden_state for that prompt, in float32 (77 x 1024 values
// for the real model). Its model index then has [null, null] for text_encoder
// and tokenizer, and any other prompt is a [PromptError]. Package convert writes
// such folders.
package model
