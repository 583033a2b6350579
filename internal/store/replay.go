package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

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
	case x.HasDigest:
		r.compare(x.Zxid, x.Digest)
	case x.Zxid == r.target:
		r.compare(x.Zxid, r.targetDigest)
	}
}

// finish looks at the whole once more.
func (r *restorer) finish() {
	out := r.out
	out.Recent = slices.Concat(out.Recent[r.ring:], out.Recent[:r.ring])
	r.report(r.doubt, r.doubts)
	if r.target > r.at {
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
