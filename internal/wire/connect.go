package wire

import (
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/zk"
)

// PasswordSize is the length of a session's password.
const PasswordSize = 16

// ConnectRequest is a client's first frame.
type ConnectRequest struct {
	ProtocolVersion int32 // ignored
	LastZxidSeen    zk.Zxid
	TimeOut         int32 // ms, wished
	SessionID       zk.SessionID
	Password        []byte // nil is null
	ReadOnly        bool
	HasReadOnly     bool // clients before 3.4 do not send the byte, and then get none back
}

// Append appends the record.
func (c *ConnectRequest) Append(b []byte) []byte {
	b = jute.AppendInt(b, c.ProtocolVersion)
	b = jute.AppendLong(b, int64(c.LastZxidSeen))
	b = jute.AppendInt(b, c.TimeOut)
	b = jute.AppendLong(b, int64(c.SessionID))
	b = jute.AppendBuffer(b, c.Password)
	if c.HasReadOnly {
		b = jute.AppendBool(b, c.ReadOnly)
	}
	return b
}

// Decode reads the record; what follows it is ignored.
func (c *ConnectRequest) Decode(frame []byte) error {
	d := jute.NewDecoder(frame)
	*c = ConnectRequest{
		ProtocolVersion: d.Int(), LastZxidSeen: zk.Zxid(d.Long()), TimeOut: d.Int(), SessionID: zk.SessionID(d.Long()),
		Password: d.Buffer(),
	}
	if d.Err() == nil && d.Left() > 0 {
		c.HasReadOnly, c.ReadOnly = true, d.Bool()
	}
	return d.Err()
}

// ConnectResponse is a server's first frame. TimeOut 0 and SessionID 0 refuse the session.
type ConnectResponse struct {
	ProtocolVersion int32
	TimeOut         int32 // ms, negotiated
	SessionID       zk.SessionID
	Password        [PasswordSize]byte
	ReadOnly        bool
	HasReadOnly     bool
}

// Append appends the record: 36 bytes, or 37 with the readOnly byte.
func (c *ConnectResponse) Append(b []byte) []byte {
	b = jute.AppendInt(b, c.ProtocolVersion)
	b = jute.AppendInt(b, c.TimeOut)
	b = jute.AppendLong(b, int64(c.SessionID))
	b = jute.AppendBuffer(b, c.Password[:])
	if c.HasReadOnly {
		b = jute.AppendBool(b, c.ReadOnly)
	}
	return b
}

// Decode reads the record.
func (c *ConnectResponse) Decode(frame []byte) error {
	d := jute.NewDecoder(frame)
	*c = ConnectResponse{ProtocolVersion: d.Int(), TimeOut: d.Int(), SessionID: zk.SessionID(d.Long())}
	copy(c.Password[:], d.Buffer())
	if d.Err() == nil && d.Left() > 0 {
		c.HasReadOnly, c.ReadOnly = true, d.Bool()
	}
	return d.Err()
}
