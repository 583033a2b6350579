package server_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/server"
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/interop"
	"github.com/zooid-io/zooid/zk"
)

// Tests of docs/defects.md that need sockets and a disk that is not well. They look at the server from the outside.

// lasting is the timeout of a session whose end is not what a test is about: however slow the machine, it does not expire.
const lasting = time.Hour

// long bounds every wait for what must come. It is never the measure of a test.
const long = 2 * time.Minute

func options(change func(*server.Options)) server.Options {
	o := server.Default()
	o.ClientAddr, o.DataDir = "127.0.0.1:0", "data"
	o.MaxClientCnxns = 0
	o.PreAllocSize = 64 << 10
	o.MaxSessionTimeout = lasting
	o.FourLetterWords = []string{"*"}
	o.Logger = slog.New(slog.DiscardHandler)
	if change != nil {
		change(&o)
	}
	return o
}

func serve(t *testing.T, disk vfs.FS, change func(*server.Options)) *server.Server {
	t.Helper()
	s, err := server.Start(options(change), disk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func join(t *testing.T, s *server.Server) *interop.Conn {
	t.Helper()
	c, err := interop.Connect(s.Addr().String(), lasting)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// ask makes a call that must succeed.
func ask(t *testing.T, c *interop.Conn, op wire.Op, body wire.Reply) wire.ReplyHeader {
	t.Helper()
	h, err := c.Call(op, body)
	if err != nil || h.Err != zk.OK {
		t.Fatalf("%v: %v, %v", op.OpCode(), h.Err, err)
	}
	return h
}

func put(path string) *wire.Create { return &wire.Create{Path: path, ACL: zk.WorldACL(zk.PermAll)} }

func set(path, data string) *wire.SetData {
	return &wire.SetData{Path: path, Data: []byte(data), Version: -1}
}

// until waits for a condition.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(long); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func files(t *testing.T, disk vfs.FS, prefix string) (names []string) {
	t.Helper()
	entries, err := disk.ReadDir("data/version-2")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			names = append(names, e.Name())
		}
	}
	return names
}

// stuck is a disk on which writes to snapshots wait while it is stuck.
type stuck struct {
	vfs.FS
	mu      sync.Mutex
	free    chan struct{} // nil: not stuck
	waiting int
}

func (d *stuck) Create(name string) (vfs.File, error) {
	f, err := d.FS.Create(name)
	if err != nil || !strings.Contains(name, "snapshot") {
		return f, err
	}
	return &stuckFile{f, d}, nil
}

type stuckFile struct {
	vfs.File
	d *stuck
}

func (f *stuckFile) Write(b []byte) (int, error) {
	f.d.mu.Lock()
	free := f.d.free
	if free != nil {
		f.d.waiting++
	}
	f.d.mu.Unlock()
	if free != nil {
		<-free
	}
	return f.File.Write(b)
}

// ZOOKEEPER-2201, 3531, 4858: a disk that does not take a snapshot holds up nothing else: writes, reads, new sessions and status go on,
// and what the snapshot shows in the end is still its moment.
func TestStuckSnapshot(t *testing.T) {
	disk := &stuck{FS: vfs.NewMem()}
	s := serve(t, disk, func(o *server.Options) { o.SnapCount = 40 })
	disk.mu.Lock()
	disk.free = make(chan struct{})
	disk.mu.Unlock()
	free := sync.OnceFunc(func() { close(disk.free) })
	defer free()
	c := join(t, s)
	n := 0
	write := func() {
		n++
		ask(t, c, put(fmt.Sprintf("/n%d", n)), nil)
		ask(t, c, set("/n1", fmt.Sprint(n)), nil)
	}
	until(t, "a snapshot is being written", func() bool {
		write()
		disk.mu.Lock()
		defer disk.mu.Unlock()
		return disk.waiting > 0
	})
	for range 300 { // many times what a snapshot is due after
		write()
	}
	other := join(t, s)
	var d wire.DataReply
	if ask(t, other, &wire.GetData{Path: "/n1"}, &d); string(d.Data) != fmt.Sprint(n) {
		t.Errorf("%s instead of %d", d.Data, n)
	}
	if out := word(t, s, "srvr"); !strings.Contains(out, "Mode: standalone") {
		t.Errorf("srvr: %s", out)
	}
	if got := files(t, disk, "snapshot"); len(got) != 1 {
		t.Fatalf("the snapshot was not stuck: %v", got)
	}
	free()
	until(t, "the snapshot is there", func() bool { return len(files(t, disk, "snapshot")) > 1 })
	s.Close()
	s = serve(t, disk, nil)
	if ask(t, join(t, s), &wire.GetData{Path: "/n1"}, &d); string(d.Data) != fmt.Sprint(n) {
		t.Errorf("after a restart %s instead of %d", d.Data, n)
	}
}

