package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/vfs"
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

	DigestMismatches int // digests in the files that were not those of the tree

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

	target         zk.Zxid // digests are compared from here on
	targetDigest   int64
	hasTarget      bool
	ring           int // of out.Recent: the oldest
	compareDigests bool
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
// while the tree changed. Until then the digests of transactions mean nothing.
func (r *restorer) expect(info SnapshotInfo, file zk.Zxid) {
	switch {
	case !r.compareDigests:
	case !info.HasDigest || info.DigestZxid < file:
		r.s.log.Info("The snapshot has no digest to compare with")
	case info.DigestZxid == file:
		r.compare(file, info.Digest)
	default:
		r.hasTarget, r.target, r.targetDigest = true, info.DigestZxid, info.Digest
	}
}

func (r *restorer) compare(z zk.Zxid, want int64) {
	got := r.out.Tree.Digest()
	if got == want {
		return
	}
	r.out.DigestMismatches++
	if r.out.DigestMismatches == 1 {
		r.s.log.Error("The digest of the tree is not the one that was written: this server's data may differ from its peers'",
			"zxid", z.String(), "written", want, "tree", got)
	}
}

// logs replays what comes after the snapshot, file by file.
func (r *restorer) logs(files []named) error {
	files, err := r.dropEmpty(files)
	if err != nil {
		return err
	}
	// The highest that begins before the next transaction may reach beyond it.
	begin := 0
	for i, n := range files {
		if n.zxid <= r.at+1 {
			begin = i
		}
	}
	if r.unanchored {
		begin = 0
	}
	start := r.s.o.Now()
	for i := begin; i < len(files); i++ {
		next := zk.Zxid(-1)
		if i+1 < len(files) {
			next = files[i+1].zxid
		}
		if err := r.file(files[i], next); err != nil {
			return err
		}
	}
	r.s.log.Info(fmt.Sprintf("%d txns loaded in %d ms", r.out.Txns, r.s.o.Now().Sub(start).Milliseconds()))
	return nil
}

// settleSize is how much of the end of a log settle writes again: more than a batch has.
const settleSize = 64 << 20

// settle makes the last log file durable up to end. The process that wrote it may have been killed before it had synced, or
// after a sync that failed: then its last batch is perhaps with the operating system alone, in pages that count as clean, so
// that syncing again would do nothing. What is read from there, and is about to be served, must not be gone after the next
// power cut; so it is written again.
func (s *Store) settle(path string, end int64) error {
	f, err := s.fs.OpenFile(path, os.O_RDWR)
	if err != nil {
		return &DiskError{"open", path, err}
	}
	buf := make([]byte, min(end, 256<<10))
	for at := max(0, end-settleSize); at < end && err == nil; {
		part := buf[:min(int64(len(buf)), end-at)]
		if _, err = f.ReadAt(part, at); err == nil {
			_, err = f.WriteAt(part, at)
		}
		at += int64(len(part))
	}
	if size, e := f.Size(); err == nil && e == nil && size == end {
		// The file may have been cut back here, and the disk not know: so its end is moved again too.
		if err = f.Truncate(end + 1); err == nil {
			err = f.Truncate(end)
		}
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = s.fs.SyncDir(s.logAt)
	}
	return diskError("sync", path, err)
}

// dropEmpty removes logs without a record from the end: a server was stopped between making the file and the first record.
func (r *restorer) dropEmpty(files []named) ([]named, error) {
	for len(files) > 0 {
		n := files[len(files)-1]
		empty, err := r.s.emptyLog(n.path())
		if err != nil {
			return nil, err
		}
		if !empty {
			break
		}
		if err := r.s.drop(n.path()); err != nil {
			return nil, err
		}
		r.note("Delete empty tail log file to recover from corruption file: %s", n.path())
		files = files[:len(files)-1]
	}
	return files, nil
}

// emptyLog tells whether a file holds at most a header and zeros.
func (s *Store) emptyLog(path string) (bool, error) {
	f, err := s.fs.Open(path)
	if err != nil {
		return false, &DiskError{"open", path, err}
	}
	defer f.Close()
	var head [logHeaderSize + frameHead]byte
	n, err := f.ReadAt(head[:], 0)
	if err != nil && err != io.EOF {
		return false, &DiskError{"read", path, err}
	}
	switch {
	case n < logHeaderSize:
		return true, nil
	case !isZero(head[logHeaderSize:]):
		return false, nil // nearly all files end here
	case !isZero(head[:logHeaderSize]) && binary.BigEndian.Uint32(head[:]) != logMagic:
		return false, nil
	}
	t, err := readTail(f, logHeaderSize)
	return err == nil && t.used == 0, diskError("read", path, err)
}

