package bench

import (
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Report is everything a run found out. Its JSON form is the -json file.
type Report struct {
	Environment Environment
	Options     Parameters
	Targets     []TargetInfo
	Results     []Result // by work, then by target, in the order they were asked for
	Kept        []string `json:",omitempty"` // data folders that were left, with -keep
}

// Parameters are the options as the report keeps them.
type Parameters struct {
	Size, Keys, Rounds           int
	Duration, Warmup             string
	Members, Joined              int
	Znodes, Connections          int
	Watches, Watchers, SnapCount int
	SnapshotWritesPerSecond      float64
	Config                       []string `json:",omitempty"`
}

// TargetInfo is a target as it was found.
type TargetInfo struct {
	Name    string
	Addrs   []string `json:",omitempty"`
	Command string   `json:",omitempty"`
	Version string   `json:",omitempty"` // the first line of srvr
}

// Result is what one work gave on one target.
type Result struct {
	Work     string
	Target   string
	Figures  []Figure
	Curve    []Percentile     `json:",omitempty"` // latency, all rounds together
	Timeline []Instant        `json:",omitempty"` // the rounds one after the other
	Errors   map[string]int64 `json:",omitempty"` // replies with an error, by its words
	Failed   string           `json:",omitempty"` // why there are no figures
}

// Figure is one number of a result: the median of its rounds.
type Figure struct {
	Name   string
	Unit   string
	Better sense
	Value  float64
	Rounds []float64
}

// sense says which way a figure is better, if there is one.
type sense string

const (
	more    sense = "more"
	less    sense = "less"
	neither sense = ""
)

// Percentile is a point of a latency curve.
type Percentile struct {
	Percent float64
	Ms      float64
}

// Instant is a window of a round.
type Instant struct {
	Round     int
	Seconds   float64 // since measuring began
	OpsPerSec float64
	P99Ms     float64
	Snapshot  bool `json:",omitempty"` // a snapshot was being taken
}

// median of v, which is not changed; NaN if there is none.
func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// figures collects one value per round under each name, in the order in which the names come first.
type figures []Figure

// add notes value for this round.
func (fs *figures) add(name, unit string, better sense, value float64) {
	i := slices.IndexFunc(*fs, func(f Figure) bool { return f.Name == name })
	if i < 0 {
		i = len(*fs)
		*fs = append(*fs, Figure{Name: name, Unit: unit, Better: better})
	}
	f := &(*fs)[i]
	f.Rounds = append(f.Rounds, value)
	f.Value = median(f.Rounds)
}

// curveSteps are the percentiles of a latency curve: ever finer towards 100.
var curveSteps = func() []float64 {
	steps := []float64{0, 10, 20, 30, 40}
	for left := 50.0; left > 0.0005; left /= 2 {
		steps = append(steps, 100-left, 100-left*0.75)
	}
	return append(steps, 100)
}()

func curve(h *hdrhistogram.Histogram) []Percentile {
	if h.TotalCount() == 0 {
		return nil
	}
	ps := make([]Percentile, 0, len(curveSteps))
	for _, p := range curveSteps {
		ps = append(ps, Percentile{p, ms(h.ValueAtPercentile(p))})
	}
	return ps
}

// ms turns ns into ms.
func ms(ns int64) float64 { return float64(ns) / float64(time.Millisecond) }

// us turns ns into µs.
func us(ns int64) float64 { return float64(ns) / float64(time.Microsecond) }

// addWindows appends the windows of a round to the timeline.
func (r *Result) addWindows(round int, ws []window) {
	for i, w := range ws {
		in := Instant{Round: round, Seconds: float64(i) * windowSize.Seconds(), OpsPerSec: float64(w.ops) / windowSize.Seconds()}
		if w.hist != nil {
			in.P99Ms = ms(w.hist.ValueAtPercentile(99))
		}
		r.Timeline = append(r.Timeline, in)
	}
}
