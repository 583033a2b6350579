//go:build invariants

package invariant

// Costly turns on the checks that walk whole structures. Build or test with -tags invariants.
const Costly = true
