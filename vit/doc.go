// Package vit has the two towers of CLIP (Radford et al., arXiv:2103.00020) and
// the preprocessing of the pictures they see.
//
// [Model] is transformers' CLIPVisionModelWithProjection: a picture becomes one
// vector, image_embeds, which is not normalised. [TextModel] is CLIPTextModel:
// token ids become last_hidden_state. Both are pre-norm transformers
// (transformers:src/transformers/models/clip/modeling_clip.py) whose every
// dimension comes from config.json.
//
// An encoder thresholds the vision tower's output, so it runs it at
// nn.Exact: a value near a threshold would otherwise become the other bit
// on another machine.
package vit
