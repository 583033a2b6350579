package server

import (
	"time"

	"github.com/zooid-io/zooid/internal/admin"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/wire"
)

// tallied is how many latencies, from 0 ms, a tally counts before it gives each one alone.
const tallied = 16

// tally gathers what one Step answered, so that the shared metrics are touched once for a batch and not once for a reply.
type tally struct {
	writes, reads [tallied]int64
	sent          int64
	bytes         int // of the last reply
	replies       int64
	notices       int64 // bytes of both, without the lengths before them
	read, written namespaceTally
}

func newTally() tally {
	return tally{read: namespaceTally{set: admin.ReadBytes}, written: namespaceTally{set: admin.WriteBytes}}
}

// note counts one send.
func (t *tally) note(m *admin.Metrics, send *replica.Send, ms int64, bytes int) {
	t.sent++
	t.bytes = bytes
	if !isGreeting(send) {
		t.replies += int64(max(bytes-4, 0))
	}
	write := send.Header.Type.IsWrite()
	switch {
	case ms < 0 || ms >= tallied:
		m.Requests(write, max(ms, 0), 1)
	case write:
		t.writes[ms]++
	default:
		t.reads[ms]++
	}
}

// settle gives everything to the metrics.
func (t *tally) settle(m *admin.Metrics) {
	if t.sent == 0 {
		return
	}
	m.PacketsSent(t.sent)
	if t.bytes > 4 {
		m.ResponseSize(t.bytes - 4)
	}
	m.Add(admin.ResponseBytes, t.replies)
	m.Add(admin.WatchBytes, t.notices)
	for ms := range int64(tallied) {
		m.Requests(true, ms, t.writes[ms])
		m.Requests(false, ms, t.reads[ms])
	}
	t.read.settle(m)
	t.written.settle(m)
	*t = newTally()
}

// account notes a send in the connection's activity and in the tally. now is on the monotonic clock, in microseconds.
func (s *Server) account(c *conn, send *replica.Send, now int64) {
	bytes := len(s.eff.Bytes(send))
	if send.Notice {
		if bytes > 0 {
			c.act.Send()
			s.tally.sent++
			s.tally.notices += int64(bytes - 4)
		}
		return
	}
	if send.Op != nil {
		path, n := readOf(send.Op, bytes)
		s.tally.read.note(s.metrics, path, n)
	} else if send.Path != "" {
		s.tally.written.note(s.metrics, send.Path, send.Written)
	}
	start := send.Since
	if start == 0 { // the handshake's own replies have no request
		start = now
	}
	s.tally.note(s.metrics, send, (now-start)/1000, bytes)
	c.act.Send()
	if t := send.Header.Type; t == wire.OpAuth || t == wire.OpSasl {
		return // they leave the last operation as it was
	}
	op := admin.LastOp(send.Header.Type)
	if send.Refused {
		op = admin.NoOp
	}
	c.act.Reply(send.Header.Xid, send.Zxid, op, start/1000, now/1000)
}

// monotonic is a time in microseconds on a clock that never steps.
func monotonic() int64 { return int64(time.Since(epoch)/time.Microsecond) + 1 }

// clock is the same in ms: what sessions live by.
func clock() int64 { return int64(time.Since(epoch)/time.Millisecond) + 1 }

// clock is the one that this server's sessions live by: a test may have set it ahead.
func (s *Server) clock() int64 { return clock() + s.ahead.Load() }

// wall is a time on clock as the wall clock shows it now.
func wall(at int64) time.Time { return time.Now().Add(time.Duration(at-clock()) * time.Millisecond) }

var epoch = time.Now()
