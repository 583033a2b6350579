package clientcore

import (
	"fmt"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// maxPing is the longest silence of a client, ms, whatever the timeout: firewalls forget idle connections.
const maxPing = 10_000

// pingAfter is the silence after which a ping goes out: a third of the timeout.
func (c *Core) pingAfter() int64 { return min(max(int64(c.timeout)/3, 1), maxPing) }

// patience is how long a server may be silent before it is given up: two thirds of the timeout, so that a third is left to find
// another one.
func (c *Core) patience() int64 { return max(int64(c.timeout)*2/3, 1) }

// Deadline is when Tick is wanted; math.MaxInt64 is never.
func (c *Core) Deadline() int64 {
	d := int64(never)
	if c.state.Ended() {
		return d
	}
	switch c.phase {
	case Greeting:
		d = c.openedAt + c.cfg.Handshake
	case LoggingIn:
		d = c.heardAt + c.patience()
	case Live:
		d = min(c.heardAt+c.patience(), c.sentAt+c.pingAfter())
	}
	if c.lapsing() {
		d = min(d, c.heardAt+int64(c.timeout))
	}
	return d
}

// lapsing tells whether silence makes the session lapse: it exists, and no server answers.
func (c *Core) lapsing() bool { return c.opened && c.state == Connecting }

// Tick does what is due.
func (c *Core) Tick(now int64) {
	if c.state.Ended() {
		return
	}
	if c.lapsing() && now >= c.heardAt+int64(c.timeout) {
		c.state = Lapsed
		c.finishHeld(zk.ConnectionLoss)
	}
	switch c.phase {
	case Greeting:
		if now >= c.openedAt+c.cfg.Handshake {
			c.hangup(fmt.Errorf("no answer to the handshake for %d ms", now-c.openedAt))
		}
	case LoggingIn, Live:
		if now >= c.heardAt+c.patience() {
			c.hangup(fmt.Errorf("nothing was heard for %d ms", now-c.heardAt))
		} else if c.phase == Live && now >= c.sentAt+c.pingAfter() {
			c.out = wire.AppendRequestFrame(c.out, wire.XidPing, &wire.Ping{})
			c.sentAt = now
		}
	}
}
