package server

import (
	"math"
	"sync"
	"time"

	"github.com/zooid-io/zooid/internal/admin"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// applyChunk is how many txns are applied in one hold of the exclusive lock, so that readers are not kept out for long.
const applyChunk = 512

// syncedMark hands the last zxid on disk from the commit goroutine to the apply goroutine.
type syncedMark struct {
	mu      sync.Mutex
	cond    sync.Cond
	zxid    zk.Zxid
	applied zk.Zxid // the apply goroutine has nothing to do when this is zxid
	done    bool
}

func (m *syncedMark) init() { m.cond.L = &m.mu }

func (m *syncedMark) set(z zk.Zxid) {
	m.mu.Lock()
	m.zxid = z
	m.mu.Unlock()
	m.cond.Signal()
}

func (m *syncedMark) wake() {
	m.mu.Lock()
	m.done = true
	m.mu.Unlock()
	m.cond.Broadcast()
}

// wait says that everything up to z is applied and blocks until something behind it is on disk: from is the first zxid to
// apply, less one. ok is false when the server closes.
func (m *syncedMark) wait(z zk.Zxid) (from, upTo zk.Zxid, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.applied = max(m.applied, z)
	for m.zxid <= m.applied && !m.done {
		m.cond.Wait()
	}
	return m.applied, m.zxid, m.zxid > m.applied
}

// idle tells that the apply goroutine has nothing to do. Only the commit goroutine gives it work, so it stays idle until that
// goroutine does.
func (m *syncedMark) idle() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.applied == m.zxid
}

// skip says that everything up to z is on disk and applied.
func (m *syncedMark) skip(z zk.Zxid) {
	m.mu.Lock()
	m.zxid, m.applied = z, z
	m.mu.Unlock()
}

// commitLoop is the group commit: one fsync for all records that came while the last one ran, or for Options.MaxBatchSize of them.
func (s *Server) commitLoop() {
	defer s.wg.Done()
	var b logBatch
	var dirty []*conn
	var flushed time.Time // when the last fsync ended, with a FlushDelay
	for {
		select {
		case <-s.wakeCommit:
		case <-s.ctx.Done():
			// What was taken before the close is still written; nobody waits for the answer.
			if s.takeLog(&b); len(b.entries) > 0 {
				if err := s.store.Commit(b.entries); err != nil {
					s.log.Error("last records could not be written", "err", err, "from", b.entries[0].Zxid.String())
				}
			}
			return
		}
		if s.opt.FlushDelay > 0 {
			s.gather(flushed, s.wakeCommit, func() int {
				s.mu.RLock()
				defer s.mu.RUnlock()
				return len(s.eff.Log)
			})
		}
		s.takeLog(&b)
		if len(b.entries) == 0 {
			continue
		}
		for rest := b.entries; len(rest) > 0; {
			some := s.share(rest)
			rest = rest[len(some):]
			if !s.commit(some) {
				return
			}
			last := some[len(some)-1].Zxid
			if len(rest) == 0 && len(s.wakeCommit) == 0 && s.synced.idle() {
				// Nothing to write meanwhile: a turn of the apply goroutine would only be a detour.
				dirty = s.apply(some[0].Zxid-1, last, dirty)
				s.synced.skip(last)
			} else {
				s.synced.set(last)
			}
			s.roll()
		}
		s.mu.Lock()
		s.turn = nobodys
		s.mu.Unlock()
		if s.opt.FlushDelay > 0 {
			flushed = time.Now()
		}
	}
}

// share is what the next fsync serves of the records that wait.
func (s *Server) share(batch []store.Entry) []store.Entry {
	if n := s.opt.MaxBatchSize; n > 0 && n < len(batch) {
		return batch[:n]
	}
	return batch
}

// enoughWaits is more than there can be of what waits: gather ends.
const enoughWaits = math.MaxInt

