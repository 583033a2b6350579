package server

import (
	"io"

	"github.com/zooid-io/zooid/internal/peer"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/zab"
)

// search looks for a learner's place in the log, without any lock: it may take as long as the reading of a third of a snapshot.
func (m *member) search(q zab.Search) {
	ev := &zab.Found{Link: q.Link}
	var err error
	ev.At, ev.OK, err = m.s.store.Passage(q.Last, q.To, m.mostPassage(), func() bool { return m.ctx.Err() != nil })
	if err != nil {
		m.s.log.Warn("The log cannot be read for a learner, which is sent a snapshot", "err", err)
	}
	m.agree(replica.Peer{Event: ev})
}

// mostPassage is how many bytes of log are sent rather than a snapshot: a part of the snapshot's size (ensemble protocol, section
// 5.2), and without bound where that is 0, as Apache has it.
func (m *member) mostPassage() int64 {
	return int64(m.o.SnapshotSizeFactor * float64(m.s.store.LastSnapshot().Size))
}

// recount writes a part of the log for a learner. An error ends the link, and the learner comes again.
func (m *member) recount(w io.Writer, p *zab.Passage) error {
	var buf []byte
	return m.s.store.WritePassage(p.After, p.To, func(e store.Entry) error {
		buf = peer.AppendPacket(buf[:0], &zab.Propose{Proposal: zab.Proposal{Zxid: e.Zxid, Payload: e.Payload}})
		buf = peer.AppendPacket(buf, &zab.Commit{Zxid: e.Zxid})
		_, err := w.Write(buf)
		return err
	})
}
