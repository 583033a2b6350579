package clientcore

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// live is a session with a server.
func live(t testing.TB) *Core {
	t.Helper()
	c := New(Config{Timeout: 9000, Handshake: 1000, MaxRequest: wire.DefaultMaxFrame})
	meet(t, c)
	return c
}

// meet opens a connection and gives the frames that are sent on it after the handshake.
func meet(t testing.TB, c *Core) (frames [][]byte) {
	t.Helper()
	c.Connected(0)
	c.Bytes(nil)
	r := wire.ConnectResponse{TimeOut: 9000, SessionID: 1}
	if err := c.Received(0, r.Append(nil)); err != nil {
		t.Fatal(err)
	}
	for b := c.Bytes(nil); len(b) > 0; {
		n := 4 + int(b[0])<<24 + int(b[1])<<16 + int(b[2])<<8 + int(b[3])
		frames = append(frames, b[:n])
		b = b[n:]
	}
	return frames
}

func reply(xid int32, zxid zk.Zxid, err zk.Code, body wire.Reply) []byte {
	b := wire.ReplyHeader{Xid: xid, Zxid: zxid, Err: err}.Append(nil)
	if body != nil {
		b = body.Append(b)
	}
	return b
}

// A client of many watches must be able to come back: no setWatches is longer than 128 KiB (ZOOKEEPER-706), and all that was watched
// is in one of them, in the list it belongs to.
func TestRearmIsCut(t *testing.T) {
	c := live(t)
	const n = 4000
	want := map[string]Kind{}
	var xid int32
	for i := range n {
		path := fmt.Sprintf("/%s/%04d", strings.Repeat("x", 100), i)
		k := &Call{Reply: &wire.StatReply{}, Watch: &Watch{}}
		var body wire.Reply = &wire.StatReply{}
		switch i % 4 {
		case 0:
			k.Op, k.Watch.Kind = &wire.Exists{Path: path}, Exist
		case 1:
			k.Op, k.Reply, k.Watch.Kind = &wire.AddWatch{Path: path}, &wire.NumberReply{}, Persistent
		case 2:
			k.Op, k.Reply, k.Watch.Kind = &wire.AddWatch{Path: path}, &wire.NumberReply{}, Recursive
		case 3:
			k.Op, k.Reply, k.Watch.Kind = &wire.GetChildren{Path: path}, &wire.ChildrenReply{}, Child
			body = &wire.ChildrenReply{Children: []string{}}
		}
		c.Submit(0, k)
		xid++
		if err := c.Received(0, reply(xid, 5, zk.OK, body)); err != nil {
			t.Fatal(err)
		}
		want[path] = k.Watch.Kind // exists of what is there is watched as data
	}
	c.Disconnected()
	frames := meet(t, c)
	got := map[string]Kind{}
	var d wire.Decoder
	for _, f := range frames {
		if len(f) > 128<<10 {
			t.Errorf("a frame of %d bytes", len(f))
		}
		h, body, err := d.Header(f[4:])
		if err != nil {
			t.Fatal(err)
		}
		op, err := d.Body(h.Type, body)
		if err != nil {
			t.Fatal(err)
		}
		s := op.(*wire.SetWatches)
		if s.RelativeZxid != 5 {
			t.Errorf("since %v", s.RelativeZxid)
		}
		for k, list := range [][]string{s.Data, s.Exist, s.Child, s.Persistent, s.Recursive} {
			for _, p := range list {
				got[p] = Kind(k)
			}
		}
		if two := len(s.Persistent)+len(s.Recursive) > 0; two != (h.Type == wire.OpSetWatches2) {
			t.Errorf("%s with persistent watches: %v", h.Type, two)
		}
	}
	if len(frames) < n*100/(128<<10) || len(got) != n {
		t.Fatalf("%d paths in %d frames", len(got), len(frames))
	}
	for p, k := range want {
		if got[p] != k {
			t.Fatalf("%s in list %d, want %d", p, got[p], k)
		}
	}
	c.Effects()
	for i := range frames {
		if e := c.Effects(); len(e.Fired) > 0 {
			t.Fatalf("a gap is told after %d of %d replies", i, len(frames))
		}
		if err := c.Received(0, reply(wire.XidSetWatches, 5, zk.OK, nil)); err != nil {
			t.Fatal(err)
		}
	}
	gaps := 0
	for _, f := range c.Effects().Fired {
		if f.Gap {
			gaps++
		}
	}
	if gaps != n/2 {
		t.Fatalf("%d gaps for %d persistent watches", gaps, n/2)
	}
}

