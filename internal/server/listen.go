package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/zooid-io/zooid/internal/admin"
)

// connSet is the connections of a server, counted by source address.
type connSet struct {
	mu    sync.Mutex
	all   map[*conn]struct{}
	perIP map[netip.Addr]int
	last  uint64 // number that was given to one
	shut  bool
}

// firstConn is before the numbers of connections: sysmon.Keeper has those below for itself.
const firstConn = 2

// add takes a connection in unless a limit or the end of the server forbids it.
func (cs *connSet) add(c *conn, perIP, total int) error {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.all == nil {
		cs.all, cs.perIP = map[*conn]struct{}{}, map[netip.Addr]int{}
	}
	ip := c.addr.Addr()
	switch {
	case cs.shut:
		return net.ErrClosed
	case perIP > 0 && cs.perIP[ip] >= perIP:
		return fmt.Errorf("Too many connections from /%s - max is %d", ip, perIP)
	case total > 0 && len(cs.all) >= total:
		return fmt.Errorf("Too many connections max allowed is %d", total)
	}
	cs.last++
	c.number = firstConn + cs.last
	cs.all[c] = struct{}{}
	cs.perIP[ip]++
	return nil
}

func (cs *connSet) remove(c *conn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.all, c)
	ip := c.addr.Addr()
	if cs.perIP[ip]--; cs.perIP[ip] <= 0 {
		delete(cs.perIP, ip)
	}
}

func (cs *connSet) list() []*conn {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	l := make([]*conn, 0, len(cs.all))
	for c := range cs.all {
		l = append(l, c)
	}
	return l
}

// nudge nudges every connection that has a session and was not heard of since then, on clock.
func (cs *connSet) nudge(then int64) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for c := range cs.all {
		if c.heard.Load() != 0 {
			c.nudge(then)
		}
	}
}

func (cs *connSet) len() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return len(cs.all)
}

func (cs *connSet) closeAll() {
	cs.mu.Lock()
	cs.shut = true
	cs.mu.Unlock()
	for _, c := range cs.list() {
		c.out.shut()
		c.nc.Close()
	}
}

// clientPort is the port for clients, which a reconfiguration may move.
type clientPort struct {
	mu       sync.Mutex
	listener net.Listener // nil is none
	serves   bool         // somebody accepts
	shut     bool
}

func (p *clientPort) addr() net.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener == nil {
		return nil
	}
	return p.listener.Addr()
}

// close closes the port for good.
func (p *clientPort) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = true
	if p.listener == nil {
		return nil
	}
	return p.listener.Close()
}

// listenAt moves the client port. Whoever is connected stays. Where the new address cannot be had the port stays where it is.
func (s *Server) listenAt(addr string) error {
	p := &s.port
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut {
		return nil
	}
	old := p.listener
	l, err := net.Listen("tcp", addr)
	if old != nil {
		old.Close()
		if err != nil { // the old address may have been in the way, as the wildcard's is of each other's
			l, err = net.Listen("tcp", addr)
		}
		if err != nil {
			var back error
			if l, back = net.Listen("tcp", old.Addr().String()); back != nil {
				p.listener = nil
				return errors.Join(err, back)
			}
		}
	}
	if l == nil {
		return err
	}
	s.log.Info("binding to port " + l.Addr().String())
	p.listener, p.serves = l, true
	s.connWG.Go(func() { s.accept(l) })
	return err
}

// serveClients begins to take connections in, unless the port was moved and does already.
func (s *Server) serveClients() {
	p := &s.port
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.listener; l != nil && !p.serves {
		p.serves = true
		s.connWG.Go(func() { s.accept(l) })
	}
}

// accept takes connections in. A failing accept (no descriptors left) is tried again: what is connected is served on.
func (s *Server) accept(l net.Listener) {
	for {
		nc, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			s.log.Warn("accept failed", "err", err)
			if !s.pause(20 * time.Millisecond) {
				return
			}
			continue
		}
		c := newConn(s, nc)
		if err := s.conns.add(c, s.opt.MaxClientCnxns, s.opt.MaxCnxns); err != nil {
			if !errors.Is(err, net.ErrClosed) {
				s.metrics.Add(admin.ConnectionsRejected, 1)
				s.log.Warn("Error accepting new connection: " + err.Error())
			}
			if t, ok := nc.(*net.TCPConn); ok {
				_ = t.SetLinger(0) // upstream resets here
			}
			nc.Close()
			continue
		}
		s.connWG.Add(1)
		if t := s.opt.HandshakeTimeout; t > 0 {
			_ = nc.SetReadDeadline(time.Now().Add(t))
		}
		go c.serve(nil, 4)
	}
}
