package bench

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// maxWindowBytes bounds what one connection has in flight, in each direction. A closed loop does not read while it writes:
// with more than the sockets' buffers can hold, server and generator would wait for each other.
const maxWindowBytes = 1 << 20

// worker drives one connection.
type worker struct {
	s        *session
	src      source
	g        *gauge
	inFlight int
	limit    uint64   // operations after which to stop; noLimit is until the phase says so
	schedule schedule // open loop: when requests are due

	deadline int64 // when the connection's deadline was set last, ns
}

// noLimit is more operations than a run can do.
const noLimit = 1<<63 - 1

// batch is what left in one Write.
type batch struct {
	n  int
	at int64
}

// closed keeps the window between half full and full until the phase is over or the limit is reached, then waits for what
// is in flight. Half, because a batch for each reply that trickles in would measure system calls.
func (w *worker) closed() error {
	var sent, seen uint64
	group := w.src.group()
	limit := w.limit
	quantum := uint64(max(1, w.inFlight/2))
	batches := make([]batch, 0, 8)
	var out []byte
	m := w.g.m
	for {
		if m.phase.Load() == stopping && limit > sent {
			limit = (sent + group - 1) / group * group
		}
		if free := uint64(w.inFlight) - (sent - seen); free >= quantum && sent < limit {
			free = min(free, limit-sent)
			out = out[:0]
			for i := range free {
				out = w.src.append(out, sent+i)
			}
			now := m.now()
			if err := w.extend(now); err != nil {
				return err
			}
			if _, err := w.s.c.Write(out); err != nil {
				return err
			}
			sent += free
			batches = append(batches, batch{int(free), now})
		}
		if seen == sent {
			if sent >= limit {
				return nil
			}
			continue
		}
		if err := w.s.fill(); err != nil {
			return fmt.Errorf("%s: %d replies missing: %w", w.s.addr, sent-seen, err)
		}
		now := m.now()
		measure := m.phase.Load() == measuring
		n, err := w.replies(seen)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		seen += uint64(n)
		w.g.ops.Add(int64(n))
		for n > 0 { // the replies belong to the oldest batches
			b := &batches[0]
			k := min(n, b.n)
			if measure {
				w.g.record(now, now-b.at, int64(k))
			}
			n -= k
			if b.n -= k; b.n == 0 {
				batches = append(batches[:0], batches[1:]...)
			}
		}
	}
}

// extend moves the connection's deadline, once a second: a timer for each call would cost more than the call.
func (w *worker) extend(now int64) error {
	if w.deadline != 0 && now-w.deadline < int64(time.Second) {
		return nil
	}
	w.deadline = now
	return w.s.c.SetDeadline(time.Now().Add(patience))
}

// replies takes all whole frames that have been received, the first of them the reply to operation i, and tells how many
// replies there were.
func (w *worker) replies(i uint64) (n int, err error) {
	for {
		f := w.s.frame()
		if f == nil {
			return n, nil
		}
		if len(f) < headerSize {
			return n, fmt.Errorf("%s: a reply of %d bytes", w.s.addr, len(f))
		}
		xid := int32(binary.BigEndian.Uint32(f))
		if xid == wire.XidNotice || xid == wire.XidPing {
			continue
		}
		if xid != xidOf(i) {
			return n, fmt.Errorf("%s: reply to request %d where %d was due", w.s.addr, xid, xidOf(i))
		}
		if code := zk.Code(int32(binary.BigEndian.Uint32(f[12:]))); code != zk.OK {
			w.g.codes[code]++
		} else if i&sampleMask == 0 {
			if err := w.src.check(i, f[headerSize:]); err != nil {
				return n, fmt.Errorf("%s: %w", w.s.addr, err)
			}
		}
		i++
		n++
	}
}
