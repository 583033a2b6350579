package store

import (
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/adler32"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// SnapshotVisitor is shown a snapshot in the order of the file. A field may be nil. What it is given aliases the reader's
// buffer and is valid until it returns. An error ends the reading and is returned.
type SnapshotVisitor struct {
	Session func(Session) error
	ACL     func(tree.ACLEntry) error
	Node    func(path string, data []byte, aclKey int64, m tree.Meta) error // the root's path is ""
}

// SnapshotInfo is what a snapshot says of itself.
type SnapshotInfo struct {
	Sessions, ACLs, Nodes int

	// The digest trailer. Versions below 2 and Apache's value for "none yet" count as no digest.
	HasDigest  bool
	DigestZxid zk.Zxid // of the last transaction that was applied when it was written; may be above the file's
	Digest     int64

	HasLastZxid bool // the trailer of 3.9
	LastZxid    zk.Zxid
}

var (
	errSum     = errors.New("CRC corruption")
	errMagic   = errors.New("invalid magic number")
	errTrailer = errors.New("what follows the nodes is not a trailer")
)

// ReadSnapshot reads a snapshot and checks its seals. The end of name, .gz or .snappy, tells the compression; maxRecord bounds
// every field, 0 is the default. Which trailers there are is decided by what remains, not by settings: 3.9 rejects a snapshot
// whose writer had other settings. The error is a *SnapshotError, or v's. It never allocates much more than the input has
// bytes.
func ReadSnapshot(r io.Reader, name string, maxRecord int, v SnapshotVisitor) (SnapshotInfo, error) {
	if maxRecord <= 0 {
		maxRecord = defaultMaxRecord
	}
	switch {
	case strings.HasSuffix(name, ".gz"):
		z, err := gzip.NewReader(r)
		if err != nil {
			return SnapshotInfo{}, &SnapshotError{name, 0, err}
		}
		r = z
	case strings.HasSuffix(name, ".snappy"):
		r = newXerialReader(r)
	}
	d := &snapshotReader{r: r, max: maxRecord, sum: adler32.New()}
	info, err := d.read(v)
	if own := (*visitorError)(nil); errors.As(err, &own) {
		return info, own.err
	}
	if err != nil {
		return info, &SnapshotError{name, d.off, err}
	}
	return info, nil
}

type visitorError struct{ err error }

func (e *visitorError) Error() string { return e.err.Error() }

// snapshotReader reads fields through a window on the input and sums what it has read.
type snapshotReader struct {
	r        io.Reader
	max      int
	sum      hash.Hash32 // nil: of a stream, which has no seal and must not be read beyond a field
	buf      []byte      // window
	pos      int         // of the next field in buf
	summed   int         // of buf, what is in sum
	off      int64       // of the next field in the input
	readFail error
}

const snapshotWindow = 64 << 10

// fill makes sure that n bytes can be read from the window.
func (d *snapshotReader) fill(n int) error {
	for len(d.buf)-d.pos < n {
		if d.readFail != nil {
			if d.readFail == io.EOF {
				return io.ErrUnexpectedEOF
			}
			return d.readFail
		}
		d.add()
		if d.pos > 0 {
			d.buf = append(d.buf[:0], d.buf[d.pos:]...)
			d.pos, d.summed = 0, 0
		}
		have := len(d.buf)
		// A field longer than the window: grow as its bytes come.
		d.buf = slices.Grow(d.buf, max(snapshotWindow-have, snapshotWindow/2))
		end := cap(d.buf)
		if d.sum == nil {
			end = min(end, n)
		}
		var got int
		got, d.readFail = io.ReadAtLeast(d.r, d.buf[have:end], 1)
		d.buf = d.buf[:have+got]
	}
	return nil
}

// add sums what was read since the last time.
func (d *snapshotReader) add() {
	if d.sum != nil {
		d.sum.Write(d.buf[d.summed:d.pos])
	}
	d.summed = d.pos
}

// next is the next n bytes, valid until the next call.
func (d *snapshotReader) next(n int) ([]byte, error) {
	if err := d.fill(n); err != nil {
		return nil, err
	}
	b := d.buf[d.pos : d.pos+n : d.pos+n]
	d.pos += n
	d.off += int64(n)
	return b, nil
}

func (d *snapshotReader) int() (int32, error) {
	b, err := d.next(4)
	if err != nil {
		return 0, err
	}
	return int32(binary.BigEndian.Uint32(b)), nil
}

func (d *snapshotReader) long() (int64, error) {
	b, err := d.next(8)
	if err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(b)), nil
}

