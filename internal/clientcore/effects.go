package clientcore

import "github.com/zooid-io/zooid/zk"

// Effects are what the driver has to do. Watches come first: a notice is handed out before a reply that shows the change.
type Effects struct {
	Fired  []Fired
	Done   []*Call
	Login  *Login // the next step of a SASL login is wanted
	Hangup error  // close the connection, then call Disconnected
}

// Fired is a watch that fired.
type Fired struct {
	Watch *Watch
	Event zk.Event // its path is the server's
	Gap   bool     // no event: the watch, a persistent one, was set again and may have missed some
	Last  bool     // the watch is no longer registered
}

// Login asks for the next token of a SASL login; the driver answers with LoginToken.
type Login struct {
	First     bool
	Challenge []byte // what the server sent; nil at first, and where it sent nothing
}

// Effects gives what came together since the last call, and forgets it. The slices are valid until the next event.
func (c *Core) Effects() Effects {
	e := c.effects
	c.effects = Effects{Fired: e.Fired[:0], Done: e.Done[:0]}
	return e
}

// Bytes gives what is to be sent since the last call. spare is a buffer that is no longer used, or nil; it becomes the next outbox.
func (c *Core) Bytes(spare []byte) []byte {
	b := c.out
	c.out = spare[:0]
	return b
}

// HasBytes tells whether Bytes would give any.
func (c *Core) HasBytes() bool { return len(c.out) > 0 }
