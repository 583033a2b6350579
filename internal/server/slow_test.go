package server

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// stored is how many bytes wait in the outbox of a client's connection.
func stored(s *Server, c *client) int {
	for _, sc := range s.conns.list() {
		if sc.addr.String() == c.nc.LocalAddr().String() {
			sc.out.mu.Lock()
			defer sc.out.mu.Unlock()
			return len(sc.out.buf) + sc.out.waiting
		}
	}
	return 0
}

// stalled waits until the output of a client's connection has met a full socket.
func stalled(t *testing.T, s *Server, c *client) {
	t.Helper()
	eventually(t, "the socket is full", func() bool { return stored(s, c) > 0 })
}

// narrow makes a client's socket take little.
func narrow(c *client) { c.nc.(*net.TCPConn).SetReadBuffer(4096) }

// A client that asks for a lot and does not read is not read from either: what waits for it stays bounded, everybody else is
// served, and when it reads at last, nothing is missing.
func TestSlowReader(t *testing.T) {
	for _, kind := range []struct {
		name string
		op   wire.Op
	}{
		{"reads", &wire.GetData{Path: "/big"}},
		{"watches", &wire.GetData{Path: "/big", Watch: true}}, // they take the exclusive door
	} {
		t.Run(kind.name, func(t *testing.T) {
			s := start(t, vfs.NewMem())
			other := connect(t, s, lasting)
			other.must(create("/big", strings.Repeat("x", 100_000)))
			slow := connect(t, s, lasting)
			n := 1000 // 100 MB of replies, more than sockets hold, to 25 KB of requests
			if Brief() {
				n = 300
			}
			var ops []wire.Op
			for range n {
				ops = append(ops, kind.op)
			}
			slow.send(ops...)
			stalled(t, s, slow)
			for range 50 {
				other.must(set("/", "served"))
				if size := stored(s, slow); size > 3*highOutbox {
					t.Fatalf("%d bytes wait for a client that does not read", size)
				}
			}
			for xid := range int32(n) {
				if r := slow.recv(xid + 1); r.Err != zk.OK || len(r.body) < 100_000 {
					t.Fatalf("reply %d: %v, %d bytes", xid+1, r.Err, len(r.body))
				}
			}
		})
	}
}

// Notices cannot be refused. A client that does not read them loses its connection before they fill the memory, though it
// keeps its session.
func TestUnreadNotices(t *testing.T) {
	t.Parallel()
	s := start(t, vfs.NewMem(), func(o *Options) { o.MaxFrame, o.MaxExtra = 8<<20, 8<<20 })
	if Brief() {
		s.SetMaxOutbox(maxOutbox / 8)
	}
	slow, writer := connect(t, s, lasting), connect(t, s, lasting)
	narrow(slow)
	size := 2 << 20
	if Brief() {
		size /= 8
	}
	path := "/" + strings.Repeat("p", size)
	writer.must(create(path, ""))
	slow.must(&wire.AddWatch{Path: "/", Mode: zk.WatchPersistentRecursive})
	for i := 0; s.conns.len() == 2; i++ {
		if i > 200 {
			t.Fatalf("200 notices of %d bytes were kept for a client that does not read", size)
		}
		writer.must(set(path, ""))
	}
	slow.nc.Close()
	if _, refused := slow.resume(s); refused {
		t.Error("its session is gone")
	}
}

// A client that never reads cannot keep its connection for ever by that: its session ends with its time, and the connection
// with it, although it holds output that nobody takes.
func TestNeverReads(t *testing.T) {
	t.Parallel()
	s := start(t, vfs.NewMem(), func(o *Options) { o.TickTime = 20 * time.Millisecond })
	other := connect(t, s, lasting)
	other.must(create("/big", strings.Repeat("x", 1_000_000)))
	slow := connect(t, s, lasting/4)
	narrow(slow)
	var ops []wire.Op
	for range 100 {
		ops = append(ops, &wire.GetData{Path: "/big"})
	}
	slow.send(ops...)
	stalled(t, s, slow)
	// Time goes on until the server has met the full outbox; the requests that lie in the socket unread then do not count.
	at := slow.nc.LocalAddr().String()
	eventually(t, "the connection ends", func() bool {
		pass(s, lasting/2)
		return !slices.ContainsFunc(s.conns.list(), func(sc *conn) bool { return sc.addr.String() == at })
	})
}

// An answer that does not fit into the socket at once is sent to its end before the connection closes.
func TestLongAnswerThenClose(t *testing.T) {
	t.Parallel()
	s := start(t, vfs.NewMem())
	c := connect(t, s, lasting)
	long := strings.Repeat("w", 900_000)
	for i := range 20 {
		c.call(&wire.Exists{Path: name("/%d%s", i, long), Watch: true})
	}
	for _, half := range []bool{false, true} {
		w := dial(t, s)
		w.write([]byte("wchp"))
		if half { // as nc does at the end of its input
			w.nc.(*net.TCPConn).CloseWrite()
		}
		stalled(t, s, w)
		w.nc.SetReadDeadline(time.Now().Add(patience))
		var b strings.Builder
		if _, err := w.r.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(b.String(), long); got != 20 {
			t.Errorf("half closed %v: %d of 20 paths in %d bytes", half, got, b.Len())
		}
	}
}
