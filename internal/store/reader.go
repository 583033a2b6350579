package store

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
	"iter"
	"slices"

	"github.com/zooid-io/zooid/zk"
)

// Record is one transaction as it stands in a log file.
type Record struct {
	Offset  int64 // of its checksum, from the start of the file
	Zxid    zk.Zxid
	Sum     uint32 // Adler-32 of Payload
	Payload []byte // for txn.Decode; valid until the next record is asked for
}

// End is the offset behind the record.
func (r Record) End() int64 { return r.Offset + frameHead + int64(len(r.Payload)) + 1 }

// ReadLog yields the records of a log file in order. It ends at the end of the file, or at zeros where a record should begin,
// which is padding; whether only zeros follow, it does not look. What cannot be read is yielded as a *LogError, of any kind
// but Zeros, and is the last; other errors are those of r. name is for errors; maxRecord bounds a payload, 0 is
// the default. It never allocates much more than r has bytes.
func ReadLog(r io.Reader, name string, maxRecord int) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		l := newLogReader(r, name, maxRecord)
		for {
			rec, err := l.next()
			if err == io.EOF {
				return
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

type logReader struct {
	r     *bufio.Reader
	name  string
	max   int
	off   int64 // of the next record
	last  zk.Zxid
	begun bool // the file's header was read
	buf   []byte
	head  [max(logHeaderSize, frameHead)]byte
}

func newLogReader(r io.Reader, name string, maxRecord int) *logReader {
	if maxRecord <= 0 {
		maxRecord = defaultMaxRecord
	}
	return &logReader{r: bufio.NewReaderSize(r, 64<<10), name: name, max: maxRecord}
}

func (l *logReader) damage(kind Damage, format string, args ...any) *LogError {
	return &LogError{File: l.name, Offset: l.off, After: l.last, Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// cut turns the end of the input inside something into damage.
func (l *logReader) cut(err error, kind Damage, what string) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return l.damage(kind, "the file ends within %s", what)
	}
	return err
}

// next returns a record, io.EOF at the end or at padding, or what is wrong.
func (l *logReader) next() (Record, error) {
	if !l.begun {
		if err := l.header(); err != nil {
			return Record{}, err
		}
	}
	head := l.head[:frameHead]
	if n, err := io.ReadFull(l.r, head); err != nil {
		if n == 0 || isZero(head[:n]) {
			err = asEOF(err)
		}
		if err == io.EOF {
			return Record{}, err
		}
		return Record{}, l.cut(err, CutOff, "checksum and length")
	}
	sum, length := binary.BigEndian.Uint64(head), int32(binary.BigEndian.Uint32(head[8:]))
	if length == 0 {
		return Record{}, io.EOF
	}
	if length < 0 || int(length) > l.max {
		return Record{}, l.damage(BadLength, "%d, the limit is %d", length, l.max)
	}
	payload, err := l.body(int(length))
	if err != nil {
		return Record{}, l.cut(err, CutOff, "the payload")
	}
	end, err := l.r.ReadByte()
	if err != nil {
		return Record{}, l.cut(err, CutOff, "the record")
	}
	// Apache's order: a record without its last byte is partial, whatever its checksum.
	if end != recordEnd {
		e := l.damage(NoEnd, "0x%02x instead of 'B'", end)
		e.length = length
		return Record{}, e
	}
	if got := uint64(adler32.Checksum(payload)); got != sum {
		e := l.damage(BadSum, "0x%x in the file, 0x%x of the payload", sum, got)
		e.length, e.sum, e.want = length, sum, got
		return Record{}, e
	}
	rec := Record{Offset: l.off, Zxid: payloadZxid(payload), Sum: uint32(sum), Payload: payload}
	if rec.Zxid < 0 {
		return Record{}, l.damage(BadTxn, "%d bytes", length)
	}
	l.off, l.last = rec.End(), rec.Zxid
	return rec, nil
}

func (l *logReader) header() error {
	head := l.head[:logHeaderSize]
	if _, err := io.ReadFull(l.r, head); err != nil {
		return l.cut(err, BadHeader, "its header")
	}
	if magic := binary.BigEndian.Uint32(head); magic != logMagic {
		return l.damage(BadHeader, "Transaction log: %s has invalid magic number %d != %d", l.name, int32(magic), logMagic)
	}
	l.begun, l.off = true, logHeaderSize // version and dbid are not looked at, as upstream
	return nil
}

// body reads a payload, growing the buffer only as bytes come.
func (l *logReader) body(n int) ([]byte, error) {
	const step = 1 << 20
	l.buf = l.buf[:0]
	for len(l.buf) < n {
		have := len(l.buf)
		part := min(step, n-have)
		l.buf = slices.Grow(l.buf, part)[:have+part]
		if _, err := io.ReadFull(l.r, l.buf[have:]); err != nil {
			return nil, err
		}
	}
	return l.buf, nil
}

func asEOF(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
