// Package zab is one server's part in the agreement of an ensemble, as a value: fast leader election, discovery,
// synchronization and broadcast, in Apache's messages (ensemble protocol, sections 3 to 6 and 11).
//
// It broadcasts payloads that it does not understand, and knows no txn, tree or session. It has no socket, disk or clock: events
// go in, effects come out, time is an argument (ms, monotonic).
//
// Two things happen outside and are named here. The transport of notifications keeps one slot for each peer, newest wins,
// and may lose, repeat or deliver late. A link is one connection on the quorum port: packets arrive in order or not at all, and
// its number is never used again.
//
// Invariants: DurableAck - an ACK, and an ACKEPOCH, leave only in answer to Synced; EpochMonotone; ZxidGapless; CommitInOrder;
// the ten of the protocol's section 11.4 are checked by the simulator.
//
// Where to start: Core in core.go, message.go for what is said, election.go, then discovery.go, sync.go and broadcast.go.
package zab
