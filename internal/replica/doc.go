// Package replica is a whole server as a value: Step(event) gives effects.
//
// It joins the rooms - sessions, prep, tree, watches - and owns the queues between them: the FIFO of each connection and the
// proposals that are not yet on disk. It has no clock, socket, file or goroutine: the driver (package server, or the
// simulator) feeds events and performs effects. Time comes with the event, in ms since 1970.
//
// Two doors. Step is exclusive. Read answers a read of a connection that has nothing in flight; any number of Reads may run
// side by side, never beside a Step. The driver holds a read-write lock around the value.
//
// A write: Step(Request) prepares it, queues it in its connection's FIFO and gives its log record as an effect. When the
// driver has it on disk it says Step(Synced), and only then is the txn applied, its watches fired and its reply made.
// A read behind a write of its own session waits in the same FIFO. One Step answers about a megabyte at most: who has answers left
// then is in Effects.Behind, and gets them by Step(Continue) as its output has room.
//
// Invariants: DurableAck - a reply to a write is an effect of Synced, never of Request; SessionFIFO - replies leave in the
// order of the FIFO; WatchBeforeData - the notices of a txn precede its reply and every later read in the effects;
// EphemeralsEnd - a session ends by a txn that deletes what it owns.
//
// Where to start: Replica.Step in replica.go, then request.go and apply.go.
package replica
