package bench

import (
	"encoding/binary"

	"github.com/zooid-io/zooid/internal/wire"
)

// pathAt is where the path begins in every request used here: after length, xid, opcode and the path's own length.
const pathAt = 4 + 4 + 4 + 4

// shape is a request built once and sent many times with another xid, key and stamp.
type shape struct {
	frame  []byte
	digits int // where the key's digits are, or 0
	bucket int // where a bucket's digits are, or 0
	value  int // where the value is, or 0
	size   int // bytes of value
}

// newShape builds the frame of op. Its path is used as it is until a caller says where the digits are.
func newShape(op wire.Op) shape { return shape{frame: wire.AppendRequestFrame(nil, 0, op)} }

// keyed says that the path is a key below parent.
func (s shape) keyed(parent string) shape {
	s.digits = pathAt + len(parent) + 1
	return s
}

// bucketed says that the path is a bucket below parent.
func (s shape) bucketed(parent string) shape {
	s.bucket = pathAt + len(parent) + 1
	return s
}

// valued says that size bytes of value follow the path.
func (s shape) valued(path string, size int) shape {
	if size > 0 {
		s.value, s.size = pathAt+len(path)+4, size
	}
	return s
}

// append copies the request to b and writes what differs. A bucket is numbered by its key.
func (s *shape) append(b []byte, xid int32, key, stamp uint64) []byte {
	n := len(b)
	b = append(b, s.frame...)
	f := b[n:]
	binary.BigEndian.PutUint32(f[4:], uint32(xid))
	if s.digits > 0 {
		putKey(f[s.digits:], key)
	}
	if s.bucket > 0 {
		putBucket(f[s.bucket:], key)
	}
	if s.value > 0 {
		stampValue(f[s.value:s.value+s.size], key, stamp)
	}
	return b
}
