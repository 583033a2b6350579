package store

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/zooid-io/zooid/zk"
)

// minRetain is how many snapshots a purge must keep.
const minRetain = 3

// Purge keeps the newest retain complete snapshots, at least 3, and what is needed to restore from the oldest of them; it
// removes older snapshots and logs and returns their paths. Like Apache's PurgeTxnLog it also removes files whose names begin
// like a log's or a snapshot's and have no number. It goes on after a file that cannot be removed, and returns all such errors.
func (s *Store) Purge(retain int) ([]string, error) {
	if retain < minRetain {
		return nil, fmt.Errorf("count should be greater than or equal to %d, it is %d", minRetain, retain)
	}
	s.names.Lock()
	defer s.names.Unlock()
	// Half done, what is to stay cannot be told from what is to go.
	if half, err := s.intents(); err != nil || len(half) > 0 {
		return nil, cmp.Or(err, error(&DiskError{"purge", s.snapAt, errUnsettled}))
	}
	snapshots, _, err := s.list(s.snapAt, snapshotPrefix)
	if err != nil {
		return nil, &DiskError{"list", s.snapAt, err}
	}
	slices.Reverse(snapshots)
	oldest, kept := zk.Zxid(-1), 0
	for _, n := range snapshots {
		if ok, _ := s.complete(n); ok {
			oldest = n.zxid
			if kept++; kept == retain {
				break
			}
		}
	}
	if kept == 0 {
		return nil, nil
	}
	old, err := s.before(oldest)
	if err != nil {
		return nil, err
	}
	var removed []string
	var failed []error
	// Snapshots go first, and for good, before the logs that only they need.
	for _, list := range [][]oldFile{old.snapshots, old.logs} {
		for _, f := range list {
			if err := s.fs.Remove(f.path); err != nil {
				failed = append(failed, &DiskError{"remove", f.path, err})
				s.log.Error("Failed to remove "+f.path, "err", err)
				continue
			}
			s.log.Info("Removing file: " + f.changed.Format("Jan 2, 2006, 3:04:05 PM") + "\t" + f.path)
			removed = append(removed, f.path)
		}
		if len(list) > 0 {
			if err := s.fs.SyncDir(filepath.Dir(list[0].path)); err != nil {
				failed = append(failed, &DiskError{"sync", filepath.Dir(list[0].path), err})
			}
		}
	}
	return removed, errors.Join(failed...)
}

// superfluous is what a purge removes, oldest first.
type superfluous struct{ snapshots, logs []oldFile }

type oldFile struct {
	path    string
	zxid    zk.Zxid
	changed time.Time
}

// before lists the files that nobody needs who has the snapshot of oldest: its own kind below it, and the logs below the one
// that holds its next transaction.
func (s *Store) before(oldest zk.Zxid) (old superfluous, err error) {
	logs, err := s.fs.ReadDir(s.logAt)
	if err != nil {
		return old, &DiskError{"list", s.logAt, err}
	}
	first := zk.Zxid(-1) // the highest that begins at or before oldest
	for _, e := range logs {
		if z := looseZxid(logPrefix, e.Name()); z <= oldest {
			first = max(first, z)
		}
	}
	if first < 0 {
		first = oldest
	}
	if old.logs, err = s.below(s.logAt, logPrefix, first); err != nil {
		return old, err
	}
	old.snapshots, err = s.below(s.snapAt, snapshotPrefix, oldest)
	return old, err
}

// below lists the files of a kind whose zxid is lower than limit.
func (s *Store) below(dir, prefix string, limit zk.Zxid) ([]oldFile, error) {
	entries, err := s.fs.ReadDir(dir)
	if err != nil {
		return nil, &DiskError{"list", dir, err}
	}
	var list []oldFile
	for _, e := range entries {
		z := looseZxid(prefix, e.Name())
		if !strings.HasPrefix(e.Name(), prefix+".") || z >= limit {
			continue
		}
		if info, err := e.Info(); err == nil { // else it is gone meanwhile
			list = append(list, oldFile{filepath.Join(dir, e.Name()), z, info.ModTime()})
		}
	}
	slices.SortFunc(list, func(a, b oldFile) int { return cmp.Or(cmp.Compare(a.zxid, b.zxid), cmp.Compare(a.path, b.path)) })
	return list, nil
}
