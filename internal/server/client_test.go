package server

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// patience bounds each wait for what must come. It is never the measure of a test.
const patience = 2 * time.Minute

// lasting is the timeout of a session whose end is not what a test is about: however slow the machine, it does not expire.
const (
	lasting   = time.Hour
	lastingMs = int32(lasting / time.Millisecond)
)

// client is a connection that can send any bytes. It is for one goroutine.
type client struct {
	t       testing.TB
	nc      net.Conn
	r       *bufio.Reader
	xid     int32
	session wire.ConnectResponse
	notices []zk.Event // met so far
}

// reply is what answers a request.
type reply struct {
	wire.ReplyHeader
	body []byte
}

// into reads the body of a reply.
func (r reply) into(t testing.TB, to interface{ Decode(*jute.Decoder) }) {
	t.Helper()
	if r.Err != zk.OK {
		t.Fatalf("the reply to %d says %v", r.Xid, r.Err)
	}
	d := jute.NewDecoder(r.body)
	to.Decode(d)
	if d.Err() != nil {
		t.Fatalf("the reply to %d: %v", r.Xid, d.Err())
	}
}

// dial opens a connection without a session.
func dial(t testing.TB, s *Server) *client {
	t.Helper()
	nc, err := net.DialTimeout("tcp", s.Addr().String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &client{t: t, nc: nc, r: bufio.NewReaderSize(nc, 64<<10)}
}

// connect opens a connection with a new session.
func connect(t testing.TB, s *Server, timeout time.Duration) *client {
	t.Helper()
	c := dial(t, s)
	c.write(hello(&wire.ConnectRequest{TimeOut: int32(timeout.Milliseconds())}))
	c.welcomed()
	return c
}

// resume opens a connection with the session of an earlier one; refused tells that the server does not know it.
func (c *client) resume(s *Server) (next *client, refused bool) {
	c.t.Helper()
	next = dial(c.t, s)
	next.write(hello(&wire.ConnectRequest{
		TimeOut: c.session.TimeOut, SessionID: c.session.SessionID, Password: c.session.Password[:],
	}))
	next.session = next.greeting()
	return next, next.session.TimeOut == 0
}

// hello is the frame of a handshake.
func hello(req *wire.ConnectRequest) []byte {
	req.HasReadOnly = true
	if req.Password == nil {
		req.Password = make([]byte, wire.PasswordSize)
	}
	b, mark := wire.BeginFrame(nil)
	return wire.EndFrame(req.Append(b), mark)
}

func (c *client) greeting() wire.ConnectResponse {
	c.t.Helper()
	f, err := c.frame()
	if err != nil {
		c.t.Fatalf("no answer to the handshake: %v", err)
	}
	var resp wire.ConnectResponse
	if err := resp.Decode(f); err != nil {
		c.t.Fatal(err)
	}
	return resp
}

// welcomed reads the answer to a handshake, which must give a session.
func (c *client) welcomed() {
	c.t.Helper()
	if c.session = c.greeting(); c.session.SessionID == 0 || c.session.TimeOut == 0 {
		c.t.Fatalf("refused: %+v", c.session)
	}
}

// write sends bytes as they are.
func (c *client) write(b []byte) {
	c.t.Helper()
	c.nc.SetWriteDeadline(time.Now().Add(patience))
	if _, err := c.nc.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// request is the frame of a request with the next xid.
func (c *client) request(op wire.Op) []byte {
	c.xid++
	return wire.AppendRequestFrame(nil, c.xid, op)
}

// send sends requests in one segment and returns the xid of the last.
func (c *client) send(ops ...wire.Op) int32 {
	c.t.Helper()
	var b []byte
	for _, op := range ops {
		b = append(b, c.request(op)...)
	}
	c.write(b)
	return c.xid
}

// frame reads a frame without its length. A frame that does not come is a timeout.
func (c *client) frame() ([]byte, error) {
	c.nc.SetReadDeadline(time.Now().Add(patience))
	var n [4]byte
	if _, err := io.ReadFull(c.r, n[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint32(n[:]))
	_, err := io.ReadFull(c.r, b)
	return b, err
}

// next reads the next reply; notices before it go to c.notices.
func (c *client) next() (reply, error) {
	for {
		f, err := c.frame()
		if err != nil {
			return reply{}, err
		}
		var r reply
		d := jute.NewDecoder(f)
		r.Decode(d)
		if d.Err() != nil {
			return r, d.Err()
		}
		if r.Xid == wire.XidNotice {
			c.notices = append(c.notices, wire.DecodeNotice(d, r.Zxid))
			continue
		}
		r.body = f[16:]
		return r, nil
	}
}

// recv reads the reply that must have this xid.
func (c *client) recv(xid int32) reply {
	c.t.Helper()
	r, err := c.next()
	if err != nil {
		c.t.Fatalf("no reply to %d: %v", xid, err)
	}
	if r.Xid != xid {
		c.t.Fatalf("the reply to %d came where that to %d was due", r.Xid, xid)
	}
	return r
}

// call sends a request and reads its reply.
func (c *client) call(op wire.Op) reply {
	c.t.Helper()
	return c.recv(c.send(op))
}

// must is call for a request that must succeed.
func (c *client) must(op wire.Op) reply {
	c.t.Helper()
	r := c.call(op)
	if r.Err != zk.OK {
		c.t.Fatalf("%v: %v", op.OpCode(), r.Err)
	}
	return r
}

// data reads a znode.
func (c *client) data(path string) (string, zk.Stat) {
	c.t.Helper()
	var d wire.DataReply
	c.must(&wire.GetData{Path: path}).into(c.t, &d)
	return string(d.Data), d.Stat
}

// children lists a znode's children.
func (c *client) children(path string) []string {
	c.t.Helper()
	var d wire.ChildrenReply
	c.must(&wire.GetChildren{Path: path}).into(c.t, &d)
	return d.Children
}

// exists tells whether a znode is there.
func (c *client) exists(path string) bool {
	c.t.Helper()
	switch r := c.call(&wire.Exists{Path: path}); r.Err {
	case zk.OK:
		return true
	case zk.NoNode:
		return false
	default:
		c.t.Fatalf("exists %s: %v", path, r.Err)
		return false
	}
}

// ended waits for the end of the connection, with nothing before it.
func (c *client) ended() {
	c.t.Helper()
	c.nc.SetReadDeadline(time.Now().Add(patience))
	n, err := io.Copy(io.Discard, c.r)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatal("the connection is still open")
	}
	if n > 0 {
		c.t.Fatalf("%d bytes came where the connection was to end", n)
	}
}

// silent tells that nothing can be read now. What must not come may still be on its way: it only strengthens a test that
// looks at the server's own state too.
func (c *client) silent() bool {
	c.nc.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := c.r.Peek(1)
	return errors.Is(err, os.ErrDeadlineExceeded)
}

func create(path string, data string) *wire.Create {
	return &wire.Create{Path: path, Data: []byte(data), ACL: zk.WorldACL(zk.PermAll)}
}

func ephemeral(path string) *wire.Create {
	c := create(path, "")
	c.Mode = zk.Ephemeral
	return c
}

func set(path, data string) *wire.SetData {
	return &wire.SetData{Path: path, Data: []byte(data), Version: -1}
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func name(format string, args ...any) string { return fmt.Sprintf(format, args...) }
