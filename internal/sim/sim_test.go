package sim

import (
	"flag"
	"slices"
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
		t.Fatalf("seed %d: %v\n%v", o.Seed, r.Failure, r.Params)
	}
	return r
}

// A few hundred seeds with all faults; `-args -seeds N` runs more, `-args -seed N` one.
func TestSeeds(t *testing.T) {
	t.Parallel()
	if *oneSeed != 0 {
		run(t, Options{Seed: *oneSeed, Faults: all(t)})
		return
	}
	n := *seeds
	if testing.Short() {
		n /= 5
	}
	const lanes = 4 // runs know nothing of each other
	var results [lanes][]Result
	t.Run("lanes", func(t *testing.T) {
		for lane := range uint64(lanes) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for seed := lane; seed < n; seed += lanes {
					results[lane] = append(results[lane], run(t, Options{Seed: seed + 1, Faults: all(t)}))
				}
			})
		}
	})
	var s Summary
	for _, lane := range results {
		for i := range lane {
			s.Add(&lane[i])
		}
	}
	s.Write(t.Output())
	for _, f := range Faults {
		if n >= 100 && s.Faults[f.Name] == 0 {
			t.Errorf("%s has never happened", f.Name)
		}
	}
	if n >= 100 && (s.passages == 0 || s.lonely == 0 || s.mastered == 0) {
		t.Errorf("%d passages of the log, %d answers of read-only servers, %d observers of followers", s.passages, s.lonely, s.mastered)
	}
	if s.Committed < 100*int(n) || s.Synced < 10*int(n) || s.Reigns < int(n) || s.Changes < int(n)/4 {
		t.Error("the runs do not reach far enough")
	}
}

// A calm ensemble answers everything, under its first leader and, if that is among those that are kept down for the second part, another.
func TestWithoutFaultsEverythingIsAnswered(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		r := run(t, Options{Seed: seed + 1})
		if r.Reigns > 2 || r.Calls-r.Answered > 20*r.Params.Clients {
			t.Errorf("seed %d: %d reigns, %d of %d answered", seed+1, r.Reigns, r.Answered, r.Calls)
		}
	}
}

// The same seed gives the same history, and another another.
func TestSameSeedSameTrace(t *testing.T) {
	t.Parallel()
	var hashes []uint64
	for seed := range uint64(5) {
		a, b := Run(Options{Seed: seed + 1, Faults: all(t)}), Run(Options{Seed: seed + 1, Faults: all(t)})
		if a.Hash != b.Hash || a.Events != b.Events || !slices.Equal(a.Trace, b.Trace) {
			t.Errorf("seed %d: %x and %x, %d and %d events", seed+1, a.Hash, b.Hash, a.Events, b.Events)
		}
		if slices.Contains(hashes, a.Hash) {
			t.Errorf("seed %d: the trace of another seed", seed+1)
		}
		hashes = append(hashes, a.Hash)
	}
}

func TestFaultsAreNamed(t *testing.T) {
	f, err := ParseFaults("crash, pause")
	if err != nil || !slices.Equal(f, []Fault{Crash, Pause}) {
		t.Errorf("%v, %v", f, err)
	}
	if _, err := ParseFaults("earthquake"); err == nil {
		t.Error("an unknown fault is taken")
	}
	if f, err := ParseFaults("none"); err != nil || len(f) != 0 {
		t.Errorf("%v, %v", f, err)
	}
}

// However many run at a time, the results come in the order of the seeds, and are the same.
func TestCampaignKeepsTheOrder(t *testing.T) {
	t.Parallel()
	var hashes [2][]uint64
	for i, workers := range []int{1, 3} {
		s := Campaign(Options{Seed: 5, Faults: all(t)}, 7, workers, func() bool { return true }, func(s *Summary, r *Result) {
			if want := uint64(5 + len(hashes[i])); r.Params.Seed != want || s.Seeds != len(hashes[i])+1 {
				t.Errorf("%d workers: seed %d, not %d", workers, r.Params.Seed, want)
			}
			hashes[i] = append(hashes[i], r.Hash)
		})
		if s.Seeds != 7 {
			t.Errorf("%d workers: %d seeds", workers, s.Seeds)
		}
	}
	if !slices.Equal(hashes[0], hashes[1]) {
		t.Errorf("%x and %x", hashes[0], hashes[1])
	}
}
