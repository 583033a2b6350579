package server

import (
	"time"

	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// What is here is for tests of what stands on a server, by way of package zktest: the mishaps of a session, at will.

// ExpireSession ends a session as if its time were over, and tells whether this server could: it knows the session, and it leads or
// stands alone. The session's znodes are gone once that is on disk, which may be after the return.
func (s *Server) ExpireSession(id zk.SessionID) bool {
	var few [8]*conn
	s.mu.Lock()
	leads := s.member == nil
	if !leads {
		r, _ := s.rep.Role()
		leads = r.State == zab.Leading && r.Serving
	}
	known := s.rep.Sessions().Known(id)
	var dirty []*conn
	if leads && known {
		s.rep.Step(&replica.Expire{Session: id, Now: time.Now().UnixMilli(), Clock: s.clock()}, &s.eff)
		dirty = s.perform(few[:0])
	}
	s.mu.Unlock()
	s.flush(dirty)
	return leads && known
}

// KnowsSession tells whether this server, by what it has applied, knows a session.
func (s *Server) KnowsSession(id zk.SessionID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rep.Sessions().Known(id)
}

// DropConnections closes the clients' connections, without a word, and tells how many there were. Those of other sessions are spared
// if ids are given. The sessions go on.
func (s *Server) DropConnections(ids ...zk.SessionID) int {
	n := 0
	for _, c := range s.conns.list() {
		if len(ids) > 0 && !s.isOf(c, ids) {
			continue
		}
		n++
		c.out.shut()
		c.nc.Close()
	}
	return n
}

func (s *Server) isOf(c *conn, ids []zk.SessionID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, id := range ids {
		if c.rc != nil && c.rc.Session() == id {
			return true
		}
	}
	return false
}

// Advance lets time pass for the sessions, and, in an ensemble, for the agreement's limits: nothing else is older by it.
func (s *Server) Advance(d time.Duration) { s.ahead.Add(d.Milliseconds()) }

// Serving tells whether clients are served, and leading whether this server is its ensemble's leader. A server that stands alone
// serves and does not lead.
func (s *Server) Serving() (serving, leading bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.rep.Role()
	if !ok {
		return true, false
	}
	return r.Serving, r.Serving && r.State == zab.Leading
}