// word asks a four-letter word.
func word(t *testing.T, s *server.Server, w string) string {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(long))
	io.WriteString(c, w)
	out, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// ZOOKEEPER-3644, 3056, 3781: a folder with logs and no snapshot, as 3.4 could leave it, is refused, and with snapshot.trust.empty it is
// read, all of it, and gets a snapshot at once: the next start needs no trust, loses nothing, and neither does one after a power
// cut in between.
func TestUpgradeWithoutSnapshot(t *testing.T) {
	disk := vfs.NewMem()
	s := serve(t, disk, nil)
	c := join(t, s)
	for i := range 20 {
		ask(t, c, put(fmt.Sprintf("/n%d", i)), nil)
	}
	s.Close()
	for _, name := range files(t, disk, "snapshot") {
		if err := disk.Remove(filepath.Join("data/version-2", name)); err != nil {
			t.Fatal(err)
		}
	}
	trust := func(o *server.Options) { o.TrustEmptySnapshot = true }
	refused := func(when string) {
		t.Helper()
		after := disk.Crash(rand.New(rand.NewPCG(3644, 0))) // what a power cut now would leave
		if s, err := server.Start(options(nil), after); !errors.Is(err, store.ErrNoSnapshot) {
			if err == nil {
				s.Close()
			}
			t.Fatalf("%s: %v", when, err)
		}
	}
	refused("without trust")

	// The first start with trust cannot write its snapshot: all is as before.
	faulty := vfs.NewFaulty(disk)
	faulty.Add(vfs.Fault{Op: vfs.OpCreate, Name: "snapshot."})
	s = serve(t, faulty, trust)
	ask(t, join(t, s), put("/late"), nil)
	s.Close()
	refused("no snapshot could be written")

	s = serve(t, disk, trust)
	until(t, "a snapshot is there", func() bool { return len(files(t, disk, "snapshot")) == 1 })
	ask(t, join(t, s), put("/later"), nil)
	s.Close()
	s = serve(t, disk, nil)
	c = join(t, s)
	for i := range 20 {
		ask(t, c, &wire.Exists{Path: fmt.Sprintf("/n%d", i)}, nil)
	}
	ask(t, c, &wire.Exists{Path: "/late"}, nil)
	ask(t, c, &wire.Exists{Path: "/later"}, nil)
}

