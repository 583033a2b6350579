package replica

import (
	"encoding/binary"
	"strings"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// maxReply bounds a reply. A list of children can be longer than any client would take and than a frame can say; it is
// refused with MarshallingError then.
const maxReply = 1 << 30

// Read answers a read, appending the whole reply frame to out, or leaves out as it is and returns false: then the request must
// go through Step. That is so for writes, for whatever sets a watch, and while the connection has anything in flight.
// Several Reads may run at once. zxid is the last applied one.
func (r *Replica) Read(c *Conn, h wire.Header, op wire.Op, out []byte) (_ []byte, ok bool) {
	if c.state != connOpen || c.Pending() > 0 || !c.admitted {
		return out, false
	}
	switch op := op.(type) {
	case *wire.GetData:
		if op.Watch {
			return out, false
		}
	case *wire.Exists:
		if op.Watch {
			return out, false
		}
	case *wire.GetChildren:
		if op.Watch {
			return out, false
		}
	case *wire.Ping, *wire.GetACL, *wire.GetAllChildrenNumber, *wire.GetEphemerals, *wire.WhoAmI:
	default:
		return out, false
	}
	return r.read(c, h, op, c.ids, out), true
}

// answer answers a read within Step, watches included.
func (r *Replica) answer(c *Conn, en *entry, e *Effects) {
	bad := en.op == nil
	if sw, ok := en.op.(*wire.SetWatches); ok {
		r.setWatches(c, sw, e) // its notices leave before the reply
		bad = sw.Data == nil || sw.Exist == nil || sw.Child == nil || sw.Persistent == nil || sw.Recursive == nil
	}
	at := e.begin()
	if bad {
		e.buf = wire.AppendErrorFrame(e.buf, en.header.Xid, r.tree.LastZxid(), zk.MarshallingError)
	} else {
		e.buf = r.read(c, en.header, en.op, en.ids, e.buf)
	}
	e.end(at, Send{Conn: c, Header: en.header, Zxid: r.tree.LastZxid(), Since: en.since, Op: en.op})
}

// read appends the reply frame to one read. Only within Step may it set a watch.
func (r *Replica) read(c *Conn, h wire.Header, op wire.Op, ids []zk.ID, out []byte) []byte {
	z := r.tree.LastZxid()
	xid := h.Xid
	if h.Type == wire.OpPing {
		xid = wire.XidPing // whatever the request said (trap 11)
	}
	start := len(out)
	out, mark := wire.BeginFrame(out)
	out = wire.ReplyHeader{Xid: xid, Zxid: z}.Append(out)
	out, code := r.readBody(c, op, ids, out)
	if code == zk.OK && len(out)-start > maxReply {
		code = zk.MarshallingError
	}
	if code != zk.OK {
		return wire.AppendErrorFrame(out[:start], xid, z, code)
	}
	return wire.EndFrame(out, mark)
}

// readBody appends the record of a reply, or gives a code; what it appended is then cut off again.
func (r *Replica) readBody(c *Conn, op wire.Op, ids []zk.ID, out []byte) ([]byte, zk.Code) {
	switch op := op.(type) {
	case *wire.Ping, *wire.SetWatches:
		return out, zk.OK
	case *wire.GetData:
		n, code := r.reach(op.Path, op.PathNull, zk.PermRead, ids)
		if code != zk.OK {
			return out, code
		}
		if op.Watch {
			r.watches.AddData(op.Path, c.watcher)
		}
		return r.appendData(out, n), zk.OK
	case *wire.Exists:
		return r.exists(c, op, ids, out)
	case *wire.GetChildren:
		n, code := r.reach(op.Path, op.PathNull, zk.PermRead, ids)
		if code != zk.OK {
			return out, code
		}
		if op.Watch {
			r.watches.AddChild(op.Path, c.watcher)
		}
		out = r.tree.AppendChildren(out, n)
		if op.WithStat {
			st := r.tree.Stat(n)
			out = jute.AppendStat(out, &st)
		}
		return out, zk.OK
	case *wire.Sync:
		return jute.AppendNullString(out, op.Path, op.PathNull), zk.OK
	case *wire.GetACL:
		n, code := r.reach(op.Path, op.PathNull, zk.PermRead|zk.PermAdmin, ids)
		if code != zk.OK {
			return out, code
		}
		acl := r.tree.ACL(n)
		if !r.cfg.Rules.Allowed(acl, zk.PermAdmin, ids) {
			acl = r.cfg.Rules.Redact(acl, ids)
		}
		st := r.tree.Stat(n)
		return jute.AppendStat(jute.AppendACL(out, acl), &st), zk.OK
	case *wire.GetAllChildrenNumber:
		n, code := r.reach(op.Path, op.PathNull, zk.PermRead, ids)
		if code != zk.OK {
			return out, code
		}
		count := r.tree.Descendants(n)
		if op.Path == "" {
			count++ // upstream finds the root by this name too, and then counts it as its own descendant
		}
		return jute.AppendInt(out, int32(count)), zk.OK
	case *wire.GetEphemerals:
		return r.getEphemerals(c, op.Prefix, out), zk.OK
	case *wire.WhoAmI:
		return (&wire.WhoAmIReply{Infos: r.cfg.Rules.Shown(ids)}).Append(out), zk.OK
	case *wire.Multi:
		return r.multiRead(op, ids, out), zk.OK
	case *wire.AddWatch:
		return r.addWatch(c, op, out)
	case *wire.WatchQuery:
		return r.queryWatch(c, op, out)
	}
	return out, zk.Unimplemented
}

// reach finds a znode that the identities may use: missing comes before forbidden (section 3.4.6).
func (r *Replica) reach(path string, null bool, want zk.Perm, ids []zk.ID) (tree.Node, zk.Code) {
	if null {
		return 0, zk.MarshallingError
	}
	n := r.tree.Find(path)
	if n == 0 {
		return 0, zk.NoNode
	}
	if !r.tree.IsOpen(n) && !r.cfg.Rules.Allowed(r.tree.ACL(n), want, ids) {
		return 0, zk.NoAuth
	}
	return n, zk.OK
}

func (r *Replica) appendData(out []byte, n tree.Node) []byte {
	out = jute.AppendBuffer(out, r.tree.Data(n))
	st := r.tree.Stat(n)
	return jute.AppendStat(out, &st)
}

// exists: section 3.4.5. The watch is set even where the znode is missing, but not where it may not be read.
func (r *Replica) exists(c *Conn, op *wire.Exists, ids []zk.ID, out []byte) ([]byte, zk.Code) {
	if op.PathNull {
		return out, zk.MarshallingError
	}
	if strings.IndexByte(op.Path, 0) >= 0 {
		return out, zk.BadArguments
	}
	n, code := r.reach(op.Path, false, zk.PermRead, ids)
	if code == zk.NoAuth {
		return out, code
	}
	if op.Watch {
		r.watches.AddData(op.Path, c.watcher)
	}
	if code != zk.OK {
		return out, code
	}
	st := r.tree.Stat(n)
	return jute.AppendStat(out, &st), zk.OK
}

// getEphemerals: section 3.4.9; the prefix is of the text, not of components.
func (r *Replica) getEphemerals(c *Conn, prefix string, out []byte) []byte {
	all := strings.TrimSpace(prefix) == "" || prefix == "/"
	at, n := len(out), uint32(0)
	out = jute.AppendInt(out, 0)
	for _, path := range r.tree.Ephemerals(c.session) {
		if all || strings.HasPrefix(path, prefix) {
			out = jute.AppendString(out, path)
			n++
		}
	}
	binary.BigEndian.PutUint32(out[at:], n)
	return out
}

// multiRead: section 3.6. Each read stands for itself; watches are not set.
func (r *Replica) multiRead(m *wire.Multi, ids []zk.ID, out []byte) []byte {
	reply := wire.MultiReply{Results: make([]wire.MultiResult, 0, len(m.Ops))}
	for _, op := range m.Ops {
		res := wire.MultiResult{Type: op.OpCode()}
		switch op := op.(type) {
		case *wire.GetData:
			n, code := r.reach(op.Path, op.PathNull, zk.PermRead, ids)
			if res.Err = code; code == zk.OK {
				res.Data, res.Stat = r.tree.Data(n), r.tree.Stat(n)
			}
		case *wire.GetChildren:
			n, code := r.reach(op.Path, op.PathNull, zk.PermRead, ids)
			if res.Err = code; code == zk.OK {
				d := jute.NewDecoder(r.tree.AppendChildren(nil, n))
				res.Children = d.Strings()
			}
		}
		if res.Err != zk.OK {
			res.Type = wire.OpError
		}
		reply.Results = append(reply.Results, res)
	}
	return reply.Append(out)
}