func (d *snapshotReader) count(what string) (int, error) {
	n, err := d.int()
	if err == nil && n < 0 {
		err = fmt.Errorf("count of %s is %d", what, n)
	}
	return int(n), err
}

// check makes sure that a buffer's length, at offset at of the window, is one that may be.
func (d *snapshotReader) length(at int) (int, error) {
	if err := d.fill(at + 4); err != nil {
		return 0, err
	}
	n := int32(binary.BigEndian.Uint32(d.buf[d.pos+at:]))
	if n < -1 || int(n) > d.max {
		return 0, fmt.Errorf("Unreasonable length = %d", n) //lint:ignore ST1005 upstream's words
	}
	return max(int(n), 0), nil
}

func (d *snapshotReader) read(v SnapshotVisitor) (info SnapshotInfo, err error) {
	head, err := d.next(16)
	if err != nil {
		return info, err
	}
	if magic := binary.BigEndian.Uint32(head); magic != snapshotMagic {
		return info, fmt.Errorf("%w %d != %d", errMagic, int32(magic), snapshotMagic)
	}
	if err := d.content(v, &info); err != nil {
		return info, err
	}
	if err := d.seal(); err != nil {
		return info, err
	}
	return info, d.trailers(&info)
}

// content is what a snapshot and a stream have in common.
func (d *snapshotReader) content(v SnapshotVisitor, info *SnapshotInfo) (err error) {
	if info.Sessions, err = d.sessions(v.Session); err != nil {
		return err
	}
	if info.ACLs, err = d.acls(v.ACL); err != nil {
		return err
	}
	for {
		end, err := d.node(v.Node)
		if end || err != nil {
			return err
		}
		info.Nodes++
	}
}

func (d *snapshotReader) sessions(visit func(Session) error) (int, error) {
	n, err := d.count("sessions")
	for i := 0; i < n && err == nil; i++ {
		var b []byte
		if b, err = d.next(12); err == nil && visit != nil {
			err = own(visit(Session{zk.SessionID(binary.BigEndian.Uint64(b)), int32(binary.BigEndian.Uint32(b[8:]))}))
		}
	}
	return n, err
}

func (d *snapshotReader) acls(visit func(tree.ACLEntry) error) (int, error) {
	n, err := d.count("ACLs")
	for i := 0; i < n && err == nil; i++ {
		err = d.acl(visit)
	}
	return n, err
}

func (d *snapshotReader) acl(visit func(tree.ACLEntry) error) error {
	key, err := d.long()
	if err != nil {
		return err
	}
	n, err := d.int()
	if err != nil {
		return err
	}
	e := tree.ACLEntry{Key: key}
	if n >= 0 {
		e.ACL = []zk.ACL{}
	}
	for range n {
		perms, err := d.int()
		if err != nil {
			return err
		}
		scheme, err := d.string()
		if err != nil {
			return err
		}
		id, err := d.string()
		if err != nil {
			return err
		}
		e.ACL = append(e.ACL, zk.ACL{Perms: zk.Perm(perms), ID: zk.ID{Scheme: scheme, ID: id}})
	}
	if visit == nil {
		return nil
	}
	return own(visit(e))
}

// string reads a ustring into a copy.
func (d *snapshotReader) string() (string, error) {
	n, err := d.length(0)
	if err != nil {
		return "", err
	}
	b, err := d.next(4 + n)
	if err != nil {
		return "", err
	}
	return strings.Clone(jute.NewStored(b).String()), nil
}