// ZOOKEEPER-706: a client with more watches than one request can name sets them again in several, as clients do since, and each of them
// is there: what was missed is told at once, the others fire once. A request up to the limit is taken.
func TestVeryManyWatches(t *testing.T) {
	s := serve(t, vfs.NewMem(), nil)
	c, writer := join(t, s), join(t, s)
	const n = 8000
	tail := strings.Repeat("w", 400)
	path := func(i int) string { return fmt.Sprintf("/%d-%s", i, tail) } // 3.2 MB of names in all
	var ask4 []byte
	for i := range n {
		ask4 = wire.AppendRequestFrame(ask4, int32(i+1), &wire.Exists{Path: path(i), Watch: true})
	}
	go c.Write(ask4) // its answers are read below
	var seen zk.Zxid
	for i := range n {
		h, _, err := c.Reply(long)
		if err != nil || h.Xid != int32(i+1) || h.Err != zk.NoNode {
			t.Fatalf("%+v %v", h, err)
		}
		seen = h.Zxid
	}
	c.Close()
	ask(t, writer, put(path(17)), nil) // while it is away

	again, err := interop.Dial(s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if resp, err := again.Handshake(c.Resume(lasting)); err != nil || resp.SessionID != c.Session {
		t.Fatalf("%+v %v", resp, err)
	}
	frames := 0
	for part := range slices.Chunk(makeAll(n, path), 128<<10/len(path(n))) { // 128 KB is what Java's client sends at once
		send(t, again, part, seen)
		frames++
	}
	whole := makeAll(n, path)[:1024*1024/(len(path(n))+4)-3]
	send(t, again, whole, seen) // about 1 MB, just what a request may be
	var told []string
	for replies := 0; replies < frames+1; {
		h, d, err := again.Reply(long)
		switch {
		case err != nil:
			t.Fatalf("after %d replies: %v", replies, err)
		case h.Xid == wire.XidNotice:
			told = append(told, wire.DecodeNotice(d, h.Zxid).Path)
		case h.Xid != wire.XidSetWatches || h.Err != zk.OK:
			t.Fatalf("%+v", h)
		default:
			replies++
		}
	}
	if len(told) != 2 || told[0] != path(17) || told[1] != path(17) { // once for each request that named it
		t.Errorf("at the return %d notices", len(told))
	}
	if out := word(t, s, "wchs"); !strings.Contains(out, fmt.Sprintf("Total watches:%d", n-1)) {
		t.Errorf("wchs says %q", out)
	}
	for _, i := range []int{0, n / 2, n - 1} {
		ask(t, writer, put(path(i)), nil)
		ask(t, writer, set(path(i), "again"), nil)
	}
	ask(t, again, &wire.Ping{}, nil)
	var fired []string
	for _, e := range again.Notices {
		fired = append(fired, e.Path)
	}
	if !slices.Equal(fired, []string{path(0), path(n / 2), path(n - 1)}) {
		t.Errorf("%d fired", len(fired))
	}
}

func makeAll(n int, path func(int) string) (paths []string) {
	for i := range n {
		paths = append(paths, path(i))
	}
	return paths
}

func send(t *testing.T, c *interop.Conn, exist []string, seen zk.Zxid) {
	t.Helper()
	op := &wire.SetWatches{RelativeZxid: seen, Data: []string{}, Exist: exist, Child: []string{}}
	if _, err := c.Write(wire.AppendRequestFrame(nil, wire.XidSetWatches, op)); err != nil {
		t.Fatal(err)
	}
}

// etcd #17529: a watcher that is slow, or does not read at all for a while, gets every notice, in order; or, when more is kept for it
// than the server will hold, the notices up to some point and then the end of its connection. It is never skipped over.
func TestSlowWatcherMissesNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		size int // of the watched path: each notice repeats it
		n    int
		cut  bool // more than the server holds
	}{{"behind", 20_000, 1000, false}, {"too far behind", 900_000, 120, true}} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, vfs.NewMem(), nil)
			if server.Brief() && c.cut {
				s.SetMaxOutbox(8 << 20)
				c.n = 40
			}
			watcher, writer := join(t, s), join(t, s)
			path := "/" + strings.Repeat("p", c.size)
			ask(t, writer, put(path), nil)
			ask(t, watcher, &wire.AddWatch{Path: path, Mode: zk.WatchPersistent}, nil)
			var zxids []zk.Zxid
			for range c.n {
				zxids = append(zxids, ask(t, writer, set(path, ""), nil).Zxid)
			}
			// Now it reads.
			got := 0
			for ; got < c.n; got++ {
				h, d, err := watcher.Reply(long)
				if c.cut && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
					break
				}
				if err != nil {
					t.Fatalf("after %d notices: %v", got, err)
				}
				if e := wire.DecodeNotice(d, h.Zxid); h.Xid != wire.XidNotice || e.Path != path || e.Zxid >= 0 && e.Zxid != zxids[got] {
					t.Fatalf("notice %d is of %v, want %v", got, e.Zxid, zxids[got])
				}
			}
			if c.cut != (got < c.n) {
				t.Errorf("%d of %d notices came", got, c.n)
			}
			if !c.cut {
				return
			}
			// It comes back and hears that it has missed something: a connection that ended is how it knows.
			again, err := interop.Dial(s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			if resp, err := again.Handshake(watcher.Resume(lasting)); err != nil || resp.SessionID != watcher.Session {
				t.Fatalf("%+v %v", resp, err)
			}
			op := &wire.SetWatches{RelativeZxid: zxids[0], Data: []string{path}, Exist: []string{}, Child: []string{}}
			if _, err := again.Write(wire.AppendRequestFrame(nil, wire.XidSetWatches, op)); err != nil {
				t.Fatal(err)
			}
			if h, _, err := again.Reply(long); err != nil || h.Xid != wire.XidNotice {
				t.Errorf("%+v %v", h, err)
			}
		})
	}
}
