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
)

// No test may leave a goroutine behind: every server here is closed, and Close waits for all it has started.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