// gather lets records come together for one fsync, until FlushDelay has passed since the last one, there are enough for a batch,
// or none has come for FlushPoll: the rule of SyncRequestProcessor upstream. waiting is how many there are, and wake says that one more has come.
func (s *Server) gather(flushed time.Time, wake <-chan struct{}, waiting func() int) {
	poll := s.opt.FlushPoll
	if poll < 0 {
		poll = s.opt.FlushDelay / 3
	}
	for {
		n := waiting()
		wait := min(poll, s.opt.FlushDelay-time.Since(flushed))
		if wait <= 0 || n == enoughWaits || s.opt.MaxBatchSize > 0 && n >= s.opt.MaxBatchSize {
			return
		}
		t := time.NewTimer(wait)
		select {
		case <-wake:
			t.Stop()
		case <-t.C:
			return
		case <-s.ctx.Done():
			t.Stop()
			return
		}
	}
}

// logBatch is what one fsync serves. Its memory is used again for the next.
type logBatch struct {
	txns    []*txn.Txn
	entries []store.Entry
	buf     []byte
}

// takeLog fills a batch with the records that wait, unless a connection is at the log. They are encoded here, outside the lock.
func (s *Server) takeLog(b *logBatch) {
	clear(b.entries)
	b.entries = b.entries[:0]
	if cap(b.buf) > 4<<20 {
		b.buf = nil
	}
	b.buf = b.buf[:0]
	s.mu.Lock()
	if s.turn == connections || len(s.eff.Log) == 0 {
		s.mu.Unlock()
		return
	}
	s.turn = committers
	b.txns = s.eff.TakeLog(b.txns)
	s.mu.Unlock()
	b.encode()
}

// encode makes the entries of the txns.
func (b *logBatch) encode() {
	for _, x := range b.txns {
		at := len(b.buf)
		b.buf = x.Append(b.buf) // when it grows, the entries before keep the old array
		b.entries = append(b.entries, store.Entry{Zxid: x.Zxid, Payload: b.buf[at:len(b.buf):len(b.buf)]})
	}
}

// commit tries until the batch is on disk. A failing disk acknowledges nothing and loses nothing: the records stay here, reads
// go on, and writers wait (known defects 19, 33, 67). False when the server closes first.
func (s *Server) commit(batch []store.Entry) bool {
	wait := 10 * time.Millisecond
	for try := 0; ; try++ {
		start := time.Now()
		err := s.store.Commit(batch)
		s.metrics.Record(admin.FsyncTime, time.Since(start).Milliseconds())
		s.metrics.Record(admin.SyncBatchSize, int64(len(batch)))
		if err == nil {
			if s.diskFailed.Swap(false) {
				s.log.Warn("the log can be written again; writes go on", "from", batch[0].Zxid.String())
			}
			return true
		}
		if !s.diskFailed.Swap(true) {
			s.log.Error("the log cannot be written; writes wait, reads go on", "err", err, "from", batch[0].Zxid.String())
		}
		if !s.pause(wait) {
			return false
		}
		wait = min(2*wait, time.Second)
	}
}

// pause waits; false when the server closes.
func (s *Server) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// applyLoop applies what is on disk, while the commit goroutine already writes the next batch.
func (s *Server) applyLoop() {
	defer s.wg.Done()
	var dirty []*conn
	var done zk.Zxid
	for {
		from, upTo, ok := s.synced.wait(done)
		if !ok {
			return
		}
		dirty = s.apply(from, upTo, dirty)
		done = upTo
	}
}

// apply applies what is on disk, from behind done to upTo, and sends what comes of it. dirty is scratch.
func (s *Server) apply(done, upTo zk.Zxid, dirty []*conn) []*conn {
	for done < upTo {
		s.mu.Lock()
		s.rep.Step(&replica.Synced{Zxid: min(done+applyChunk, upTo), Clock: s.clock()}, &s.eff)
		done = s.rep.Tree().LastZxid()
		dirty = s.perform(dirty[:0])
		s.mu.Unlock()
		s.flush(dirty)
	}
	return dirty
}
