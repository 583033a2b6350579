package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/zk"
)

// Restored is what the disk held.
type Restored struct {
	Tree     *tree.Tree
	Sessions map[zk.SessionID]int32 // timeouts, ms

	// LastZxid is that of the last transaction, logged or in the snapshot. -1: there was nothing, and nobody said that there
	// should be nothing (Options.AutoCreateDB, the file initialize); a peer with data then wins over this server, and a
	// standalone one goes on from 0.
	LastZxid     zk.Zxid
	SnapshotZxid zk.Zxid // of the name of the snapshot that was read; -1 if none was
	Txns         int     // replayed
	Recent       []Entry // the last of them up to LastZxid, at most Options.Recent, oldest first and without a hole
	Created      bool    // a new database: snapshot.0 was written

	DigestMismatches int // digests in the files that were not those of the tree, from the first that agrees, or of all

	// Notes says what was repaired or looked wrong, one sentence each; all of it was logged too.
	Notes []string
}

const (
	// recentTxns is Apache's commitLogCount, what Options.Recent is unless it is set: what a learner that was away for a moment is
	// sent again.
	recentTxns = 500
	// maxCandidates is how many snapshots are tried, the newest first.
	maxCandidates = 100
)

// Restore reads the newest good snapshot and replays the log after it. fresh makes an empty tree. It comes before the first
// Commit, and again after Truncate, Install and Wipe, or whenever what is on disk is to be read anew; the next Commit then begins
// a new file.
//
// What a crash can leave is repaired, and said in the log and in Notes: the torn end of the last log file is cut off, a log
// without a record is removed. Anything else that is damaged is refused with file, offset and what to do: a *LogError,
// *SnapshotError, ErrNoSnapshot or ErrAllBad; a *DiskError is the disk's. A snapshot that fails its checks gives way to the
// next older one. At the end the znodes of sessions that do not exist are removed, without a transaction.
func (s *Store) Restore(fresh func() *tree.Tree) (*Restored, error) {
	start := s.o.Now()
	if err := s.again(); err != nil {
		return nil, err
	}
	r := &restorer{s: s, out: &Restored{SnapshotZxid: -1}}
	wanted, err := s.takeInitialize()
	if err != nil {
		return nil, err
	}
	snapshots, damaged, err := s.candidates()
	if err != nil {
		return nil, err
	}
	logs, strange, err := s.list(s.logAt, logPrefix)
	if err != nil {
		return nil, &DiskError{"list", s.logAt, err}
	}
	for _, name := range strange {
		r.note("Not taken for a log: %s", filepath.Join(s.logAt, name))
	}

	switch {
	case len(snapshots) > 0:
		if err := r.snapshot(snapshots, fresh); err != nil {
			return nil, err
		}
	case len(logs) > 0 && !s.o.TrustEmpty:
		return nil, fmt.Errorf("%s: %w", s.snapAt, ErrNoSnapshot)
	case len(damaged) > 0 && len(logs) == 0 && damaged[0].zxid > 0:
		return nil, fmt.Errorf("%w in %s: %s is not complete, and there is neither an older snapshot nor a log. "+
			"To begin with an empty database, remove it", ErrAllBad, s.snapAt, damaged[0].name)
	default:
		r.start(fresh(), 0)
		if len(logs) > 0 {
			r.note("No snapshot found, but there are log entries. This should only be allowed during upgrading.")
			r.unanchored = true
		}
	}
	for _, n := range damaged {
		if n.zxid > r.at {
			r.newestBad = max(r.newestBad, n.zxid)
		}
	}
	if err := r.logs(logs); err != nil {
		return nil, err
	}
	r.finish()
	out := r.out
	switch {
	case out.SnapshotZxid < 0 && out.Txns == 0 && !wanted && !s.o.AutoCreateDB:
		s.log.Warn("Unexpected empty data tree, setting zxid to -1")
		out.LastZxid = -1
	case out.SnapshotZxid < 0 && out.Txns == 0:
		if err := s.writeFirst(out.Tree); err != nil {
			return nil, err
		}
		out.Created = true
	}
	s.w.committed(out.LastZxid)
	s.log.Info(fmt.Sprintf("Snapshot loaded in %d ms, highest zxid is %v, digest is %d",
		s.o.Now().Sub(start).Milliseconds(), out.LastZxid, out.Tree.Digest()))
	return out, nil
}

