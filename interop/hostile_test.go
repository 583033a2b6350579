package interop

import (
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

var hostileConnections = flag.Int("hostile-connections", 10000, "how many malformed connections TestHostileConnections makes")

// hostileGrowth is how much the memory of the server may grow, in bytes, under TestHostileConnections: with at most
// hostileAtOnce connections open, each may cost some buffers, but none what it merely announces.
const (
	hostileGrowth = 96 << 20
	hostileAtOnce = 200
)

// hostile is one way to misbehave. It writes to c and may read; the connection is closed afterwards.
type hostile struct {
	name string
	do   func(c *Conn, r *rand.Rand)
}

var hostiles = []hostile{
	{"random bytes", func(c *Conn, r *rand.Rand) { c.Write(randomBytes(r, 1+r.Intn(2000))) }},
	{"random first frame", func(c *Conn, r *rand.Rand) { c.Write(Frame(randomBytes(r, r.Intn(200)))) }},
	{"a length of nothing", func(c *Conn, r *rand.Rand) { c.Write(make([]byte, 4)) }},
	{"a huge length", func(c *Conn, r *rand.Rand) {
		c.Write(binary.BigEndian.AppendUint32(nil, 0x100000+uint32(r.Int31())))
		c.Write(randomBytes(r, r.Intn(100)))
	}},
	{"the largest length, and nothing behind it", func(c *Conn, r *rand.Rand) { c.Write([]byte{0, 0x0f, 0xff, 0xff}) }},
	{"half a length", func(c *Conn, r *rand.Rand) { c.Write(make([]byte, r.Intn(4))) }},
	{"half a handshake", func(c *Conn, r *rand.Rand) {
		f := Frame(NewSession(4 * time.Second).Append(nil))
		c.Write(f[:r.Intn(len(f))])
	}},
	{"a handshake with a bad password length", func(c *Conn, r *rand.Rand) {
		b := NewSession(4 * time.Second).Append(nil)
		binary.BigEndian.PutUint32(b[24:], r.Uint32()|1<<20)
		c.Write(Frame(b))
	}},
	{"an unknown session", func(c *Conn, r *rand.Rand) {
		q := NewSession(4 * time.Second)
		q.SessionID, q.Password = zk.SessionID(r.Int63()), randomBytes(r, r.Intn(40))
		c.Handshake(q)
	}},
	{"from the future", func(c *Conn, r *rand.Rand) {
		q := NewSession(4 * time.Second)
		q.LastZxidSeen = 1 << 60
		c.Handshake(q)
	}},
	{"http", func(c *Conn, r *rand.Rand) { io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") }},
	{"tls", func(c *Conn, r *rand.Rand) { c.Write(append([]byte{22, 3, 1, 0, 200, 1}, randomBytes(r, 199)...)) }},
	{"a four-letter word and more", func(c *Conn, r *rand.Rand) { io.WriteString(c, "ruok"+strings.Repeat("x", r.Intn(5000))) }},
	{"half a stmk", func(c *Conn, r *rand.Rand) { io.WriteString(c, "stmk\x00\x00") }},
	{"garbage after a handshake", session(func(c *Conn, r *rand.Rand) { c.Write(randomBytes(r, 1+r.Intn(500))) })},
	{"random frames after a handshake", session(func(c *Conn, r *rand.Rand) {
		for range 5 {
			c.Write(Frame(randomBytes(r, 8+r.Intn(60))))
		}
	})},
	{"operations with random records", session(func(c *Conn, r *rand.Rand) {
		for i := range 10 {
			b := wire.Header{Xid: int32(i), Type: wire.OpCode(r.Intn(110))}.Append(nil)
			c.Write(Frame(append(b, randomBytes(r, r.Intn(60))...)))
		}
	})},
	{"vectors without an end", session(func(c *Conn, r *rand.Rand) {
		for _, op := range []wire.OpCode{wire.OpSetWatches, wire.OpSetWatches2, wire.OpCreate, wire.OpSetACL, wire.OpMulti} {
			b := wire.Header{Xid: 1, Type: op}.Append(nil)
			if op == wire.OpCreate || op == wire.OpSetACL {
				b = jute.AppendString(b, "/x")
			} else {
				b = jute.AppendLong(b, 0)
			}
			c.Write(Frame(jute.AppendInt(b, 0x7fffffff)))
		}
	})},
	{"the largest frame, in part", session(func(c *Conn, r *rand.Rand) {
		c.Write([]byte{0, 0x0f, 0xff, 0xff})
		c.Write(make([]byte, r.Intn(3000)))
	})},
	{"a negative length after a handshake", session(func(c *Conn, r *rand.Rand) { c.Write([]byte{0xff, 0, 0, 0}) })},
	{"unread answers", session(func(c *Conn, r *rand.Rand) {
		var out []byte
		for i := range 200 {
			out = wire.AppendRequestFrame(out, int32(i), &wire.GetChildren{Path: "/", WithStat: true})
		}
		c.Write(out)
	})},
	{"no word", func(c *Conn, r *rand.Rand) {}},
}

// session makes a session first and takes it away in the end, rudely.
func session(then func(c *Conn, r *rand.Rand)) func(c *Conn, r *rand.Rand) {
	return func(c *Conn, r *rand.Rand) {
		if _, err := c.Handshake(NewSession(4 * time.Second)); err == nil {
			then(c, r)
		}
	}
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	r.Read(b)
	return b
}

// resident is the memory of a process, in bytes.
func resident(t testing.TB, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("the memory of a process cannot be read here:", err)
	}
	for _, l := range strings.Split(string(b), "\n") {
		if f := strings.Fields(l); len(f) > 1 && f[0] == "VmRSS:" {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// Thousands of connections misbehave in every way of the list. A session beside them is served throughout, the server's memory stays
// within bounds, and in the end nothing of them is left.
func TestHostileConnections(t *testing.T) {
	setup := profiles["base"]
	srv := Start(t, Zooid, setup)
	good, err := Connect(srv.Addr(), sessionTimeout)
	if err != nil {
		t.Fatal(err)
	}
	defer good.Close()
	open := zk.WorldACL(zk.PermAll)
	call(t, good, &wire.Create{Path: "/good", Data: []byte{}, ACL: open}, nil)
	call(t, good, &wire.Create{Path: "/good/e", Data: []byte{}, ACL: open, Mode: zk.Ephemeral}, nil)
	call(t, good, &wire.AddWatch{Path: "/good", Mode: zk.WatchPersistent}, nil)
	before := resident(t, srv.PID())
	peak := before

	var wg sync.WaitGroup
	work := make(chan int)
	for w := range hostileAtOnce {
		r := rand.New(rand.NewSource(int64(w)))
		wg.Go(func() { // ends when work is closed
			for n := range work {
				h := hostiles[n%len(hostiles)]
				c, err := Dial(srv.Addr())
				if err != nil {
					t.Errorf("%s: %v", h.name, err)
					continue
				}
				c.SetDeadline(time.Now().Add(patience))
				h.do(c, r)
				if n%3 == 0 { // the others go at once
					c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
					io.Copy(io.Discard, c)
				}
				c.Conn.(*net.TCPConn).SetLinger(0)
				c.Close()
			}
		})
	}
	done := make(chan struct{})
	go func() { // ends when all work is given out
		defer close(done)
		for n := range *hostileConnections {
			work <- n
		}
		close(work)
		wg.Wait()
	}()
	sets := int32(0)
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		var set wire.StatReply
		call(t, good, &wire.SetData{Path: "/good", Data: []byte("x"), Version: sets}, &set)
		if sets++; set.Stat.Version != sets {
			t.Fatalf("version %d after %d changes", set.Stat.Version, sets)
		}
		if len(good.Notices) != int(sets) {
			t.Fatalf("%d notices after %d changes", len(good.Notices), sets)
		}
		peak = max(peak, resident(t, srv.PID()))
	}
	t.Logf("%d connections beside %d writes; memory %d MB before, %d MB at most, %d MB after",
		*hostileConnections, sets, before>>20, peak>>20, resident(t, srv.PID())>>20)
	if peak-before > hostileGrowth {
		t.Errorf("memory grew by %d MB, more than %d", (peak-before)>>20, hostileGrowth>>20)
	}
	var ephemerals wire.ChildrenReply
	if call(t, good, &wire.GetEphemerals{}, &ephemerals); len(ephemerals.Children) != 1 {
		t.Errorf("ephemerals: %q", ephemerals.Children)
	}
	// What is left of them: nothing but this session, once the short sessions have ended.
	deadline := time.Now().Add(2 * patience)
	for {
		out, err := srv.FourLetters("mntr")
		if err != nil {
			t.Fatal(err)
		}
		sessions, connections := monitorValue(out, "zk_global_sessions"), monitorValue(out, "zk_num_alive_connections")
		call(t, good, &wire.Ping{}, nil)
		if n, err := strconv.Atoi(connections); err == nil && n <= 3 && sessions == "1" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s sessions and %s connections are left", sessions, connections)
		}
		time.Sleep(50 * time.Millisecond) // between polls
	}
}

// Many connections announce the largest frame and send none of it. That must not cost its size each.
func TestAnnouncedFramesCostNothing(t *testing.T) {
	srv := Start(t, Zooid, profiles["base"])
	const n = 300
	before := resident(t, srv.PID())
	for range n {
		c, err := Connect(srv.Addr(), sessionTimeout)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write([]byte{0, 0x0f, 0xff, 0xff, 1, 2, 3})
	}
	good, err := Connect(srv.Addr(), sessionTimeout)
	if err != nil {
		t.Fatal(err)
	}
	defer good.Close()
	call(t, good, &wire.Sync{Path: "/"}, nil)
	if grown := resident(t, srv.PID()) - before; grown > 100<<20 {
		t.Errorf("memory grew by %d MB for %d announced frames of 1 MB", grown>>20, n)
	}
}
