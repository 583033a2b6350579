package replica_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/wire"
)

// stepMost is a generous bound for what a Step may answer where one answer is of a megabyte.
const stepMost = 3 << 20

// bounded takes an event, looks how much it answers, and gives back who has answers left.
func (w *world) bounded(ev replica.Event) []*replica.Conn {
	w.t.Helper()
	w.r.Step(ev, &w.eff)
	if n := w.eff.Sent(); n > stepMost {
		w.t.Fatalf("one Step answered with %d bytes", n)
	}
	behind := append([]*replica.Conn(nil), w.eff.Behind...)
	for i := range w.eff.Sends {
		s := &w.eff.Sends[i]
		w.out[s.Conn.Tag.(string)] = append(w.out[s.Conn.Tag.(string)], describe(w.eff.Bytes(s), s))
	}
	w.eff.Reset()
	return behind
}

func large(w *world, c *replica.Conn) {
	w.send(c, 1, create("/big"))
	w.send(c, 2, &wire.SetData{Path: "/big", Data: bytes.Repeat([]byte("x"), 1_000_000), Version: -1})
	w.sync()
	w.want("a", "reply 1 z=2", "reply 2 z=3")
	w.out["a"] = nil
}

// Many large reads behind one write are answered over many Steps, in order, and nobody else waits for them.
func TestLargeReadsBehindWrite(t *testing.T) {
	w := newWorld(t)
	a := w.connect("a")
	large(w, a)
	b := w.connect("b")
	const reads = 260
	w.send(a, 3, create("/w"))
	want := []string{"reply 3 z=5"}
	for i := range int32(reads) {
		w.send(a, 4+i, &wire.GetData{Path: "/big"})
	}
	w.send(b, 1, create("/b"))
	last := w.eff.TakeLog(nil)[1].Zxid
	behind := w.bounded(&replica.Synced{Zxid: last, Clock: w.now})
	if len(behind) != 1 || behind[0] != a || !a.Behind() {
		t.Fatalf("%d connections are behind", len(behind))
	}
	w.bounded(&replica.Synced{Zxid: last, Clock: w.now})
	w.want("b", "reply 1 z=6")

	// A request that comes meanwhile stands at the end.
	r := replica.Decode(a, wire.AppendRequestFrame(nil, 4+reads, &wire.Ping{})[4:], w.now, 0)
	if n := len(w.out["a"]); len(w.bounded(&r)) != 0 || len(w.out["a"]) != n {
		t.Error("a request was taken for the room that Continue tells of")
	}
	for steps := 0; a.Behind(); steps++ {
		if again := w.bounded(&replica.Continue{Conn: a}); len(again) != 0 || steps > reads {
			t.Fatalf("step %d: %d connections are newly behind", steps, len(again))
		}
	}
	for i := range reads {
		at := 6 // the zxid that a reply shows is that of its moment
		if i < 2 {
			at = 5
		}
		want = append(want, fmt.Sprintf("reply %d z=%d", 4+i, at))
	}
	if want = append(want, "reply -2 z=6"); a.Pending() != 0 || w.r.InFlight() != 0 {
		t.Errorf("%d requests are left", a.Pending())
	}
	w.want("a", want...)
}

// The reads before a write do not see it, however many they are: then the write waits, and the Steps stay small.
func TestLargeReadsBeforeWrite(t *testing.T) {
	w := newWorld(t)
	a := w.connect("a")
	large(w, a)
	w.send(a, 3, create("/w"))
	for i := range int32(40) {
		w.send(a, 4+i, &wire.GetData{Path: "/big"})
	}
	w.send(a, 44, &wire.Sync{Path: "/"})
	w.send(a, 45, &wire.Exists{Path: "/later"})
	w.send(a, 46, create("/later"))
	w.send(a, 47, &wire.Exists{Path: "/later"})
	log := w.eff.TakeLog(nil)
	last := log[len(log)-1].Zxid
	steps := 0
	for ; w.r.Tree().LastZxid() < last; steps++ {
		if w.bounded(&replica.Synced{Zxid: last, Clock: w.now}); steps > 100 {
			t.Fatal("the second write is never applied")
		}
	}
	for ; a.Behind(); steps++ {
		w.bounded(&replica.Continue{Conn: a})
	}
	if steps < 20 {
		t.Errorf("%d Steps for 40 MB", steps)
	}
	got := strings.Join(w.out["a"][len(w.out["a"])-4:], ", ")
	if want := "reply 44 z=4, reply 45 z=4 err=-101, reply 46 z=5, reply 47 z=5"; got != want || len(w.out["a"]) != 45 {
		t.Errorf("%d replies, in the end %s, not %s", len(w.out["a"]), got, want)
	}
}

// A connection that goes while it is behind leaves nothing.
func TestGoneWhileBehind(t *testing.T) {
	w := newWorld(t)
	a := w.connect("a")
	large(w, a)
	w.send(a, 3, create("/w"))
	for i := range int32(40) {
		w.send(a, 4+i, &wire.GetData{Path: "/big"})
	}
	w.send(a, 44, create("/later"))
	log := w.eff.TakeLog(nil)
	w.bounded(&replica.Synced{Zxid: log[0].Zxid, Clock: w.now})
	w.step(&replica.Disconnect{Conn: a})
	w.out["a"] = nil
	w.bounded(&replica.Continue{Conn: a})
	w.bounded(&replica.Synced{Zxid: log[1].Zxid, Clock: w.now})
	if w.want("a"); a.Behind() || w.r.InFlight() != 0 || w.r.Proposed() != 0 {
		t.Errorf("behind %v, %d in flight, %d proposed", a.Behind(), w.r.InFlight(), w.r.Proposed())
	}
}