// takeInitialize looks for the operator's word that an empty database is meant, and removes it. Apache's server looks for it
// beside the logs, Apache's script puts it beside the snapshots.
func (s *Store) takeInitialize() (found bool, err error) {
	for _, dir := range slices.Compact([]string{s.dataDir, s.logDir}) {
		path := filepath.Join(dir, "initialize")
		if _, err := s.fs.Stat(path); err != nil {
			continue
		}
		found = true
		if err := s.fs.Remove(path); err != nil {
			return false, &DiskError{"remove", path, err}
		}
	}
	return found, nil
}

// candidates lists the snapshots that are complete as far as a look at their ends tells, newest first, and those that are not.
func (s *Store) candidates() (good, bad []named, err error) {
	files, _, err := s.list(s.snapAt, snapshotPrefix)
	if err != nil {
		return nil, nil, &DiskError{"list", s.snapAt, err}
	}
	slices.Reverse(files)
	for _, n := range files {
		if ok, why := s.complete(n); !ok {
			s.log.Info("Invalid snapshot " + n.path() + ". " + why)
			bad = append(bad, n)
		} else if good = append(good, n); len(good) == maxCandidates {
			break
		}
	}
	return good, bad, nil
}

// complete is Apache's quick look at a snapshot: the end of a plain one, the beginning of a compressed one.
func (s *Store) complete(n named) (ok bool, why string) {
	f, err := s.fs.Open(n.path())
	if err != nil {
		return false, err.Error()
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return false, err.Error()
	}
	var b [8]byte
	switch n.compression {
	case "gz":
		k, _ := f.ReadAt(b[:2], 0)
		return k == 2 && b[0] == 0x1f && b[1] == 0x8b, "not gzip"
	case "snappy":
		k, _ := f.ReadAt(b[:], 0)
		return k == 8 && string(b[:]) == xerialMagic, "not snappy"
	}
	if size < 10 {
		return false, fmt.Sprintf("len = %d", size)
	}
	if _, err := f.ReadAt(b[:5], size-5); err != nil && err != io.EOF {
		return false, err.Error()
	}
	return binary.BigEndian.Uint32(b[:]) == 1 && b[4] == '/', fmt.Sprintf("len = %d, byte = %d", size, int8(b[4]))
}

// writeFirst writes snapshot.0, so that logs are never without a snapshot.
func (s *Store) writeFirst(t *tree.Tree) error {
	view := t.Freeze()
	defer view.Close()
	_, _, err := s.WriteSnapshot(Snapshot{ACLs: view.ACLs(), Next: view.Next})
	return err
}

// restorer is a Restore under way.
type restorer struct {
	s          *Store
	out        *Restored
	base       zk.Zxid // the last transaction of the snapshot, or 0
	at         zk.Zxid // the last transaction that is in the tree
	newestBad  zk.Zxid // a newer snapshot than the one that was read, which is damaged; 0 is none
	unanchored bool    // the log may begin anywhere

	target         zk.Zxid // a snapshot's digest is that of the tree here; 0 is nowhere
	targetDigest   int64
	ring           int // of out.Recent: the oldest
	compareDigests bool
	settled        bool     // a digest has agreed
	doubts         int      // those that have not, before that
	doubt          mismatch // the first of them
}

// note says something to the log and to the caller.
func (r *restorer) note(format string, args ...any) {
	n := fmt.Sprintf(format, args...)
	r.s.log.Warn(n)
	r.out.Notes = append(r.out.Notes, n)
}

