package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/zooid-io/zooid/zk"
)

// The epoch files of a member of an ensemble, beside the snapshots: a decimal number in ASCII and nothing else (ensemble
// protocol, section 1.2; storage, section 8). They are written as Apache does, to <name>.tmp, synced and renamed; and, which
// Apache leaves out, the directory is synced.
const (
	acceptedName = "acceptedEpoch" // the highest epoch that was promised to a leader
	currentName  = "currentEpoch"  // the highest epoch whose history was acknowledged; never above the other
	epochTmp     = ".tmp"
)

// EpochError says that an epoch file cannot be believed, or that a write would take an epoch back. Nothing was changed.
type EpochError struct {
	File    string
	Message string // Apache's where it has one
}

func (e *EpochError) Error() string { return e.File + ": " + e.Message }

// epoch is one of the two files.
type epoch struct {
	name  string
	known bool  // the file was read or written; else there is none, as far as we know
	least int64 // on disk, durably, or a higher one; -1 before that is known
	value int64 // the highest that may be on disk
}

func (e *epoch) sure() bool { return e.known && e.least == e.value }

func (e *epoch) reset(name string) { *e = epoch{name: name, least: -1} }

// Epochs reads the two epochs as they are at a start, after Restore. last is Restored.LastZxid. A file that is missing is
// made, with the epoch of last. The rest is section 1.2 of the ensemble protocol:
//
//	accepted < current                       refused
//	epoch of last <= current                 as usual
//	currentEpoch.tmp holds accepted          a crash kept it from its name: it is taken for current
//	epoch of last <= accepted                current stays as it is: the history came to the disk and the epoch did not
//	epoch of last > accepted                 refused
//
// In the fourth row Apache refuses to start. Current is never raised there: who is at an older epoch than a quorum is outvoted
// by any member of that quorum, and gets the history again. A .tmp that holds another number than what was accepted is the torn
// or forgotten end of an earlier write, as current is only ever raised to what was accepted just before.
//
// The error is an *EpochError or a *DiskError.
func (s *Store) Epochs(last zk.Zxid) (accepted, current int64, err error) {
	born := max(last, 0).Epoch()
	a, c := &s.accepted, &s.current
	for _, e := range []*epoch{a, c} {
		if err := s.readEpoch(e); err != nil {
			return 0, 0, err
		}
	}
	// In memory first: nothing is written where the server refuses to start.
	accepted, current = born, born
	if a.known {
		accepted = a.value
	}
	if c.known {
		current = c.value
	}
	if accepted < current {
		return 0, 0, &EpochError{s.epochPath(a), fmt.Sprintf("The accepted epoch, %x is less than the current epoch, %x", accepted, current)}
	}
	if current < born {
		tmp, ok, err := s.readNumber(s.epochPath(c) + epochTmp)
		if bad := (*EpochError)(nil); err != nil && !errors.As(err, &bad) {
			return 0, 0, err
		}
		switch {
		case err == nil && ok && tmp == accepted && tmp >= born:
			s.log.Info(fmt.Sprintf("%s found. Setting current epoch to %d.", s.epochPath(c)+epochTmp, tmp))
			current = tmp
		case accepted >= born:
			s.log.Warn("The current epoch is older than the last zxid: the server was stopped between the two. It stays, and a leader will "+
				"bring this server up to date", "currentEpoch", current, "acceptedEpoch", accepted, "zxid", last.String())
		default:
			return 0, 0, &EpochError{s.epochPath(c), fmt.Sprintf("The current epoch, %x, is older than the last zxid, %v, and no newer one was "+
				"accepted (%x): a file is missing or of another server", current, last, accepted)}
		}
	}
	for _, x := range []struct {
		e     *epoch
		value int64
	}{{a, accepted}, {c, current}} {
		if !x.e.known {
			s.log.Info(fmt.Sprintf("%s not found! Creating with a reasonable default of %d. This should only happen when you are "+
				"upgrading your installation", x.e.name, x.value))
		}
		if err := s.writeEpoch(x.e, x.value); err != nil {
			return 0, 0, err
		}
	}
	return accepted, current, s.removeEpochTmps()
}

