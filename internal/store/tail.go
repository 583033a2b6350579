package store

import (
	"bytes"
	"io"
	"os"

	"github.com/zooid-io/zooid/internal/vfs"
)

// A crash leaves the last log file with a part of what was being written: nothing of it was acknowledged, and it is cut off.
// Damage to what was acknowledged looks alike at first, a record that does not fit its checksum, and must not be cut off but
// refused, as everything after it would be lost with it. What tells them apart:
//
//	before     | good | good | good | 0000000000000000000000000000000000      padded ahead with zeros
//	torn       | good | good | good | good | rec~ | 000000000000000000000      the bad record is the last thing in the file
//	lost       | good | good | good | good | r 000000 d | good | 00000000      whole sectors never got written; those behind did
//	damaged    | good | good | go?d | good | good | 000000000000000000000      anything else: refused
//
// The third is rare: a disk that lost power wrote the sectors of one write in another order. It shows as a sector that is
// still zero within the bad record. The rule is that of etcd's log (isTornEntry).

const (
	sectorSize = 512
	// lostEvidence is how many bytes of zeros at the end of a sector show that it was lost. Any 8 bytes of a frame's head are
	// not all zero, as neither a checksum nor a length is.
	lostEvidence = 8
)

// tail is what follows the last good record of a file.
type tail struct {
	size int64 // of the file
	used int64 // end of the last byte that is not zero; at most the offset asked for if there is none
}

// sparse is a file that knows where it has no data: see vfs.File.
type sparse interface {
	// NextData is where data begins at or behind off: before it there are zeros only. The end of the file, if there is no more.
	NextData(off int64) (int64, error)
}

var noData [64 << 10]byte

// readTail reads the file from off to its end. Most of it is padding, which a system that can tell is not asked to read.
func readTail(f vfs.File, off int64) (t tail, err error) {
	if t.size, err = f.Size(); err != nil {
		return t, err
	}
	holes, _ := f.(sparse)
	buf := make([]byte, len(noData))
	for at := off; at < t.size; {
		if holes != nil {
			next, err := holes.NextData(at)
			if err != nil {
				return t, err
			}
			if at = max(at, next); at >= t.size {
				break
			}
		}
		n, err := f.ReadAt(buf[:min(int64(len(buf)), t.size-at)], at)
		if !bytes.Equal(buf[:n], noData[:n]) {
			last := n
			for buf[last-1] == 0 {
				last--
			}
			t.used = at + int64(last)
		}
		at += int64(n)
		if err == io.EOF && at < t.size {
			t.size = at // it shrank under us; take what is there
		} else if err != nil && err != io.EOF {
			return t, err
		}
	}
	return t, nil
}

// torn tells whether what begins at off, a record that e says is damaged or, if e is nil, zeros where a record should begin,
// was left by a crash.
func (t tail) torn(f vfs.File, off int64, e *LogError) (bool, error) {
	end := off + frameHead + 1 // of the bad record
	switch {
	case e == nil || e.Kind == BadLength:
	case e.Kind == CutOff:
		return true, nil
	default:
		end = off + frameHead + int64(e.length) + 1
	}
	// After a length that cannot be, nobody knows where the record ends: then only zeros may follow its head.
	if t.used <= end {
		return true, nil
	}
	if e != nil && e.Kind == BadSum && lostSumHead(off, e) {
		return true, nil
	}
	var sector [sectorSize]byte
	for at := off; at < min(end, t.size); {
		next := min((at/sectorSize+1)*sectorSize, t.size)
		part := sector[:next-at]
		if _, err := f.ReadAt(part, at); err != nil && err != io.EOF {
			return false, err
		}
		if len(part) >= lostEvidence && isZero(part) {
			return true, nil
		}
		at = next
	}
	return false, nil
}

// lostSumHead is the case where only the first bytes of a checksum were in the lost sector: what is left of the checksum is
// that of the payload, what lay before the border is zero.
func lostSumHead(off int64, e *LogError) bool {
	lost := (off/sectorSize+1)*sectorSize - off
	if lost >= 8 {
		return false
	}
	mask := uint64(1)<<(8*(8-lost)) - 1
	return e.sum == e.want&mask
}

// cut shortens a log file to off bytes, durably.
func (s *Store) cut(path string, off int64) error {
	f, err := s.fs.OpenFile(path, os.O_RDWR)
	if err != nil {
		return &DiskError{"open", path, err}
	}
	err = diskError("truncate", path, f.Truncate(off))
	if err == nil {
		err = diskError("sync", path, f.Sync())
	}
	if e := f.Close(); err == nil {
		err = diskError("close", path, e)
	}
	return err
}

// drop removes a log file without a record, durably.
func (s *Store) drop(path string) error {
	if err := s.fs.Remove(path); err != nil {
		return &DiskError{"remove", path, err}
	}
	return diskError("sync", s.logAt, s.fs.SyncDir(s.logAt))
}
