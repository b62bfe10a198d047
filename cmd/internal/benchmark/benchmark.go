// Package benchmark measures the networks of a model on this machine.
package benchmark

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/solver"
	"github.com/coclico/coclico/weights"
)

// A Report holds the results. Times are in seconds, memory in MiB.
type Report struct {
	Model    string         `json:"model"`
	Machine  Machine        `json:"machine"`
	Start    *Start         `json:"start,omitempty"` // nil without a UNet
	Networks []Network      `json:"networks"`
	Absent   []weights.Part `json:"absent,omitempty"` // networks that the model lacks
	Decode   *Estimate      `json:"decode,omitempty"` // nil without a UNet
}

// A Machine describes where the benchmark ran.
type Machine struct {
	Kernels    string  `json:"kernels"`
	Platform   string  `json:"platform"`
	Processors int     `json:"processors"` // GOMAXPROCS
	Peak       float64 `json:"peak_gflops"`
	// Share is the fraction of the processors' time that went to the networks
	// while they ran: about 1 on an idle machine, 0 where it is unknown.
	Share float64 `json:"share"`
}

// A Start times what happens once, before the first step of a decode. The color
// map is not part of it.
type Start struct {
	Open      float64 `json:"open"`       // opening the folder and checking the UNet's weights
	Prompt    float64 `json:"prompt"`     // opening and running the text encoder, or reading its constant
	Packing   float64 `json:"packing"`    // packing the UNet's weights
	FirstStep float64 `json:"first_step"` // from the beginning to the end of the first step
}

// Before returns the time until the first step can run.
func (s Start) Before() float64 { return s.Open + s.Prompt + s.Packing }

// A Network is one measured piece of work.
type Network struct {
	Name      string  `json:"name"`
	Precision string  `json:"precision"`
	Shortest  float64 `json:"shortest"`
	Median    float64 `json:"median"`
	Runs      int     `json:"runs"`
	GFLOP     float64 `json:"gflop"`
	Rate      float64 `json:"gflops"`  // of the shortest run
	OfPeak    float64 `json:"of_peak"` // a fraction; 0 if the peak is unknown
	Kinds     []Kind  `json:"kinds"`   // of the shortest run
	Packing   float64 `json:"packing"` // of the weights, in the first run
	Peak      float64 `json:"peak_memory"`
	Buffers   float64 `json:"activations"` // the most held at a time
}

// A Kind is one kind of work within a network.
type Kind struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	GFLOP   float64 `json:"gflop"`
	Rate    float64 `json:"gflops"`
	OfPeak  float64 `json:"of_peak"`
}

// An Estimate is the time of a whole decode, summed from the measurements.
type Estimate struct {
	Steps     int     `json:"steps"`
	Seconds   float64 `json:"seconds"`
	LowMemory float64 `json:"seconds_low_memory"`
}

// A bench is one run of the benchmark.
type bench struct {
	ctx      context.Context
	runs     int
	progress func(what string)
	ws       nn.Workspace
	report   Report

	cpu, wall float64 // seconds of all runs except the first ones
}

// Run opens a model folder and measures each of its networks: a first run,
// which packs the weights, and then the given number of runs. Networks that the
// folder lacks, as the results of coclico models convert may, are listed as
// absent. Run calls progress with the name of each piece of work.
func Run(ctx context.Context, open func() (*weights.Folder, error), runs int, progress func(what string)) (Report, error) {
	b := &bench{ctx: ctx, runs: runs, progress: progress}
	defer b.ws.Close()
	progress("peak")
	b.report.Machine = Machine{
		Kernels: kernels.Active(), Platform: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
		Processors: runtime.GOMAXPROCS(0), Peak: peak(200 * time.Millisecond),
	}
	begin := time.Now()
	folder, err := open()
	if err != nil {
		return b.report, err
	}
	defer folder.Close()
	b.report.Model = folder.Name()
	if err := b.networks(folder, begin); err != nil {
		return b.report, err
	}
	b.report.Machine.Share = b.cpu / b.wall / float64(b.report.Machine.Processors)
	return b.report, nil
}

