// Package benchmark measures the networks of a model on this machine.
package benchmark

import (
	"context"
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

// A Report is what was measured. Times are in seconds, memory in MiB.
type Report struct {
	Model    string    `json:"model"`
	Machine  Machine   `json:"machine"`
	Start    Start     `json:"start"`
	Networks []Network `json:"networks"`
	Decode   Estimate  `json:"decode"`
}

// A Machine is what the work runs on.
type Machine struct {
	Kernels    string  `json:"kernels"`
	Platform   string  `json:"platform"`
	Processors int     `json:"processors"` // GOMAXPROCS
	Peak       float64 `json:"peak_gflops"`
	// Share of the processors' time that the networks had while they ran, about
	// 1 if nothing else was running; 0 where that is not known.
	Share float64 `json:"share"`
}

// Start is what happens once before the first step of a decode, but for the
// colour map.
type Start struct {
	Open      float64 `json:"open"`       // the folder, the UNet's weights checked
	Prompt    float64 `json:"prompt"`     // the text encoder opened and run
	Packing   float64 `json:"packing"`    // the UNet's weights
	FirstStep float64 `json:"first_step"` // from the beginning until the first step is finished
}

// Before returns the time until the first step can run.
func (s Start) Before() float64 { return s.Open + s.Prompt + s.Packing }

// A Network is one piece of work.
type Network struct {
	Name      string  `json:"name"`
	Precision string  `json:"precision"`
	Shortest  float64 `json:"shortest"`
	Median    float64 `json:"median"`
	Runs      int     `json:"runs"`
	GFLOP     float64 `json:"gflop"`
	Rate      float64 `json:"gflops"`  // of the shortest run
	OfPeak    float64 `json:"of_peak"` // a share; 0 if there is no peak
	Kinds     []Kind  `json:"kinds"`   // of the shortest run
	Packing   float64 `json:"packing"` // of the weights, once
	Peak      float64 `json:"peak_memory"`
	Buffers   float64 `json:"activations"` // the most at a time
}

// A Kind of work in a network.
type Kind struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	GFLOP   float64 `json:"gflop"`
	Rate    float64 `json:"gflops"`
	OfPeak  float64 `json:"of_peak"`
}

// An Estimate of a whole decode is put together of what was measured.
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

	cpu, wall float64 // seconds of all runs but the first ones
}

// Run opens a folder and measures every network of it, each runs times after a
// first run that packs its weights. progress is told what runs.
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
	m := model.New(folder)
	for _, measure := range []func(*model.Model) error{
		func(m *model.Model) error { return b.unet(m, begin) }, b.vae, b.vit, b.estimate,
	} {
		if err := measure(m); err != nil {
			return b.report, err
		}
	}
	b.report.Machine.Share = b.cpu / b.wall / float64(b.report.Machine.Processors)
	return b.report, nil
}

// peak returns the rate of all processors at once.
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

// measure runs f, which puts its result back, once to pack and then b.runs
// times, and adds a network to the report. first is called after the first run.
func (b *bench) measure(name string, p nn.Precision, f func() error, first func(packing float64)) error {
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
			return err
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
	n.Peak, n.Buffers = peakMemory(), float64(b.ws.Peak())/(1<<20)
	b.report.Networks = append(b.report.Networks, n)
	b.ws.Close()
	return nil
}

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

// steps and strength of a decode with the paper's parameters.
const (
	steps    = 20
	strength = 0.88
)

func (b *bench) estimate(m *model.Model) error {
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
	e := &b.report.Decode
	e.Steps = len(s.Timesteps()) - begin
	step, encode, decode := b.report.Networks[0], b.report.Networks[1], b.report.Networks[2]
	e.Seconds = b.report.Start.Before() + float64(e.Steps)*step.Median + encode.Packing + encode.Median + decode.Packing + decode.Median
	e.LowMemory = e.Seconds + float64(max(0, e.Steps-1))*step.Packing
	return nil
}
