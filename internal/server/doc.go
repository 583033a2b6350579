// Package server is the real driver of a replica: sockets to clients, goroutines, ticker, fsync. It feeds events to the
// replica value and performs the effects that come back.
//
// One read-write lock stands around the replica. A connection's own goroutine decodes, reads, encodes and writes; only
// writes, and reads that set a watch, take the exclusive side, once for a batch of frames. Disk and network never run under
// the lock, except that bytes are put into outboxes there, which fixes their order.
//
//	goroutine   owns                               wakes on                     ends with
//	accept      a listening socket                 a connection                 the socket
//	conn        one socket's input                 bytes                        the socket; tells the replica
//	drain       one socket's output, while full    room in the socket           an empty outbox
//	catchUp     nothing; steps Continue            room in one socket's outbox  all that was asked is answered
//	commit      the log                            records in Effects.Log       Close, after a last commit
//	apply       nothing; steps Synced              a later zxid on disk         Close
//	tick        the clock                          the next tick                Close
//	snapshot    one frozen view                    Store.SnapshotDue            the end of the file
//	disk        log, epochs, dynamic files         a member's orders            Close, after the last order
//	timer       a member's timer                   the agreement's deadline      Close
//	search      nothing; reads log files           a learner that lags far      its place is found, or not
//	move        where a member listens             a new configuration           the new ports are open
//	scribe      log lines made under the lock      a line                       Close, after the last line
//
// The output of a connection goes through its outbox: whoever has bytes appends them under the outbox's lock, whoever finds
// nobody writing writes, without blocking; if the socket is full a drain goroutine is started. A client that does not read
// is not read from any more, and is closed when its outbox passes a bound.
//
// Packets to peers go the same way: perform posts them to their links under the lock, and flush writes them behind it. A link hands
// over all packets that have come, and they take the lock once. What an ensemble wants on disk is the disk goroutine's, but for a
// proposal that comes to a follower while no other is on its way: the link's goroutine syncs it (member.alone). In the same way a
// write to a standalone server that comes alone is synced, applied and answered by its connection's goroutine (Server.alone).
//
// Invariants: DurableAck - Synced is said only after Store.Commit returned nil; SessionFIFO - bytes enter an outbox under the
// replica's lock, in the order of its effects.
//
// Where to start: Server in server.go, conn.go for a connection's life, commit.go for the disk; member.go for one of an
// ensemble, whose peers' sockets package peer keeps.
package server
