package replica

import (
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
)

// A follower that has observers passes on what they ask of the leader, as if it were its own (ensemble protocol, section 6.8). The leader
// answers syncs, and questions about sessions, in the order in which they came over the one link that it knows: so whom an answer is for is
// whoever has asked first. Writes come back as commits, to everybody.

// asker is who waits for an answer of the leader's: a connection of ours, or an observer by its link.
type asker struct {
	conn *Conn // nil of an observer
	link zab.Link
}

// relay passes on an observer's request.
func (r *Replica) relay(link zab.Link, p *zab.Request) {
	if r.member.core.Send(0, p) && wire.OpCode(p.Op) == wire.OpSync {
		r.member.asked = append(r.member.asked, asker{link: link})
	}
}

// askFor passes on an observer's question whether a session lives.
func (r *Replica) askFor(link zab.Link, p *zab.Revalidate) {
	if r.member.core.Send(0, p) {
		r.member.doubted = append(r.member.doubted, asker{link: link})
	}
}
