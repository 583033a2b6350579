package wire

import (
	"encoding/binary"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/zk"
)

// DefaultMaxFrame is the longest request frame that is taken unless configured otherwise (jute.maxbuffer).
const DefaultMaxFrame = 0xfffff

// The xids with a meaning of their own.
const (
	XidNotice     int32 = -1
	XidPing       int32 = -2
	XidAuth       int32 = -4
	XidSetWatches int32 = -8
)

// BeginFrame appends room for a frame's length and returns where it stands, for EndFrame.
func BeginFrame(b []byte) ([]byte, int) { return append(b, 0, 0, 0, 0), len(b) }

// EndFrame writes the length of the frame begun at mark.
func EndFrame(b []byte, mark int) []byte {
	binary.BigEndian.PutUint32(b[mark:], uint32(len(b)-mark-4))
	return b
}

// Header precedes every request but the first of a connection.
type Header struct {
	Xid  int32
	Type OpCode
}

// Append appends the 8 bytes.
func (h Header) Append(b []byte) []byte {
	return jute.AppendInt(jute.AppendInt(b, h.Xid), int32(h.Type))
}

// ReplyHeader precedes every reply but the first of a connection.
type ReplyHeader struct {
	Xid  int32
	Zxid zk.Zxid
	Err  zk.Code
}

// Append appends the 16 bytes.
func (h ReplyHeader) Append(b []byte) []byte {
	b = jute.AppendInt(b, h.Xid)
	b = jute.AppendLong(b, int64(h.Zxid))
	return jute.AppendInt(b, int32(h.Err))
}

// Decode reads the 16 bytes.
func (h *ReplyHeader) Decode(d *jute.Decoder) {
	h.Xid, h.Zxid, h.Err = d.Int(), zk.Zxid(d.Long()), zk.Code(d.Int())
}

// AppendErrorFrame appends a whole reply that is only a header.
func AppendErrorFrame(b []byte, xid int32, zxid zk.Zxid, code zk.Code) []byte {
	b = jute.AppendInt(b, 16)
	return ReplyHeader{xid, zxid, code}.Append(b)
}

// AppendRequestFrame appends a whole request.
func AppendRequestFrame(b []byte, xid int32, op Op) []byte {
	b, mark := BeginFrame(b)
	b = Header{xid, op.OpCode()}.Append(b)
	return EndFrame(op.Append(b), mark)
}

// AppendReplyFrame appends a whole successful reply; body may be nil.
func AppendReplyFrame(b []byte, xid int32, zxid zk.Zxid, body Reply) []byte {
	b, mark := BeginFrame(b)
	b = ReplyHeader{Xid: xid, Zxid: zxid}.Append(b)
	if body != nil {
		b = body.Append(b)
	}
	return EndFrame(b, mark)
}

// AppendNoticeFrame appends a whole watcher event.
func AppendNoticeFrame(b []byte, zxid zk.Zxid, typ zk.EventType, path string) []byte {
	b, mark := BeginFrame(b)
	b = ReplyHeader{Xid: XidNotice, Zxid: zxid}.Append(b)
	b = jute.AppendInt(b, int32(typ))
	b = jute.AppendInt(b, int32(zk.StateSyncConnected))
	b = jute.AppendString(b, path)
	return EndFrame(b, mark)
}

// DecodeNotice reads the body of a notice; zxid is from its header.
func DecodeNotice(d *jute.Decoder, zxid zk.Zxid) zk.Event {
	return zk.Event{Type: zk.EventType(d.Int()), State: zk.State(d.Int()), Path: d.String(), Zxid: zxid}
}
