// Package recipes has what people build on ZooKeeper, on package client alone, one file for each.
//
//	lock.go       Lock          one holder; in order of asking, one is woken at a time; re-entrant by handle; Curator's or kazoo's znodes
//	              SharedLock    readers or one writer, in order of asking
//	semaphore.go  Semaphore     so many holders; Curator's znodes
//	              MultiLock     several locks or none
//	election.go   Election      the leader is who came first; the next one is woken
//	              Seat          the leader is who made the znode
//	barrier.go    Barrier       everybody waits until it is lifted
//	              DoubleBarrier begin together, end together, again and again
//	queue.go      Queue         first in, first out; priorities; delays; Take, or Lease, which loses nothing when a consumer dies
//	gather.go     Gather        groups of those who came first, as soon as they are enough
//	counter.go    Counter       each addition counts once
//	              IDs           numbers that nobody else gets
//	config.go     Config        a typed value, current in this process, with its changes
//	cache.go      Cache         a copy of a tree, on one persistent recursive watch
//	group.go      Group         members that go with their sessions; Roster, always current
//	              Service       instances of a service, and pickers
//	naming.go     Names         a directory that stays
//	progress.go   Progress      reports of work under way
//	commit.go     Pact          two-phase commit
//	snapshot.go   ReadTogether  several znodes, or a tree, at one moment
//
// Package masterworker, below this one, puts several of them together.
//
// # What always holds
//
// Broken connections. A call ends with an error only when the session is over, its context has ended, or the servers have refused; a
// connection that breaks is none of these. Where a reply is lost, what it would have said is found out: sequential znodes have a GUID in
// their names by which they are found again (place.go), and transactions set a znode whose version tells (receipt.go). Nothing is made
// twice, and no znode is left that nobody knows of. Only when the session ends meanwhile is there nothing to ask: ErrUnknown.
//
// Sessions. Whatever is held is a Hold, whose Context ends when the session has ended, when its znode is deleted, or when no server was
// heard from for five sixths of the session's timeout. Nothing outlives its session: after the end of a client, take a new one and new
// handles.
//
// Slow callers. Nobody can be sure to hold something now: a process may be stopped at any moment, for any time. So each Hold has a
// Token that rises from holder to holder, and the outside world, a database, say, should refuse one lower than it has seen.
//
// Contexts. A call whose context ends returns soon. What it has begun is undone in the background; only a transaction that was sent is
// waited for, while a server can be asked what has become of it.
//
// # Goroutines
//
// A Hold has two until it is released or lost: one watches the session's states, one the znode. A Cache has one until Close. What has to be
// undone for a caller that left has one, until that is done or the session over.
//
// # Tests
//
// Beside the tests of each recipe, and those on a server with mishaps (-args -mishaps N), all recipes are played on simulated ensembles in
// virtual time, with crashes, partitions, lost replies, frozen clients and sessions that end, and judged by what was committed:
//
//	go test ./internal/bubble -run Virtual -args -rounds 3000
//
// docs/simulator.md says what must hold.
//
// Where to start: Lock for what is held, then place.go; Queue for what is put and taken, then receipt.go.
package recipes
