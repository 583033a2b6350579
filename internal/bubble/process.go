package bubble

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/zooid-io/zooid/internal/sim"
)

// Process is what a client runs in, as far as the network sees it.
type Process struct {
	w      *World
	lines  map[*line]bool
	frozen int64 // µs: until then nothing comes through
	rob    bool  // the next reply is lost, and with it the connection
	robbed int
}

// Process is a new one.
func (w *World) Process() *Process { return &Process{w: w, lines: map[*line]bool{}} }

var errRefused = errors.New("connection refused")

// Dial is a client.Options.Dialer.
func (p *Process) Dial(ctx context.Context, _, addr string) (net.Conn, error) {
	i := slices.Index(p.w.Servers(), addr)
	if i < 0 {
		return nil, fmt.Errorf("no server is at %s", addr)
	}
	if err := sleep(ctx, p.delay()); err != nil {
		return nil, err
	}
	l := &line{w: p.w, p: p, remote: addr}
	l.heard.L = &p.w.mu
	p.w.Do(func(e *sim.Ensemble) {
		if e.Failure() == nil {
			l.to = e.Dial(i, l)
		}
		if l.to != nil {
			l.to.Hold(p.frozen)
			p.lines[l], p.w.lines[l] = true, true
		}
	})
	if l.to == nil {
		return nil, errRefused
	}
	return l, nil
}

// delay is how long a connection takes to be made.
func (p *Process) delay() time.Duration {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return time.Duration(max(p.frozen-p.w.now(), 0)+200) * time.Microsecond
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Drop ends the connections that there are.
func (p *Process) Drop() {
	p.w.Do(func(*sim.Ensemble) {
		for l := range p.lines {
			l.hangUp()
		}
	})
}

// LoseReply loses the next answer to a call, and the connection with it: the call was carried out, and nobody knows.
func (p *Process) LoseReply() {
	p.w.Do(func(*sim.Ensemble) { p.rob = true })
}

// Freeze lets nothing come through for a while, in either direction: what is sent waits, and no connection is made. For the servers the
// process stands still. Its program does not: it is as one that does not know yet.
func (p *Process) Freeze(d time.Duration) {
	p.w.Do(func(*sim.Ensemble) {
		p.frozen = max(p.frozen, p.w.now()+d.Microseconds())
		for l := range p.lines {
			l.to.Hold(p.frozen)
		}
	})
}

// Mend lets no further reply be lost, and tells how many were.
func (p *Process) Mend() (lost int) {
	p.w.Do(func(*sim.Ensemble) { p.rob, lost = false, p.robbed })
	return lost
}
