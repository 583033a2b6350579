package bench

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// audience is many sessions that wait for one notice each. Their sockets are taken out of the runtime's poller and read by one
// goroutine with an epoll of its own: ten thousand goroutines that are woken one by one cost more than most servers do about a
// notice, and it is the server that is to be measured.
type audience struct {
	ss     []*session
	poll   int
	events []syscall.EpollEvent
}

func newAudience(ss []*session) (*audience, error) {
	poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	a := &audience{ss: ss, poll: poll, events: make([]syscall.EpollEvent, 1024)}
	for i, s := range ss {
		fd, err := detach(s.c)
		if err != nil {
			a.close()
			return nil, fmt.Errorf("%s: %w", s.addr, err)
		}
		s.c = fd
		if err := syscall.EpollCtl(poll, syscall.EPOLL_CTL_ADD, fd.fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)}); err != nil {
			a.close()
			return nil, fmt.Errorf("%s: epoll: %w", s.addr, err)
		}
	}
	return a, nil
}

// close leaves the sessions to whoever closes them.
func (a *audience) close() { _ = syscall.Close(a.poll) }

// await calls ready, which has the notices sent, and check for each session that has something to read, which is its notice.
func (a *audience) await(ready func(), check func(i int) error) error {
	ready()
	deadline := time.Now().Add(patience)
	for left := len(a.ss); left > 0; {
		n, err := syscall.EpollWait(a.poll, a.events, int(time.Until(deadline).Milliseconds()))
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("epoll: %w", err)
		}
		if n == 0 {
			return fmt.Errorf("%d of %d notices have not come after %v", left, len(a.ss), patience)
		}
		for _, ev := range a.events[:n] {
			if err := check(int(ev.Fd)); err != nil {
				return err
			}
			left--
		}
	}
	return nil
}

// detach makes a blocking socket of a connection.
func detach(c net.Conn) (*socket, error) {
	f, err := c.(*net.TCPConn).File() // a duplicate, and blocking
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	return &socket{fd: fd}, c.Close()
}

// socket is what a session needs of a net.Conn.
type socket struct {
	net.Conn // nil
	fd       int
}

func (s *socket) Read(b []byte) (int, error) {
	for {
		n, err := syscall.Read(s.fd, b)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return 0, os.ErrDeadlineExceeded
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return 0, errors.New("the server has closed the connection")
		default:
			return n, nil
		}
	}
}

// Write writes a request, which a socket takes as a whole.
func (s *socket) Write(b []byte) (int, error) {
	n, err := syscall.Write(s.fd, b)
	if err == nil && n < len(b) {
		err = errors.New("a short write")
	}
	return n, os.NewSyscallError("write", err)
}

func (s *socket) Close() error { return syscall.Close(s.fd) }

func (s *socket) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

func (s *socket) SetReadDeadline(t time.Time) error {
	var tv syscall.Timeval // zero is for ever
	if !t.IsZero() {
		tv = syscall.NsecToTimeval(max(time.Until(t), time.Millisecond).Nanoseconds())
	}
	return syscall.SetsockoptTimeval(s.fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &tv)
}
