package main

import (
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
)

// TestDurations has times that no command can keep.
func TestDurations(t *testing.T) {
	t.Parallel()
	out := plan(t, 1, 1)
	for _, args := range [][]string{
		{"work", out, "--shard", "0/1", "--limit", "-5s"},
		{"work", out, "--shard", "0/1", "--limit", "1ns"},
		{"work", out, "--shard", "0/1", "--grace", "-1s"},
		{"work", out, "--queue", "nats://127.0.0.1:1", "--idle", "-5s"},
		{"run", out, "--limit", "1ns"},
		{"run", out, "--ack-wait", "0"},
		{"serve", out, "--ack-wait", "-5s"},
		{"serve", out, "--ack-wait", "25h"},
	} {
		flag := strings.Join(args[len(args)-2:], " ")
		if text := call(t, process.Usage, args...); !strings.Contains(text, flag+": must be ") {
			t.Errorf("%q: %s", args, text)
		}
	}
	// 0 stands for the limit of the job's kind.
	call(t, process.OK, "work", out, "--shard", "0/1", "--limit", "0", "--grace", "0")
	check(t, out, 1, nil)
}

// TestWrongHost has a host that no request can have: the command does not start
// without the health that a prober waits for.
func TestWrongHost(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	for _, args := range [][]string{{"run", out}, {"serve", out}, {"work", out, "--shard", "0/1"}} {
		args = append(args, "--admin", "127.0.0.1:0", "--allow-host", "a:80")
		if text := call(t, process.Usage, args...); !strings.Contains(text, "--allow-host a:80: must be a name or an IP address") {
			t.Errorf("%q: %s", args, text)
		}
	}
}
