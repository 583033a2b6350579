package server

import (
	"fmt"
	"log/slog"

	"github.com/zooid-io/zooid/internal/admin"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// The lines that operators look for, in Apache's words (operations, section 7). What every connection does is for debugging
// only; what is wrong with one is a warning. No line holds a credential.

// chronicle notes what a Step did with sessions and identities. The caller holds the lock.
func (s *Server) chronicle() {
	for i := range s.eff.Auths {
		a := &s.eff.Auths[i]
		c := a.Conn.Tag.(*conn)
		if a.OK {
			s.scribe.note(slog.LevelInfo, fmt.Sprintf("Session %v: auth success for scheme %s and address /%s", a.Conn.Session(), a.Scheme, c.addr))
		} else {
			s.scribe.note(slog.LevelWarn, fmt.Sprintf("Session %v: auth failure for scheme %q and address /%s", a.Conn.Session(), a.Scheme, c.addr))
		}
	}
	for _, id := range s.eff.Expired {
		s.scribe.note(slog.LevelInfo, "Expiring session "+id.String()+", its timeout is exceeded")
	}
}

// compared notes which digests of txns were not the tree's: servers that had the same txns have different trees (PrefixConsistency). It
// is told and counted, as Apache does, not punished: another make's leader may be the one that is wrong. The caller holds the lock.
func (s *Server) compared() {
	t := s.rep.Tree()
	n := t.DigestMismatches() // of another tree than the last time where one was loaded
	if n > s.mismatches {
		s.metrics.Add(admin.DigestMismatches, int64(n-s.mismatches))
		if s.mismatches == 0 {
			m, _ := t.FirstDigestMismatch()
			s.scribe.note(slog.LevelError, fmt.Sprintf("The digest of the tree is not the one that the leader's txn says: this server's data differs "+
				"from its peers'. From zxid %v on, the txn's is %d, the tree's %d", m.Zxid, m.Want, m.Got))
		}
	}
	s.mismatches = n
}

// reread is what the store finds on disk, on to which the server holds from now on.
func (s *Server) reread(fresh func() *tree.Tree) (*store.Restored, error) {
	res, err := s.store.Restore(fresh)
	if err == nil {
		s.metrics.Add(admin.DigestMismatches, int64(res.DigestMismatches))
	}
	return res, err
}

// greeted notes the answer to a handshake. The caller holds the lock.
func (s *Server) greeted(c *conn, send *replica.Send) {
	switch {
	case send.Close:
		s.scribe.note(slog.LevelInfo, fmt.Sprintf("Invalid session for client /%s, probably expired", c.addr))
	case s.scribe.debug:
		s.scribe.note(slog.LevelDebug, fmt.Sprintf("Established session %v with negotiated timeout %d for client /%s",
			send.Conn.Session(), send.Conn.TimeOut(), c.addr))
	}
}

// isGreeting tells whether a send answers a handshake.
func isGreeting(send *replica.Send) bool { return send.Header.Type == wire.OpCreateSession }

// toldFuture notes a client that has seen more than this server has.
func (s *Server) toldFuture(c *conn, seen zk.Zxid, last zk.Zxid) {
	s.log.Info(fmt.Sprintf("Refusing session request for client /%s as it has seen zxid %v our last zxid is %v client must try another server",
		c.addr, seen, last))
}

// parting notes why a connection ends, if it is not by our will.
func (c *conn) parting() {
	switch {
	case c.bad != 0:
		c.s.log.Warn(fmt.Sprintf("Exception causing close of session %v: Len error %d, address = /%s", c.sessionID(), c.bad, c.addr))
	case c.s.scribe.debug && !c.finished.Load():
		c.s.log.Debug(fmt.Sprintf("Unable to read additional data from client, it probably closed the socket: address = /%s, session = %v",
			c.addr, c.sessionID()))
	}
}

func (c *conn) sessionID() zk.SessionID {
	if c.rc == nil {
		return 0
	}
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	return c.rc.Session()
}