// storedStat is the bytes of aclKey and StatPersisted.
const storedStat = 8 + 60

// node reads a node, or the end of them.
func (d *snapshotReader) node(visit func(string, []byte, int64, tree.Meta) error) (end bool, err error) {
	path, err := d.length(0)
	if err != nil {
		return false, err
	}
	if err := d.fill(4 + path); err != nil {
		return false, err
	}
	if string(d.buf[d.pos+4:d.pos+4+path]) == endOfNodes {
		_, err := d.next(4 + path)
		return true, err
	}
	data, err := d.length(4 + path)
	if err != nil {
		return false, err
	}
	b, err := d.next(4 + path + 4 + data + storedStat)
	if err != nil {
		return false, err
	}
	f := jute.NewStored(b)
	name, bytes, key := f.String(), f.Buffer(), f.Long()
	m := tree.Meta{
		Czxid: zk.Zxid(f.Long()), Mzxid: zk.Zxid(f.Long()), Ctime: f.Long(), Mtime: f.Long(),
		Version: f.Int(), CVersion: f.Int(), AVersion: f.Int(), Owner: f.Long(), Pzxid: zk.Zxid(f.Long()),
	}
	if f.Err() != nil {
		return false, f.Err()
	}
	if visit == nil {
		return false, nil
	}
	return false, own(visit(name, bytes, key, m))
}

// own marks an error as the visitor's.
func own(err error) error {
	if err == nil {
		return nil
	}
	return &visitorError{err}
}

// seal reads a checksum and compares it with the sum of everything before it.
func (d *snapshotReader) seal() error {
	d.add()
	want := d.sum.Sum32()
	b, err := d.next(sealSize)
	if err != nil {
		return err
	}
	if !isSeal(b) {
		return errTrailer
	}
	if got := binary.BigEndian.Uint64(b); got != uint64(want) {
		return fmt.Errorf("%w: 0x%x in the file, 0x%x of its bytes", errSum, got, want)
	}
	return nil
}

const (
	sealSize     = 8 + 4 + len(endOfNodes)
	digestSize   = 8 + 4 + 8 + sealSize
	lastZxidSize = 8 + sealSize
)

func isSeal(b []byte) bool {
	return len(b) == sealSize && binary.BigEndian.Uint32(b[8:]) == uint32(len(endOfNodes)) && string(b[12:]) == endOfNodes
}

// trailers reads what follows the first seal. They have no tags: their number and kind follow from the bytes that remain.
//
//	0 nothing | 21 last zxid | 33 digest | 54 both; a digest of a version below 2 is a ustring of hex and has any length
func (d *snapshotReader) trailers(info *SnapshotInfo) error {
	const most = digestSize + lastZxidSize + 64 // a digest of hex is 16 digits at most
	if err := d.fill(most + 1); err == nil {
		return errTrailer
	} else if d.readFail != io.EOF {
		return err
	}
	left := len(d.buf) - d.pos
	if left == 0 {
		return nil
	}
	if left != lastZxidSize {
		if err := d.digest(info); err != nil {
			return err
		}
		left = len(d.buf) - d.pos
	}
	switch left {
	case 0:
		return nil
	case lastZxidSize:
		z, err := d.long()
		if err != nil {
			return err
		}
		info.HasLastZxid, info.LastZxid = true, zk.Zxid(z)
		return d.seal()
	}
	return errTrailer
}

func (d *snapshotReader) digest(info *SnapshotInfo) error {
	z, err := d.long()
	if err != nil {
		return err
	}
	version, err := d.int()
	if err != nil {
		return err
	}
	if version < txn.DigestVersion {
		hex, err := d.string()
		if err != nil {
			return err
		}
		if _, err := strconv.ParseUint(hex, 16, 64); hex != "" && err != nil {
			return errTrailer
		}
		return d.seal()
	}
	digest, err := d.long()
	if err != nil {
		return err
	}
	if version == txn.DigestVersion && z > 0 {
		info.HasDigest, info.DigestZxid, info.Digest = true, zk.Zxid(z), digest
	}
	return d.seal()
}
