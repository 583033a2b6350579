package server

import (
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// many makes n znodes under a parent, in multis.
func many(c *client, parent string, n int, mode zk.Mode) {
	c.t.Helper()
	for at := 0; at < n; {
		m := &wire.Multi{}
		for ; at < n && len(m.Ops) < 2000; at++ {
			op := create(name("%s/child-%08d", parent, at), "")
			op.Mode = mode
			m.Ops = append(m.Ops, op)
		}
		c.must(m)
	}
}

// The end of a session with 200,000 ephemerals is longer than any record that readers of the log take. It ends all the same,
// and so does the next start (defects 48).
func TestManyEphemerals(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	n, limit := 200_000, wire.DefaultMaxFrame
	if Brief() {
		n, limit = n/5, limit/5
	}
	limits := func(o *Options) { o.MaxFrame, o.MaxExtra = limit, limit }
	s := start(t, mem, limits)
	c, other := connect(t, s, lasting), connect(t, s, lasting)
	c.must(create("/parent", ""))
	many(c, "/parent", n, zk.Ephemeral)
	other.must(&wire.GetChildren{Path: "/parent", Watch: true})
	c.must(&wire.CloseSession{})
	c.ended()
	if got := other.children("/parent"); len(got) > 0 {
		t.Errorf("%d ephemerals outlived their session", len(got))
	}
	if len(other.notices) != 1 {
		t.Errorf("%d notices for one watch", len(other.notices))
	}
	want := contents(s)
	s2 := start(t, again(t, s, mem), limits)
	if got := contents(s2); got != want {
		t.Errorf("restored\n%+v\nnot\n%+v", got, want)
	}
}

// A list of children may be longer than any request: upstream's limit is for what a server reads.
func TestManyChildren(t *testing.T) {
	s := start(t, vfs.NewMem())
	c := connect(t, s, lasting)
	c.must(create("/parent", ""))
	n := 100_000
	if Brief() {
		n = 70_000
	}
	many(c, "/parent", n, zk.Persistent)
	var l wire.ChildrenReply
	r := c.must(&wire.GetChildren{Path: "/parent", Watch: true})
	if r.into(t, &l); len(r.body) <= wire.DefaultMaxFrame || len(l.Children) != n {
		t.Errorf("%d children in %d bytes", len(l.Children), len(r.body))
	}
	var ops []wire.Op // as fast as they can be asked for
	for range 30 {
		ops = append(ops, &wire.GetChildren{Path: "/parent"})
	}
	c.send(ops...)
	for i := range ops {
		if r := c.recv(c.xid - int32(len(ops)-1-i)); r.Err != zk.OK {
			t.Fatal(r.Err)
		}
	}
}

// A multi as long as a frame may be is one txn, and survives.
func TestLongMulti(t *testing.T) {
	mem := vfs.NewMem()
	s := start(t, mem)
	c := connect(t, s, lasting)
	m := &wire.Multi{}
	for i := range 1000 {
		m.Ops = append(m.Ops, create(name("/m%d", i), strings.Repeat("x", 900)))
	}
	if n := len(wire.AppendRequestFrame(nil, 1, m)); n < 900_000 || n > wire.DefaultMaxFrame {
		t.Fatalf("the multi has %d bytes", n)
	}
	var res wire.MultiReply
	if c.must(m).into(t, &res); len(res.Results) != 1000 {
		t.Fatalf("%d results", len(res.Results))
	}
	// One that fails at its end changes nothing.
	m.Ops = append([]wire.Op{&wire.Delete{Path: "/m0", Version: -1}}, m.Ops...)
	if r := c.call(m); len(r.body) == 0 {
		t.Errorf("%+v", r)
	}
	want := contents(s)
	s2 := start(t, again(t, s, mem))
	if got := contents(s2); got != want {
		t.Errorf("restored\n%+v\nnot\n%+v", got, want)
	}
	if data, _ := connect(t, s2, lasting).data("/m999"); len(data) != 900 {
		t.Errorf("%d bytes", len(data))
	}
}

// A request may be shorter than the record that it would become: a record that no restart could read is refused, not written.
func TestUnstorableRequest(t *testing.T) {
	mem := vfs.NewMem()
	s := start(t, mem, func(o *Options) { o.MaxExtra = 1024 })
	c := connect(t, s, lasting)
	m := &wire.Multi{}
	for len(m.Ops) < 20_000 {
		m.Ops = append(m.Ops, sequential("/a", 0)) // each name gets ten digits
	}
	if n := len(wire.AppendRequestFrame(nil, 1, m)); n > wire.DefaultMaxFrame {
		t.Fatalf("the multi has %d bytes", n)
	}
	if r := c.call(m); r.Err == zk.OK {
		t.Error("a record was acknowledged that no restart could read")
	}
	c.must(create("/n", ""))
	s2 := start(t, again(t, s, mem), func(o *Options) { o.MaxExtra = 1024 })
	if !connect(t, s2, lasting).exists("/n") {
		t.Error("gone")
	}
}
