package weights

import (
	"encoding/json"
	"slices"
)

// What follows tells those who fetch or write model folders how they are read.

// WeightFiles returns the names that a part's weights may have, in the order in
// which they are preferred. Those that end in .json are indices of shards.
func WeightFiles() []string { return slices.Clone(weightFiles) }

// Configs returns the names that a part's configuration may have.
func Configs() []string { return slices.Clone(configs) }

// Shards returns the names of the files that an index of shards speaks of,
// sorted. They lie beside the index.
func Shards(index []byte) ([]string, error) {
	where, err := parseShards(index)
	if err != nil {
		return nil, err
	}
	return shardNames(where), nil
}

// IndexParts returns the parts that a model_index.json lists and that this
// module may open, sorted. It is an error if the model is no Stable unCLIP.
func IndexParts(index []byte) ([]string, error) {
	absent, err := parseModelIndex(index)
	if err != nil {
		return nil, err
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(index, &top); err != nil {
		return nil, err
	}
	var there []string
	for _, part := range parts {
		if _, ok := top[part]; ok && !slices.Contains(absent, part) {
			there = append(there, part)
		}
	}
	return there, nil
}
