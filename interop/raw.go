package interop

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// patience bounds each wait for an answer. It is never the measure of a test: whatever is waited for must come.
const patience = time.Minute

// Conn is a connection to a server that can send any bytes.
type Conn struct {
	net.Conn
	r   *bufio.Reader
	xid int32

	Session  zk.SessionID // after Handshake
	Password [wire.PasswordSize]byte
	Notices  []zk.Event // that Call met while it waited
}

// Dial opens a connection without a session.
func Dial(addr string) (*Conn, error) {
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: c, r: bufio.NewReaderSize(c, 64<<10)}, nil
}

// Connect opens a connection with a new session.
func Connect(addr string, timeOut time.Duration) (*Conn, error) {
	c, err := Dial(addr)
	if err != nil {
		return nil, err
	}
	if _, err := c.Handshake(NewSession(timeOut)); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// NewSession is the handshake of a new session, as today's clients send it.
func NewSession(timeOut time.Duration) *wire.ConnectRequest {
	return &wire.ConnectRequest{
		TimeOut: int32(timeOut / time.Millisecond), Password: make([]byte, wire.PasswordSize), HasReadOnly: true,
	}
}

// Resume is the handshake that carries c's session over to another connection.
func (c *Conn) Resume(timeOut time.Duration) *wire.ConnectRequest {
	r := NewSession(timeOut)
	r.SessionID, r.Password = c.Session, c.Password[:]
	return r
}

// Frame is b with its length in front.
func Frame(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, len(b)+4), uint32(len(b))), b...)
}

// ReadFrame reads one frame and returns it without its length.
func (c *Conn) ReadFrame(wait time.Duration) ([]byte, error) {
	c.SetReadDeadline(time.Now().Add(wait))
	var n [4]byte
	if _, err := io.ReadFull(c.r, n[:]); err != nil {
		return nil, err
	}
	size := int32(binary.BigEndian.Uint32(n[:]))
	if size < 0 || size > 64<<20 {
		return nil, fmt.Errorf("frame of %d bytes", size)
	}
	b := make([]byte, size)
	_, err := io.ReadFull(c.r, b)
	return b, err
}

// Handshake sends the first frame and reads the answer. A refusal is not an error: its SessionID is 0.
func (c *Conn) Handshake(req *wire.ConnectRequest) (*wire.ConnectResponse, error) {
	if _, err := c.Write(Frame(req.Append(nil))); err != nil {
		return nil, err
	}
	b, err := c.ReadFrame(patience)
	if err != nil {
		return nil, err
	}
	var resp wire.ConnectResponse
	if err := resp.Decode(b); err != nil {
		return nil, err
	}
	c.Session, c.Password = resp.SessionID, resp.Password
	return &resp, nil
}

// Call sends a request and waits for its answer; body, which may be nil, is filled if the answer is a success. The error is
// about the connection, the code is in the header.
func (c *Conn) Call(op wire.Op, body wire.Reply) (wire.ReplyHeader, error) {
	c.xid++
	xid := c.xid
	if op.OpCode() == wire.OpPing {
		xid = wire.XidPing
	}
	if _, err := c.Write(wire.AppendRequestFrame(nil, xid, op)); err != nil {
		return wire.ReplyHeader{}, err
	}
	for {
		h, d, err := c.Reply(patience)
		if err != nil {
			return h, err
		}
		if h.Xid == wire.XidNotice {
			c.Notices = append(c.Notices, wire.DecodeNotice(d, h.Zxid))
			continue
		}
		if h.Xid != xid {
			return h, fmt.Errorf("reply to xid %d, want %d", h.Xid, xid)
		}
		if h.Err == zk.OK && body != nil {
			body.Decode(d)
		}
		return h, d.Err()
	}
}

// Reply reads one frame and its header.
func (c *Conn) Reply(wait time.Duration) (wire.ReplyHeader, *jute.Decoder, error) {
	var h wire.ReplyHeader
	b, err := c.ReadFrame(wait)
	if err != nil {
		return h, nil, err
	}
	d := jute.NewDecoder(b)
	h.Decode(d)
	return h, d, d.Err()
}

// awaitClose returns when the server has closed the connection, or takes too long.
func (c *Conn) awaitClose() {
	for {
		if _, err := c.ReadFrame(patience); err != nil {
			return
		}
	}
}
