// Package bench puts load on any ZooKeeper server and says what it cost: operations per second, latency, and, where the
// server's pid is known, its CPU per operation and its memory. Several servers are measured side by side in one run, in
// alternating rounds, and compared with the first one named.
//
// It speaks raw frames and is no client: no reconnect, no watches re-armed, no queue per call. That is on purpose. The load
// generator shares a machine with the server it measures, so every microsecond it burns is one the server does not get:
//
//	write   requests are copied from frames built beforehand; only xid, key digits and the value's first 16 bytes change;
//	        one Write carries half a window
//	read    one Read takes what is there; of a reply only length, xid and error code are looked at, of every 1,024th also
//	        the value
//	time    one clock reading per Write and per Read; replies of one batch go into the histogram with one call
//
// A closed loop keeps between half and all of a connection's window in flight, from one goroutine. An open loop (a rate is
// given) sends on schedule from one goroutine and reads in another; its latency counts from the moment the request was due,
// so that a server that stalls cannot slow down the clock that measures it.
//
// Everything it writes lies below /zooid-bench, which is removed at the end.
//
// Invariants: replies come back in the order of their requests, by xid; a value read is one that was set under that key; the
// last value set and acknowledged is the one that is read afterwards; creates and deletes leave nothing behind. A run in which
// one of them fails reports an error, not a figure.
//
// Where to start: Options, Run; then worker.closed for the inner loop, and scenario.go for what is more than a loop.
package bench
