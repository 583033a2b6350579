package sim

import (
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/zab"
)

// search is member.search: it looks for a learner's place in the log while the server goes on.
func (s *server) search(q zab.Search) {
	s.after(s.w.nemesis.diskTime(s), func() {
		most := int64(s.w.Factor * float64(s.st.LastSnapshot().Size))
		at, ok, err := s.st.Passage(q.Last, q.To, most, func() bool { return false })
		if err != nil {
			s.w.note("%d cannot read its log: %v", s.sid, err)
		}
		s.agree(&zab.Found{Link: q.Link, At: at, OK: ok})
	})
}

// recount is member.recount: it reads a part of the log for a learner, some time after it was promised.
func (s *server) recount(p *zab.Passage, done func(packets []zab.Packet, err error)) {
	s.after(s.w.nemesis.diskTime(s), func() {
		var packets []zab.Packet
		err := s.st.WritePassage(p.After, p.To, func(e store.Entry) error {
			m := &zab.Propose{Proposal: zab.Proposal{Zxid: e.Zxid, Payload: append([]byte(nil), e.Payload...)}}
			packets = append(packets, m, &zab.Commit{Zxid: e.Zxid})
			return nil
		})
		if s.w.plant == ShortPassage && len(packets) > 2 {
			packets = packets[:len(packets)-2]
		}
		done(packets, err)
	})
}
