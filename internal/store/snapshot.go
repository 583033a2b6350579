package store

import (
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/adler32"
	"io"
	"path/filepath"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

// Session is a session as a snapshot lists it.
type Session struct {
	ID      zk.SessionID
	Timeout int32 // ms
}

// Snapshot is what WriteSnapshot writes, all of it as of Zxid.
type Snapshot struct {
	Zxid      zk.Zxid
	Sessions  []Session
	ACLs      []tree.ACLEntry // without the open list
	Digest    int64
	HasDigest bool // false: where a digest is due, Apache's for "none yet" is written
	// Next appends whole entries of znodes to b, about max bytes, the root first and parents before children; more is false
	// after the last. It is tree.View.Next, under whatever lock the caller needs for that.
	Next func(b []byte, max int) (_ []byte, more bool)
}

const (
	// snapshotChunk is what is asked of Next and written at a time.
	snapshotChunk = 256 << 10
	// snapshotSync is after how many bytes the file is synced: one flush of gigabytes at the end would make the fsyncs of the
	// log beside it wait for seconds.
	snapshotSync = 4 << 20
)

// endOfNodes is a path that no node has on disk, where the root's is "".
const endOfNodes = "/"

// WriteSnapshot writes a snapshot: under a name that nobody takes for one, synced, then renamed, so that there is either all
// of it or nothing. It may run beside Commit. A snapshot of the same name is replaced. On an error, a *DiskError, nothing is
// left; it is one too that the history was cut or replaced meanwhile.
func (s *Store) WriteSnapshot(sn Snapshot) (path string, size int64, err error) {
	start := s.o.Now()
	generation := s.generation.Load()
	name := snapshotName(sn.Zxid, s.o.Compression)
	path, tmp := filepath.Join(s.snapAt, name), filepath.Join(s.snapAt, unfinished(name))
	s.log.Info(fmt.Sprintf("Snapshotting: %v to %s", sn.Zxid, path))
	f, err := s.fs.Create(tmp)
	if err != nil {
		return "", 0, &DiskError{"create", tmp, err}
	}
	size, err = s.fillSnapshot(f, tmp, &sn)
	if e := f.Close(); err == nil {
		err = diskError("close", tmp, e)
	}
	s.names.Lock()
	defer s.names.Unlock()
	switch {
	case err != nil:
	case s.generation.Load() != generation:
		err = &DiskError{"rename", path, errOvertaken}
	case s.unsettled.Load():
		err = &DiskError{"rename", path, errUnsettled}
	default:
		err = diskError("rename", path, s.fs.Rename(tmp, path))
	}
	if err != nil {
		s.fs.Remove(tmp) // else the next Open does
		return "", 0, err
	}
	// From here there is a snapshot; only whether its name outlives a crash may be unknown.
	if err := s.fs.SyncDir(s.snapAt); err != nil {
		return "", 0, &DiskError{"sync", s.snapAt, err}
	}
	now := s.o.Now()
	s.setLastSnapshot(SnapshotFile{Path: path, Zxid: sn.Zxid, Size: size, Time: now})
	s.log.Info(fmt.Sprintf("Snapshot taken in %d ms", now.Sub(start).Milliseconds()))
	return path, size, nil
}

func (s *Store) fillSnapshot(f vfs.File, name string, sn *Snapshot) (size int64, err error) {
	out := &syncingFile{f: f}
	w := snapshotWriter{w: out, sum: adler32.New()}
	var packed io.WriteCloser
	switch s.o.Compression {
	case "gz":
		packed = gzip.NewWriter(out)
	case "snappy":
		packed = newXerialWriter(out)
	}
	if packed != nil {
		w.w = packed
	}
	w.write(sn, s.o.Digest, s.o.LastZxid)
	if packed != nil && w.err == nil {
		w.err = packed.Close()
	}
	if w.err != nil {
		return 0, &DiskError{"write", name, w.err}
	}
	if err := f.Sync(); err != nil {
		return 0, &DiskError{"sync", name, err}
	}
	return out.size, nil
}

// syncingFile syncs every snapshotSync bytes.
type syncingFile struct {
	f              vfs.File
	size, unsynced int64
}

func (w *syncingFile) Write(b []byte) (int, error) {
	n, err := w.f.Write(b)
	w.size += int64(n)
	w.unsynced += int64(n)
	if err == nil && w.unsynced >= snapshotSync {
		w.unsynced = 0
		err = w.f.Datasync()
	}
	return n, err
}

// snapshotWriter lays out a snapshot. The first error sticks.
type snapshotWriter struct {
	w   io.Writer
	sum hash.Hash32 // nil: of a stream, which has no seal
	buf []byte
	err error
}

func (w *snapshotWriter) write(sn *Snapshot, digest, lastZxid bool) {
	w.buf = make([]byte, 0, 4096)
	w.buf = binary.BigEndian.AppendUint32(w.buf, snapshotMagic)
	w.buf = binary.BigEndian.AppendUint32(w.buf, fileVersion)
	w.buf = jute.AppendLong(w.buf, -1) // dbid
	w.content(sn)
	w.seal()

	if digest {
		var zxid zk.Zxid
		var value int64
		if sn.HasDigest {
			zxid, value = sn.Zxid, sn.Digest
		}
		w.buf = jute.AppendLong(w.buf, int64(zxid))
		w.buf = jute.AppendInt(w.buf, txn.DigestVersion)
		w.buf = jute.AppendLong(w.buf, value)
		w.seal()
	}
	if lastZxid {
		w.buf = jute.AppendLong(w.buf, int64(sn.Zxid))
		w.seal()
	}
	w.flushAt(1)
}

// content is what a snapshot and a stream have in common.
func (w *snapshotWriter) content(sn *Snapshot) {
	w.buf = jute.AppendInt(w.buf, int32(len(sn.Sessions)))
	for _, s := range sn.Sessions {
		w.buf = jute.AppendInt(jute.AppendLong(w.buf, int64(s.ID)), s.Timeout)
		w.flushAt(snapshotChunk)
	}
	w.buf = jute.AppendInt(w.buf, int32(len(sn.ACLs)))
	for _, e := range sn.ACLs {
		w.buf = jute.AppendACL(jute.AppendLong(w.buf, e.Key), e.ACL)
		w.flushAt(snapshotChunk)
	}
	for more := true; more && w.err == nil; {
		w.buf, more = sn.Next(w.buf, snapshotChunk)
		w.flushAt(snapshotChunk)
	}
	w.buf = jute.AppendString(w.buf, endOfNodes)
}

// seal appends the checksum of everything so far, earlier seals included.
func (w *snapshotWriter) seal() {
	w.flushAt(1)
	w.buf = jute.AppendLong(w.buf, int64(w.sum.Sum32()))
	w.buf = jute.AppendString(w.buf, endOfNodes)
}

// flushAt writes the buffer if it has at least n bytes.
func (w *snapshotWriter) flushAt(n int) {
	if len(w.buf) < n || w.err != nil {
		return
	}
	if w.sum != nil {
		w.sum.Write(w.buf)
	}
	_, w.err = w.w.Write(w.buf)
	w.buf = w.buf[:0]
}
