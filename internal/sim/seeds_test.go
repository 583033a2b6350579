package sim

import "testing"

// Seeds that have failed, each with the bug that it found. What a seed does changes with the simulator; the bug has a test of its own
// beside the code that had it.
var found = []struct {
	seed   uint64
	faults []Fault
	bug    string
}{
	{1055, []Fault{LinkReset, SlowDisk}, "CommitDurable: ACKs that a follower had sent before TRUNC counted (zab.TestAcksBeforeTruncDoNotCount)"},
	{5180, []Fault{LinkReset, SlowDisk, Delay, Crash}, "SessionFIFO: a write was applied before a sync that was asked earlier (zab.TestACommitAnswersEarlierQuestions)"},
	{1067, []Fault{LinkReset, SlowDisk}, "CommitDurable: the same"},
}

func TestFoundSeeds(t *testing.T) {
	for _, f := range found {
		run(t, Options{Seed: f.seed, Faults: f.faults})
	}
}
