package server

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

var (
	// A failing crash test prints its seed: -seed runs that one again, -crashes runs so many, both after -args.
	seedFlag    = flag.Uint64("seed", 0, "run only this seed of the crash tests")
	crashesFlag = flag.Int("crashes", 0, "how many seeds of the crash tests to run; 0 is a few hundred")
	fullFlag    = flag.Bool("full", false, "under the race detector too, run every test at its full size")
)

// Brief tells that the tests that move the most bytes are to do with fewer: the race detector looks at each byte, and finds in
// the first few megabytes what it finds at all.
func Brief() bool { return raced && !*fullFlag }

// SetMaxOutbox makes a server keep less for a client that does not read. To be called before the first client comes.
func (s *Server) SetMaxOutbox(bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.maxOutbox = bytes
}

// No test may leave a goroutine behind: every server here is closed, and Close waits for all it has started.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