// networks measures the networks of a folder that was opened at begin, and
// estimates a decode if they suffice for one.
func (b *bench) networks(folder *weights.Folder, begin time.Time) error {
	m := model.New(folder)
	var step, encode, decode Network
	for _, n := range []struct {
		part    weights.Part
		measure func() error
	}{
		{weights.UNet, func() (err error) { step, err = b.unet(m, begin); return err }},
		{weights.VAE, func() (err error) { encode, decode, err = b.vae(m); return err }},
		{weights.ImageEncoder, func() error { return b.vit(m) }},
	} {
		if !folder.Has(n.part) {
			b.report.Absent = append(b.report.Absent, n.part)
			continue
		}
		if err := n.measure(); err != nil {
			return err
		}
	}
	switch {
	case len(b.report.Networks) == 0:
		return fmt.Errorf("%s: no network to measure", folder.Name())
	case b.report.Start == nil:
		return nil
	}
	return b.estimate(m, step, encode, decode)
}

// peak returns the rate of all processors together, in GFLOP/s.
func peak(d time.Duration) float64 {
	var wg sync.WaitGroup
	rates := make([]float64, runtime.GOMAXPROCS(0))
	for i := range rates {
		wg.Go(func() { rates[i] = kernels.Peak(kernels.Fast, d) })
	}
	wg.Wait()
	sum := 0.0
	for _, r := range rates {
		sum += r
	}
	return sum
}

// measure runs f, which must free its result, once to pack the weights and then
// b.runs times, and adds a network to the report. It calls first, if not nil,
// after the first run.
func (b *bench) measure(name string, p nn.Precision, f func() error, first func(packing float64)) (Network, error) {
	n := Network{Name: name, Precision: "fast", Runs: b.runs}
	if b.ws.Precision = p; p == nn.Exact {
		n.Precision = "exact"
	}
	var times []float64
	for i := range b.runs + 1 {
		if i == 0 {
			b.progress(name + ": first run")
		} else {
			b.progress(name)
		}
		var profile nn.Profile
		b.ws.Profile = &profile
		start, cpu := time.Now(), cpuTime()
		if err := f(); err != nil {
			return n, err
		}
		t := time.Since(start).Seconds()
		cpu = cpuTime() - cpu
		if i == 0 {
			n.Packing = profile[nn.KindPack].Time.Seconds()
			if first != nil {
				first(n.Packing)
			}
			continue
		}
		b.cpu, b.wall = b.cpu+cpu, b.wall+t
		if times = append(times, t); t == slices.Min(times) {
			b.fill(&n, profile, t)
		}
	}
	slices.Sort(times)
	n.Median = times[len(times)/2]
	n.Peak, n.Buffers = PeakMemory(), float64(b.ws.Peak())/(1<<20)
	b.report.Networks = append(b.report.Networks, n)
	b.ws.Close()
	return n, nil
}

// fill makes a run that took so many seconds the network's shortest one.
func (b *bench) fill(n *Network, p nn.Profile, seconds float64) {
	rate := func(gflop, seconds float64) (r, share float64) {
		if seconds > 0 {
			r = gflop / seconds
		}
		if b.report.Machine.Peak > 0 {
			share = r / b.report.Machine.Peak
		}
		return r, share
	}
	all := p.Total()
	n.Shortest, n.GFLOP, n.Kinds = seconds, all.FLOP/1e9, nil
	n.Rate, n.OfPeak = rate(n.GFLOP, seconds)
	for k, w := range p {
		if w.Time == 0 {
			continue
		}
		kind := Kind{Name: nn.Kind(k).String(), Seconds: w.Time.Seconds(), GFLOP: w.FLOP / 1e9}
		kind.Rate, kind.OfPeak = rate(kind.GFLOP, kind.Seconds)
		n.Kinds = append(n.Kinds, kind)
	}
	n.Kinds = append(n.Kinds, Kind{Name: "none of these", Seconds: max(0, seconds-all.Time.Seconds())})
}

// The paper's parameters of a decode.
const (
	steps    = 20
	strength = 0.88
)

// estimate adds up the time of a decode from the UNet's step and both halves of
// the VAE.
func (b *bench) estimate(m *model.Model, step, encode, decode Network) error {
	cfg, err := m.Scheduler()
	if err != nil {
		return err
	}
	s, err := solver.New(cfg, min(steps, cfg.NumTrainTimesteps))
	if err != nil {
		return err
	}
	begin, err := s.Start(strength)
	if err != nil {
		return err
	}
	e := &Estimate{Steps: len(s.Timesteps()) - begin}
	e.Seconds = b.report.Start.Before() + float64(e.Steps)*step.Median + encode.Packing + encode.Median + decode.Packing + decode.Median
	e.LowMemory = e.Seconds + float64(max(0, e.Steps-1))*step.Packing
	b.report.Decode = e
	return nil
}
