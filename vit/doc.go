// Package vit provides the two towers of CLIP (Radford et al.,
// arXiv:2103.00020) and the preprocessing of pictures.
//
// [Model] is transformers' CLIPVisionModelWithProjection: it turns a picture
// into one vector, image_embeds, which is not normalized. [TextModel] is
// CLIPTextModel: it turns token ids into last_hidden_state; [TextEmbedder] makes
// a vector of it that can be compared with a picture's. Both are pre-norm
// transformers (transformers:src/transformers/models/clip/modeling_clip.py),
// and config.json determines all their dimensions.
//
// A codec compares the output of the vision tower with thresholds and therefore
// runs it at nn.Exact: at a lower precision, values near a threshold could
// become different bits on different machines.
package vit
