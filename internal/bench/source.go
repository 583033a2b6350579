package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// source says what one connection asks for: its operation i is a function of i alone, so that nothing needs to be remembered
// between a request and its reply.
type source interface {
	// append adds the frame of operation i to b.
	append(b []byte, i uint64) []byte
	// check looks at the body of a successful reply to operation i. It is called for a sample of them.
	check(i uint64, body []byte) error
	// group is the number of operations that belong together: a loop stops only after a multiple of it.
	group() uint64
}

// sampleMask selects the replies that are looked into.
const sampleMask = 1023

// readSource asks for getData or exists of keys anywhere, in no order.
type readSource struct {
	shape
	seed, keys uint64
	value      []byte // what a value is but for its stamp; nil where the reply has none
}

func (s *readSource) key(i uint64) uint64 { return pick(s.seed+i, s.keys) }
func (s *readSource) group() uint64       { return 1 }
func (s *readSource) append(b []byte, i uint64) []byte {
	return s.shape.append(b, xidOf(i), s.key(i), 0)
}

func (s *readSource) check(i uint64, body []byte) error {
	d := jute.NewDecoder(body)
	if s.value == nil {
		if st := d.Stat(); d.Err() != nil || st.Czxid == 0 {
			return fmt.Errorf("key %d: exists answered %+v (%v)", s.key(i), st, d.Err())
		}
		return nil
	}
	var r wire.DataReply
	r.Decode(d)
	if d.Err() != nil {
		return fmt.Errorf("key %d: %w", s.key(i), d.Err())
	}
	return checkValue(r.Data, s.value, s.key(i))
}

// checkValue tells whether got is a value that was written under key.
func checkValue(got, value []byte, key uint64) error {
	if len(got) != len(value) {
		return fmt.Errorf("key %d: a value of %d bytes where %d were set", key, len(got), len(value))
	}
	if len(got) >= 8 && binary.BigEndian.Uint64(got) != key {
		return fmt.Errorf("key %d: the value of key %d", key, binary.BigEndian.Uint64(got))
	}
	if len(got) > stampSize && !bytes.Equal(got[stampSize:], value[stampSize:]) {
		return fmt.Errorf("key %d: the value's tail is not what was set", key)
	}
	return nil
}

// childrenSource asks for the children of buckets.
type childrenSource struct {
	shape
	seed, keys uint64
}

func (s *childrenSource) bucket(i uint64) uint64 {
	return pick(s.seed+i, (s.keys+bucketSize-1)/bucketSize)
}
func (s *childrenSource) group() uint64 { return 1 }
func (s *childrenSource) append(b []byte, i uint64) []byte {
	return s.shape.append(b, xidOf(i), s.bucket(i), 0)
}

func (s *childrenSource) check(i uint64, body []byte) error {
	want := min(bucketSize, s.keys-s.bucket(i)*bucketSize)
	d := jute.NewDecoder(body)
	if names := d.Strings(); d.Err() != nil || uint64(len(names)) != want {
		return fmt.Errorf("bucket %d: %d children where there are %d (%v)", s.bucket(i), len(names), want, d.Err())
	}
	return nil
}

// writeSource sets keys of the connection's own share, so that it knows which write of each came last.
type writeSource struct {
	shape
	seed, from, keys uint64
	last             []uint64 // per sampled key, from the share's first on: 1 + the operation that wrote it last
}

// readBackKeys is the number of keys of each share that are read again when the writing is over.
const readBackKeys = 32

func (s *writeSource) key(i uint64) uint64        { return s.from + pick(s.seed+i, s.keys) }
func (s *writeSource) group() uint64              { return 1 }
func (s *writeSource) check(uint64, []byte) error { return nil }
func (s *writeSource) stamp(i uint64) uint64      { return s.seed ^ i }
func (s *writeSource) append(b []byte, i uint64) []byte {
	k := s.key(i)
	if n := k - s.from; n < uint64(len(s.last)) {
		s.last[n] = i + 1
	}
	return s.shape.append(b, xidOf(i), k, s.stamp(i))
}