// A path that is longer than a cut goes alone.
func TestRearmOfALongPath(t *testing.T) {
	c := live(t)
	for i, path := range []string{"/a", "/" + strings.Repeat("b", 200<<10), "/c"} {
		c.Submit(0, &Call{Op: &wire.GetData{Path: path}, Reply: &wire.DataReply{}, Watch: &Watch{}})
		if err := c.Received(0, reply(int32(i+1), 1, zk.OK, &wire.DataReply{})); err != nil {
			t.Fatal(err)
		}
	}
	c.Disconnected()
	if n := len(meet(t, c)); n != 3 {
		t.Fatalf("%d frames", n)
	}
}

// xids go from 1 to 2^31-1 and then from 1 again: the numbers below have other meanings.
func TestXidsBeginAnew(t *testing.T) {
	c := live(t)
	c.xid = math.MaxInt32 - 1
	var seen []int32
	for range 3 {
		k := &Call{Op: &wire.Sync{Path: "/"}}
		c.Submit(0, k)
		seen = append(seen, k.xid)
		if err := c.Received(0, reply(k.xid, 1, zk.OK, nil)); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(seen, []int32{math.MaxInt32, 1, 2}) {
		t.Fatal(seen)
	}
}

// The FIFO gives back what it got, in order, at any length.
func TestFifo(t *testing.T) {
	var q fifo
	next, want := int32(0), int32(0)
	for round := range 50 {
		for range round * 7 % 200 {
			q.push(&Call{xid: next})
			next++
		}
		for range round * 5 % 150 {
			if q.len() == 0 {
				break
			}
			if k := q.pop(); k.xid != want {
				t.Fatalf("%d, want %d", k.xid, want)
			}
			want++
		}
	}
	for q.len() > 0 {
		if k := q.pop(); k.xid != want {
			t.Fatalf("%d, want %d", k.xid, want)
		}
		want++
	}
	if want != next || q.front() != nil {
		t.Fatalf("%d of %d", want, next)
	}
}

// Whatever a server sends, the core does not panic, and every call that was submitted is done exactly once.
func FuzzReceived(f *testing.F) {
	f.Add([]byte{}, []byte{}, []byte{})
	hello := wire.ConnectResponse{TimeOut: 9000, SessionID: 1}
	f.Add(hello.Append(nil), reply(1, 1, zk.OK, &wire.DataReply{Data: []byte("x")}), wire.AppendNoticeFrame(nil, 3, zk.EventNodeDeleted, "/a")[4:])
	f.Add(hello.Append(nil), reply(-4, 1, zk.AuthFailed, nil), reply(2, 1, zk.OK, &wire.Children2Reply{Children: []string{"c"}}))
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		s := New(Config{Timeout: 9000, Handshake: 1000, MaxRequest: 1000, Auth: []Credential{{"digest", nil}}})
		calls := []*Call{
			{Op: &wire.GetData{Path: "/a"}, Reply: &wire.DataReply{}, Watch: &Watch{}},
			{Op: &wire.GetChildren{Path: "/b", WithStat: true}, Reply: &wire.Children2Reply{}, Watch: &Watch{Kind: Child}},
			{Op: &wire.Auth{Scheme: "digest"}},
			{Op: &wire.WatchQuery{Remove: true, Path: "/a", Type: zk.WatcherAny}},
		}
		done := map[*Call]int{}
		step := func() {
			for _, k := range s.Effects().Done {
				done[k]++
			}
		}
		for _, k := range calls {
			s.Submit(0, k)
		}
		s.Connected(0)
		for _, frame := range [][]byte{a, b, c} {
			err := s.Received(0, frame)
			step()
			if err != nil {
				s.Disconnected()
				step()
				break
			}
		}
		s.Detach()
		step()
		for i, k := range calls {
			if done[k] != 1 {
				t.Errorf("call %d was done %d times", i, done[k])
			}
		}
	})
}