// file replays one log file. next is the zxid in the name of the following one, -1 if this is the last.
func (r *restorer) file(n named, next zk.Zxid) error {
	f, err := r.s.fs.Open(n.path())
	if err != nil {
		return &DiskError{"open", n.path(), err}
	}
	defer f.Close()
	l := newLogReader(f, n.path(), r.s.o.MaxRecord)
	for {
		rec, err := l.next()
		if err == nil {
			if err := r.record(rec, l); err != nil {
				return err
			}
			continue
		}
		var e *LogError
		if err != io.EOF && !errors.As(err, &e) {
			return &DiskError{"read", n.path(), err}
		}
		if e != nil && e.Kind == BadTxn {
			e.Advice = foreignAdvice
			return e
		}
		t, err := readTail(f, l.off)
		if err != nil {
			return &DiskError{"read", n.path(), err}
		}
		if next < 0 {
			return r.lastEnd(f, n, l, e, t)
		}
		return r.middleEnd(n, l, e, t, next)
	}
}

// foreignAdvice goes with a record that is as it was written and means nothing to us.
const foreignAdvice = "Another version or program wrote this. Use that, or, if other servers of the ensemble are well, move this " +
	"server's " + versionDir + " aside and let them send the data"

// lastEnd judges what follows the last good record of the last file.
func (r *restorer) lastEnd(f vfs.File, n named, l *logReader, e *LogError, t tail) error {
	if e == nil && t.used <= l.off {
		return r.s.settle(n.path(), l.off) // only padding follows
	}
	if e != nil && e.Kind == BadHeader {
		return r.refuse(e)
	}
	ok, err := t.torn(f, l.off, e)
	if err != nil {
		return &DiskError{"read", n.path(), err}
	}
	if !ok {
		if e == nil {
			e = l.damage(Zeros, "data up to offset %d", t.used)
		}
		return r.refuse(e)
	}
	if err := r.repair(n, l, e, t); err != nil || l.off <= logHeaderSize {
		return err
	}
	return r.s.settle(n.path(), l.off)
}

// middleEnd judges what follows the last good record of a file that has a successor. A torn end is harmless if the successor
// goes on where the good records end: upstream never appends to a file that an earlier run left, nor mends it.
func (r *restorer) middleEnd(n named, l *logReader, e *LogError, t tail, next zk.Zxid) error {
	switch {
	case e == nil && t.used <= l.off:
		return nil
	case follows(r.at, next) || next <= r.at:
		if e == nil || e.Kind == CutOff || e.Kind == NoEnd {
			return nil // everybody reads over it
		}
		return r.repair(n, l, e, t)
	case e == nil:
		e = l.damage(Zeros, "data up to offset %d", t.used)
	}
	return r.refuse(e)
}

// repair removes what a crash left at the end of a file.
func (r *restorer) repair(n named, l *logReader, e *LogError, t tail) error {
	what := Zeros
	if e != nil {
		what = e.Kind
	}
	if l.off <= logHeaderSize {
		if what == BadHeader && t.used > logHeaderSize {
			return r.refuse(e)
		}
		if err := r.s.drop(n.path()); err != nil {
			return err
		}
		r.note("Removed %s: its first transaction was not completely written (%v)", n.path(), what)
		return nil
	}
	if err := r.s.cut(n.path(), l.off); err != nil {
		return err
	}
	r.note("Cut %s back from %d to %d bytes, behind zxid %v: the next transaction was not completely written (%v)",
		n.path(), max(t.used, l.off), l.off, l.last, what)
	return nil
}

// refuse gives an error its advice.
func (r *restorer) refuse(e *LogError) error {
	e.Advice = fmt.Sprintf("Transactions that were acknowledged may stand here and behind it, so nothing was changed. If other servers "+
		"of the ensemble are well, move this server's %s aside and let them send the data. If not, work on a copy: the log can "+
		"be rewritten without the damaged record, which is lost with what depends on it (zkTxnLogToolkit.sh -r)", versionDir)
	return e
}

