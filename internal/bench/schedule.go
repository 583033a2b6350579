package bench

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
)

// schedule says when the requests of one connection are due: the first at offset, then one each interval, whatever the
// server does. It is also the memory of the loop: when request i was due is known from i.
type schedule struct {
	offset, interval time.Duration
}

// due is when request i should leave, ns since the round's zero.
func (s schedule) due(i uint64) int64 { return int64(s.offset) + int64(i)*int64(s.interval) }

// open sends on schedule from a goroutine of its own and reads here, until the phase is over and all is answered.
func (w *worker) open() error {
	var sent atomic.Uint64 // requests sent; with its top bit, there will be no more
	const over = 1 << 63
	sender := make(chan error, 1)
	go func() {
		err := w.send(&sent)
		sent.Store(sent.Load() | over)
		if err == nil {
			// The answer to a ping wakes a reader that has everything already.
			_, err = w.s.c.Write(wire.AppendRequestFrame(nil, wire.XidPing, &wire.Ping{}))
		}
		if err != nil {
			w.s.c.Close()
		}
		sender <- err
	}()
	err := w.collect(func(seen uint64) bool { return sent.Load() == seen|over })
	if err != nil {
		w.s.c.Close()
	}
	// Whoever fails closes the connection under the other: the cause is the error that does not say so.
	if e := <-sender; err == nil || e != nil && errors.Is(err, net.ErrClosed) {
		err = e
	}
	return err
}

// send writes what is due, then sleeps until more is.
func (w *worker) send(sent *atomic.Uint64) error {
	m, group := w.g.m, w.src.group()
	var out []byte
	n := uint64(0)
	for {
		now := m.now()
		stop := m.phase.Load() == stopping
		if stop && n%group == 0 {
			return nil
		}
		out = out[:0]
		for (w.schedule.due(n) <= now || stop && n%group != 0) && len(out) < maxWindowBytes {
			out = w.src.append(out, n)
			n++
			if stop && n%group == 0 {
				break
			}
		}
		if len(out) > 0 {
			sent.Store(n) // before the Write: a reply must not come to a reader that knows nothing of its request
			if err := w.s.c.SetWriteDeadline(time.Now().Add(patience)); err != nil {
				return err
			}
			if _, err := w.s.c.Write(out); err != nil {
				return err
			}
			continue
		}
		time.Sleep(min(time.Duration(w.schedule.due(n)-now), 10*time.Millisecond))
	}
}

// collect reads replies until over says that the last one has been seen.
func (w *worker) collect(over func(seen uint64) bool) error {
	m := w.g.m
	seen := uint64(0)
	for last := int64(0); ; {
		if over(seen) {
			return nil
		}
		now := m.now()
		if last == 0 || now-last > int64(time.Second) {
			last = now
			if err := w.s.c.SetReadDeadline(time.Now().Add(patience)); err != nil {
				return err
			}
		}
		if err := w.s.fill(); err != nil {
			return err
		}
		now = m.now()
		n, err := w.replies(seen)
		if err != nil {
			return err
		}
		if m.phase.Load() == measuring {
			for i := seen; i < seen+uint64(n); i++ {
				w.g.record(now, now-w.schedule.due(i), 1)
			}
		}
		seen += uint64(n)
		w.g.ops.Add(int64(n))
	}
}
