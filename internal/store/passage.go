package store

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/zooid-io/zooid/zk"
)

// A passage is a part of the log that is on disk, for a learner that lags further behind than memory reaches (ensemble protocol,
// section 5.2, case 5). Whoever reads one does so beside Commit: what it asks for was committed before, and stands complete in its file.

// ErrPassage says that the log does not lead from one zxid to another without a hole.
var ErrPassage = errors.New("store: the log has a hole there")

// Passage looks for a learner's last zxid in the log: at is the last record that is not above z, and from there to the record of to
// the log has no hole. most bounds the bytes of log that may be read for it, without padding; 0 is no bound. ok is false where the log
// does not reach back, is too long or has a hole, and a reading error comes with it. stop is asked now and then whether anybody still
// wants to know.
//
// Two records of different epochs with a snapshot between them are a hole: after SNAP what lies before the snapshot is of another
// generation, and may never have been committed (section 5.6).
func (s *Store) Passage(z, to zk.Zxid, most int64, stop func() bool) (at zk.Zxid, ok bool, err error) {
	at = -1
	read := int64(0)
	err = s.walk(z, to, func(rec Record) error {
		if rec.Zxid <= z {
			at = rec.Zxid
		}
		if read += rec.End() - rec.Offset; most > 0 && read > most || stop() {
			return ErrPassage
		}
		return nil
	})
	if errors.Is(err, ErrPassage) {
		return at, false, nil
	}
	return at, err == nil && at >= 0, err
}

// WritePassage gives the entries behind after up to to, in order. An entry is valid until the next. The error is each's, the disk's, or ErrPassage
// where they do not follow each other.
func (s *Store) WritePassage(after, to zk.Zxid, each func(Entry) error) error {
	return s.walk(after, to, func(rec Record) error {
		if rec.Zxid <= after {
			return nil
		}
		return each(Entry{rec.Zxid, rec.Payload})
	})
}

// walk gives the records from the file on that has z, up to that of to, and makes sure that behind z none is missing.
func (s *Store) walk(z, to zk.Zxid, each func(Record) error) error {
	files, _, err := s.list(s.logAt, logPrefix)
	if err != nil {
		return &DiskError{"list", s.logAt, err}
	}
	snapshots, _, err := s.list(s.snapAt, snapshotPrefix)
	if err != nil {
		return &DiskError{"list", s.snapAt, err}
	}
	begin := -1
	for i, n := range files {
		if n.zxid <= z {
			begin = i
		}
	}
	if begin < 0 {
		return ErrPassage
	}
	last := zk.Zxid(-1)
	for _, n := range files[begin:] {
		done, err := s.walkFile(n, func(rec Record) (bool, error) {
			if rec.Zxid <= last || rec.Zxid > to || rec.Zxid > z && !s.continues(last, rec.Zxid, snapshots) {
				return false, fmt.Errorf("%w: %v after %v in %s", ErrPassage, rec.Zxid, last, n.path())
			}
			last = rec.Zxid
			return last == to, each(rec)
		})
		if done || err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: it ends with %v", ErrPassage, last)
}

// continues tells whether a record comes right behind another; last -1 is none.
func (s *Store) continues(last, z zk.Zxid, snapshots []named) bool {
	return last >= 0 && follows(last, z) && !slices.ContainsFunc(snapshots, func(n named) bool { return n.zxid > last && n.zxid < z })
}

// walkFile gives the records of a file until one is the last that is wanted.
func (s *Store) walkFile(n named, each func(Record) (done bool, err error)) (bool, error) {
	f, err := s.fs.Open(n.path())
	if err != nil {
		return false, &DiskError{"open", n.path(), err}
	}
	defer f.Close()
	l := newLogReader(f, n.path(), s.o.MaxRecord)
	for {
		rec, err := l.next()
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if done, err := each(rec); done || err != nil {
			return done, err
		}
	}
}