// record replays one record, unless the snapshot has it.
func (r *restorer) record(rec Record, l *logReader) error {
	if rec.Zxid <= r.base {
		return nil
	}
	x, err := txn.Decode(rec.Payload)
	if err != nil {
		return &LogError{File: l.name, Offset: rec.Offset, After: r.at, Kind: BadTxn, Detail: err.Error(), Advice: foreignAdvice}
	}
	switch {
	case r.unanchored:
		r.unanchored = false
	case rec.Zxid <= r.at:
		r.forget()
		r.s.log.Error(fmt.Sprintf("%v(highestZxid) > %v(next log) for type %d", r.at, rec.Zxid, x.Type))
		r.out.Notes = append(r.out.Notes, fmt.Sprintf("%s: zxid %v comes after %v", l.name, rec.Zxid, r.at))
	case !follows(r.at, rec.Zxid) || r.skips(rec.Zxid):
		r.forget()
		if r.newestBad > r.at {
			return fmt.Errorf("%s: the first transaction after the snapshot of %v is %v, and the newer snapshot of %v is damaged: "+
				"what lies between is lost here. If other servers of the ensemble are well, move this server's %s aside and let them "+
				"send the data: %w", l.name, r.at, rec.Zxid, r.newestBad, versionDir, ErrAllBad)
		}
		r.note("%s: offset %d: the transactions between %v and %v are missing", l.name, rec.Offset, r.at, rec.Zxid)
	}
	switch b := x.Body.(type) {
	case *txn.CreateSession:
		r.out.Sessions[x.Session] = b.TimeOut
	case *txn.CloseSession:
		delete(r.out.Sessions, x.Session)
	}
	r.out.Tree.Replay(x)
	r.out.Txns++
	if rec.Zxid > r.at {
		r.at = rec.Zxid
		r.remember(rec)
	}
	r.out.LastZxid = r.at
	r.digest(x)
	return nil
}

// remember keeps the record among the last.
func (r *restorer) remember(rec Record) {
	e := Entry{Zxid: rec.Zxid}
	if len(r.out.Recent) < r.s.o.Recent {
		e.Payload = slices.Clone(rec.Payload)
		r.out.Recent = append(r.out.Recent, e)
		return
	}
	e.Payload = append(r.out.Recent[r.ring].Payload[:0], rec.Payload...)
	r.out.Recent[r.ring] = e
	r.ring = (r.ring + 1) % r.s.o.Recent
}

func (r *restorer) digest(x *txn.Txn) {
	switch {
	case !r.compareDigests:
	case !r.hasTarget:
		if x.HasDigest {
			r.compare(x.Zxid, x.Digest)
		}
	case x.Zxid >= r.target:
		if x.Zxid == r.target {
			r.compare(x.Zxid, r.targetDigest)
		}
		r.hasTarget = false
	}
}

// finish looks at the whole once more.
func (r *restorer) finish() {
	out := r.out
	out.Recent = slices.Concat(out.Recent[r.ring:], out.Recent[:r.ring])
	if r.hasTarget {
		r.note("Highest txn zxid %v is not covering the snapshot digest zxid %v, which might lead to inconsistent state", r.at, r.target)
	}
	if r.newestBad > r.at {
		r.note("The damaged snapshot of %v is newer than anything that could be read (%v): transactions may be missing", r.newestBad, r.at)
	}
	for _, id := range out.Tree.EphemeralOwners() {
		if _, ok := out.Sessions[id]; ok {
			continue
		}
		paths := out.Tree.Ephemerals(id)
		if looksTTL(id) && !r.s.o.ExtendedTypes {
			r.note("%d znodes, %s among them, look as if they had a time to live, but zookeeper.extendedTypesEnabled is not set: "+
				"they are kept, and without it they live for ever", len(paths), paths[0])
			continue
		}
		r.s.log.Info(fmt.Sprintf("Removing %d ephemerals of session %v, which does not exist", len(paths), id))
		out.Tree.Replay(&txn.Txn{
			Header: txn.Header{Session: id, Zxid: r.at, Type: txn.TypeCloseSession},
			Body:   &txn.CloseSession{},
		})
	}
}

// looksTTL tells whether what stands as a znode's owner is rather a time to live than a session: upstream takes it for a dead
// session's and silently deletes the znode when a server is started without extendedTypesEnabled.
func looksTTL(id zk.SessionID) bool { return uint64(id)>>40 == 0xFF0000 }
