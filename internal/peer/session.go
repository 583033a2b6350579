package peer

import (
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// appendPing appends PING. A leader's data is null, and that of a learner that has heard of nobody is empty.
func appendPing(b []byte, p *zab.Ping) []byte {
	if !p.Answer {
		return bare(b, kindPing, int64(p.Zxid))
	}
	b, at := begin(b, kindPing, int64(p.Zxid))
	for _, t := range p.Touched {
		b = jute.AppendLong(b, int64(t.Session))
		b = jute.AppendInt(b, t.Timeout)
	}
	return end(b, at)
}

func (f *fields) ping(from Side) (zab.Packet, error) {
	p := &zab.Ping{Zxid: zk.Zxid(f.zxid), Answer: from == Learner}
	if !p.Answer || len(f.data) == 0 {
		return p, nil
	}
	d := jute.NewDecoder(f.data)
	p.Touched = make([]zab.Touch, 0, len(f.data)/12)
	for d.Left() > 0 && d.Err() == nil {
		p.Touched = append(p.Touched, zab.Touch{Session: zk.SessionID(d.Long()), Timeout: d.Int()})
	}
	return p, d.Err()
}

func appendRequest(b []byte, p *zab.Request) []byte {
	b, at := begin(b, kindRequest, noZxid)
	b = jute.AppendLong(b, int64(p.Session))
	b = jute.AppendInt(b, p.Xid)
	b = jute.AppendInt(b, p.Op)
	b = append(b, p.Body...)
	if p.IDs == nil {
		return end(b, at)
	}
	b = end(b, at)
	b = jute.AppendInt(b[:len(b)-4], int32(len(p.IDs)))
	for _, id := range p.IDs {
		b = jute.AppendString(b, id.Scheme)
		b = jute.AppendString(b, id.ID)
	}
	return b
}

func (f *fields) request() (zab.Packet, error) {
	d := jute.NewDecoder(f.data)
	p := &zab.Request{Session: zk.SessionID(d.Long()), Xid: d.Int(), Op: d.Int(), IDs: f.ids}
	if d.Left() > 0 {
		p.Body = d.Rest()
	}
	return p, d.Err()
}

func appendRevalidate(b []byte, p *zab.Revalidate) []byte {
	b, at := begin(b, kindRevalidate, noZxid)
	b = jute.AppendLong(b, int64(p.Session))
	return end(jute.AppendInt(b, p.Timeout), at)
}

func appendRevalidated(b []byte, p *zab.Revalidated) []byte {
	b, at := begin(b, kindRevalidate, noZxid)
	b = jute.AppendLong(b, int64(p.Session))
	return end(jute.AppendBool(b, p.Valid), at)
}

// revalidate reads a learner's question or a leader's answer: the type is the same.
func (f *fields) revalidate(from Side) (zab.Packet, error) {
	d := jute.NewDecoder(f.data)
	s := zk.SessionID(d.Long())
	if from == Learner {
		return &zab.Revalidate{Session: s, Timeout: d.Int()}, d.Err()
	}
	return &zab.Revalidated{Session: s, Valid: d.Bool()}, d.Err()
}
