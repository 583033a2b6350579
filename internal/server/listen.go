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
	shut  bool
}

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

// acceptLoop takes connections in. A failing accept (no descriptors left) is tried again: what is connected is served on.
func (s *Server) acceptLoop() {
	defer s.wg.Done()
	for {
		nc, err := s.listener.Accept()
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
		go c.serve()
	}
}
