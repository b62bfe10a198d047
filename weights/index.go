package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// pipelines are the classes in model_index.json that the codec can use.
var pipelines = []string{"StableUnCLIPImg2ImgPipeline", "StableUnCLIPPipeline"}

// parseModelIndex reads a model_index.json and returns the parts that it lists
// as absent: [null, null] instead of library and class.
func parseModelIndex(data []byte) (absent []Part, err error) {
	if err := checkJSON(data); err != nil {
		return nil, fmt.Errorf("bad model index: %w", err)
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(data, &top); err != nil {
		return nil, fmt.Errorf("bad model index: %s", clip(err.Error()))
	}
	var class string
	if err := json.Unmarshal(top["_class_name"], &class); err != nil || class == "" {
		return nil, errors.New("bad model index: no _class_name")
	}
	if !slices.Contains(pipelines, class) {
		return nil, fmt.Errorf("is a %s, a %s is needed", clip(class), pipelines[0])
	}
	for _, part := range Parts() {
		raw, ok := top[string(part)]
		if !ok {
			continue
		}
		var pair []*string
		if err := json.Unmarshal(raw, &pair); err != nil || len(pair) != 2 || (pair[0] == nil) != (pair[1] == nil) {
			return nil, fmt.Errorf("bad model index: %s is not a pair of library and class", part)
		}
		if pair[0] == nil {
			absent = append(absent, part)
		}
	}
	return absent, nil
}
