//go:build !unix

package queue_test

import "time"

// processor returns the time that has passed: this system tells no other.
func processor() time.Duration { return time.Since(started) }

var started = time.Now()
