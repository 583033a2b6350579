package bench

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/zooid-io/zooid/zk"
)

// Latencies are counted in ns, from 1 to a minute; what takes longer counts as a minute.
const (
	leastLatency = 1
	mostLatency  = int64(time.Minute)
)

// newHistogram keeps three digits: the figures come from it.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(leastLatency, mostLatency, 3) }

// windowSize is how finely a run is cut in time.
const windowSize = 250 * time.Millisecond

// phase says what becomes of what is measured now.
type phase = int32

// The phases of a round, in order.
const (
	ramping   phase = iota // run, but do not record
	measuring              // record
	stopping               // answer what is in flight, then end
)

// meter is what the workers of one round measure together.
type meter struct {
	phase atomic.Int32
	base  time.Time    // the round's zero
	from  atomic.Int64 // when measuring began, ns since base

	mu      sync.Mutex
	total   *hdrhistogram.Histogram
	windows []window
	codes   map[zk.Code]int64 // replies with an error, by code
}

// window is a piece of a round.
type window struct {
	ops  int64
	hist *hdrhistogram.Histogram // two digits; nil if nothing was recorded
}

func newMeter() *meter {
	return &meter{base: time.Now(), total: newHistogram(), codes: map[zk.Code]int64{}}
}

// now is ns since the round's zero.
func (m *meter) now() int64 { return int64(time.Since(m.base)) }

// begin starts measuring.
func (m *meter) begin() {
	m.from.Store(m.now())
	m.phase.Store(measuring)
}

// windowAt is the window that an instant falls into.
func (m *meter) windowAt(now int64) int {
	return int(max(0, now-m.from.Load()) / int64(windowSize))
}

// gauge is one worker's share of a meter. Only its worker writes to it; ops may be read by anybody.
type gauge struct {
	m     *meter
	ops   atomic.Int64 // all replies, in every phase
	_     [56]byte     // ops of two workers on one cache line would make them wait for each other
	total *hdrhistogram.Histogram
	part  *hdrhistogram.Histogram // the window at
	at    int
	n     int64 // operations in the window
	codes map[zk.Code]int64
}

func newGauge(m *meter) *gauge {
	return &gauge{m: m, total: newHistogram(), part: hdrhistogram.New(leastLatency, mostLatency, 2), codes: map[zk.Code]int64{}}
}

// record counts n replies that took latency ns and came at now.
func (g *gauge) record(now, latency, n int64) {
	if at := g.m.windowAt(now); at != g.at {
		g.flush()
		g.at = at
	}
	latency = max(leastLatency, min(latency, mostLatency))
	g.total.RecordValues(latency, n)
	g.part.RecordValues(latency, n)
	g.n += n
}

// flush hands the window over.
func (g *gauge) flush() {
	if g.n == 0 {
		return
	}
	g.m.mu.Lock()
	for len(g.m.windows) <= g.at {
		g.m.windows = append(g.m.windows, window{})
	}
	w := &g.m.windows[g.at]
	w.ops += g.n
	if w.hist == nil {
		w.hist, g.part = g.part, hdrhistogram.New(leastLatency, mostLatency, 2)
	} else {
		w.hist.Merge(g.part)
		g.part.Reset()
	}
	g.m.mu.Unlock()
	g.n = 0
}

// done hands everything over; the worker has ended.
func (g *gauge) done() {
	g.flush()
	g.m.mu.Lock()
	defer g.m.mu.Unlock()
	g.m.total.Merge(g.total)
	for c, n := range g.codes {
		g.m.codes[c] += n
	}
}

// whole are the windows of a run that took so long, those too in which nothing was answered, without the last that the end cut short.
func (m *meter) whole(took time.Duration) []window {
	ws := make([]window, took/windowSize)
	copy(ws, m.windows)
	return ws
}

// recent is the 99th percentile, in ns, of the last whole window before now, for the progress line.
func (m *meter) recent() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.windows) - 2; i >= 0 && i >= len(m.windows)-4; i-- {
		if h := m.windows[i].hist; h != nil {
			return h.ValueAtPercentile(99)
		}
	}
	return 0
}
