package store

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/zooid-io/zooid/zk"
)

// DirError says that a directory cannot be used. A server then ends with exit code 3.
type DirError struct {
	Dir     string
	Message string // a sentence for the operator; Apache's where it has one
	Err     error  // the cause, or nil
}

func (e *DirError) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *DirError) Unwrap() error { return e.Err }

// DiskError says that the disk refused something. Nothing of the batch or snapshot that was to be written counts as written;
// the same may be tried again.
type DiskError struct {
	Op   string // what was tried: create, write, sync, ...
	File string
	Err  error
}

func (e *DiskError) Error() string {
	return fmt.Sprintf("store: %s %s: %v", e.Op, e.File, e.Err)
}

func (e *DiskError) Unwrap() error { return e.Err }

// Full tells whether the cause is that the disk, or the quota on it, is full.
func (e *DiskError) Full() bool {
	return errors.Is(e.Err, syscall.ENOSPC) || errors.Is(e.Err, syscall.EDQUOT)
}

// Damage is a way in which a record, and what follows it, cannot be read.
type Damage int

// The kinds of damage.
const (
	BadHeader Damage = iota + 1 // the file does not begin as a log does
	BadSum                      // the checksum is not that of the payload
	BadLength                   // a length below 0 or above the limit
	NoEnd                       // the byte after the payload is not 'B'
	CutOff                      // the file ends inside the record
	Zeros                       // zeros where a record should begin, and more data after them
	BadTxn                      // the checksum is right, the payload is not a transaction that we know
)

func (d Damage) String() string {
	switch d {
	case BadHeader:
		return "invalid header"
	case BadSum:
		return "CRC check failed"
	case BadLength:
		return "unreasonable length"
	case NoEnd:
		return "the record does not end where it should"
	case CutOff:
		return "the file ends inside a record"
	case Zeros:
		return "zeros in front of more data"
	case BadTxn:
		return "not a transaction"
	}
	return fmt.Sprintf("damage %d", int(d))
}

// LogError says where a log file cannot be read.
type LogError struct {
	File   string
	Offset int64   // where the record begins
	After  zk.Zxid // the zxid of the last good record of the file, 0 if there is none
	Kind   Damage
	Detail string // "" or more
	Advice string // what an operator can do, set by Restore

	length    int32  // of the payload, as the file says
	sum, want uint64 // checksum in the file, and of the payload
}

func (e *LogError) Error() string {
	s := fmt.Sprintf("%s: offset %d", e.File, e.Offset)
	if e.After != 0 {
		s += fmt.Sprintf(" (after zxid %v)", e.After)
	}
	s += ": " + e.Kind.String()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Advice != "" {
		s += ". " + e.Advice
	}
	return s
}

// SnapshotError says why a snapshot cannot be read.
type SnapshotError struct {
	File   string
	Offset int64 // in the uncompressed bytes
	Err    error
}

func (e *SnapshotError) Error() string {
	return fmt.Sprintf("%s: offset %d: %v", e.File, e.Offset, e.Err)
}

func (e *SnapshotError) Unwrap() error { return e.Err }

// The reasons why Restore gives up before any file is read.
var (
	// ErrNoSnapshot: Apache's words, for those who look for them.
	ErrNoSnapshot = errors.New("No snapshot found, but there are log entries. Something is broken!")
	ErrAllBad     = errors.New("Not able to find valid snapshots")
)
