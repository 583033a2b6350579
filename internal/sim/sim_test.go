package sim

import (
	"flag"
	"testing"
)

var (
	oneSeed = flag.Uint64("seed", 0, "the seed to run; 0 is all")
	seeds   = flag.Uint64("seeds", 200, "how many seeds to run")
)

func all(t *testing.T) []Fault {
	t.Helper()
	f, err := ParseFaults("all")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// run runs a seed and shows the end of its trace if it fails.
func run(t *testing.T, o Options) Result {
	t.Helper()
	r := Run(o)
	if r.Failure != nil {
		for _, l := range r.Trace[max(0, len(r.Trace)-150):] {
			t.Log(l)
		}
		t.Fatalf("seed %d: %v\n%v\nagain: go test ./internal/sim -run Seeds -args -seed %d", o.Seed, r.Failure, r.Params, o.Seed)
	}
	return r
}

func TestSeedsHold(t *testing.T) {
	if *oneSeed != 0 {
		r := run(t, Options{Seed: *oneSeed, Faults: all(t)})
		t.Logf("%+v", r.Params)
		return
	}
	committed, synced := 0, 0
	for seed := range *seeds {
		r := run(t, Options{Seed: seed + 1, Faults: all(t)})
		committed += r.Committed
		synced += r.Synced
	}
	t.Logf("%d committed, %d synced reads", committed, synced)
}

func TestSameSeedSameTrace(t *testing.T) {
	for seed := uint64(1); seed < 6; seed++ {
		a, b := Run(Options{Seed: seed, Faults: all(t)}), Run(Options{Seed: seed, Faults: all(t)})
		if a.Hash != b.Hash || a.Events != b.Events {
			t.Errorf("seed %d: %x and %x, %d and %d events", seed, a.Hash, b.Hash, a.Events, b.Events)
		}
	}
}
