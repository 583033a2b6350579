package admin

import (
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// maxKeys bounds the keys of a set: namespaces are names that clients choose. What comes after is not recorded.
const maxKeys = 4096

// Metrics are the numbers that a server keeps of itself. Any goroutine may write to them and read them; a write is a few
// atomic additions, plus a lookup where there is a key. Make one with NewMetrics.
type Metrics struct {
	counters  [numCounters]count
	timings   [numTimings]timing
	counted   [numCounterSets]keyed[count]
	timed     [numTimingSets]keyed[timing]
	received  count
	sent      count
	last      atomic.Int64 // bytes of the last reply, -1 before one
	responses recorder     // bytes of replies
}

// NewMetrics gives Metrics of which nothing has happened yet.
func NewMetrics() *Metrics {
	m := &Metrics{}
	m.Reset()
	return m
}

// count has a cache line to itself.
type count struct {
	atomic.Int64
	_ [56]byte
}

// timing is a summary. An advanced one has a histogram, made by its first value, that counts in the recorder's stead: a value
// costs two additions.
type timing struct {
	recorder
	histogram atomic.Pointer[histogram]
	_         [56]byte
}

func newCount() *count { return new(count) }

func newTiming() *timing {
	t := new(timing)
	t.reset()
	return t
}

func (t *timing) record(kind Kind, v, n int64) {
	if kind != KindAdvanced {
		t.addN(v, n)
		return
	}
	t.note(v, n)
	h := t.histogram.Load()
	if h == nil {
		h = &histogram{}
		if !t.histogram.CompareAndSwap(nil, h) {
			h = t.histogram.Load()
		}
	}
	h.add(v, n)
}

func (t *timing) summary() Summary {
	s := t.recorder.summary()
	if h := t.histogram.Load(); h != nil {
		s.Count = h.count()
	}
	return s
}

func (t *timing) reset() {
	t.recorder.reset()
	if h := t.histogram.Load(); h != nil {
		h.reset()
	}
}

// keyed holds one T for each key.
type keyed[T any] struct {
	mu sync.RWMutex
	of map[string]*T
}

// at gives the T of a key, made if there is room, else nil.
func (k *keyed[T]) at(key string, fresh func() *T) *T {
	k.mu.RLock()
	t, full := k.of[key], len(k.of) >= maxKeys
	k.mu.RUnlock()
	if t != nil || full {
		return t
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of == nil {
		k.of = map[string]*T{}
	}
	if t = k.of[key]; t == nil && len(k.of) < maxKeys {
		t = fresh()
		k.of[key] = t
	}
	return t
}

// sorted gives all, by key.
func (k *keyed[T]) sorted() iter.Seq2[string, *T] {
	return func(yield func(string, *T) bool) {
		k.mu.RLock()
		of := maps.Clone(k.of)
		k.mu.RUnlock()
		for _, key := range slices.Sorted(maps.Keys(of)) {
			if !yield(key, of[key]) {
				return
			}
		}
	}
}

// Add adds n to a counter.
func (m *Metrics) Add(c Counter, n int64) { m.counters[c].Add(n) }

// AddKey adds n to the counter of a key.
func (m *Metrics) AddKey(c CounterSet, key string, n int64) {
	if t := m.counted[c].at(key, newCount); t != nil {
		t.Add(n)
	}
}

// Record adds a value to a summary. Durations are in ms.
func (m *Metrics) Record(t Timing, v int64) { m.timings[t].record(timings[t].kind, v, 1) }

// RecordKey adds a value to the summary of a key.
func (m *Metrics) RecordKey(t TimingSet, key string, v int64) {
	if s := m.timed[t].at(key, newTiming); s != nil {
		s.record(timingSets[t].kind, v, 1)
	}
}

// MergeKey adds a whole summary to the summary of a key of a BASIC set.
func (m *Metrics) MergeKey(t TimingSet, key string, s Summary) {
	if r := m.timed[t].at(key, newTiming); r != nil && s.Count > 0 {
		r.sum.Add(s.Sum)
		r.count.Add(s.Count)
		lower(&r.min, s.Min)
		raise(&r.max, s.Max)
	}
}

// Requests records the latency, in ms, of n requests that were answered, in UpdateLatency or ReadLatency, which together are
// srvr's latency. A write is what became a txn, refused or not. A negative latency is not recorded.
func (m *Metrics) Requests(write bool, latency, n int64) {
	t := ReadLatency
	if write {
		t = UpdateLatency
	}
	if latency < 0 || n <= 0 {
		return
	}
	m.timings[t].record(timings[t].kind, latency, n)
}

// PacketsReceived counts n packets from a client and their bytes.
func (m *Metrics) PacketsReceived(n, bytes int64) {
	m.received.Add(n)
	m.counters[BytesReceived].Add(bytes)
}

// PacketsSent counts n packets to clients.
func (m *Metrics) PacketsSent(n int64) { m.sent.Add(n) }

// ResponseSize records the length of a reply without its length word.
func (m *Metrics) ResponseSize(bytes int) {
	m.last.Store(int64(bytes))
	m.responses.add(int64(bytes))
}

// Traffic is what srvr tells.
func (m *Metrics) Traffic() Traffic {
	t := Traffic{
		Latency:  merge(m.timings[UpdateLatency].summary(), m.timings[ReadLatency].summary()),
		Received: m.received.Load(), Sent: m.sent.Load(), Responses: Sizes{-1, -1, -1},
	}
	if r := m.responses.summary(); r.Count > 0 {
		t.Responses = Sizes{m.last.Load(), r.Min, r.Max}
	}
	return t
}

// Reset is srst: all that was counted and recorded is forgotten; the keys of the sets stay.
func (m *Metrics) Reset() {
	for i := range m.counters {
		m.counters[i].Store(0)
	}
	for i := range m.timings {
		m.timings[i].reset()
	}
	for i := range m.counted {
		for _, c := range m.counted[i].sorted() {
			c.Store(0)
		}
	}
	for i := range m.timed {
		for _, t := range m.timed[i].sorted() {
			t.reset()
		}
	}
	m.received.Store(0)
	m.sent.Store(0)
	m.last.Store(-1)
	m.responses.reset()
}

// Metric is one metric as it is now.
type Metric struct {
	Kind       Kind
	Name, Help string // Name as at Apache, without zk_
	Key        string // of a set, else empty

	Value     int64     // of a gauge or a counter
	Real      bool      // the gauge is a double to Apache: its value is in Double, and printed with a point
	Double    float64   // of such a gauge
	Summary   Summary   // of a summary
	Quantiles Quantiles // of an advanced one
}

// All gives every counter and summary, those in sets too, in the order of mntr: by kind, then by name and key.
func (m *Metrics) All() iter.Seq[Metric] {
	return func(yield func(Metric) bool) {
		for i, n := range counters {
			if !yield(Metric{Kind: KindCounter, Name: n.name, Help: n.help, Value: m.counters[i].Load()}) {
				return
			}
		}
		for i, n := range counterSets {
			for key, c := range m.counted[i].sorted() {
				if !yield(Metric{Kind: KindCounter, Name: n.name, Help: n.help, Key: key, Value: c.Load()}) {
					return
				}
			}
		}
		for _, kind := range []Kind{KindBasic, KindAdvanced} {
			for i, n := range timings {
				if n.kind == kind && !yield(n.metric("", &m.timings[i])) {
					return
				}
			}
		}
		for _, kind := range []Kind{KindBasic, KindAdvanced} {
			for i, n := range timingSets {
				for key, t := range m.timed[i].sorted() {
					if n.kind == kind && !yield(n.metric(key, t)) {
						return
					}
				}
			}
		}
	}
}

func (n *summaryName) metric(key string, t *timing) Metric {
	x := Metric{Kind: n.kind, Name: n.name.name, Help: n.help, Key: key, Summary: t.summary()}
	if h := t.histogram.Load(); h != nil {
		x.Quantiles = h.quantiles(x.Summary)
	}
	return x
}
