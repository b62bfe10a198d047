package weights

import "slices"

// A Part is a component of a Stable unCLIP model: the name of its folder, and
// its key in model_index.json.
type Part string

// The parts of a model, as diffusers names them. The last one is this module's
// own and stands in for the text encoder and its tokenizer: what the encoder
// makes of the empty prompt, which is the codec's unless it is given another.
const (
	FeatureExtractor      Part = "feature_extractor"
	ImageEncoder          Part = "image_encoder"
	ImageNormalizer       Part = "image_normalizer"
	ImageNoisingScheduler Part = "image_noising_scheduler"
	Scheduler             Part = "scheduler"
	Tokenizer             Part = "tokenizer"
	TextEncoder           Part = "text_encoder"
	UNet                  Part = "unet"
	VAE                   Part = "vae"
	PromptEmbeds          Part = "prompt_embeds"
)

// What a model is used for, as bits of a partInfo's uses.
const (
	encode = 1 << iota
	decode
)

// The files that hold a part's weights when they lie in one file of full
// precision: transformers' models have the first name, diffusers' the second.
// See weightFiles for the others.
const (
	transformersFile = "model.safetensors"
	diffusersFile    = "diffusion_pytorch_model.safetensors"
)

// A partInfo is what there is to know about a part without opening it.
type partInfo struct {
	Part
	uses    uint8    // for which the part is needed
	config  string   // its configuration file; "" if it has none
	weights string   // the file to which its weights are written; "" if it has none
	network bool     // its weights are a network's, and not a few kB of statistics
	texts   []string // what else belongs to it
}

// parts is the one table of parts, in the order in which they are used. The
// other lists of parts, wherever they are, are made of it.
var parts = [...]partInfo{
	{FeatureExtractor, encode, "preprocessor_config.json", "", false, nil},
	{ImageEncoder, encode, "config.json", transformersFile, true, nil},
	{ImageNormalizer, encode | decode, "config.json", diffusersFile, false, nil}, // its statistics tell models apart
	{ImageNoisingScheduler, decode, "scheduler_config.json", "", false, nil},
	{Scheduler, decode, "scheduler_config.json", "", false, nil},
	{Tokenizer, decode, "tokenizer_config.json", "", false, []string{"vocab.json", "merges.txt", "special_tokens_map.json", "added_tokens.json", "tokenizer.json"}},
	{TextEncoder, decode, "config.json", transformersFile, true, nil},
	{UNet, decode, "config.json", diffusersFile, true, nil},
	{VAE, decode, "config.json", diffusersFile, true, nil},
	{PromptEmbeds, decode, "", transformersFile, false, nil},
}

// Parts returns all parts, in the order in which they are used.
func Parts() []Part {
	all := make([]Part, len(parts))
	for i, p := range parts {
		all[i] = p.Part
	}
	return all
}

// info returns the part's row of the table, a row of zeros if it has none.
func (p Part) info() partInfo {
	if i := slices.IndexFunc(parts[:], func(row partInfo) bool { return row.Part == p }); i >= 0 {
		return parts[i]
	}
	return partInfo{Part: p}
}

// Encodes reports whether a picture is encoded with the part.
func (p Part) Encodes() bool { return p.info().uses&encode != 0 }

// Decodes reports whether a picture is decoded with the part.
func (p Part) Decodes() bool { return p.info().uses&decode != 0 }

// HasWeights reports whether the part has weights.
func (p Part) HasWeights() bool { return p.info().weights != "" }

// IsNetwork reports whether the part's weights are those of a network, so that
// their precision decides how large the model is. The others are a few kB of
// statistics or constants.
func (p Part) IsNetwork() bool { return p.info().network }

// WeightFile returns the name of the file to which the part's weights are
// written, "" if it has none. They are read from files of other names too.
func (p Part) WeightFile() string { return p.info().weights }

// Config returns the name of the part's configuration file, "" if it has none.
func (p Part) Config() string { return p.info().config }

// Texts returns the names of the part's files that are not weights: its
// configuration, a vocabulary. A part may lack some of them.
func (p Part) Texts() []string {
	row := p.info()
	if row.config == "" {
		return nil
	}
	return append([]string{row.config}, row.texts...)
}
