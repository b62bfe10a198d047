package weights

import (
	"encoding/json"
	"slices"
)

// The functions below serve those who download or write model folders.

// WeightFiles returns the names that a file of weights may have, in order of
// preference. Those that end in .json are indices of shards.
func WeightFiles() []string { return slices.Clone(weightFiles) }

// Shards returns the names of the files in an index of shards, sorted. They lie
// beside the index.
func Shards(index []byte) ([]string, error) {
	where, err := parseShards(index)
	if err != nil {
		return nil, err
	}
	return shardNames(where), nil
}

// IndexParts returns the parts that a model_index.json lists, in the order of
// [Parts]. It is an error if the model is not a Stable unCLIP.
func IndexParts(index []byte) ([]Part, error) {
	absent, err := parseModelIndex(index)
	if err != nil {
		return nil, err
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(index, &top); err != nil {
		return nil, err
	}
	var listed []Part
	for _, part := range Parts() {
		if _, ok := top[string(part)]; ok && !slices.Contains(absent, part) {
			listed = append(listed, part)
		}
	}
	return listed, nil
}
