// Package clientcore is a client's session as a value: events in, effects out.
//
//	in   Connected, Received, Disconnected    what the socket does
//	     Submit, Cancel, Forget, Close        what the program wants
//	     Tick                                 what the clock says
//	out  Bytes                                to send, in this order
//	     Effects                              calls that are done, watches that fired, a login's next step, "hang up"
//	     Deadline                             when Tick is wanted
//
// The life of a connection, drawn by phase:
//
//	Idle --Connected--> Greeting --ConnectResponse--> [LoggingIn --SASL--] --> Live
//	  ^                    |                               |                     |
//	  '------------------- Disconnected, by the server, or after a Hangup -------'
//
// On becoming Live it sends, in this order: the credentials (xid -4), the watches (xid -8), the calls that were held meanwhile.
//
// It does not know servers, addresses or chroots; it does not open, read or write sockets. Who drives it does: package client, or
// a test. Times are ms of the driver's monotonic clock.
//
// Invariants: SessionFIFO - replies are matched with the oldest call that has none, and anything else breaks the connection; OneShot
// - a standard watch fires once; every call that was submitted is done exactly once. A server that has seen less than this session
// is never talked to: the handshake tells the last zxid seen, and that server hangs up.
//
// Where to start: Core, then Received. Rules are cited from the client protocol: sections 2 (connection), 5 (watches).
package clientcore