// start begins with a tree as of z.
func (r *restorer) start(t *tree.Tree, z zk.Zxid) {
	r.out.Tree, r.out.LastZxid, r.base, r.at = t, z, z, z
	if r.out.Sessions == nil {
		r.out.Sessions = map[zk.SessionID]int32{}
	}
	r.compareDigests = r.s.o.Digest
}

// snapshot reads the first candidate that can be read.
func (r *restorer) snapshot(candidates []named, fresh func() *tree.Tree) error {
	s := r.s
	var bad []error
	for _, n := range candidates {
		s.log.Info("Reading snapshot " + n.path())
		t := fresh()
		sessions := map[zk.SessionID]int32{}
		info, file, err := s.readInto(n, t, sessions)
		if err != nil {
			r.note("problem reading snap file %s: %v", n.path(), err)
			bad = append(bad, err)
			r.newestBad = max(r.newestBad, n.zxid)
			continue
		}
		r.out.Sessions = sessions
		r.out.SnapshotZxid = n.zxid
		r.start(t, n.zxid)
		r.expect(info, n.zxid)
		s.setLastSnapshot(file)
		return nil
	}
	return fmt.Errorf("%w in %s: %w", ErrAllBad, s.snapAt, errors.Join(bad...))
}

func (s *Store) readInto(n named, t *tree.Tree, sessions map[zk.SessionID]int32) (info SnapshotInfo, file SnapshotFile, err error) {
	f, err := s.fs.Open(n.path())
	if err != nil {
		return info, file, err
	}
	defer f.Close()
	stat, err := s.fs.Stat(n.path())
	if err != nil {
		return info, file, err
	}
	t.BeginLoad()
	info, err = ReadSnapshot(f, n.path(), s.o.MaxRecord, SnapshotVisitor{
		Session: func(x Session) error { sessions[x.ID] = x.Timeout; return nil },
		ACL:     func(e tree.ACLEntry) error { t.LoadACL(e.Key, e.ACL); return nil },
		Node:    t.LoadNode,
	})
	if err != nil {
		return info, file, err
	}
	t.FinishLoad(n.zxid)
	return info, SnapshotFile{Path: n.path(), Zxid: n.zxid, Size: stat.Size(), Time: stat.ModTime()}, nil
}

// expect takes the digest of a snapshot: it is that of the tree at a zxid that the replay reaches, if the snapshot was taken
// while the tree changed.
func (r *restorer) expect(info SnapshotInfo, file zk.Zxid) {
	switch {
	case !r.compareDigests:
	case !info.HasDigest || info.DigestZxid < file:
		r.s.log.Info("The snapshot has no digest to compare with")
	case info.DigestZxid == file:
		r.compare(file, info.Digest)
	default:
		r.target, r.targetDigest = info.DigestZxid, info.Digest
	}
}

// mismatch is a digest that was not that of the tree.
type mismatch struct {
	zxid          zk.Zxid
	written, tree int64
}

// compare compares the digest of the tree with that which was written at z. As a digest is that of the whole tree, the first that agrees
// tells that the tree is as of one moment, and what did not agree before was a snapshot's that shows some znodes as they were later: that of
// its own trailer as well, which Apache writes while another transaction may be half done. Without one that agrees, all of it counts.
func (r *restorer) compare(z zk.Zxid, want int64) {
	m := mismatch{z, want, r.out.Tree.Digest()}
	switch {
	case m.tree == m.written:
		r.settled, r.doubts = true, 0
	case r.settled:
		r.report(m, 1)
	default:
		if r.doubts++; r.doubts == 1 {
			r.doubt = m
		}
	}
}

// report tells of n that count, m the first of them.
func (r *restorer) report(m mismatch, n int) {
	if n > 0 && r.out.DigestMismatches == 0 {
		r.s.log.Error("The digest of the tree is not the one that was written: this server's data may differ from its peers'",
			"zxid", m.zxid.String(), "written", m.written, "tree", m.tree)
	}
	r.out.DigestMismatches += n
}