// WriteAccepted makes e the accepted epoch, durably: before ACKEPOCH and LEADERINFO leave. An epoch that is there already is
// no error; a lower one is an *EpochError. After a *DiskError the same may be tried again, and a lower one no longer.
func (s *Store) WriteAccepted(e int64) error {
	if err := s.readEpochOnce(&s.accepted); err != nil {
		return err
	}
	return s.writeEpoch(&s.accepted, e)
}

// WriteCurrent makes e the current epoch, durably: when the history of that epoch's leader is on disk, and before its NEWLEADER
// is acknowledged. It is as WriteAccepted otherwise, and may not be above what was accepted.
func (s *Store) WriteCurrent(e int64) error {
	for _, x := range []*epoch{&s.accepted, &s.current} {
		if err := s.readEpochOnce(x); err != nil {
			return err
		}
	}
	if e > s.accepted.least {
		return &EpochError{s.epochPath(&s.current), fmt.Sprintf("epoch %d was not accepted, only %d", e, s.accepted.least)}
	}
	return s.writeEpoch(&s.current, e)
}

func (s *Store) epochPath(e *epoch) string { return filepath.Join(s.snapAt, e.name) }

func (s *Store) readEpochOnce(e *epoch) error {
	if e.known {
		return nil
	}
	return s.readEpoch(e)
}

// readEpoch reads the file. What this process may have written counts too.
func (s *Store) readEpoch(e *epoch) error {
	v, ok, err := s.readNumber(s.epochPath(e))
	if err != nil || !ok {
		return err
	}
	e.known, e.value = true, max(e.value, v)
	// What is found may be with the operating system alone, of a process that was killed.
	if e.least < v {
		if err := s.fs.SyncDir(s.snapAt); err != nil {
			return &DiskError{"sync", s.snapAt, err}
		}
		e.least = v
	}
	return nil
}

// readNumber reads the first line of a file, as Apache does; ok is false if there is no such file.
func (s *Store) readNumber(path string) (v int64, ok bool, err error) {
	f, err := s.fs.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, &DiskError{"open", path, err}
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 64))
	if err != nil {
		return 0, false, &DiskError{"read", path, err}
	}
	line, _, _ := strings.Cut(string(b), "\n")
	v, err = strconv.ParseInt(strings.TrimSuffix(line, "\r"), 10, 64)
	if err != nil || v < 0 {
		return 0, false, &EpochError{path, fmt.Sprintf("Found %q, which is no epoch", line)}
	}
	return v, true, nil
}

// writeEpoch writes a value that is not lower than any that may be on disk.
func (s *Store) writeEpoch(e *epoch, v int64) error {
	path := s.epochPath(e)
	switch {
	case e.known && v < e.value, v < 0:
		return &EpochError{path, fmt.Sprintf("epoch %d would take back %d", v, e.value)}
	case v == e.value && e.sure():
		return nil
	}
	tmp := path + epochTmp
	f, err := s.fs.Create(tmp)
	if err != nil {
		return &DiskError{"create", tmp, err}
	}
	_, err = f.Write(strconv.AppendInt(nil, v, 10))
	err = diskError("write", tmp, err)
	if err == nil {
		err = diskError("sync", tmp, f.Sync())
	}
	if e := f.Close(); err == nil {
		err = diskError("close", tmp, e)
	}
	if err != nil {
		s.fs.Remove(tmp)
		return err
	}
	// From here nobody knows which of the two a crash leaves: so no lower value than this may follow.
	e.known, e.value = true, v
	if err := s.fs.Rename(tmp, path); err != nil {
		return &DiskError{"rename", path, err}
	}
	if err := s.fs.SyncDir(s.snapAt); err != nil {
		return &DiskError{"sync", s.snapAt, err}
	}
	e.least = v
	return nil
}

// removeEpochTmps removes what earlier writes left, so that no later start, of Apache's either, takes it for news.
func (s *Store) removeEpochTmps() error {
	for _, e := range []*epoch{&s.accepted, &s.current} {
		tmp := s.epochPath(e) + epochTmp
		if err := s.fs.Remove(tmp); err == nil {
			err = s.fs.SyncDir(s.snapAt)
			if err != nil {
				return &DiskError{"sync", s.snapAt, err}
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return &DiskError{"remove", tmp, err}
		}
	}
	return nil
}
