package server

import (
	"time"

	"github.com/zooid-io/zooid/internal/admin"
	"github.com/zooid-io/zooid/internal/txn"
)

// turn is who is at the log of a standalone server: only he calls Store.Commit, and applies what is on disk or has it applied. It
// changes under the server's lock.
type turn int

// Turns.
const (
	nobodys turn = iota
	committers
	connections
)

// claim takes the log's turn for a connection's goroutine, under the lock, if the write that it has just handed over is the only one on
// its way. That goroutine then does everything: nobody is woken, to sync or to answer. The reads behind the write would have had to wait
// for it (SessionFIFO), and what others write meanwhile is the commit goroutine's, in one fsync, as soon as this one is through.
func (s *Server) claim() *txn.Txn {
	if s.turn != nobodys || len(s.eff.Log) != 1 || s.opt.FlushDelay > 0 || !s.synced.idle() {
		return nil
	}
	s.turn = connections
	s.lone.txns = s.eff.TakeLog(s.lone.txns)
	return s.lone.txns[0]
}

// alone syncs, applies and answers the write of claim. One that cannot be written goes back, to the commit goroutine, which goes on
// trying: this one has a client to listen to.
func (s *Server) alone(x *txn.Txn) {
	b := &s.lone
	b.buf, b.entries = b.buf[:0], b.entries[:0]
	b.encode()
	start := time.Now()
	err := s.store.Commit(b.entries)
	if err == nil {
		s.metrics.Record(admin.FsyncTime, time.Since(start).Milliseconds())
		s.metrics.Record(admin.SyncBatchSize, 1)
		var few [8]*conn
		s.apply(x.Zxid-1, x.Zxid, few[:0])
		s.synced.skip(x.Zxid)
		s.roll()
	}
	if cap(b.buf) > keepAlone {
		b.buf = nil
	}
	clear(b.entries)
	s.mu.Lock()
	if err != nil {
		s.eff.Log = append([]*txn.Txn{x}, s.eff.Log...)
	}
	s.turn = nobodys
	if len(s.eff.Log) > 0 {
		s.rouseCommit()
	}
	s.mu.Unlock()
}

// keepAlone is how large a buffer is kept for the next write.
const keepAlone = 64 << 10

// rouseCommit wakes the commit goroutine, under the lock.
func (s *Server) rouseCommit() {
	select {
	case s.wakeCommit <- struct{}{}:
	default:
	}
}

// roll takes a snapshot when that is due, at the log's turn.
func (s *Server) roll() {
	if s.store.SnapshotDue() && !s.snapping.Load() {
		s.store.Roll()
		s.snapshot()
	}
}
