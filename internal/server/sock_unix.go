//go:build unix

package server

import (
	"io"
	"net"
	"syscall"
)

// rawSock reads and writes the descriptor itself, parked in the runtime's poller while nothing is there.
type rawSock struct {
	rc    syscall.RawConn
	carry []byte
	least int
	buf   []byte
	out   []byte
	n     int
	err   error // of the reader
	werr  error // of the writer
	rfn   func(fd uintptr) bool
	wfn   func(fd uintptr) bool
}

func newSock(nc net.Conn) sock {
	if t, ok := nc.(*net.TCPConn); ok {
		if rc, err := t.SyscallConn(); err == nil {
			r := &rawSock{rc: rc}
			r.rfn, r.wfn = r.tryRead, r.tryWriteFD
			return r
		}
	}
	return &plainSock{nc: nc}
}

func (r *rawSock) read(carry []byte, least int) ([]byte, error) {
	r.carry, r.least, r.buf, r.err = carry, least, nil, nil
	if err := r.rc.Read(r.rfn); err != nil {
		return nil, err
	}
	b, err := r.buf, r.err
	r.carry, r.buf = nil, nil
	return b, err
}

func (r *rawSock) tryRead(fd uintptr) bool {
	b := bufferFor(r.carry, r.least)
	for {
		n, err := syscall.Read(int(fd), b[len(b):cap(b)])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			putBuffer(b)
			return false
		case err != nil:
			putBuffer(b)
			r.err = err
		case n == 0:
			putBuffer(b)
			r.err = io.EOF
		default:
			r.buf = b[:len(b)+n]
		}
		return true
	}
}

func (r *rawSock) unread() (some bool) {
	_ = r.rc.Control(func(fd uintptr) { // which, unlike Read, does not wait for who reads
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK) // does not block: it is the poller's
		some = err == nil && n > 0
	})
	return some
}

func (r *rawSock) tryWrite(b []byte) (int, error) {
	r.out, r.n, r.werr = b, 0, nil
	w := r.rc.Write(r.wfn)
	r.out = nil
	if w != nil {
		return r.n, w
	}
	return r.n, r.werr
}

func (r *rawSock) tryWriteFD(fd uintptr) bool {
	for r.n < len(r.out) {
		n, err := syscall.Write(int(fd), r.out[r.n:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return true
		case err != nil:
			r.werr = err
			return true
		}
		r.n += n
	}
	return true
}
