package store

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/zk"
)

// ErrNoBase says that the history cannot be cut where it was asked: what is on disk does not lead there. The server can only
// begin anew, with Wipe, and be sent everything.
var ErrNoBase = errors.New("store: the history does not lead to this zxid")

// Truncate makes z the end of the history, durably: what a learner does that a leader sends TRUNC (ensemble protocol, section
// 5.5). Log records above z go, and snapshots that show any of them, whatever their name; the next Commit begins a new file
// after z. Restore then gives the tree.
//
// It needs a snapshot that can be read and shows nothing above z, and from there the log without a hole up to a record z; z may be
// the snapshot's own, and if its counter is 0, the beginning of an epoch, there is no such record and everything before it counts.
// Otherwise the error wraps ErrNoBase and nothing was changed.
//
// After a crash there is either the whole history or what Truncate leaves: see intent. After a *DiskError it is open which;
// until Truncate, Install, Wipe or Restore has succeeded, Commit and WriteSnapshot refuse to work.
//
// Truncate, Install and Wipe belong to the goroutine of Commit and Restore. A WriteSnapshot or Purge beside them does no harm: the
// snapshot is given up.
func (s *Store) Truncate(z zk.Zxid) error {
	s.names.Lock()
	defer s.names.Unlock()
	s.generation.Add(1)
	if err := s.quiet(); err != nil {
		return err
	}
	base, _, err := s.base(z)
	if err != nil {
		return err
	}
	last, err := s.leadsTo(base.zxid, z)
	if err != nil {
		return err
	}
	stat, err := s.fs.Stat(base.path())
	if err != nil {
		return &DiskError{"stat", base.path(), err}
	}
	it := truncation(z)
	if err := s.declare(it, ""); err != nil {
		return err
	}
	if err := s.settleIntents(); err != nil {
		return err
	}
	s.w.committed(last)
	s.setLastSnapshot(SnapshotFile{Path: base.path(), Zxid: base.zxid, Size: stat.Size(), Time: stat.ModTime()})
	return nil
}

// leadsTo makes sure that the log goes from base to z without a hole, and returns the last zxid at or below z: z itself, or, for
// the beginning of an epoch, the last before it.
func (s *Store) leadsTo(base, z zk.Zxid) (zk.Zxid, error) {
	files, _, err := s.list(s.logAt, logPrefix)
	if err != nil {
		return 0, &DiskError{"list", s.logAt, err}
	}
	begin := 0
	for i, n := range files {
		if n.zxid <= base+1 {
			begin = i
		}
	}
	at, above, hole := base, false, error(nil)
	for _, n := range files[min(begin, len(files)):] {
		err := s.eachRecord(n, func(rec Record) bool {
			switch {
			case rec.Zxid <= at:
			case rec.Zxid > z:
				above = true
			case !follows(at, rec.Zxid):
				hole = fmt.Errorf("%w: %v: %s goes on with %v after %v", ErrNoBase, z, n.path(), rec.Zxid, at)
			default:
				at = rec.Zxid
			}
			return !above && hole == nil && at < z
		})
		if err != nil {
			return 0, err
		}
		if above || hole != nil || at == z {
			break
		}
	}
	if hole == nil && at != z && z.Counter() != 0 {
		hole = fmt.Errorf("%w: %v: there is no such record after %v", ErrNoBase, z, at)
	}
	return at, hole
}

// Install makes a snapshot that was received from a leader the whole history, durably (ensemble protocol, sections 4.6 and 5.6).
// Log records above it go, and snapshots at or above it; the next Commit begins a new file after it. Older files stay until they
// are purged: they are another generation, which Restore does not read across, as it begins with the installed snapshot and
// refuses to go on from an older one if that is damaged. After a crash there is either the whole history as it was or the
// installed one; for errors see Truncate.
func (s *Store) Install(sn Snapshot) (path string, size int64, err error) {
	s.names.Lock()
	defer s.names.Unlock()
	s.generation.Add(1)
	if err := s.quiet(); err != nil {
		return "", 0, err
	}
	name := snapshotName(sn.Zxid, s.o.Compression)
	it := installation(sn.Zxid, name)
	tmp := filepath.Join(s.snapAt, it.name+unfinishedSuffix)
	f, err := s.fs.Create(tmp)
	if err != nil {
		return "", 0, &DiskError{"create", tmp, err}
	}
	size, err = s.fillSnapshot(f, tmp, &sn)
	if e := f.Close(); err == nil {
		err = diskError("close", tmp, e)
	}
	if err != nil {
		s.fs.Remove(tmp) // else the next Open does
		return "", 0, err
	}
	if err := s.declare(it, tmp); err != nil {
		return "", 0, err
	}
	if err := s.settleIntents(); err != nil {
		return "", 0, err
	}
	path = filepath.Join(s.snapAt, name)
	s.w.committed(sn.Zxid)
	s.setLastSnapshot(SnapshotFile{Path: path, Zxid: sn.Zxid, Size: size, Time: s.o.Now()})
	s.Roll()
	return path, size, nil
}

// Wipe makes the database an empty one, durably: the server is then at zxid 0, and a leader sends it everything. The epochs
// stay: what was promised is promised. It is the installation of an empty snapshot.0, and as safe.
func (s *Store) Wipe() error {
	view := tree.New(tree.Options{}).Freeze()
	defer view.Close()
	_, _, err := s.Install(Snapshot{ACLs: view.ACLs(), Next: view.Next})
	return err
}

// again makes Restore possible at any time: the files are as they should be, and nobody writes.
func (s *Store) again() error {
	s.names.Lock()
	defer s.names.Unlock()
	return s.quiet()
}
