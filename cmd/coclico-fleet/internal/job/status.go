package job

import (
	"context"
	"slices"
	"time"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
)

// A Status is how far a job is, as its bucket shows.
type Status struct {
	Chunks, Done int
	Pictures     int64         // that are done
	Rate         float64       // pictures a second of late, 0 if unknown
	Left         time.Duration // at that rate, 0 if unknown
	Latest       time.Time     // when the last chunk was done, by the bucket's clock
}

// window is how much of the past the rate is of, before the latest part: the
// bucket's clock is compared with itself alone.
const window = 10 * time.Minute

// ReadStatus looks how far a job is.
func ReadStatus(ctx context.Context, j *Job, out *bucket.Bucket) (Status, error) {
	s := Status{Chunks: j.Chunks()}
	type part struct {
		time time.Time
		size int
	}
	var parts []part
	for o, err := range out.List(ctx, PartPrefix) {
		if err != nil {
			return s, err
		}
		if chunk, ok := j.partOf(o); ok {
			parts = append(parts, part{o.Time, j.Size(chunk)})
			s.Pictures += int64(j.Size(chunk))
		}
	}
	s.Done = len(parts)
	if s.Done == 0 {
		return s, nil
	}
	slices.SortFunc(parts, func(a, b part) int { return a.time.Compare(b.time) })
	s.Latest = parts[len(parts)-1].time
	first := slices.IndexFunc(parts, func(p part) bool { return s.Latest.Sub(p.time) <= window })
	recent := 0
	for _, p := range parts[first+1:] { // what was done since the first one was
		recent += p.size
	}
	if took := s.Latest.Sub(parts[first].time).Seconds(); took > 0 && recent > 0 {
		s.Rate = float64(recent) / took
		s.Left = time.Duration(float64(j.Pictures-s.Pictures) / s.Rate * float64(time.Second))
	}
	return s, nil
}
