package zab

// questions is how a leader finds out whether it still leads, for sync: Apache's answers it by itself, and so may be deposed
// already (section 6.5). The links are FIFO, and a learner answers each PING behind UPTODATE with one: the k-th answer of a link
// answers its k-th PING.
type questions struct {
	pinged uint64 // the last question that PINGs were sent for
}

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
	c.tally(c.asked)
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
	l.confirmed = l.pings.pop()
	if l.confirmed > c.confirmed {
		c.tally(l.confirmed)
		c.confirm()
	}
}

// tally confirms up to a question, if a quorum has answered it.
func (c *Core) tally(question uint64) {
	var s set
	s.add(c.lead.self)
	for _, l := range c.lead.learners {
		if l.confirmed >= question && question > 0 {
			s.add(l.index)
		}
	}
	if c.lead.need.met(&s) {
		c.confirmed = max(c.confirmed, question)
	}
}
