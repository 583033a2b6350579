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
		now := time.Now().UnixMilli()
		if !s.pause(time.Duration(tick-now%tick) * time.Millisecond) {
			return
		}
		s.mu.Lock()
		s.rep.Step(&replica.Tick{Now: time.Now().UnixMilli(), Heard: heard}, &s.eff)
		dirty = s.perform(dirty[:0])
		s.mu.Unlock()
		flushAll(dirty)
	}
}

// heard is when a connection was last heard from. One that is not read from cannot be heard, and is not to blame.
func heard(rc *replica.Conn) int64 {
	c := rc.Tag.(*conn)
	if c.held.Load() {
		return time.Now().UnixMilli()
	}
	return c.heard.Load()
}

// gcHeadroom is how much garbage may gather before a collection, whatever the size of the tree: its slabs hold no pointers,
// so a collection is cheap, and with the usual percentage a large tree would keep as much garbage as data.
const gcHeadroom = 48 << 20

// paceGC keeps the collector's percentage at that headroom.
func paceGC(ctx context.Context) {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	last := -1
	t := time.NewTicker(500 * time.Millisecond)
	defer t.Stop()
	for {
		metrics.Read(sample)
		live := sample[0].Value.Uint64()
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
