package bubble

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/zooid-io/zooid/internal/sim"
)

// line is a connection: a net.Conn for the client, a sim.Guest for the servers. Its buffers have no bounds, so that a write never
// waits; a read waits on a sync.Cond, which counts as waiting in a bubble.
type line struct {
	w      *World
	p      *Process
	remote string
	to     *sim.Line

	// Under the world's lock.
	heard   sync.Cond
	in      []byte
	out     []byte // less than a frame
	greeted bool   // the handshake was answered
	ended   bool   // nothing more comes
	shut    bool   // Close was called
}

// Receive is sim.Guest.
func (l *line) Receive(frame []byte) {
	reply := l.greeted && int32(binary.BigEndian.Uint32(frame[4:])) > 0 // not to a ping, and no notice
	l.greeted = true
	if reply && l.p.rob {
		l.p.rob = false
		l.p.robbed++
		l.hangUp()
		return
	}
	l.in = append(l.in, frame...)
	l.heard.Broadcast()
}

// Closed is sim.Guest.
func (l *line) Closed() { l.end() }

// hangUp ends the connection for both. The caller holds the lock.
func (l *line) hangUp() {
	if !l.ended {
		l.to.Close()
		l.end()
	}
}

// end lets the client read what has come, and then the end.
func (l *line) end() {
	l.ended = true
	delete(l.p.lines, l)
	delete(l.w.lines, l)
	l.heard.Broadcast()
}

// Read is net.Conn.
func (l *line) Read(b []byte) (int, error) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	for len(l.in) == 0 && !l.ended && !l.shut {
		l.heard.Wait()
	}
	switch {
	case l.shut:
		return 0, net.ErrClosed
	case len(l.in) == 0:
		return 0, io.EOF
	}
	n := copy(b, l.in)
	if l.in = l.in[n:]; len(l.in) == 0 {
		l.in = nil
	}
	return n, nil
}

// Write is net.Conn.
func (l *line) Write(b []byte) (n int, err error) {
	l.w.Do(func(*sim.Ensemble) {
		switch {
		case l.shut:
			err = net.ErrClosed
		case l.ended:
			err = syscall.EPIPE
		default:
			n = len(b)
			l.send(b)
		}
	})
	return n, err
}

// send takes frames out of what was written.
func (l *line) send(b []byte) {
	l.out = append(l.out, b...)
	for len(l.out) >= 4 {
		end := 4 + int(binary.BigEndian.Uint32(l.out))
		if len(l.out) < end {
			return
		}
		l.to.Send(slices.Clone(l.out[4:end]))
		l.out = l.out[end:]
	}
	if len(l.out) == 0 {
		l.out = nil
	}
}

// Close is net.Conn.
func (l *line) Close() error {
	l.w.Do(func(*sim.Ensemble) {
		l.shut = true
		l.hangUp()
		l.heard.Broadcast()
	})
	return nil
}

type addr string

func (addr) Network() string  { return "bubble" }
func (a addr) String() string { return string(a) }

// LocalAddr and RemoteAddr are net.Conn.
func (l *line) LocalAddr() net.Addr  { return addr("10.0.1.1:1") }
func (l *line) RemoteAddr() net.Addr { return addr(l.remote) }

// SetDeadline and its kin are net.Conn. There are none here: no client sets one on a connection that it serves.
func (l *line) SetDeadline(time.Time) error      { return nil }
func (l *line) SetReadDeadline(time.Time) error  { return nil }
func (l *line) SetWriteDeadline(time.Time) error { return nil }
