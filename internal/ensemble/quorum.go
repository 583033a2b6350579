package ensemble

// Quorum tells whether the servers for which in says yes suffice: a majority of the voters, or, where there are groups, of the
// weight of a majority of the groups (ensemble protocol, section 3.5). Servers that do not vote are not asked about.
//
// The weight of a group is that of all its members, even of those that do not vote: so it is in Apache. It cannot make two quorums
// that do not meet, only fewer quorums.
func (c *Config) Quorum(in func(SID) bool) bool {
	if c.Hierarchical() {
		return c.groupQuorum(in)
	}
	have, all := 0, 0
	for i := range c.Members {
		if m := &c.Members[i]; !m.Observer {
			all++
			if in(m.ID) {
				have++
			}
		}
	}
	return have > all/2
}

func (c *Config) groupQuorum(in func(SID) bool) bool {
	won, groups := 0, 0
	for _, ids := range c.Groups {
		var have, all int64
		for _, id := range ids {
			w := c.Weights[id]
			all += w
			if c.Votes(id) && in(id) {
				have += w
			}
		}
		if all == 0 {
			continue // not counted
		}
		groups++
		if have > all/2 {
			won++
		}
	}
	return won > groups/2
}

// Hierarchical tells whether groups and weights make the quorum.
func (c *Config) Hierarchical() bool { return c.Groups != nil || c.Weights != nil }

// Weight is a voter's weight, 1 without groups. A voter of weight 0 never leads.
func (c *Config) Weight(id SID) int64 {
	if !c.Hierarchical() {
		return 1
	}
	return c.Weights[id]
}
