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
	for f, n := range r.Faults {
		s.Faults[f] += n
	}
}

// Campaign runs seeds, one after the other, from first on until there were n or more says no. each is told of every run.
func Campaign(o Options, n uint64, more func() bool, each func(*Summary, *Result)) *Summary {
	s := &Summary{}
	for i := uint64(0); i < n && more(); i++ {
		r := Run(o)
		s.Add(&r)
		each(s, &r)
		o.Seed++
	}
	return s
}

// Write writes the summary.
func (s *Summary) Write(w io.Writer) {
	fmt.Fprintf(w, "%d seeds, %d failed, %.2f virtual hours, %d events\n", s.Seeds, len(s.Failed), float64(s.Virtual)/3_600_000, s.Events)
	fmt.Fprintf(w, "%d txns committed in %d reigns, %d changes of the configuration; %d of %d requests of clients answered; %d histories of registers judged, with %d synced reads\n",
		s.Committed, s.Reigns, s.Changes, s.Answered, s.Calls, s.Checked, s.Synced)
	for _, f := range Faults {
		fmt.Fprintf(w, "  %-18s %d\n", f.Name, s.Faults[f.Name])
	}
}
