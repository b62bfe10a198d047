package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/queue"
	"github.com/coclico/coclico/cmd/internal/admin"
	"github.com/coclico/coclico/cmd/internal/guard"
	"github.com/coclico/coclico/cmd/internal/logging"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/process"
)

// observeFlags are the flags of what an operator sees of a command.
type observeFlags struct {
	flags    *pflag.FlagSet
	level    *slog.LevelVar
	address  *string
	anywhere *bool
	hosts    []string
}

func addObserveFlags(flags *pflag.FlagSet) *observeFlags {
	f := &observeFlags{
		flags:    flags,
		level:    logging.Flag(flags),
		address:  flags.String("admin", "", "`address` of a listener for /healthz, /readyz, /metrics and, from this machine, /debug/pprof"),
		anywhere: flags.Bool("admin-anywhere", false, "let --admin listen beyond this machine, for probes and scrapers"),
	}
	guard.AddHosts(flags, &f.hosts, "`name` by which --admin may be asked, besides IP addresses and localhost")
	return f
}

// check refuses flags that change nothing.
func (f *observeFlags) check() error {
	if *f.address != "" {
		return nil
	}
	return options.NoEffect(f.flags, "it is for --admin", "admin-anywhere", "allow-host")
}

// An observer is the log, the metrics and the health of a command.
type observer struct {
	log    *slog.Logger
	server *admin.Server // nil without --admin

	chunks      *prometheus.GaugeVec
	pictures    *prometheus.CounterVec
	redelivered prometheus.Counter
}

// observe starts what the flags ask for. Depth, if not nil, answers scalers.
func (p *program) observe(ctx context.Context, f *observeFlags, depth http.Handler) (*observer, error) {
	process.OutliveReaders()
	p.log = logging.NewWriter(p.stderr)
	if !p.screen.Watched() {
		p.screen.Err = p.log // the last complaint, too, must not wait for who reads
	}
	o := &observer{
		log:         logging.New(p.log, f.level),
		chunks:      prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "coclico_fleet_chunks", Help: "Chunks of the job, by their state."}, []string{"state"}),
		pictures:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "coclico_fleet_pictures_total", Help: "Pictures of this process, by their result."}, []string{"result"}),
		redelivered: prometheus.NewCounter(prometheus.CounterOpts{Name: "coclico_fleet_redelivered_total", Help: "Chunks of this process that another worker had before."}),
	}
	if *f.address == "" {
		return o, nil
	}
	o.server = admin.New(version(), o.log)
	o.server.Registry().MustRegister(o.chunks, o.pictures, o.redelivered)
	if depth != nil {
		o.server.Handle("/jsz", depth)
	}
	ln, err := admin.Listen(ctx, *f.address, *f.anywhere)
	if err != nil {
		return nil, err
	}
	o.log.Info("admin", "address", ln.Addr().String())
	go func() {
		if err := o.server.Serve(ctx, ln, f.hosts...); err != nil {
			o.log.Error("the admin listener ended", "error", err)
		}
	}()
	return o, nil
}

// ready reports that the command does its work, or why not.
func (o *observer) ready(reason error) {
	if o.server != nil {
		o.server.SetReady(reason)
	}
}

var errEnding = errors.New("ending")

// state shows how far the job is.
func (o *observer) state(s queue.State) {
	o.chunks.WithLabelValues("done").Set(float64(s.Done))
	o.chunks.WithLabelValues("working").Set(float64(s.Working))
	o.chunks.WithLabelValues("waiting").Set(float64(s.Chunks - s.Done - s.Working))
}

// picture counts a picture.
func (o *observer) picture(failed bool) {
	if failed {
		o.pictures.WithLabelValues("failed").Inc()
		return
	}
	o.pictures.WithLabelValues("done").Inc()
}

// delivery counts a chunk.
func (o *observer) delivery(again bool) {
	if again {
		o.redelivered.Inc()
	}
}
