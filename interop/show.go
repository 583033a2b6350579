package interop

import (
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// What must differ from run to run is replaced by what it means: zxids by the step whose txn they are, session ids by the
// name of the connection, times by whether they are of this run.

// code is "ok" or the name of an error and its number.
func code(c zk.Code) string {
	if c == zk.OK {
		return "ok"
	}
	return fmt.Sprintf("%s (%d)", c.Error(), c)
}

// path is a path as steps write it, quoted.
func (p *player) path(s string) string {
	if rest, ok := strings.CutPrefix(s, p.root); ok && (rest == "" || rest[0] == '/' || rest[0] == '_') {
		s = "$" + rest
	}
	return strconv.Quote(s)
}

func (p *player) paths(list []string) string {
	q := make([]string, len(list))
	for i, s := range list {
		q[i] = p.path(s)
	}
	slices.Sort(q)
	return "[" + strings.Join(q, " ") + "]"
}

// data is quoted; long data is a length and a checksum.
func data(b []byte) string {
	switch {
	case b == nil:
		return "~"
	case len(b) > 200:
		return fmt.Sprintf("(%d bytes, crc %08x)", len(b), crc32.ChecksumIEEE(b))
	}
	return strconv.Quote(string(b))
}

// zxid is "t" and the number of the step that it belongs to; t0 is the creation of the case's own znode.
func (p *player) zxid(z zk.Zxid) string {
	if n, ok := p.txns[z]; ok {
		return "t" + strconv.Itoa(n)
	}
	switch {
	case z <= 0:
		return strconv.FormatInt(int64(z), 10)
	case z < p.start:
		return "old"
	}
	return fmt.Sprintf("t0+%d", z-p.start)
}

// ms is 0, or * for a time of this run, or the number.
func (p *player) ms(t int64) string {
	if t == 0 {
		return "0"
	}
	if at := time.UnixMilli(t); at.After(p.began.Add(-10*time.Second)) && at.Before(time.Now().Add(10*time.Second)) {
		return "*"
	}
	return strconv.FormatInt(t, 10)
}

func (p *player) session(id zk.SessionID) string {
	if id == 0 {
		return "0"
	}
	if name, ok := p.names[id]; ok {
		return name
	}
	return id.String()
}

func (p *player) stat(s *zk.Stat) string {
	return fmt.Sprintf("{c=%s m=%s p=%s ct=%s mt=%s v=%d cv=%d av=%d owner=%s len=%d kids=%d}",
		p.zxid(s.Czxid), p.zxid(s.Mzxid), p.zxid(s.Pzxid), p.ms(s.Ctime), p.ms(s.Mtime), s.Version, s.CVersion, s.AVersion,
		p.session(s.EphemeralOwner), s.DataLength, s.NumChildren)
}

func acl(list []zk.ACL) string {
	q := make([]string, len(list))
	for i, a := range list {
		q[i] = fmt.Sprintf("%s:%s:%d", a.ID.Scheme, a.ID.ID, a.Perms)
	}
	return "[" + strings.Join(q, " | ") + "]"
}

// replyTo is the record that a successful answer to op carries, or nil.
func replyTo(op wire.OpCode) wire.Reply {
	switch op {
	case wire.OpCreate, wire.OpSync:
		return &wire.PathReply{}
	case wire.OpCreate2, wire.OpCreateContainer, wire.OpCreateTTL:
		return &wire.Create2Reply{}
	case wire.OpExists, wire.OpSetData, wire.OpSetACL:
		return &wire.StatReply{}
	case wire.OpGetData, wire.OpReconfig:
		return &wire.DataReply{}
	case wire.OpGetACL:
		return &wire.ACLReply{}
	case wire.OpGetChildren, wire.OpGetEphemerals:
		return &wire.ChildrenReply{}
	case wire.OpGetChildren2:
		return &wire.Children2Reply{}
	case wire.OpMulti, wire.OpMultiRead:
		return &wire.MultiReply{}
	case wire.OpSasl:
		return &wire.SaslReply{}
	case wire.OpGetAllChildrenNumber, wire.OpAddWatch:
		return &wire.NumberReply{}
	case wire.OpWhoAmI:
		return &wire.WhoAmIReply{}
	}
	return nil
}

// body shows the record behind a successful header. It also encodes it again: what a real server sent must be what our
// encoders make of its meaning, byte for byte.
func (p *player) body(op wire.OpCode, d *jute.Decoder) (first string, more []string) {
	r := replyTo(op)
	if r == nil {
		if d.Left() > 0 {
			return "extra=" + hex.EncodeToString(d.Rest()), nil
		}
		return "", nil
	}
	raw := d.Rest()
	r.Decode(d)
	if d.Err() != nil {
		return fmt.Sprintf("undecodable=%x (%v)", raw, d.Err()), nil
	}
	rest := d.Rest()
	if again := r.Append(nil); string(again) != string(raw[:len(raw)-len(rest)]) {
		more = append(more, fmt.Sprintf("encodes as %x, came as %x", again, raw))
	}
	if len(rest) > 0 {
		more = append(more, fmt.Sprintf("extra=%x", rest))
	}
	switch r := r.(type) {
	case *wire.PathReply:
		if r.PathNull {
			return "~", more
		}
		return p.path(r.Path), more
	case *wire.Create2Reply:
		return p.path(r.Path) + " " + p.stat(&r.Stat), more
	case *wire.StatReply:
		return p.stat(&r.Stat), more
	case *wire.DataReply:
		return data(r.Data) + " " + p.stat(&r.Stat), more
	case *wire.ACLReply:
		list := r.ACL
		if p.sortACL {
			list = slices.Clone(list)
			slices.SortFunc(list, func(a, b zk.ACL) int { return strings.Compare(a.ID.Scheme+a.ID.ID, b.ID.Scheme+b.ID.ID) })
		}
		return acl(list) + " " + p.stat(&r.Stat), more
	case *wire.ChildrenReply:
		return p.paths(r.Children), more
	case *wire.Children2Reply:
		return p.paths(r.Children) + " " + p.stat(&r.Stat), more
	case *wire.NumberReply:
		return strconv.Itoa(int(r.N)), more
	case *wire.SaslReply:
		return data(r.Token), more
	case *wire.WhoAmIReply:
		ids := make([]string, len(r.Infos))
		for i, id := range r.Infos {
			ids[i] = fmt.Sprintf("%s:%q", id.Scheme, id.ID)
		}
		slices.Sort(ids)
		return "[" + strings.Join(ids, " ") + "]", more
	case *wire.MultiReply:
		for i := range r.Results {
			more = append(more, "- "+p.multiResult(&r.Results[i]))
		}
		return fmt.Sprintf("%d results", len(r.Results)), more
	}
	return "", more
}

func (p *player) multiResult(v *wire.MultiResult) string {
	switch v.Type {
	case wire.OpError:
		return "error " + code(v.Err)
	case wire.OpCreate:
		return "create " + p.path(v.Path)
	case wire.OpCreate2:
		return "create2 " + p.path(v.Path) + " " + p.stat(&v.Stat)
	case wire.OpSetData:
		return "setData " + p.stat(&v.Stat)
	case wire.OpGetData:
		return "getData " + data(v.Data) + " " + p.stat(&v.Stat)
	case wire.OpGetChildren:
		return "getChildren " + p.paths(v.Children)
	}
	return v.Type.String()
}

var eventNames = map[zk.EventType]string{
	zk.EventNodeCreated: "created", zk.EventNodeDeleted: "deleted", zk.EventNodeDataChanged: "changed",
	zk.EventNodeChildrenChanged: "children",
}

// notice shows a watcher event. Its zxid is shown only where the case asks for it: Apache sends none before 3.9.
func (p *player) notice(e zk.Event) string {
	name, ok := eventNames[e.Type]
	if !ok {
		name = fmt.Sprintf("type=%d", e.Type)
	}
	s := fmt.Sprintf("notice %s %s", name, p.path(e.Path))
	if e.State != zk.StateSyncConnected {
		s += fmt.Sprintf(" state=%d", e.State)
	}
	if p.showNoticeZxid {
		switch {
		case e.Zxid == -1:
			s += " zxid=-1"
		case e.Zxid > p.newest:
			s += fmt.Sprintf(" zxid=+%d", e.Zxid-p.newest)
		default:
			s += " zxid=" + p.zxid(e.Zxid)
		}
	}
	return s
}
