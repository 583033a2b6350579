package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

// padMargin is how near to its end a file is padded further; Apache's figure.
const padMargin = 4096

// padRetry is by how much a file grows before padding is tried again after it failed.
const padRetry = 1 << 20

// writer is the log file that is being written. Between two calls of Commit it is in one of three states:
//
//	no file     f is nil: the next batch begins a new one
//	good        f holds exactly the durable records below pos, then zeros
//	spoilt      f may hold anything behind pos: it is cut back before anything else happens, then left
type writer struct {
	f      vfs.File
	path   string
	pos    int64 // end of the last durable record
	size   int64 // length of the file, with padding
	spoilt bool

	padFrom int64 // the disk was full: no padding before the file is so long

	last  zk.Zxid // the last committed; -1 is not known
	known bool    // last is known
	buf   []byte  // for frames, kept
}

// keepBuffer is the largest buffer that is kept from one batch to the next.
const keepBuffer = 4 << 20

// Commit writes a batch to the log and returns nil once all of it is on disk (invariant DurableAck), or with the operating
// system if Options.ForceSync is off. On an error, a *DiskError, nothing of the batch counts as written. The caller keeps the
// batch and may call Commit again with it, possibly grown, as often as it likes: when the disk is well again, that succeeds.
//
// After a write that failed for want of space the file is cut back and goes on. After any other failure it is cut back to the
// last durable record, that is made durable, and the batch begins a new file: after a failed fsync the pages of the old one
// cannot be trusted to reach the disk. Until both have worked nothing else is written, so no file is ever followed by another
// while it has a torn end.
//
// The zxids rise without a gap (invariants TotalOrder, LogContiguous).
func (s *Store) Commit(batch []Entry) error {
	if len(batch) == 0 {
		return nil
	}
	if s.unsettled.Load() {
		return &DiskError{"write", s.logAt, errUnsettled}
	}
	w := &s.w
	if w.known {
		checkOrder(w.last, batch)
	} else {
		checkOrder(-1, batch)
	}
	if err := s.mend(); err != nil {
		return err
	}
	if s.due.takeRoll() || s.o.LogSizeLimit > 0 && w.size > s.o.LogSizeLimit {
		// What it holds is durable: closing cannot lose anything, whatever it returns.
		w.close()
	}
	buf := w.buf[:0]
	if w.f == nil {
		buf = appendLogHeader(buf)
	}
	for _, e := range batch {
		buf = appendRecord(buf, e.Payload)
	}
	if cap(buf) <= keepBuffer {
		w.buf = buf
	}
	var err error
	if w.f == nil {
		err = s.begin(batch[0].Zxid, buf)
	} else {
		err = s.extend(buf)
	}
	if err != nil {
		return err
	}
	s.due.add(len(batch), w.size)
	w.last, w.known = batch[len(batch)-1].Zxid, true
	return nil
}

// begin makes a new file with a first batch. It gets its name when it is durable: so there is never a log without a record,
// which Apache before 3.9.3 does not survive.
func (s *Store) begin(first zk.Zxid, buf []byte) error {
	w := &s.w
	name := logName(first)
	path, tmp := filepath.Join(s.logAt, name), filepath.Join(s.logAt, unfinished(name))
	s.log.Info("Creating new log file: " + name)
	f, err := s.fs.Create(tmp)
	if err != nil {
		return &DiskError{"create", tmp, err}
	}
	n := writer{f: f, path: tmp, size: logHeaderSize}
	if s.o.PreAlloc <= 0 {
		n.size = 0
	}
	err = s.pad(&n, int64(len(buf)))
	if err == nil {
		_, err = f.WriteAt(buf, 0)
		err = diskError("write", tmp, err)
	}
	if err == nil {
		err = s.sync(&n)
	}
	// Closed before the rename, which some systems refuse for an open file.
	if e := f.Close(); err == nil {
		err = diskError("close", tmp, e)
	}
	if err == nil {
		err = diskError("rename", path, s.fs.Rename(tmp, path))
	}
	if err == nil {
		err = diskError("sync", s.logAt, s.fs.SyncDir(s.logAt))
	}
	if err != nil {
		// If it has its name already, it holds this batch and is overwritten by the next try, which begins with the same zxid.
		s.fs.Remove(tmp)
		return err
	}
	s.due.begin()
	w.path, w.pos, w.size, w.padFrom = path, int64(len(buf)), max(n.size, int64(len(buf))), n.padFrom
	if w.f, err = s.fs.OpenFile(path, os.O_RDWR); err != nil {
		w.f = nil // the batch is durable; the next one begins another file
		s.log.Warn("Cannot open the log file that was just written, going on in another", "file", path, "err", err)
	}
	return nil
}

