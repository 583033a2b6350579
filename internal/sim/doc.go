// Package sim is the other driver of the servers: whole ensembles and their clients in one goroutine, under virtual time, with all
// chance from one seed.
//
// What runs is what ships: replica.Replica with zab, tree and sessions in it, and store.Store on a memory disk that loses what
// was not synced. Only what performs their orders is different from package server: the network, the disk's duration, the clock. Packets
// between servers travel as values; frames of clients as bytes.
//
// A run is made of two parts. Safety: faults that have names happen at random, and after every step the checkers look whether the
// invariants hold. Liveness: a quorum is healed, and has to serve and come to one state within a bounded time. At the end the
// histories that clients saw are judged as a whole.
//
// It is deterministic: one seed gives one trace, and the hash of the trace shows it. Nothing in a run reads a clock, starts a
// goroutine or iterates over a map where the order could matter; Campaign runs several beside each other.
//
// Invariants: those of the ensemble protocol, section 11.4, one file each, named after it (commit_durable.go and so on); checker.go lists
// them. A planted bug for each, in plant.go, shows that it bites.
//
// Where to start: Run in run.go, world.go for time, then server.go, which is the twin of server.member.
package sim
