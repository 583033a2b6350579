//go:build unix

package peer

import (
	"net"
	"syscall"
)

// sock writes to a connection as much as it takes at once, and does not wait.
type sock struct {
	rc  syscall.RawConn
	out []byte
	n   int
	err error
	fn  func(fd uintptr) bool
}

// newSock gives nil for what is no plain TCP connection.
func newSock(c net.Conn) *sock {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	rc, err := t.SyscallConn()
	if err != nil {
		return nil
	}
	s := &sock{rc: rc}
	s.fn = s.write
	return s
}

func (s *sock) tryWrite(b []byte) (int, error) {
	s.out, s.n, s.err = b, 0, nil
	err := s.rc.Write(s.fn)
	s.out = nil
	if err == nil {
		err = s.err
	}
	return s.n, err
}

func (s *sock) write(fd uintptr) bool {
	for s.n < len(s.out) {
		n, err := syscall.Write(int(fd), s.out[s.n:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return true
		case err != nil:
			s.err = err
			return true
		}
		s.n += n
	}
	return true
}
