package weights

import "testing"

// TestVariants: where a part has only weights of a variant that is not read, the
// error names the file and the name that it needs.
func TestVariants(t *testing.T) {
	for _, c := range []struct {
		part       Part
		name, want string
	}{
		{UNet, "diffusion_pytorch_model.bf16.safetensors", "rename the file to diffusion_pytorch_model.safetensors"},
		{UNet, "diffusion_pytorch_model.non_ema.safetensors", "rename the file to diffusion_pytorch_model.safetensors"},
		{ImageEncoder, "model.bf16.safetensors", "rename the file to model.safetensors"},
		{UNet, "diffusion_pytorch_model.bf16-00001-of-00002.safetensors", "index, diffusion_pytorch_model.safetensors.index.json, is missing"},
	} {
		f, err := FolderFS(memory(map[string]string{
			"unet/config.json": "{}", "image_encoder/config.json": "{}",
			string(c.part) + "/" + c.name: shard("a"),
			string(c.part) + "/a.bin":     "PK",
		}), "m")
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Part(c.part)
		line(t, err, f.Path(string(c.part), c.name)+": ", c.want)
	}
}
