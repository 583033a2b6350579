package server

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// The same with everything: a whole server, sockets, clients that write as fast as they can, and the power goes after some
// effect on the disk. What clients were told is there, what they never sent is not, their sessions go on with their
// ephemerals. Not deterministic in time; seeds choose the faults.
func TestServerCrashes(t *testing.T) {
	seeds := uint64(20)
	if testing.Short() || Brief() {
		seeds = 5
	}
	for seed := range seeds {
		if crashServer(t, seed+1); t.Failed() {
			t.Fatalf("seed %d", seed+1)
		}
	}
}

// crashWriter makes /wN/0, /wN/1, ... and an ephemeral, and counts what it sent and what was acknowledged.
type crashWriter struct {
	*client
	sent, acked int
	ephemeral   bool
	end         error
}

func crashServer(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0xc4a54))
	mem := vfs.NewMem()
	disk := vfs.NewFaulty(mem)
	change := func(o *Options) {
		o.SnapCount, o.PreAllocSize = 300, []int64{0, 16 << 10}[seed%2]
		o.LogSizeLimit = []int64{0, 50 << 10}[seed/2%2]
	}
	s := start(t, disk, change)
	var writers []*crashWriter
	for i := range 4 {
		w := &crashWriter{client: connect(t, s, lasting)}
		w.must(create(name("/w%d", i), ""))
		writers = append(writers, w)
	}
	if rng.IntN(2) == 0 {
		disk.Add(vfs.Fault{Op: vfs.OpSync, Name: "log.", After: rng.IntN(20), Times: 1 + rng.IntN(3), Lose: true})
	}
	disk.CrashAfter(rng.IntN(300), rng)
	var wg sync.WaitGroup
	window := make([]chan struct{}, len(writers)) // at most so many in flight
	for i, w := range writers {
		window[i] = make(chan struct{}, 50)
		size := rng.IntN(300)
		wg.Go(func() { // asks
			for range window[i] {
				var op wire.Op = ephemeral(name("/e%d", i))
				if w.sent > 0 {
					op = create(name("/w%d/%d", i, w.sent-1), strings.Repeat("x", size))
				}
				w.sent++
				if _, err := w.nc.Write(wire.AppendRequestFrame(nil, int32(w.sent+1), op)); err != nil {
					return
				}
			}
		})
		for range cap(window[i]) {
			window[i] <- struct{}{}
		}
		wg.Go(func() { // listens
			defer close(window[i])
			for {
				r, err := w.next()
				if err != nil {
					w.end = err
					return
				}
				if r.Err != zk.OK || r.Xid != int32(w.acked+2) {
					t.Errorf("%+v after %d", r.ReplyHeader, w.acked)
					return
				}
				w.acked++
				window[i] <- struct{}{}
			}
		})
	}
	eventually(t, "the crash", disk.Crashed)
	after := mem.Crash(rng)
	s.Close()
	wg.Wait()

	s = start(t, after, change)
	defer s.Close()
	for i, w := range writers {
		c, refused := w.resume(s)
		if refused {
			t.Fatalf("session %d is gone", i)
		}
		have := len(c.children(name("/w%d", i)))
		if c.exists(name("/e%d", i)) {
			have++ // it was the first
		} else if w.acked > 0 {
			t.Errorf("ephemeral %d is gone", i)
		}
		if have < w.acked || have > w.sent {
			t.Errorf("writer %d: %d sent, %d acknowledged, %d there", i, w.sent, w.acked, have)
		}
		for k := range have - 1 {
			if !c.exists(name("/w%d/%d", i, k)) {
				t.Fatalf("/w%d/%d is missing among %d", i, k, have)
			}
		}
		c.must(create(name("/w%d/on", i), ""))
	}
}
