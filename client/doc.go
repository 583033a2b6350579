// Package client is a ZooKeeper client: one session with an ensemble, kept alive over as many connections as it takes.
//
// It works with Zooid and with Apache ZooKeeper 3.5 and later. What the client thinks (xids, pending calls, watches to set again)
// is internal/clientcore, a value; this package owns the sockets, the clock and the goroutines.
//
//	c, err := client.Dial(ctx, []string{"a:2181", "b:2181", "c:2181/app"}, nil)
//	path, stat, err := c.Create(ctx, "/greeting", []byte("hello"), zk.Persistent)
//	data, stat, changed, err := c.GetW(ctx, "/greeting")
//
// # Calls
//
// Every method may be called from many goroutines. All of them share one connection; their requests are sent without waiting for
// earlier replies, and the server answers them in the order they were sent. A call ends with its reply, with its context, or with
// the session; it never outlives them. While no server can be reached, a call waits, but not longer than until the session has
// lapsed (see Lapsed). A call that was sent and whose connection broke ends with zk.ConnectionLoss: whether the server carried it
// out is unknown. One that never left says so: errors.Is(err, ErrNotSent).
//
// Every error is a *zk.Error with operation, path and code, so that errors.Is(err, zk.NoNode) works. Where the cause is outside of
// ZooKeeper, errors.Is finds that too: context.Canceled, ErrClosed, a network error.
//
// # Sessions
//
// A session ends by Close or by expiry, and a Client with it; there is no way back, make a new one. Ephemeral znodes end with it.
// Expiry is known only from a server. But a client that is cut off from all servers should not believe in its locks: State and
// States tell when the connection went, when the last word of a server came, and when the session has lapsed, that is, when a
// server that is up would have ended it.
//
// # Watches
//
// GetW, ExistsW and ChildrenW give a channel with one event, which is then closed. A lost connection loses no watch: the client
// sets it again, and the server tells at once what has changed meanwhile. AddWatch gives a stream of events, and says where it may
// have missed some. An event is handed out before any reply that shows the change.
//
// # Goroutines
//
//	who       owns                              woken by                               ends
//	conn      the socket's reading half, one    bytes; the end of the back-off;        when the session has ended
//	          after the other: dials, greets,   the session's end, which closes
//	          reads, feeds the core             the socket
//	writer    the socket's writing half; one    a signal that the core has bytes       when its connection is closed; conn waits
//	          for each connection                                                      for it before the next
//	seeker    nothing; only on a read-only      its own back-off                       with its connection; conn waits for it
//	          server: looks for another
//	timer     nothing: a time.AfterFunc that    the core's next deadline               stopped at the session's end
//	          calls the core's Tick
//
// The core stands behind one lock, which is never held over a read, a write or a wait.
//
// Where to start: Dial, then Client.do, which every operation goes through.
package client
