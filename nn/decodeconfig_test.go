package nn

import "testing"

type embedded struct {
	Act string `json:"act"`
}

// TestDecodeConfigErrors: what is wrong is said in the file's words.
func TestDecodeConfigErrors(t *testing.T) {
	for data, want := range map[string]string{
		`[]`:          "not a JSON object",
		`null`:        "not a JSON object",
		`7`:           "not a JSON object",
		`{`:           "unexpected end of JSON input",
		`{"act":5}`:   "act is a number, which is not supported: it must be of type string",
		`{"other":1}`: "",
	} {
		var v struct{ embedded }
		got := ""
		if err := DecodeConfig([]byte(data), &v, nil); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", data, got, want)
		}
	}
}
