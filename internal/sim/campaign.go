package sim

import (
	"fmt"
	"io"
)

// Summary is what many runs came to.
type Summary struct {
	Seeds     int
	Failed    []Result
	Virtual   int64 // ms
	Events    uint64
	Committed int
	Reigns    int
	Changes   int
	Calls     int
	Answered  int
	Checked   int
	Synced    int
	Faults    map[Fault]int
	tallies
}

// Add counts a run.
func (s *Summary) Add(r *Result) {
	if s.Faults == nil {
		s.Faults = map[Fault]int{}
	}
	s.Seeds++
	if r.Failure != nil {
		s.Failed = append(s.Failed, *r)
	}
	s.Virtual += r.Virtual
	s.Events += r.Events
	s.Committed += r.Committed
	s.Reigns += r.Reigns
	s.Changes += r.Changes
	s.Calls += r.Calls
	s.Answered += r.Answered
	s.Checked += r.Checked
	s.Synced += r.Synced
	s.add(r.tallies)
	for f, n := range r.Faults {
		s.Faults[f] += n
	}
}

// Campaign runs seeds, from the first on, until there were n or more says no, so many at a time as there are workers: runs know
// nothing of each other. each is told of every run, in the order of the seeds, by one goroutine.
func Campaign(o Options, n uint64, workers int, more func() bool, each func(*Summary, *Result)) *Summary {
	s := &Summary{}
	var going []chan Result // in the order of the seeds
	for next := uint64(0); ; {
		for len(going) < workers && next < n && more() {
			seed, done := o, make(chan Result, 1)
			seed.Seed += next
			next++
			going = append(going, done)
			go func() { done <- Run(seed) }()
		}
		if len(going) == 0 {
			return s
		}
		r := <-going[0]
		going = going[1:]
		s.Add(&r)
		each(s, &r)
	}
}

// Write writes the summary.
func (s *Summary) Write(w io.Writer) {
	fmt.Fprintf(w, "%d seeds, %d failed, %.2f virtual hours, %d events\n", s.Seeds, len(s.Failed), float64(s.Virtual)/3_600_000, s.Events)
	fmt.Fprintf(w, "%d txns committed in %d reigns, %d changes of the configuration; %d of %d requests of clients answered; %d histories of registers judged, with %d synced reads\n",
		s.Committed, s.Reigns, s.Changes, s.Answered, s.Calls, s.Checked, s.Synced)
	fmt.Fprintf(w, "%d times the log was sent in the place of a tree; %d times a disk could not follow its leader; %d answers of read-only servers; %d times an observer went to a follower\n",
		s.passages, s.renewals, s.lonely, s.mastered)
	for _, f := range Faults {
		fmt.Fprintf(w, "  %-18s %d\n", f.Name, s.Faults[f.Name])
	}
}
