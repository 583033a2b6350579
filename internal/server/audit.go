package server

import (
	"log/slog"
	"os/user"
	"strings"

	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// auditor writes the audit log: one line for each write, in Apache's text. Success is of level info, failure of level error,
// as there. Its lines are made under the server's lock and written by the scribe.
//
// Unlike Apache's it also tells of TTL nodes, of the type of sequential znodes within a multi, and of containers that the
// server removes.
type auditor struct {
	to   *scribe
	user string // who runs the server
}

func newAuditor(to *scribe) *auditor {
	a := &auditor{to: to, user: "unknown"}
	if u, err := user.Current(); err == nil && u.Username != "" {
		a.user = u.Username
	}
	return a
}

// auditLine is the fields of a line; what is empty is left out.
type auditLine struct {
	session, user, ip, op, znode, kind, acl string
	result                                  string
}

// The results. auditInvoked is for a stop, whose end nobody can tell of.
const (
	auditSuccess = "success"
	auditFailure = "failure"
	auditInvoked = "invoked"
)

func (l *auditLine) String() string {
	var b strings.Builder
	for _, f := range []struct{ key, value string }{
		{"session", l.session}, {"user", l.user}, {"ip", l.ip}, {"operation", l.op}, {"znode", l.znode},
		{"znode_type", l.kind}, {"acl", l.acl}, {"result", l.result},
	} {
		if f.value == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\t')
		}
		b.WriteString(f.key)
		b.WriteByte('=')
		for _, part := range strings.FieldsFunc(f.value, func(r rune) bool { return r == '\t' || r == '\n' || r == '\r' }) {
			b.WriteString(part) // a path must not forge fields or lines
		}
	}
	return b.String()
}

func (a *auditor) write(l auditLine) {
	level := slog.LevelInfo
	if l.result == auditFailure {
		level = slog.LevelError
	}
	a.to.note(level, l.String())
}

// server writes of the server's own start and stop.
func (a *auditor) server(op, result string) {
	a.write(auditLine{user: a.user, op: op, result: result})
}

// audit writes of what a Step has applied. The caller holds the lock.
func (s *Server) audit() {
	for i := range s.eff.Audits {
		a := &s.eff.Audits[i]
		l := auditLine{user: s.auditor.user}
		if a.Session != 0 {
			l.session = a.Session.String()
		}
		for _, path := range a.Deleted {
			l.op, l.znode, l.result = "ephemeralZNodeDeletionOnSessionCloseOrExpire", path, auditSuccess
			s.auditor.write(l)
		}
		if a.Conn != nil {
			l.user, l.ip = s.users(a.IDs), a.Conn.Tag.(*conn).addr.Addr().String()
		}
		s.auditOp(l, a)
	}
}

// auditOp writes of one request.
func (s *Server) auditOp(l auditLine, a *replica.Audit) {
	if m, ok := a.Op.(*wire.Multi); ok {
		failed := a.Result.Code != zk.OK || len(a.Result.Subs) == 0 && len(m.Ops) > 0
		for i := range a.Result.Subs {
			failed = failed || a.Result.Subs[i].Type == txn.TypeError
		}
		if failed {
			l.op, l.result = "multiOperation", auditFailure
			s.auditor.write(l)
			return
		}
		for i := range a.Result.Subs {
			if _, ok := m.Ops[i].(*wire.SetACL); !ok { // nobody can ask for one there, but who knows
				s.auditOp(l, &replica.Audit{Op: m.Ops[i], Result: a.Result.Subs[i]})
			}
		}
		return
	}
	l.result = auditSuccess
	if a.Result.Type == txn.TypeError || a.Result.Code != zk.OK {
		l.result = auditFailure
	}
	switch op := a.Op.(type) {
	case *wire.Create:
		l.op, l.znode, l.kind = "create", op.Path, znodeType(op)
		if a.Result.Path != "" {
			l.znode = a.Result.Path // with its number
		}
	case *wire.Delete:
		l.op, l.znode = "delete", op.Path
	case *wire.SetData:
		l.op, l.znode = "setData", op.Path
	case *wire.SetACL:
		l.op, l.znode, l.acl = "setAcl", op.Path, aclText(op.ACL)
	case *wire.Reconfig:
		if l.op = "reconfig"; l.result == auditSuccess {
			l.znode = "/zookeeper/config"
		}
	default:
		return
	}
	s.auditor.write(l)
}

// users is who asked: the names of the identities.
func (s *Server) users(ids []zk.ID) string {
	var names []string
	for _, id := range s.rules.Shown(ids) {
		if id.ID != "" {
			names = append(names, id.ID)
		}
	}
	return strings.Join(names, ",")
}

func znodeType(c *wire.Create) string {
	switch {
	case c.Type == wire.OpCreateContainer:
		return "container"
	case c.Mode == zk.Persistent:
		return "persistent"
	case c.Mode == zk.Ephemeral:
		return "ephemeral"
	case c.Mode == zk.PersistentSequential:
		return "persistent_sequential"
	case c.Mode == zk.EphemeralSequential:
		return "ephemeral_sequential"
	case c.Mode == zk.Container:
		return "container"
	case c.Mode == zk.PersistentTTL:
		return "persistent_with_ttl"
	case c.Mode == zk.PersistentSequentialTTL:
		return "persistent_sequential_with_ttl"
	}
	return ""
}

// aclText is an ACL in Apache's words: scheme:id:perms, one entry right behind the other.
func aclText(acl []zk.ACL) string {
	var b strings.Builder
	for _, e := range acl {
		b.WriteString(e.ID.Scheme + ":" + e.ID.ID + ":")
		for _, p := range []struct {
			bit  zk.Perm
			text byte
		}{{zk.PermCreate, 'c'}, {zk.PermDelete, 'd'}, {zk.PermRead, 'r'}, {zk.PermWrite, 'w'}, {zk.PermAdmin, 'a'}} {
			if e.Perms&p.bit != 0 {
				b.WriteByte(p.text)
			}
		}
	}
	return b.String()
}
