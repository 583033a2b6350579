package server

import "net"

// sock is the input and output of one socket. Where the system allows it, nothing is allocated while a connection is idle and
// a write that does not fit does not block.
type sock interface {
	// read waits for bytes and returns a pooled buffer with carry and what came behind it; the caller gives it back. The
	// buffer is at least least long.
	read(carry []byte, least int) ([]byte, error)
	// unread tells, beside a read, that bytes wait in the socket. Where that cannot be found out it is false.
	unread() bool
	// tryWrite writes what fits.
	tryWrite(b []byte) (int, error)
}

// plainSock works on any net.Conn (TLS, pipes, other systems): it keeps a small buffer, and its writes are a drain goroutine's.
type plainSock struct {
	nc  net.Conn
	buf [4096]byte
}

func (p *plainSock) read(carry []byte, least int) ([]byte, error) {
	n, err := p.nc.Read(p.buf[:])
	if n == 0 {
		return nil, err
	}
	return append(bufferFor(carry, max(least, len(carry)+n)), p.buf[:n]...), nil
}

func (p *plainSock) unread() bool { return false }

// tryWrite leaves everything to a drain goroutine: a write here could block, and whoever flushes has others to serve.
func (p *plainSock) tryWrite([]byte) (int, error) { return 0, nil }

// bufferFor is a buffer that starts with carry and has room for least bytes in all and at least one more.
func bufferFor(carry []byte, least int) []byte {
	if least <= bufferSize && len(carry) < bufferSize {
		return append(getBuffer(), carry...)
	}
	if cap(carry) > bufferSize && len(carry) < cap(carry) {
		return carry // there is room in the buffer that the frame has already
	}
	// A long frame: grow with what has really come, not with what its length promises.
	size := min(least, max(2*len(carry), 2*bufferSize))
	size = max(size, len(carry)+1)
	return append(make([]byte, 0, size), carry...)
}
