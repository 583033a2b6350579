package interop

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// until repeats a request until its answer has this code. Requests before it, each with a semicolon behind it, are sent once, in the
// same write as its first time: whatever the server does by itself meanwhile comes in this step, however long the player takes.
func (p *player) until(a *actor, ph phrase) []string {
	want := ph.words[1]
	parts := split(ph.words[2:], ph.quoted[2:], ";")
	once, req := parts[:len(parts)-1], parts[len(parts)-1]
	deadline := time.Now().Add(patience)
	before := p.newest
	var notices []string // and the answers to what is sent once
	for {
		var out []byte
		for _, part := range once {
			out = append(out, p.frame(a, part)...)
		}
		a.c.Write(append(out, p.frame(a, req)...))
		lines := p.drain(a)
		// What happened meanwhile is nobody's step: its notices count, the moment of its txns does not.
		lines = slices.DeleteFunc(lines, func(l string) bool {
			switch {
			case strings.HasPrefix(l, "notice "):
				notices = append(notices, l)
				return true
			case len(once) > 0:
				once = once[1:]
				notices = append(notices, l)
				return true
			}
			return strings.HasPrefix(l, "then zxid ")
		})
		i := slices.IndexFunc(lines, func(l string) bool {
			return strings.HasPrefix(l, want) || strings.Contains(l, "("+want+")") || l == "closed"
		})
		if i >= 0 || time.Now().After(deadline) {
			for j, l := range lines {
				lines[j], _, _ = strings.Cut(l, " +")
			}
			if p.newest != before {
				p.txns[p.newest] = p.step
			}
			return append(notices, lines...)
		}
		time.Sleep(20 * time.Millisecond) // between polls
	}
}

// drain shows what comes: up to the answer to a ping of the player's own; or, on a silent connection, up to the last answer
// that is due. On a connection without a session the answer to a handshake comes first, or its end.
func (p *player) drain(a *actor) []string {
	switch {
	case !a.open:
		return []string{"closed"}
	case a.session == 0:
		b, err := a.c.ReadFrame(patience)
		if err != nil {
			return []string{p.lost(a, err)}
		}
		line := p.accepted(a, b)
		if a.session == 0 {
			return append([]string{line}, p.read(a, func() bool { return false })...)
		}
		return append([]string{line}, p.drain(a)...)
	case a.silent:
		if len(a.pending) == 0 {
			return nil
		}
		return p.read(a, func() bool { return len(a.pending) == 0 })
	}
	a.c.Write(wire.AppendRequestFrame(nil, wire.XidPing, &wire.Ping{}))
	a.pending = append(a.pending, pending{xid: wire.XidPing, op: wire.OpPing, drain: true})
	return p.read(a, func() bool { return false })
}

// read shows what comes until done, or the connection ends.
func (p *player) read(a *actor, done func() bool) (lines []string) {
	for {
		b, err := a.c.ReadFrame(patience)
		if err != nil {
			return append(lines, p.lost(a, err))
		}
		more, drained := p.show(a, b)
		lines = append(lines, more...)
		if drained || done() {
			return lines
		}
	}
}

// lost ends a connection after a failed read.
func (p *player) lost(a *actor, err error) string {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		p.t.Errorf("%s: nothing came on connection %s within %v", p.srv.Kind, a.name, patience)
		return "nothing came"
	}
	a.c.Close()
	a.open, a.pending = false, nil
	return "closed"
}

// show shows one frame. drained tells that it answers the player's own ping.
func (p *player) show(a *actor, b []byte) (lines []string, drained bool) {
	d := jute.NewDecoder(b)
	var h wire.ReplyHeader
	h.Decode(d)
	if d.Err() != nil {
		return []string{fmt.Sprintf("frame=%x", b)}, false
	}
	if h.Xid == wire.XidNotice && (len(a.pending) == 0 || a.pending[0].xid != wire.XidNotice) {
		e := wire.DecodeNotice(d, h.Zxid)
		line := p.notice(e)
		if d.Err() != nil || d.Left() > 0 || h.Err != 0 {
			line += fmt.Sprintf(" frame=%x", b)
		}
		return []string{line}, false
	}
	i := slices.IndexFunc(a.pending, func(q pending) bool {
		return q.xid == h.Xid || q.op == wire.OpPing && h.Xid == wire.XidPing
	})
	if i < 0 {
		return []string{fmt.Sprintf("a frame of %d bytes that answers nothing", len(b))}, false
	}
	q := a.pending[i]
	if q.drain {
		// Requests before the ping that got no answer will get none: one connection is answered in order.
		for _, u := range a.pending[:i] {
			lines = append(lines, "no answer to "+u.op.String())
		}
		a.pending = a.pending[i+1:]
		if h.Err != zk.OK {
			lines = append(lines, "ping: "+code(h.Err))
		}
		if h.Zxid > p.newest {
			lines = append(lines, fmt.Sprintf("then zxid +%d", h.Zxid-p.newest))
			p.newest = h.Zxid
		}
		return lines, true
	}
	a.pending = slices.Delete(a.pending, i, i+1)
	line := code(h.Err)
	if i > 0 {
		line = "early: " + line
	}
	if q.op == wire.OpPing && !q.shown {
		q.shown = true
	}
	if q.shown {
		line = fmt.Sprintf("xid=%d ", h.Xid) + line
	}
	switch {
	case h.Zxid > p.newest:
		line += fmt.Sprintf(" +%d", h.Zxid-p.newest)
		p.newest, p.txns[h.Zxid] = h.Zxid, p.step
	case h.Zxid <= 0:
		line += fmt.Sprintf(" zxid=%d", h.Zxid)
	case q.op.IsWrite() || h.Zxid < p.newest:
		line += fmt.Sprintf(" +0 zxid=%s", p.zxid(h.Zxid))
	}
	if h.Err != zk.OK {
		if d.Left() > 0 {
			line += fmt.Sprintf(" extra=%x", d.Rest())
		}
		return []string{line}, false
	}
	if q.op == wire.OpCloseSession {
		a.ended = true
	}
	first, more := p.body(q.op, d)
	if first != "" {
		line += " " + first
	}
	return append([]string{line}, more...), false
}

// drainOthers pings the connections that the step did not name and shows what comes, with their names in front.
func (p *player) drainOthers(but string) (lines []string) {
	var names []string
	for n, a := range p.actors {
		if n != but && a.open && a.session != 0 && !a.silent {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		for _, l := range p.drain(p.actors[n]) {
			lines = append(lines, n+": "+l)
		}
	}
	return lines
}
