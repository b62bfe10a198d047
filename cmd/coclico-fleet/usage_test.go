package main

import (
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/queue"
	"github.com/coclico/coclico/cmd/internal/options"
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

// TestNoEffect: a flag that would change nothing is an error, which says why.
func TestNoEffect(t *testing.T) {
	t.Parallel()
	shard, nobody := []string{"work", "x", "--shard", "0/1"}, []string{"work", "x", "--queue", "nats://127.0.0.1:1"}
	for _, c := range []struct {
		flag, why string
		args      []string
	}{
		{"creds", "it is for --queue", []string{"serve", "x", "--creds", "none"}},
		{"ca", "it is for --queue", []string{"serve", "x", "--ca", "none"}},
		{"replicas", "it is for --queue", []string{"serve", "x", "--replicas", "3"}},
		{"listen", "another server", []string{"serve", "x", "--queue", "nats://127.0.0.1:1", "--listen", "127.0.0.1:1"}},
		{"token-file", "asks no queue", append(shard, "--token-file", "none")},
		{"creds", "asks no queue", append(shard, "--creds", "none")},
		{"ca", "asks no queue", append(shard, "--ca", "none")},
		{"stream", "asks no queue", append(shard, "--stream", "X")},
		{"no-tls", "asks no queue", append(shard, "--no-tls")},
		{"idle", "asks no queue", append(shard, "--idle", "5s")},
		{"no-tls", "no token is sent", append(nobody, "--no-tls")},
		{"admin-anywhere", "it is for --admin", append(shard, "--admin-anywhere")},
		{"allow-host", "it is for --admin", append(nobody, "--allow-host", "good")},
		{"admin-anywhere", "it is for --admin", []string{"run", "x", "--admin-anywhere"}},
		{"allow-host", "it is for --admin", []string{"serve", "x", "--allow-host", "good"}},
	} {
		says := "--" + c.flag + " has no effect: "
		if text := call(t, process.Usage, c.args...); !strings.Contains(text, says) || !strings.Contains(text, c.why) {
			t.Errorf("%q: %s", c.args, text)
		}
	}
}

// TestStreamName has names that no stream can have.
func TestStreamName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b.c", "a.b", "", "*", ">", "a/b", `a\b`, "a\x00", "$JS", strings.Repeat("a", queue.MaxStreamName+1)} {
		for _, args := range [][]string{{"serve", "x"}, {"work", "--queue", "nats://127.0.0.1:1"}} {
			started := false
			root := rootCmd(new(program), &started)
			cmd, rest, err := root.Find(append(args, "--stream", name))
			if err == nil {
				err = options.FlagError(cmd.ParseFlags(rest))
			}
			if err == nil || !strings.HasPrefix(err.Error(), "--stream "+name+": must be a name") {
				t.Errorf("%q: error %v", name, err)
			}
		}
	}
	accepted(t, "serve", "x", "--stream", "Pictures_of-2026")
	accepted(t, "serve", "x", "--stream", strings.Repeat("a", queue.MaxStreamName))
}

// TestReplicas has a queue that keeps one copy.
func TestReplicas(t *testing.T) {
	t.Parallel()
	ours := newStation(t, plan(t, 1, 1))
	text := call(t, process.Failed, "serve", plan(t, 1, 1), "--queue", "nats://"+ours.address, "--token-file", ours.token, "--stream", "OTHER", "--replicas", "3")
	if !strings.Contains(text, "replicas > 1 not supported") || !strings.Contains(text, "--replicas") || strings.Contains(text, "nothing is lost") {
		t.Error(text)
	}
}

// TestManners has mistakes that coclico reports in the same words.
func TestManners(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		says string
		args []string
	}{
		{"completion tcsh: must be bash", []string{"completion", "tcsh"}},
		{`unknown command "nonsense"`, []string{"help", "nonsense"}},
		{"did you mean plan?", []string{"plna"}},
		{"plan: an argument is empty", []string{"plan", "", "out"}},
		{"--color-bits 9: must be", []string{"plan", "x", "y", "--colour-bits", "9"}},
		{": --strength 0.12345: ", []string{"plan", pictures, "y", "--strength", "0.12345"}},
	} {
		if text := call(t, process.Usage, c.args...); !strings.Contains(text, c.says) || strings.Count(text, "\n") != 1 {
			t.Errorf("%q: %s", c.args, text)
		}
	}
}
