package job

import (
	"context"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
)

// Missing returns the chunks that are not done, in order.
func Missing(ctx context.Context, j *Job, out *bucket.Bucket) ([]int, error) {
	done := make([]bool, j.Chunks())
	for o, err := range out.List(ctx, PartPrefix) {
		if err != nil {
			return nil, err
		}
		if chunk, ok := j.partOf(o); ok {
			done[chunk] = true
		}
	}
	var missing []int
	for chunk, is := range done {
		if !is {
			missing = append(missing, chunk)
		}
	}
	return missing, nil
}

// SetDone marks a job as done, so that workers do not wait for more of it. It
// removes what attempts have left whose workers were killed after they had
// written their parts.
func SetDone(ctx context.Context, out *bucket.Bucket) error {
	if err := out.Replace(ctx, DoneName, []byte(`{"done":true}`+"\n")); err != nil {
		return err
	}
	return out.RemoveAll(ctx, TryPrefix)
}
