package sim

import "testing"

// Three servers, a client, and notifications that are lost.
func TestThinPath(t *testing.T) {
	r := run(t, Options{Seed: 1, Faults: []Fault{MessageLoss}})
	t.Logf("%v: %d committed, %d of %d answered, hash %x, %d events", r.Params, r.Committed, r.Answered, r.Calls, r.Hash, r.Events)
}
