package bench

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Options say what to measure. Default gives every number; Targets and Work are to be set.
type Options struct {
	Targets []Target // the first is what the others are compared with
	Work    []Work

	Conns    int           // connections of a loop
	InFlight int           // requests in flight on each connection
	Size     int           // bytes of a value
	Keys     int           // znodes that loops read and write
	Rate     float64       // operations per second, open loop; 0 is a closed loop
	Duration time.Duration // of a round
	Warmup   time.Duration // of each target, before the first round of each work
	Rounds   int           // of each target, alternating

	Members int // servers that each command starts: an ensemble, if there are more than one
	Joined  int // znodes of the scenario join

	Znodes      int // of the scenarios znodes and snapshot
	Connections int
	Watches     int
	Watchers    int
	SnapCount   int // snapCount during the scenario snapshot
	WriteRate   float64

	Config   []string  // lines for the zoo.cfg of servers that the bench starts
	Dir      string    // where their data folders are made; empty is the system's place for temporary files
	Keep     bool      // leave the subtree and the data folders
	Progress io.Writer // a line each second; nil is none
}

// Default gives the numbers of a short run.
func Default() Options {
	return Options{
		Conns: 16, InFlight: 32, Size: 128, Keys: 10000, Duration: 5 * time.Second, Warmup: 5 * time.Second, Rounds: 3,
		Members: 1, Joined: 200000,
		Znodes: 1000000, Connections: 10000, Watches: 1000000, Watchers: 10000, SnapCount: 50000, WriteRate: 5000,
	}
}

// Full is the work of -profile full, in the order of its table.
func Full() []Work {
	return []Work{
		{Kind: "idle"},
		{Kind: "get", Conns: 16, InFlight: 32}, {Kind: "set", Conns: 16, InFlight: 32}, {Kind: "mixed", Conns: 16, InFlight: 32},
		{Kind: "get", Conns: 1, InFlight: 1}, {Kind: "set", Conns: 1, InFlight: 1},
		{Kind: "connections"}, {Kind: "fanout"}, {Kind: "watches"}, {Kind: "znodes"}, {Kind: "snapshot"},
	}
}

// leastRound is the shortest round that holds a window of time.
const leastRound = 2 * windowSize

// check refuses what cannot be run, and completes each Work.
func (o *Options) check() error {
	if len(o.Targets) == 0 {
		return errors.New("no server to measure")
	}
	if len(o.Work) == 0 {
		return errors.New("no work to do")
	}
	seen := map[string]bool{}
	for _, t := range o.Targets {
		if seen[t.Name] {
			return fmt.Errorf("two servers are called %q", t.Name)
		}
		seen[t.Name] = true
	}
	for _, c := range []struct {
		what        string
		n, min, max int
	}{
		{"connections of a loop", o.Conns, 1, 100000}, {"requests in flight", o.InFlight, 1, 100000},
		{"size", o.Size, 0, maxWindowBytes - 1024}, {"keys", o.Keys, 1, maxKeys}, {"rounds", o.Rounds, 1, 1000},
		{"znodes", o.Znodes, 1, maxKeys}, {"connections", o.Connections, 1, 1 << 20}, {"watches", o.Watches, 1, maxKeys},
		{"members", o.Members, 1, 9}, {"znodes to join", o.Joined, 1, maxKeys},
		{"watchers", o.Watchers, 1, 1 << 20}, {"snapCount", o.SnapCount, 2, 1 << 30},
	} {
		if c.n < c.min || c.n > c.max {
			return fmt.Errorf("%s is %d; it must be %d to %d", c.what, c.n, c.min, c.max)
		}
	}
	if o.Duration < leastRound {
		return fmt.Errorf("a round of %v is too short; %v is the least", o.Duration, leastRound)
	}
	if o.Rate < 0 || o.WriteRate <= 0 {
		return errors.New("a rate must be positive")
	}
	for i := range o.Work {
		w := &o.Work[i]
		w.Conns, w.InFlight, w.Rounds = def(w.Conns, o.Conns), def(w.InFlight, o.InFlight), def(w.Rounds, o.Rounds)
		w.Rate, w.Duration = def(w.Rate, o.Rate), def(w.Duration, o.Duration)
		if w.InFlight*(o.Size+256) > maxWindowBytes {
			return fmt.Errorf("%d requests in flight of %d bytes are more than %d on one connection", w.InFlight, o.Size, maxWindowBytes)
		}
		if w.Kind == "children" && w.InFlight > 256 {
			return errors.New("children takes at most 256 requests in flight")
		}
		if w.Kind == "join" && o.Joined < o.Keys {
			return fmt.Errorf("%d znodes to join are fewer than %d keys that are written meanwhile", o.Joined, o.Keys)
		}
		if w.Conns > o.Keys {
			return fmt.Errorf("%d keys cannot be shared by %d connections", o.Keys, w.Conns)
		}
	}
	return nil
}

// def is v, or d where v is zero.
func def[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}

// isTerminal tells whether w is one: then the progress line is overwritten instead of repeated.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