// readBack tells whether the keys that were sampled hold what was written to them last.
func (s *writeSource) readBack(c *session) error {
	for n, last := range s.last {
		if last == 0 {
			continue
		}
		k := s.from + uint64(n)
		r, err := c.get(keyPath(dataRoot, k))
		if err != nil {
			return err
		}
		want := bytes.Clone(s.frame[s.value : s.value+s.size])
		stampValue(want, k, s.stamp(last-1))
		if !bytes.Equal(r.Data, want) {
			return fmt.Errorf("key %d: not the value that was set last", k)
		}
	}
	return nil
}

// mixedSource reads nine times and writes once.
type mixedSource struct {
	readSource
	writes writeSource
}

func (s *mixedSource) append(b []byte, i uint64) []byte {
	if i%10 == 9 {
		return s.writes.append(b, i)
	}
	return s.readSource.append(b, i)
}

func (s *mixedSource) check(i uint64, body []byte) error {
	if i%10 == 9 {
		return nil
	}
	return s.readSource.check(i, body)
}

func (s *mixedSource) readBack(c *session) error { return s.writes.readBack(c) }

// churnSource creates a znode below the connection's own parent and deletes it again.
type churnSource struct{ create, delete shape }

func (s *churnSource) group() uint64              { return 2 }
func (s *churnSource) check(uint64, []byte) error { return nil }
func (s *churnSource) append(b []byte, i uint64) []byte {
	k := i / 2 % (maxKeys / bucketSize)
	if i%2 == 0 {
		return s.create.append(b, xidOf(i), k, i)
	}
	return s.delete.append(b, xidOf(i), k, i)
}

// fillSource creates keys, or buckets, in order.
type fillSource struct {
	shape
	from uint64
}

func (s *fillSource) group() uint64              { return 1 }
func (s *fillSource) check(uint64, []byte) error { return nil }
func (s *fillSource) append(b []byte, i uint64) []byte {
	return s.shape.append(b, xidOf(i), s.from+i, 0)
}

// deleteSource deletes paths in order.
type deleteSource struct{ paths []string }

func (s *deleteSource) group() uint64              { return 1 }
func (s *deleteSource) check(uint64, []byte) error { return nil }
func (s *deleteSource) append(b []byte, i uint64) []byte {
	return wire.AppendRequestFrame(b, xidOf(i), &wire.Delete{Path: s.paths[i], Version: -1})
}

// The shapes of the operations. Keys lie below dataRoot.

func getShape() shape {
	return newShape(&wire.GetData{Path: keyPath(dataRoot, 0)}).keyed(dataRoot)
}

func existsShape(parent string, watch bool) shape {
	return newShape(&wire.Exists{Path: keyPath(parent, 0), Watch: watch}).keyed(parent)
}

func childrenShape() shape {
	return newShape(&wire.GetChildren{Path: bucketPath(dataRoot, 0)}).bucketed(dataRoot)
}

func setShape(value []byte) shape {
	path := keyPath(dataRoot, 0)
	return newShape(&wire.SetData{Path: path, Data: value, Version: -1}).keyed(dataRoot).valued(path, len(value))
}

func createShape(value []byte) shape {
	path := keyPath(dataRoot, 0)
	return newShape(&wire.Create{Path: path, Data: value, ACL: zk.WorldACL(zk.PermAll)}).keyed(dataRoot).valued(path, len(value))
}

func createBucketShape() shape {
	return newShape(&wire.Create{Path: bucketPath(dataRoot, 0), Data: []byte{}, ACL: zk.WorldACL(zk.PermAll)}).bucketed(dataRoot)
}

// newChurnSource makes a connection's source of creates and deletes below parent, which must exist.
func newChurnSource(parent string, value []byte) *churnSource {
	path := bucketPath(parent, 0)
	return &churnSource{
		create: newShape(&wire.Create{Path: path, Data: value, ACL: zk.WorldACL(zk.PermAll)}).bucketed(parent).valued(path, len(value)),
		delete: newShape(&wire.Delete{Path: path, Version: -1}).bucketed(parent),
	}
}
