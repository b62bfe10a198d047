package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

const (
	maxIndex  = 8 << 20 // bytes of a shard index
	maxShards = 1000
)

// parseShards reads a *.safetensors.index.json, which maps tensors to files.
func parseShards(data []byte) (map[string]string, error) {
	if err := checkJSON(data); err != nil {
		return nil, fmt.Errorf("bad index: %w", err)
	}
	// Decoding into a struct would ignore the case of keys.
	var top map[string]json.RawMessage
	if err := json.Unmarshal(data, &top); err != nil {
		return nil, fmt.Errorf("bad index: %s", clip(err.Error()))
	}
	raw, ok := top["weight_map"]
	if !ok {
		return nil, errors.New("bad index: no weight_map")
	}
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, fmt.Errorf("bad index: weight_map: %s", clip(err.Error()))
	}
	if len(entries) == 0 {
		return nil, errors.New("bad index: weight_map is empty")
	}
	where := make(map[string]string, len(entries))
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		var shard string
		if err := json.Unmarshal(entries[name], &shard); err != nil {
			return nil, fmt.Errorf("bad index: weight_map: tensor %s is in %s, which is no name", show(name), clip(string(entries[name])))
		}
		where[name] = shard
		if !plainName(shard) || !strings.HasSuffix(shard, ".safetensors") {
			return nil, fmt.Errorf("bad index: tensor %s is in %s, which is not the name of a safetensors file",
				show(name), clip(shard))
		}
	}
	if n := len(shardNames(where)); n > maxShards {
		return nil, fmt.Errorf("bad index: %d files, at most %d are read", n, maxShards)
	}
	return where, nil
}

// plainName reports whether a file's name that an index holds stays in its
// folder on every system, and is shown by a terminal as it is.
func plainName(name string) bool {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	return name != "" && len(name) <= MaxFileName && !strings.HasPrefix(name, ".") && !strings.ContainsAny(name, "/\\:") && !strings.ContainsFunc(name, unprintable)
}

// shardNames returns the names of the files in an index, sorted.
func shardNames(where map[string]string) []string {
	return slices.Compact(slices.Sorted(maps.Values(where)))
}

// merge returns the tensors of all shards, and an error if one is not in the
// file in which the index has it.
func merge(where map[string]string, shards []string, stores []*Store) (map[string]Tensor, error) {
	all := make(map[string]Tensor, len(where))
	for i, s := range stores {
		for _, name := range s.names {
			switch at, ok := where[name]; {
			case !ok:
				return nil, fmt.Errorf("tensor %s is in %s but not in the index", show(name), shards[i])
			case at != shards[i]:
				return nil, fmt.Errorf("tensor %s is in %s, the index has it in %s", show(name), shards[i], at)
			}
			all[name] = s.tensors[name]
		}
	}
	for _, name := range slices.Sorted(maps.Keys(where)) {
		if _, ok := all[name]; !ok {
			return nil, fmt.Errorf("tensor %s is not in %s, where the index has it", show(name), where[name])
		}
	}
	return all, nil
}
