package peer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// kind is a packet's type on the wire (ensemble protocol, section 4.1).
type kind int32

const (
	kindRequest        kind  = 1
	kindProposal       kind  = 2
	kindAck            kind  = 3
	kindCommit         kind  = 4
	kindPing           kind  = 5
	kindRevalidate     kind  = 6
	kindSync           kind  = 7
	kindInform         kind  = 8
	kindCommitActivate kind  = 9
	kindNewLeader      kind  = 10
	kindFollowerInfo   kind  = 11
	kindUpToDate       kind  = 12
	kindDiff           kind  = 13
	kindTrunc          kind  = 14
	kindSnap           kind  = 15
	kindObserverInfo   kind  = 16
	kindLeaderInfo     kind  = 17
	kindAckEpoch       kind  = 18
	kindInformActivate kind  = 19
	packetHeader             = 16 // type, zxid, length of data: at least 4 bytes more follow
	packetFrame              = 20
	noZxid             int64 = -1
	DefaultMaxField          = 2 * 0xfffff // jute.maxbuffer and its extra, when neither is set
)

// Side is who sends: some types are read by it.
type Side int

// The two ends of a link.
const (
	Learner Side = iota
	Leader
)

// UnknownError says that a packet's type means nothing. It has been read; the next one can be (section 4.1: ignored).
type UnknownError struct {
	Type int32
	Zxid zk.Zxid
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("peer: packet of unknown type %d, zxid %v", e.Type, e.Zxid)
}

// PacketError says that a packet cannot be understood, or is longer than allowed: the link is closed.
type PacketError struct {
	Type int32
	Err  error
}

func (e *PacketError) Error() string {
	return fmt.Sprintf("peer: packet of type %d: %v", e.Type, e.Err)
}

func (e *PacketError) Unwrap() error { return e.Err }

var (
	errNoTxn   = errors.New("no txn in it")
	errTooLong = errors.New("field is longer than jute.maxbuffer and its extra")
)

// begin appends a packet's header, with a length of data that is set by end.
func begin(b []byte, k kind, zxid int64) (out []byte, at int) {
	b = jute.AppendInt(b, int32(k))
	b = jute.AppendLong(b, zxid)
	return jute.AppendInt(b, 0), len(b) + 4
}

// end sets the length of data, which begins at at, and says that there is no authinfo.
func end(b []byte, at int) []byte {
	binary.BigEndian.PutUint32(b[at-4:], uint32(len(b)-at))
	return jute.AppendInt(b, -1)
}

// bare appends a packet without data.
func bare(b []byte, k kind, zxid int64) []byte {
	b = jute.AppendInt(b, int32(k))
	b = jute.AppendLong(b, zxid)
	b = jute.AppendInt(b, -1)
	return jute.AppendInt(b, -1)
}

// AppendPacket appends a packet's bytes. p is one of the types of zab/message.go.
func AppendPacket(b []byte, p zab.Packet) []byte {
	switch p := p.(type) {
	case *zab.LearnerInfo:
		return appendLearnerInfo(b, p)
	case *zab.LeaderInfo:
		return appendLeaderInfo(b, p)
	case *zab.AckEpoch:
		return appendAckEpoch(b, p)
	case *zab.Diff:
		return bare(b, kindDiff, int64(p.Zxid))
	case *zab.Trunc:
		return bare(b, kindTrunc, int64(p.Zxid))
	case *zab.Snap:
		return bare(b, kindSnap, int64(p.Zxid))
	case *zab.NewLeader:
		return appendNewLeader(b, p)
	case *zab.UpToDate:
		return bare(b, kindUpToDate, noZxid)
	case *zab.Propose:
		return appendTxn(b, kindProposal, &p.Proposal)
	case *zab.Ack:
		return bare(b, kindAck, int64(p.Zxid))
	case *zab.Commit:
		return bare(b, kindCommit, int64(p.Zxid))
	case *zab.CommitActivate:
		return appendCommitActivate(b, p)
	case *zab.Inform:
		return appendTxn(b, kindInform, &p.Proposal)
	case *zab.InformActivate:
		return appendInformActivate(b, p)
	case *zab.Ping:
		return appendPing(b, p)
	case *zab.Request:
		return appendRequest(b, p)
	case *zab.Revalidate:
		return appendRevalidate(b, p)
	case *zab.Revalidated:
		return appendRevalidated(b, p)
	case *zab.SyncDone:
		return bare(b, kindSync, 0)
	}
	panic(fmt.Sprintf("peer: no packet is a %T", p))
}

// packetSize is about what a packet takes in a queue.
func packetSize(p zab.Packet) int {
	switch p := p.(type) {
	case *zab.Propose:
		return packetFrame + len(p.Payload)
	case *zab.Inform:
		return packetFrame + len(p.Payload)
	case *zab.InformActivate:
		return packetFrame + len(p.Payload)
	case *zab.Request:
		return 64 + len(p.Body)
	case *zab.Ping:
		return packetFrame + 12*len(p.Touched)
	}
	return 64
}

// PacketReader reads packets from one end of a link.
type PacketReader struct {
	R        *bufio.Reader
	From     Side
	MaxField int // bytes in one field; 0 is DefaultMaxField
}

// fields are a packet as it is on the wire.
type fields struct {
	kind kind
	zxid int64
	data []byte // nil is null
	ids  []zk.ID
}

