package interop

import (
	"path/filepath"
	"testing"
)

// TestCClient plays the scenario of libzookeeper_mt.
func TestCClient(t *testing.T) {
	t.Parallel()
	need(t, onPath("gcc") && exists("/usr/include/zookeeper/zookeeper.h"), "C client", "apt-get install gcc libzookeeper-mt-dev")
	program := filepath.Join(t.TempDir(), "scenario")
	build(t, "gcc", "-Wall", "-Wextra", "-O1", "-g", "-DTHREADED", "-o", program, scenario(t, "c", "scenario.c"), "-lzookeeper_mt", "-lpthread")
	onEveryServer(t, func(t *testing.T, s *stage) {
		s.program(t, program)
	})
}
