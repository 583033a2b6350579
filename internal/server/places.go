package server

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/zooid-io/zooid/internal/ensemble"
)

// places is where a member listens, which a reconfiguration may change: its election port, its quorum port, its client port. Server.mu
// guards it.
type places struct {
	self   ensemble.Member // as in the committed configuration that was last seen to have it
	moving bool            // a goroutine moves to self
	ctx    context.Context // ends before the server does: then nothing moves any more
	settle context.CancelFunc
	moves  sync.WaitGroup
}

func (p *places) begin(ctx context.Context) { p.ctx, p.settle = context.WithCancel(ctx) }

// place takes this server's line of a configuration. The ports are moved by a goroutine, because that waits. The quorum port is moved at
// once, if it is open: a leader whose own has changed leads no more, but if it is the only voter there is nobody else who could, and
// observers that come look for it where the configuration says. Learners stay connected.
func (m *member) place(g *ensemble.Config) {
	to, listed := g.Member(m.o.SID)
	if !listed {
		return // a server that was removed goes on where it is, until it is stopped
	}
	was := m.self
	if to.ClientAddr == "" {
		to.ClientAddr, to.FromStatic = was.ClientAddr, was.FromStatic
	}
	m.self = to
	if len(m.links.Addrs()) > 0 && differ(was.QuorumAddrs(), to.QuorumAddrs()) {
		m.links.StopListening()
		if r, _ := m.s.rep.Role(); m.learnersPort(r) != nil {
			m.listen(r)
		}
	}
	if m.ctx.Err() != nil || m.moving || !movesElection(was, to) && !movesClients(was, to) {
		return
	}
	m.moving = true
	m.moves.Go(func() { m.move(was) })
}

func movesElection(was, to ensemble.Member) bool {
	return differ(was.ElectionAddrs(), to.ElectionAddrs())
}

// differ compares addresses, whose order in a line says nothing.
func differ(a, b []string) bool {
	return !slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func movesClients(was, to ensemble.Member) bool {
	return to.ClientAddr != "" && anywhere(was.ClientAddr) != anywhere(to.ClientAddr)
}

// anywhere is an address to listen on. Java's wildcard listens to both families whichever way it is written, and Go's only when the
// host is left out.
func anywhere(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = ""
	}
	return net.JoinHostPort(host, port)
}

// move goes to where self is, and to where it is by then.
func (m *member) move(was ensemble.Member) {
	s := m.s
	for {
		s.mu.Lock()
		to := m.self
		elections := m.elections
		if m.ctx.Err() != nil || !movesElection(was, to) && !movesClients(was, to) {
			m.moving = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		if movesElection(was, to) {
			elections.Close()
			next, err := m.electionsOf(m.ctx, to)
			if err != nil {
				if m.ctx.Err() == nil {
					s.fail(err)
				}
				return
			}
			s.mu.Lock()
			c, _ := s.rep.Status()
			m.elections = next
			next.SetView(c.Configs.Committed, c.Configs.LastSeen)
			s.mu.Unlock()
		}
		if movesClients(was, to) {
			if err := s.listenAt(anywhere(to.ClientAddr)); err != nil {
				s.log.Error("the client port cannot be moved", "to", to.ClientAddr, "err", err)
			}
		}
		was = to
	}
}

// stay ends all moves.
func (m *member) stay() {
	m.s.mu.Lock()
	m.settle()
	m.s.mu.Unlock()
	m.moves.Wait()
}
