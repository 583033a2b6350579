package clientcore

import (
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Call is one request and what becomes of it.
type Call struct {
	Op    wire.Op
	Reply wire.Reply // filled from the reply; nil where there is nothing behind its header
	Watch *Watch     // registered when the reply says that the server has it; nil is none
	Owner any        // the driver's

	// Once the call is done.
	Code zk.Code // OK, or why it failed
	Sent bool    // whether it may have reached a server

	xid  int32
	fate fate
}

// fate is where a call stands.
type fate uint8

const (
	fresh     fate = iota
	held           // waits for a connection
	pending        // sent, without a reply
	abandoned      // sent and cancelled: its reply is for nobody
	done
)

// fifo is a queue of calls in the order they were sent.
type fifo struct {
	calls []*Call
	head  int
}

func (q *fifo) len() int { return len(q.calls) - q.head }

func (q *fifo) push(k *Call) { q.calls = append(q.calls, k) }

func (q *fifo) front() *Call {
	if q.len() == 0 {
		return nil
	}
	return q.calls[q.head]
}

func (q *fifo) pop() *Call {
	k := q.calls[q.head]
	q.calls[q.head] = nil
	q.head++
	if q.head == len(q.calls) {
		q.calls, q.head = q.calls[:0], 0
	} else if q.head >= 64 && 2*q.head >= len(q.calls) { // move the rest down: each call is moved once at most, on average
		n := copy(q.calls, q.calls[q.head:])
		clear(q.calls[n:])
		q.calls, q.head = q.calls[:n], 0
	}
	return k
}

// Submit sends a call, or holds it until there is a connection. A session that has ended, or is being closed, or has lapsed, ends
// the call at once.
func (c *Core) Submit(now int64, k *Call) {
	switch {
	case c.state.Ended():
		c.finish(k, c.state.code())
	case c.closing:
		c.finish(k, Closed.code())
	case c.state == Lapsed:
		c.finish(k, zk.ConnectionLoss)
	case c.phase == Live:
		c.send(now, k)
	default:
		k.fate = held
		c.held = append(c.held, k)
	}
}

// Cancel ends a call without waiting for its reply: one that was not sent never will be, the reply of another is dropped when it
// comes. The call is not among the effects. False says that it is done already.
func (c *Core) Cancel(k *Call) bool {
	switch k.fate {
	case held:
		k.fate = done // skipped by whoever walks over the held ones
	case pending:
		k.fate = abandoned
		k.Reply = nil
	default:
		return false
	}
	return true
}

// send puts a call's frame into the outbox.
func (c *Core) send(now int64, k *Call) {
	xid := c.nextXid()
	auth, isAuth := k.Op.(*wire.Auth)
	if isAuth {
		xid = wire.XidAuth
	}
	mark := len(c.out)
	c.out = wire.AppendRequestFrame(c.out, xid, k.Op)
	if len(c.out)-mark-4 > c.cfg.MaxRequest {
		c.out = c.out[:mark]
		c.finish(k, zk.BadArguments)
		return
	}
	c.sentAt = now
	k.xid, k.fate, k.Sent = xid, pending, true
	if isAuth {
		c.remember(auth)
		c.auths.push(k)
		return
	}
	c.xid = xid
	c.calls.push(k)
}

// nextXid numbers calls from 1 to 2^31-1 and then again: the numbers below have meanings of their own (section 2.12).
func (c *Core) nextXid() int32 {
	if c.xid == 1<<31-1 {
		return 1
	}
	return c.xid + 1
}

// finish ends a call and tells the driver, unless it is abandoned or done.
func (c *Core) finish(k *Call, code zk.Code) {
	if k.fate != done && k.fate != abandoned {
		k.Code = code
		c.effects.Done = append(c.effects.Done, k)
	}
	k.fate = done
}

// finishAll ends all calls of a queue.
func (c *Core) finishAll(q *fifo, code zk.Code) {
	for q.len() > 0 {
		if k := q.pop(); k != nil {
			c.finish(k, code)
		}
	}
}

// finishHeld ends the calls that wait for a connection.
func (c *Core) finishHeld(code zk.Code) {
	for _, k := range c.held {
		c.finish(k, code)
	}
	c.held = nil
}
