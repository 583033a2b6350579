package sim

import (
	"strings"
	"testing"
)

// Runs in which all clients think with clientcore show what it does by itself: pings, watches that are set again, sessions that are resumed.
func TestMindsDoWhatCoresDo(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	played := 0
	for seed := uint64(1); seed <= 100 && played < 8; seed++ {
		if p := draw(seed, all(t)); p.Minds < p.Clients {
			continue
		}
		played++
		run(t, Options{Seed: seed, Faults: all(t), Trace: func(line string) {
			for _, what := range []string{": ping -2", ": setWatches", "has expired", "connects to", ": closeSession", "nothing was heard"} {
				if strings.Contains(line, what) {
					seen[what]++
				}
			}
		}})
	}
	t.Log(played, seen)
	for _, what := range []string{": ping -2", ": setWatches", "connects to", ": closeSession"} {
		if seen[what] == 0 {
			t.Errorf("%q: %d in %d runs", what, seen[what], played)
		}
	}
}
