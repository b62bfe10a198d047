package options

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/codec"
)

// samplers are the methods by the names that other programs have for them.
var samplers = []struct {
	name   string
	method codec.Method
	order  int
}{
	{"model", "", 0}, // the default
	{"ddim", codec.MethodDPM, 1},
	{"dpm++2m", codec.MethodDPM, 2},
	{"dpm++3m", codec.MethodDPM, 3},
	{"dpm++2m-sde", codec.MethodSDE, 2},
	{"unipc", codec.MethodUniPC, 2},
	{"unipc3", codec.MethodUniPC, 3},
}

// samplerFlags adds the flags of the sampler, and returns what the user gave.
func samplerFlags(flags *pflag.FlagSet) func() codec.Sampler {
	var names []string
	for _, s := range samplers {
		names = append(names, s.name)
	}
	name := Choose(flags, "sampler", OrList(names)+"; the model's own is dpm++2m for Stable unCLIP", names...)
	schedules := []string{"model", "linspace", "leading", "trailing", "karras", "exponential"}
	schedule := Choose(flags, "schedule", "where the steps lie: "+OrList(schedules), schedules...)
	rescale := Decimal(flags, "guidance-rescale", 0, 0, 1, "share, 0 to 1, by which guidance leaves the contrast as it was; 0.7 is usual")
	span := interval{new([2]float64)}
	*span.to = [2]float64{0, 1}
	flags.Var(span, "guidance-interval", "`part` of the steps that are guided, such as 0.1-0.8; the others take half the time")
	apg := projected{new(*codec.APG)}
	flags.Var(apg, "apg", "adaptive projected guidance: `ETA`, 0 to 1, is what is left of the part that saturates colors; ETA,THRESHOLD,MOMENTUM sets all three")
	return func() codec.Sampler {
		s := codec.Sampler{GuidanceRescale: *rescale, GuidanceInterval: *span.to, APG: *apg.to}
		for _, known := range samplers {
			if known.name == *name {
				s.Method, s.Order = known.method, known.order
			}
		}
		if *schedule != schedules[0] {
			s.Schedule = codec.Schedule(*schedule)
		}
		return s
	}
}

// describeSampler returns what differs from the default, for what a picture
// records: ", sampler unipc3, schedule karras".
func describeSampler(s codec.Sampler) string {
	text := ""
	for _, known := range samplers[1:] {
		if known.method == s.Method && known.order == s.Order {
			text += ", sampler " + known.name
		}
	}
	if s.Schedule != "" {
		text += ", schedule " + string(s.Schedule)
	}
	if s.GuidanceRescale != 0 {
		text += fmt.Sprintf(", guidance rescale %g", s.GuidanceRescale)
	}
	if i := s.GuidanceInterval; i != [2]float64{0, 1} && i != [2]float64{} {
		text += fmt.Sprintf(", guidance interval %g-%g", i[0], i[1])
	}
	if a := s.APG; a != nil {
		text += fmt.Sprintf(", APG %g,%g,%g", a.Eta, a.Threshold, a.Momentum)
	}
	return text
}

// An interval is a part of [0, 1]: "0.1-0.8".
type interval struct{ to *[2]float64 }

func (v interval) String() string { return fmt.Sprintf("%g-%g", v.to[0], v.to[1]) }
func (v interval) Type() string   { return "interval" }

func (v interval) Set(s string) error {
	from, to, _ := strings.Cut(s, "-")
	start, err := strconv.ParseFloat(from, 64)
	stop, err2 := strconv.ParseFloat(to, 64)
	if err != nil || err2 != nil || !(start >= 0 && start < stop && stop <= 1) {
		return errors.New("must be two numbers from 0 to 1, the smaller one first, such as 0.1-0.8")
	}
	*v.to = [2]float64{start, stop}
	return nil
}

// A projected is adaptive projected guidance: "0" or "0,9,-0.5".
type projected struct{ to **codec.APG }

func (v projected) String() string {
	if v.to == nil || *v.to == nil {
		return ""
	}
	a := *v.to
	return fmt.Sprintf("%g,%g,%g", a.Eta, a.Threshold, a.Momentum)
}

func (v projected) Type() string { return "numbers" }

func (v projected) Set(s string) error {
	var a codec.APG
	words := strings.Split(s, ",")
	for i, to := range []*float64{&a.Eta, &a.Threshold, &a.Momentum}[:min(len(words), 3)] {
		x, err := strconv.ParseFloat(words[i], 64)
		if err != nil {
			return errAPG
		}
		*to = x
	}
	if len(words) != 1 && len(words) != 3 || (codec.Sampler{APG: &a}).Validate() != nil {
		return errAPG
	}
	*v.to = &a
	return nil
}

var errAPG = errors.New("must be ETA from 0 to 1, or ETA,THRESHOLD,MOMENTUM with a threshold of at least 0 and a momentum from -1 to 1, such as 0,9,-0.5")
