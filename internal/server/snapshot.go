package server

import (
	"time"

	"github.com/zooid-io/zooid/internal/admin"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/store"
)

// snapshot writes a consistent view of the tree in the background. Writes go on: the view is read in chunks under the read
// lock, and a znode that is about to change is put into the view first (tree.View).
func (s *Server) snapshot() {
	if !s.snapping.CompareAndSwap(false, true) {
		s.log.Warn("Too busy to snap, skipping")
		return
	}
	s.mu.Lock()
	var f *replica.Frozen
	if s.rep.Settled() {
		f = s.rep.Freeze()
	}
	s.mu.Unlock()
	if f == nil {
		s.snapping.Store(false)
		return
	}
	s.snapped.Add(1)
	go func() {
		defer s.snapped.Done()
		defer s.snapping.Store(false)
		start := time.Now()
		sn := s.frozen(f)
		path, size, err := s.store.WriteSnapshot(sn)
		s.mu.Lock()
		f.View.Close()
		s.mu.Unlock()
		if err != nil {
			// The log still has everything: a snapshot that fails costs only the time of the next start.
			s.log.Error("snapshot failed", "zxid", sn.Zxid.String(), "err", err)
			return
		}
		s.log.Info("Snapshotting: "+sn.Zxid.String()+" to "+path, "bytes", size, "took", time.Since(start))
		s.metrics.Record(admin.SnapshotTime, time.Since(start).Milliseconds())
	}()
}

// frozen is a view for the store to write, which reads it in chunks under the read lock.
func (s *Server) frozen(f *replica.Frozen) store.Snapshot {
	sn := store.Snapshot{
		Zxid: f.View.Zxid(), ACLs: f.View.ACLs(), Digest: f.View.Digest(), HasDigest: s.opt.Digest,
		Next: func(b []byte, most int) ([]byte, bool) {
			s.mu.RLock()
			defer s.mu.RUnlock()
			return f.View.Next(b, most)
		},
	}
	for _, e := range f.Sessions {
		sn.Sessions = append(sn.Sessions, store.Session{ID: e.ID, Timeout: e.Timeout})
	}
	return sn
}

// purgeLoop removes snapshots and logs that are not needed any more, now and each interval.
func (s *Server) purgeLoop() {
	defer s.wg.Done()
	for {
		s.log.Info("Purge task started.")
		if gone, err := s.store.Purge(s.opt.PurgeRetain); err != nil {
			s.log.Error("purge failed", "err", err)
		} else {
			s.log.Info("Purge task completed.", "removed", len(gone))
		}
		if !s.pause(s.opt.PurgeInterval) {
			return
		}
	}
}