// extend appends to the present file.
func (s *Store) extend(buf []byte) error {
	w := &s.w
	end := w.pos + int64(len(buf))
	err := s.pad(w, end)
	if err == nil {
		_, e := w.f.WriteAt(buf, w.pos)
		err = diskError("write", w.path, e)
	}
	if err == nil {
		err = s.sync(w)
	}
	if err != nil {
		w.spoilt = true
		if de := (*DiskError)(nil); errors.As(err, &de) && de.Op == "write" && de.Full() && s.cutBack() == nil {
			return err // nothing is wrong with the file
		}
		s.mend() // now, if it can be; else before the next batch
		return err
	}
	w.pos, w.size = end, max(w.size, end)
	return nil
}

// pad lengthens the file ahead of a write that ends at end, by Apache's rule: when less than padMargin is left, a further
// PreAlloc. A disk that has no room for it is not an error: the write itself will tell.
func (s *Store) pad(w *writer, end int64) error {
	step := s.o.PreAlloc
	if step <= 0 || end < w.padFrom || max(w.pos, end-padMargin)+padMargin < w.size {
		return nil
	}
	size := w.size + step
	if w.pos > w.size {
		size = (w.pos + step) / step * step
	}
	for size < end {
		size += step
	}
	err := w.f.Preallocate(size)
	if err == nil {
		w.size = size
		return nil
	}
	s.log.Warn("Cannot pad the log file ahead, going on without", "file", w.path, "err", err)
	// It may be longer by a part. What is cut off here is behind the last record, and zeros.
	if err := w.f.Truncate(w.pos); err != nil {
		return &DiskError{"truncate", w.path, err}
	}
	w.size, w.padFrom = w.pos, end+padRetry
	return nil
}

// sync makes the file durable and complains if that took long.
func (s *Store) sync(w *writer) error {
	if !s.o.ForceSync {
		return nil
	}
	start := s.o.Now()
	if err := w.f.Datasync(); err != nil {
		return &DiskError{"sync", w.path, err}
	}
	if took := s.o.Now().Sub(start); s.o.FsyncWarning > 0 && took > s.o.FsyncWarning {
		s.slow.Add(1)
		// Apache's words, for those who look for them.
		s.log.Warn(fmt.Sprintf("fsync-ing the write ahead log in SyncThread took %dms which will adversely effect operation latency."+
			"File size is %d bytes. See the ZooKeeper troubleshooting guide", took.Milliseconds(), w.size))
	}
	return nil
}

// mend cuts a spoilt file back to its durable records, durably, and leaves it.
func (s *Store) mend() error {
	w := &s.w
	if !w.spoilt {
		return nil
	}
	if err := s.cutBack(); err != nil {
		return err
	}
	s.log.Warn("Cut the log file back to its last durable transaction after a failure; going on in another",
		"file", w.path, "offset", w.pos, "zxid", w.last.String())
	w.close()
	return nil
}

// cutBack makes a spoilt file good again. The cut must be durable before anything is written in the same place, or else a
// crash could mix sectors of the two, which looks like damage.
func (s *Store) cutBack() error {
	w := &s.w
	if err := w.f.Truncate(w.pos); err != nil {
		return &DiskError{"truncate", w.path, err}
	}
	if err := w.f.Sync(); err != nil {
		return &DiskError{"sync", w.path, err}
	}
	w.size, w.spoilt = w.pos, false
	return nil
}

// close closes the present file.
func (w *writer) close() error {
	if w.f == nil {
		return nil
	}
	err := w.f.Close()
	w.f, w.path, w.pos, w.size, w.padFrom, w.spoilt = nil, "", 0, 0, 0, false
	return err
}

// committed sets the zxid after which the next batch comes.
func (w *writer) committed(z zk.Zxid) {
	invariant.Check(w.f == nil, invariant.TotalOrder, "the log is set to %v while %s is being written", z, w.path)
	w.last, w.known = z, true
}

func diskError(op, file string, err error) error {
	if err == nil {
		return nil
	}
	return &DiskError{op, file, err}
}