// Next reads a packet, and nothing behind it. The error is an *UnknownError, after which reading goes on, a *PacketError, or the
// reader's: io.EOF only between packets. What it returns is the caller's.
func (r *PacketReader) Next() (zab.Packet, error) {
	f, err := r.fields()
	if err != nil {
		return nil, err
	}
	p, err := f.decode(r.From)
	if err != nil {
		if _, ok := err.(*UnknownError); ok {
			return nil, err
		}
		return nil, &PacketError{int32(f.kind), err}
	}
	return p, nil
}

// whole tells whether a packet lies in the buffer with all that belongs to it: Next does not wait for it.
func (r *PacketReader) whole() bool {
	b, _ := r.R.Peek(r.R.Buffered()) // what is there is given
	if len(b) < packetHeader {
		return false
	}
	skip := func(n int32) bool { // a length that is wrong is Next's to find, which does not read behind it
		if n > 0 {
			if int(n) > len(b) {
				return false
			}
			b = b[n:]
		}
		return true
	}
	n := int32(binary.BigEndian.Uint32(b[12:]))
	b = b[packetHeader:]
	if !skip(n) || len(b) < 4 {
		return false
	}
	ids := int32(binary.BigEndian.Uint32(b))
	b = b[4:]
	for i := int32(0); i < 2*ids; i++ {
		if len(b) < 4 {
			return false
		}
		n := int32(binary.BigEndian.Uint32(b))
		if b = b[4:]; !skip(n) {
			return false
		}
	}
	return true
}

func (r *PacketReader) fields() (fields, error) {
	var f fields
	head, err := r.R.Peek(packetHeader)
	if err != nil {
		return f, unexpected(err, len(head) > 0)
	}
	f.kind = kind(binary.BigEndian.Uint32(head))
	f.zxid = int64(binary.BigEndian.Uint64(head[4:]))
	n := int32(binary.BigEndian.Uint32(head[12:]))
	_, _ = r.R.Discard(packetHeader) // they are there
	if f.data, err = r.buffer(f.kind, n); err != nil {
		return f, err
	}
	f.ids, err = r.ids(f.kind)
	return f, err
}

func (r *PacketReader) maxField() int {
	if r.MaxField == 0 {
		return DefaultMaxField
	}
	return r.MaxField
}

// buffer reads the bytes behind a length: null gives nil, empty a slice that is not nil.
func (r *PacketReader) buffer(k kind, n int32) ([]byte, error) {
	switch {
	case n == -1:
		return nil, nil
	case n < 0 || int(n) > r.maxField():
		return nil, &PacketError{int32(k), fmt.Errorf("%w: %d bytes", errTooLong, n)}
	}
	return readBytes(r.R, int(n))
}

func (r *PacketReader) int() (int32, error) {
	b, err := r.R.Peek(4)
	if err != nil {
		return 0, unexpected(err, true)
	}
	_, _ = r.R.Discard(4) // they are there
	return int32(binary.BigEndian.Uint32(b)), nil
}

func (r *PacketReader) string(k kind) (string, int, error) {
	n, err := r.int()
	if err != nil {
		return "", 0, err
	}
	b, err := r.buffer(k, n)
	if err != nil {
		return "", 0, err
	}
	d := jute.NewStored(jute.AppendBuffer(make([]byte, 0, 4+len(b)), b)) // jute repairs what is no UTF-8, as Java does
	return d.String(), len(b), nil
}

// ids reads authinfo. All of it together is bounded as one field is.
func (r *PacketReader) ids(k kind) ([]zk.ID, error) {
	n, err := r.int()
	if err != nil || n == -1 {
		return nil, err
	}
	left := r.maxField()
	if n < 0 || int64(n)*8 > int64(left) {
		return nil, &PacketError{int32(k), fmt.Errorf("authinfo of %d entries", n)}
	}
	ids := []zk.ID{}
	for range n {
		var id zk.ID
		var a, b int
		if id.Scheme, a, err = r.string(k); err != nil {
			return nil, err
		}
		if id.ID, b, err = r.string(k); err != nil {
			return nil, err
		}
		if left -= 8 + a + b; left < 0 {
			return nil, &PacketError{int32(k), fmt.Errorf("authinfo: %w", errTooLong)}
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (f *fields) decode(from Side) (zab.Packet, error) {
	zxid := zk.Zxid(f.zxid)
	switch f.kind {
	case kindFollowerInfo, kindObserverInfo:
		return f.learnerInfo()
	case kindLeaderInfo:
		return f.leaderInfo()
	case kindAckEpoch:
		return f.ackEpoch()
	case kindDiff:
		return &zab.Diff{Zxid: zxid}, nil
	case kindTrunc:
		return &zab.Trunc{Zxid: zxid}, nil
	case kindSnap:
		return &zab.Snap{Zxid: zxid}, nil
	case kindNewLeader:
		return f.newLeader()
	case kindUpToDate:
		return &zab.UpToDate{}, nil
	case kindProposal:
		p, err := f.txn()
		return &zab.Propose{Proposal: p}, err
	case kindAck:
		return &zab.Ack{Zxid: zxid}, nil
	case kindCommit:
		return &zab.Commit{Zxid: zxid}, nil
	case kindCommitActivate:
		return f.commitActivate()
	case kindInform:
		p, err := f.txn()
		return &zab.Inform{Proposal: p}, err
	case kindInformActivate:
		return f.informActivate()
	case kindPing:
		return f.ping(from)
	case kindRequest:
		return f.request()
	case kindRevalidate:
		return f.revalidate(from)
	case kindSync:
		return &zab.SyncDone{}, nil
	}
	return nil, &UnknownError{int32(f.kind), zxid}
}
