package replica_test

import (
	"testing"

	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/wire"
)

// A sync that waits for another session's write is answered between that and the write behind it, although one fsync has
// brought both to disk. (Found by the crash tests of package server: the second write met the sync at the FIFO's head.)
func TestSyncBetweenWrites(t *testing.T) {
	w := newWorld(t)
	a, b := w.connect("a"), w.connect("b")
	w.send(a, 1, create("/a"))
	w.send(b, 1, &wire.Sync{Path: "/"})
	w.send(b, 2, create("/b"))
	w.send(b, 3, &wire.Sync{Path: "/"})
	w.send(b, 4, &wire.Exists{Path: "/b"})
	w.send(a, 2, create("/c"))
	w.send(b, 5, &wire.Sync{Path: "/"})
	w.sync()
	w.want("b", "reply 1 z=3", "reply 2 z=4", "reply 3 z=4", "reply 4 z=4", "reply 5 z=5")
	w.want("a", "reply 1 z=3", "reply 2 z=5")

	// One whose connection goes while it waits is forgotten.
	w.send(a, 3, create("/d"))
	w.send(b, 6, &wire.Sync{Path: "/"})
	w.step(&replica.Disconnect{Conn: b})
	w.sync()
	w.want("b")
	w.want("a", "reply 3 z=6")
	if n := w.r.InFlight(); n != 0 {
		t.Errorf("%d requests in flight", n)
	}
}

// A session's time counts from when its client was last heard from, also where the connection is gone before a tick has asked for that.
func TestTimeCountsFromTheLastWord(t *testing.T) {
	w := newWorld(t)
	a := w.connect("a")
	id, born := a.Session(), w.now
	for ; w.now < born+9000; w.now += 1000 {
		w.step(&replica.Tick{Now: w.now, Clock: w.now, Heard: func(*replica.Conn) int64 { return w.now }})
	}
	w.step(&replica.Disconnect{Conn: a, Heard: w.now})
	parted := w.now
	for ; w.r.Sessions().Known(id); w.now += 1000 {
		if w.now > parted+20000 {
			t.Fatal("it does not end")
		}
		w.step(&replica.Tick{Now: w.now, Clock: w.now})
		w.sync()
	}
	if got := w.now - parted; got <= 10000 {
		t.Errorf("it ended %d ms after the last word; its timeout is 10000", got)
	}
}
