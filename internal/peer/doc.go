// Package peer is the sockets between servers: zab's messages to bytes and back, exactly as Apache 3.8 and 3.9 write them, the
// connections of the election port (Elections), and those of the quorum port (Links).
//
// It does not know what a message means, whose vote is better or when a link has been silent for too long: zab does. It reads no
// txn, and the stream of a snapshot passes through it unseen.
//
//	election port, each frame                      quorum port, one packet after the other
//	+-----------+---------------------------+      +----------+----------+-----------+------+----------+
//	| length  4 | notification, length      |      | type   4 | zxid   8 | length  4 | data | authinfo |
//	+-----------+---------------------------+      +----------+----------+-----------+------+----------+
//
// The goroutines, of Elections first and then of Links:
//
//	goroutine   owns                           wakes on                              ends with
//	accept      a listening socket             a connection                          the socket
//	greet       an accepted connection,        bytes; a deadline                     the initial message: it becomes the reader,
//	            as long as it has no name                                            closes, or asks for a dial
//	dial        the dialling of one peer       a pause; a peer that asks for a dial  a connection; an empty slot; Close
//	attempt     one dial of several: routes.go the dial                              the dial, or that of another address
//	reader      a connection's input           bytes                                 the connection
//	writer      a connection's output          a notification in the peer's slot     the connection
//	teller      nothing                        something heard; a peer up or down    Close
//
//	accept      a listening socket             a connection                          the socket
//	link        a link: its dial, its input    bytes                                 the link; says LinkDown
//	attempt     as above
//	writer      a link's output                something in its queue                the link
//
// A link's packets are written by whoever calls Flush, as far as the socket takes them at once; its writer has what is left, streams, and
// what was sent without a Flush. One of them writes at a time.
//
// Callbacks. Heard and Connected are called by the teller alone, one after the other. Those of one link are called by its own
// goroutine, so they come in order, LinkUp first and LinkDown last and exactly once; those of different links come at the same
// time. A callback may call any method that does not wait; Elections.Close and Links.Shutdown wait for the goroutines, and must
// not be called from one. While a callback of a link runs nothing is read from it, so a slow one slows its peer, and loses nothing.
//
// Elections are told of a configuration with SetView, and so are Links. Until then they know nobody, and dial nobody.
//
// Invariants: what a link's peer receives is a prefix of what was sent on it, in that order. A link is down once.
//
// Where to start: packet.go and notification.go for the bytes, Elections in election.go, Links in links.go, and routes.go for
// members that have several addresses.
package peer
