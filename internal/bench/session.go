package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// sessionTimeout is what sessions ask for: long enough that a server busy with garbage or a snapshot does not end them.
const sessionTimeout = 40 * time.Second

// patience is how long a reply may take before the run is given up.
const patience = 60 * time.Second

// headerSize is the length of a reply's header.
const headerSize = 16

// maxReply bounds a reply: a list of a million names is below it.
const maxReply = 64 << 20

var errRefused = errors.New("the server refused the session")

// session is a connection with its session: a buffer of received bytes and a counter of requests.
type session struct {
	c    net.Conn
	addr string
	next uint64 // number of the next request of call
	in   []byte
	r, w int // in[r:w] is received and not yet looked at
	out  []byte
}

// dial connects and opens a session. inSize is the first size of the receive buffer.
func dial(ctx context.Context, addr string, inSize int) (*session, error) {
	d := net.Dialer{Timeout: 10 * time.Second, KeepAlive: -1}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &session{c: c, addr: addr, in: make([]byte, inSize)}
	deadline := time.Now().Add(patience)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := s.handshake(deadline); err != nil {
		c.Close()
		return nil, fmt.Errorf("%s: %w", addr, err)
	}
	return s, nil
}

func (s *session) handshake(deadline time.Time) error {
	b, mark := wire.BeginFrame(s.out[:0])
	req := wire.ConnectRequest{TimeOut: int32(sessionTimeout.Milliseconds()), Password: make([]byte, wire.PasswordSize), HasReadOnly: true}
	b = wire.EndFrame(req.Append(b), mark)
	s.c.SetDeadline(deadline)
	if _, err := s.c.Write(b); err != nil {
		return err
	}
	frame, err := s.wait()
	if err != nil {
		return err
	}
	var res wire.ConnectResponse
	if err := res.Decode(frame); err != nil {
		return err
	}
	if res.SessionID == 0 || res.TimeOut <= 0 {
		return errRefused
	}
	return s.c.SetDeadline(time.Time{})
}

// frame is the next whole frame that has been received, or nil. It is valid until the next fill.
func (s *session) frame() []byte {
	if s.w-s.r < 4 {
		return nil
	}
	n := int(binary.BigEndian.Uint32(s.in[s.r:]))
	if s.w-s.r-4 < n {
		return nil
	}
	f := s.in[s.r+4 : s.r+4+n]
	s.r += 4 + n
	return f
}

// fill reads once, after it has made room for at least the frame that is on its way.
func (s *session) fill() error {
	if s.r == s.w {
		s.r, s.w = 0, 0
	} else if s.r > 0 && (s.w == len(s.in) || s.w-s.r < 512) {
		s.w = copy(s.in, s.in[s.r:s.w])
		s.r = 0
	}
	if s.w-s.r >= 4 {
		n := binary.BigEndian.Uint32(s.in[s.r:])
		if n > maxReply {
			return fmt.Errorf("%s: a frame of %d bytes", s.addr, int32(n))
		}
		if need := 4 + int(n); need > len(s.in)-s.r {
			if need > len(s.in) {
				s.in = append(make([]byte, 0, need+need/4), s.in[:s.w]...)
				s.in = s.in[:cap(s.in)]
			}
			s.w = copy(s.in, s.in[s.r:s.w])
			s.r = 0
		}
	}
	n, err := s.c.Read(s.in[s.w:])
	s.w += n
	if n > 0 {
		return nil
	}
	return err
}

// wait gives the next frame, reading until it is there.
func (s *session) wait() ([]byte, error) {
	for {
		if f := s.frame(); f != nil {
			return f, nil
		}
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
}

// reply gives the next frame, with its header taken apart.
func (s *session) reply() (h wire.ReplyHeader, body []byte, err error) {
	f, err := s.wait()
	if err != nil {
		return h, nil, err
	}
	if len(f) < headerSize {
		return h, nil, fmt.Errorf("%s: a reply of %d bytes", s.addr, len(f))
	}
	h.Decode(jute.NewDecoder(f[:headerSize]))
	return h, f[headerSize:], nil
}

// call sends one request and waits for its reply, passing over notices and the answers to pings. A code other than OK is an error of type zk.Code.
func (s *session) call(op wire.Op) ([]byte, error) {
	xid := xidOf(s.next)
	s.next++
	s.out = wire.AppendRequestFrame(s.out[:0], xid, op)
	s.c.SetDeadline(time.Now().Add(patience))
	defer s.c.SetDeadline(time.Time{})
	if _, err := s.c.Write(s.out); err != nil {
		return nil, err
	}
	for {
		h, body, err := s.reply()
		switch {
		case err != nil:
			return nil, err
		case h.Xid == wire.XidNotice || h.Xid == wire.XidPing:
		case h.Xid != xid:
			return nil, fmt.Errorf("%s: reply to request %d where %d was due", s.addr, h.Xid, xid)
		case h.Err != zk.OK:
			return nil, h.Err
		default:
			return body, nil
		}
	}
}

// create makes a persistent znode; one that is there already is fine.
func (s *session) create(path string, data []byte) error {
	_, err := s.call(&wire.Create{Path: path, Data: data, ACL: zk.WorldACL(zk.PermAll)})
	if err == zk.NodeExists {
		return nil
	}
	return at("create", path, err)
}

// get reads data and stat.
func (s *session) get(path string) (wire.DataReply, error) {
	var r wire.DataReply
	body, err := s.call(&wire.GetData{Path: path})
	if err != nil {
		return r, at("getData", path, err)
	}
	d := jute.NewDecoder(body)
	r.Decode(d)
	return r, at("getData", path, d.Err())
}

// children lists names; the znode may be missing.
func (s *session) children(path string) ([]string, error) {
	body, err := s.call(&wire.GetChildren{Path: path})
	if err == zk.NoNode {
		return nil, nil
	}
	if err != nil {
		return nil, at("getChildren", path, err)
	}
	var r wire.ChildrenReply
	d := jute.NewDecoder(body)
	r.Decode(d)
	names := make([]string, len(r.Children))
	for i, n := range r.Children {
		names[i] = string([]byte(n)) // the decoder's strings alias the receive buffer
	}
	return names, at("getChildren", path, d.Err())
}

// end closes the session, so that the server need not wait for it to expire.
func (s *session) end() {
	s.out = wire.AppendRequestFrame(s.out[:0], xidOf(s.next), &wire.CloseSession{})
	s.c.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := s.c.Write(s.out); err == nil {
		for {
			if _, err := s.wait(); err != nil { // the reply, then the end of the stream
				break
			}
		}
	}
	s.c.Close()
}

// at says which operation on which path failed.
func at(op, path string, err error) error {
	if err == nil {
		return nil
	}
	if c, ok := err.(zk.Code); ok {
		return &zk.Error{Op: op, Path: path, Code: c}
	}
	return fmt.Errorf("%s %s: %w", op, path, err)
}

// xidOf numbers request i of a connection: never negative, never 0, since those mean something else.
func xidOf(i uint64) int32 { return int32(i&0x3fffffff) + 1 }
