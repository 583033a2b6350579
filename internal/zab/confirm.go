package zab

import "github.com/zooid-io/zooid/zk"

// questions is how a leader finds out whether it still leads, for sync: Apache's answers it by itself, and so may be deposed
// already (section 6.5). The links are FIFO, and a learner answers each PING behind UPTODATE with one: the k-th answer of a link
// answers its k-th PING.
//
// An ACK of a proposal answers, too, whatever was asked before it was proposed. So a question is answered before any proposal
// behind it is committed: a session's sync before its next write (invariant SessionFIFO).
type questions struct {
	pinged uint64  // the last question that PINGs were sent for
	syncs  []asked // of learners, in order
}

// asked is a learner's sync: it is answered when all that was proposed before is committed, and the question answered.
type asked struct {
	link     Link
	zxid     zk.Zxid
	question uint64
}

// Sync takes a learner's sync. A SYNC answers it in its time, behind the COMMITs that it waits for and before any later one.
func (c *Core) Sync(l Link, now int64) {
	if c.phase != leading {
		return
	}
	c.lead.syncs = append(c.lead.syncs, asked{l, c.lead.proposed, c.Confirm(now)})
	c.answerSyncs()
}

// answerSyncs answers the learners' syncs that have what they wait for.
func (c *Core) answerSyncs() {
	n := 0
	for _, q := range c.lead.syncs {
		if c.open.len() > 0 && c.open.at(0).Zxid <= q.zxid || q.question > c.confirmed {
			break
		}
		c.Send(q.link, &SyncDone{})
		n++
	}
	if n > 0 {
		c.lead.syncs = append(c.lead.syncs[:0], c.lead.syncs[n:]...)
	}
}

// PendingSyncs is the number of learners' syncs that wait.
func (c *Core) PendingSyncs() int { return len(c.lead.syncs) }

// Confirm asks a quorum whether it still follows. Confirmed rises to the number that Confirm gives, once it is known that this
// server led when Confirm was called: so a deposed leader answers no sync. Questions asked while PINGs are under way wait
// for these, and share the next.
func (c *Core) Confirm(now int64) uint64 {
	c.now = now
	c.asked++
	if c.phase == leading {
		c.confirm()
	}
	return c.asked
}

// Confirmed is the number up to which questions have been answered. Questions to a former reign are among them when a later one
// of this server's is confirmed: who asked has to forget them with the role.
func (c *Core) Confirmed() uint64 { return c.confirmed }

func (c *Core) confirm() {
	if c.confirmed >= c.asked || c.lead.pinged > c.confirmed {
		return
	}
	c.ping()
	c.tally()
}

// ping pings every learner that has a history, and asks with it what is to be asked.
func (c *Core) ping() {
	c.lead.pinged = c.asked
	p := &Ping{Zxid: c.lead.proposed}
	for _, l := range c.lead.learners {
		if l.phase < learnerSyncing {
			continue
		}
		if l.phase == learnerServing {
			l.pings.push(c.asked)
		}
		c.send(l.link, p)
	}
}

// pingAnswered takes an answer.
func (c *Core) pingAnswered(l *learner) {
	if l.pings.len() == 0 {
		return
	}
	l.confirmed = max(l.confirmed, l.pings.pop()) // an ACK may have answered more
	if l.confirmed > c.confirmed {
		c.tally()
	}
}

// ackAnswers takes an ACK for the answer that it is.
func (c *Core) ackAnswers(l *learner, e *entry) {
	if e.asked > l.confirmed {
		if l.confirmed = e.asked; l.confirmed > c.confirmed {
			c.tally()
		}
	}
}

// committing answers what was asked before a proposal that is about to be committed: a quorum has acked it. Some of them may be gone by
// now, and with them what their learner had confirmed.
func (c *Core) committing(e *entry) {
	if e.asked > c.confirmed {
		c.confirmed = e.asked
		c.answerSyncs()
		c.confirm()
	}
}

// tally finds the last question that a quorum has answered.
func (c *Core) tally() {
	was := c.confirmed
	c.tallyFor(c.asked) // of a sole voter
	for _, l := range c.lead.learners {
		c.tallyFor(l.confirmed)
	}
	if c.confirmed > was {
		c.answerSyncs()
		c.confirm() // what was asked meanwhile does not wait for the next half tick
	}
}

func (c *Core) tallyFor(question uint64) {
	if question <= c.confirmed {
		return
	}
	var s set
	s.add(c.lead.self)
	for _, l := range c.lead.learners {
		if l.confirmed >= question {
			s.add(l.index)
		}
	}
	if c.lead.need.met(&s) {
		c.confirmed = question
	}
}
