package server

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/zooid-io/zooid/internal/replica"
)

// tickLoop tells the replica the time at each boundary of a tick, where sessions expire.
func (s *Server) tickLoop() {
	defer s.wg.Done()
	tick := s.opt.TickTime.Milliseconds()
	var dirty []*conn
	for {
		now := s.clock()
		if !s.pause(time.Duration(tick-now%tick) * time.Millisecond) {
			return
		}
		s.mu.Lock()
		s.rep.Step(&replica.Tick{Now: time.Now().UnixMilli(), Clock: judged(now, s.clock(), tick), Heard: heard}, &s.eff)
		dirty = s.perform(dirty[:0])
		s.mu.Unlock()
		s.flush(dirty)
		s.conns.nudge(now)
	}
}

// judged is the time by which a tick that began to wait at began, and runs at at, ends sessions. One that is more than a whole
// tick late shows that the process was stopped or starved: clients may have come back meanwhile whose handshakes nobody has
// read. So it ends only what was due before, and the next one, after they were read, the rest.
func judged(began, at, tick int64) int64 {
	if due := began - began%tick + tick; at-due > tick {
		return began
	}
	return at
}

// heard is when a connection was last heard from. One that is not read from cannot be heard, and is not to blame; neither is
// one whose request is there and was not read yet, because this machine has so much else to do.
func heard(rc *replica.Conn) int64 {
	c := rc.Tag.(*conn)
	if c.held.Load() || c.unread() {
		return c.s.clock()
	}
	return c.heard.Load()
}

// gcHeadroom is how much garbage may gather before a collection, whatever the size of the tree: its slabs hold no pointers,
// so a collection is cheap, and with the usual percentage a large tree would keep as much garbage as data.
const gcHeadroom = 32 << 20

func readAllocs() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// paceGC keeps the collector's percentage at that headroom.
//
// When nothing happens for a while it also gives back what a burst has left: buffers, and the stacks of connections that are
// idle now, which only a collection shrinks.
func paceGC(ctx context.Context) {
	sample := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	last := -1
	var allocated uint64
	quiet, given := 0, 0
	t := time.NewTicker(500 * time.Millisecond)
	defer t.Stop()
	for {
		metrics.Read(sample)
		live, objects, free := sample[0].Value.Uint64(), sample[2].Value.Uint64(), sample[3].Value.Uint64()
		if a := sample[1].Value.Uint64(); a-allocated > 1<<20 {
			allocated, quiet, given = a, 0, 0
		} else {
			quiet++
		}
		if quiet >= 4 && given < 3 && objects+free > live+8<<20 {
			given++
			debug.FreeOSMemory()
			allocated = readAllocs()
		}
		percent := int(min(gcHeadroom*100/max(live, 1<<20), 400))
		percent = max(percent, 10)
		if last < 0 || percent*10 < last*9 || percent*10 > last*11 {
			debug.SetGCPercent(percent)
			last = percent
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}
