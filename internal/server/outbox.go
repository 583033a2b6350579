package server

import (
	"net"
	"sync"
	"time"
)

// highOutbox is how many bytes may wait in an outbox before the connection is not read from any more; maxOutbox, before it is
// closed: its client does not read, and notices it cannot refuse keep coming. A single reply may be longer than either.
const (
	highOutbox = 1 << 20
	maxOutbox  = 64 << 20
)

// closeTime is how long a connection that is to close waits for its client to take drainPiece bytes of what is left.
const (
	closeTime  = 3 * time.Second
	drainPiece = 256 << 10
)

// buffers and small hold buffers for input and output; a connection has one only while bytes are in it.
var (
	buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}
	small   = sync.Pool{New: func() any { return new([smallSize]byte) }}
)

const (
	bufferSize = 64 << 10
	smallSize  = 1 << 10
)

func getBuffer() []byte { return buffers.Get().(*[bufferSize]byte)[:0] }

// bufferWith is a buffer that begins with b and has room to grow.
func bufferWith(b []byte) []byte {
	if len(b) <= smallSize/2 {
		return append(small.Get().(*[smallSize]byte)[:0], b...)
	}
	return append(getBuffer(), b...)
}

// extend appends b to a buffer; a small one that it does not fit becomes a large one.
func extend(buf, b []byte) []byte {
	if cap(buf) == smallSize && len(buf)+len(b) > smallSize {
		big := append(getBuffer(), buf...)
		putBuffer(buf)
		buf = big
	}
	return append(buf, b...)
}

func putBuffer(b []byte) {
	switch cap(b) {
	case bufferSize:
		buffers.Put((*[bufferSize]byte)(b[:bufferSize]))
	case smallSize:
		small.Put((*[smallSize]byte)(b[:smallSize]))
	}
}

// outbox is the output of one connection that is not in the socket yet.
type outbox struct {
	nc      net.Conn
	mu      sync.Mutex
	wake    sync.Cond // output moved on, or the connection ended
	buf     []byte
	moves   int  // counts additions, so that waitTurn misses none
	waiting int  // bytes a drain goroutine is writing
	writing bool // somebody is writing
	dirty   bool // somebody is going to flush
	closing bool // close when empty; takes nothing more
	broken  bool // the socket is gone
}

// add appends bytes; with last the connection closes behind them. Where more than most bytes wait then, it ends at once. add tells whether the caller has to flush.
func (o *outbox) add(b []byte, last bool, most int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing || o.broken {
		return false
	}
	switch {
	case len(b) == 0:
	case o.buf == nil:
		o.buf = bufferWith(b)
	default:
		o.buf = extend(o.buf, b)
	}
	o.moves++
	o.wake.Broadcast()
	if last {
		o.closing = true
		if o.writing { // it may be blocked, and for ever
			_ = o.nc.SetWriteDeadline(time.Now().Add(closeTime))
		}
	}
	if len(o.buf)+o.waiting > most && len(b) < most/2 {
		o.broken, o.buf = true, nil
		_ = o.nc.Close() // wakes who is writing and who is reading
		return false
	}
	need := !o.dirty && !o.writing
	o.dirty = o.dirty || need
	return need
}

// give appends a whole buffer, and takes it over where it can.
func (o *outbox) give(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closing || o.broken:
		putBuffer(b)
	case o.buf == nil:
		o.buf = b
	default:
		o.buf = extend(o.buf, b)
		putBuffer(b)
	}
}

// flush writes what is in the outbox without blocking; what does not fit into the socket is left to a drain goroutine.
func (c *conn) flush() {
	o := &c.out
	o.mu.Lock()
	o.dirty = false
	if o.writing || o.broken {
		o.mu.Unlock()
		return
	}
	o.writing = true
	for {
		b := o.buf
		o.buf = nil
		if len(b) == 0 {
			break
		}
		o.mu.Unlock()
		n, err := c.sock.tryWrite(b)
		o.mu.Lock()
		if err != nil {
			o.broken = true
			putBuffer(b)
			break
		}
		if n < len(b) {
			o.waiting = len(b) - n
			o.mu.Unlock()
			c.s.connWG.Add(1)
			go c.drain(b, n)
			return
		}
		putBuffer(b)
	}
	o.writing = false
	c.settle()
}

// drain writes b[n:] and what follows, blocking; it ends when the outbox is empty.
func (c *conn) drain(b []byte, n int) {
	defer c.s.connWG.Done()
	o := &c.out
	for {
		var err error
		for n < len(b) && err == nil {
			o.mu.Lock()
			if o.closing {
				_ = c.nc.SetWriteDeadline(time.Now().Add(closeTime))
			}
			o.mu.Unlock()
			var k int
			k, err = c.nc.Write(b[n:min(len(b), n+drainPiece)])
			n += k
		}
		putBuffer(b)
		o.mu.Lock()
		o.waiting = 0
		if err != nil {
			o.broken = true
		}
		if b = o.buf; o.broken || len(b) == 0 {
			break
		}
		o.buf, n, o.waiting = nil, 0, len(b)
		o.wake.Broadcast()
		o.mu.Unlock()
	}
	o.writing = false
	c.settle()
}

// settle ends a turn of writing; the caller holds the outbox's lock, and settle lets it go.
func (c *conn) settle() {
	o := &c.out
	if o.broken {
		putBuffer(o.buf)
		o.buf = nil
	}
	end := o.broken || (o.closing && len(o.buf) == 0)
	o.wake.Broadcast()
	o.mu.Unlock()
	if end {
		c.finish()
	}
}

// high tells that the outbox is full.
func (o *outbox) high() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.buf)+o.waiting > highOutbox && !o.closing && !o.broken
}

// stuffed tells that the outbox is full or has ended: nothing is read for the sake of an answer.
func (o *outbox) stuffed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.buf)+o.waiting > highOutbox || o.closing || o.broken
}

// room waits until the outbox is not full any more, or the connection ends.
func (o *outbox) room() {
	o.mu.Lock()
	for len(o.buf)+o.waiting > highOutbox && !o.closing && !o.broken {
		o.wake.Wait()
	}
	o.mu.Unlock()
}

// emptied waits, if the connection is to close behind its last byte, until that is written or cannot be.
func (o *outbox) emptied() {
	o.mu.Lock()
	for o.closing && !o.broken && (o.writing || len(o.buf) > 0) {
		o.wake.Wait()
	}
	o.mu.Unlock()
}

// ending tells that the connection closes behind what the outbox holds.
func (o *outbox) ending() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closing
}

// ended tells that nothing can be written any more.
func (o *outbox) ended() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.broken
}

// shut makes the outbox take nothing more and wakes whoever waits.
func (o *outbox) shut() {
	o.mu.Lock()
	o.broken = true
	o.wake.Broadcast()
	o.mu.Unlock()
}
