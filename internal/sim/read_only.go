package sim

import (
	"bytes"
	"slices"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// spell is a server's time in read-only mode: what it has shown since it began is what was on its disk then.
type spell struct {
	tree     *tree.Tree // what its log makes
	last     zk.Zxid
	disk     ledger
	epochs   [2]zab.Epoch
	sessions map[zk.SessionID]int32 // that it has begun, and their timeouts
}

// mode is ReadOnly, of a server: what it shows is what is on its disk, committed or not, and neither changes while the mode lasts. So
// nothing that a client does there can bear on what the server votes for, or brings to a leader (ZOOKEEPER-3526).
func (k *checks) mode(s *server) {
	if !s.rep.ReadOnly() {
		if s.spell != nil {
			k.w.plant.keep(s)
			s.spell = nil
		}
		return
	}
	t := s.rep.Tree()
	if s.spell == nil {
		p := &spell{tree: k.w.fresh(), last: t.LastZxid(), disk: s.durable, epochs: s.epochs, sessions: map[zk.SessionID]int32{}}
		for _, e := range p.disk {
			x, err := txn.Decode(e.payload)
			if err != nil {
				k.w.fail("ReadOnly", "%d has logged %v, which cannot be read: %v", s.sid, e.zxid, err)
				continue
			}
			p.tree.Replay(x)
		}
		s.spell = p
		k.w.note("%d is read-only, at %v", s.sid, p.last)
	}
	p := s.spell
	switch {
	case !fits(p.disk, p.last) || len(s.issued) != len(s.durable):
		k.w.fail("ReadOnly", "%d is read-only at %v; on its disk are txns up to %v", s.sid, p.last, p.disk.last())
	case t.LastZxid() != p.last || t.Digest() != p.tree.Digest():
		k.w.fail("ReadOnly", "%d is read-only since %v, and its tree is another, at %v", s.sid, p.last, t.LastZxid())
	case len(s.durable) != len(p.disk) || s.durable.last() != p.disk.last() || s.epochs != p.epochs:
		k.w.fail("ReadOnly", "%d is read-only, with txns up to %v and epochs %v; now they are %v and %v", s.sid, p.disk.last(), p.epochs, s.durable.last(), s.epochs)
	case s.role.Serving:
		k.w.fail("ReadOnly", "%d serves, and is read-only", s.sid)
	}
}

// welcomed is ReadOnly, of a handshake: the server says what it is, and takes in only who has asked for that. A session that began there
// is nobody else's, nor its own when it serves again.
func (k *checks) welcomed(c *client, conn *conn, r *wire.ConnectResponse) {
	if r.ReadOnly != (conn.spell != nil) || r.ReadOnly && !c.content {
		k.w.fail("ReadOnly", "client %d, content %t, is told read-only %t by %d", c.id, c.content, r.ReadOnly, conn.s.sid)
	}
	id := r.SessionID
	switch {
	case conn.spell != nil && c.session == 0:
		k.loners[id] = true
		conn.spell.sessions[id] = r.TimeOut
	case conn.spell == nil && k.loners[id] && !k.w.Local:
		k.w.fail("ReadOnly", "%d goes on with the session %v, which began on a read-only server", conn.s.sid, id)
	}
}

// loner is ReadOnly, of a txn: where there are no other local sessions, it is of no read-only server's session.
func (k *checks) loner(x *txn.Txn) {
	if k.loners[x.Session] && !k.w.Local {
		k.w.fail("ReadOnly", "%v is of the session %v, which began on a read-only server", x.Zxid, x.Session)
	}
}

// alone is ReadOnly, of an answer: writes and syncs are refused, and what is read is what the server's log has made.
func (k *checks) alone(c *client, conn *conn, a *call) {
	k.w.lonely++
	p, code := conn.spell, a.op.OpCode()
	a.alone = true
	wrong := func(why string) {
		k.w.fail("ReadOnly", "client %d: %s %d: %d as of %v, of a server that is read-only at %v: %s", c.id, code, a.xid, a.code, a.zxid, p.last, why)
	}
	if a.zxid != p.last {
		wrong("another zxid")
	}
	if code.IsWrite() && code != wire.OpCloseSession || code == wire.OpSync {
		if a.code != zk.NotReadOnly {
			wrong("not refused")
		}
		return
	}
	var path string
	switch op := a.op.(type) {
	case *wire.GetData:
		path = op.Path
	case *wire.Exists:
		path = op.Path
	case *wire.GetChildren:
		path = op.Path
	default:
		return
	}
	n := p.tree.Find(path)
	if a.code != zk.OK || n == 0 {
		if a.code != zk.NoNode || n != 0 {
			wrong("it has something else")
		}
		return
	}
	same := true
	switch op := a.op.(type) {
	case *wire.GetData:
		same = bytes.Equal(a.data, p.tree.Data(n)) && a.stat == p.tree.Stat(n)
	case *wire.Exists:
		same = a.stat == p.tree.Stat(n)
	case *wire.GetChildren:
		names := jute.NewDecoder(p.tree.AppendChildren(nil, n)).Strings()
		same = slices.Equal(slices.Sorted(slices.Values(a.names)), slices.Sorted(slices.Values(names))) && (!op.WithStat || a.stat == p.tree.Stat(n))
	}
	if !same {
		wrong("it has something else")
	}
}
