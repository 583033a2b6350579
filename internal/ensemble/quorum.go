package ensemble

// Quorum tells whether the servers for which in says yes suffice: a majority of the voters, or, where there are groups, of the
// weight of a majority of the groups (ensemble protocol, section 3.5). Servers that do not vote are not asked about.
func (c *Config) Quorum(in func(SID) bool) bool {
	have, all := 0, 0
	for _, m := range c.Members {
		if !m.Observer {
			all++
			if in(m.ID) {
				have++
			}
		}
	}
	return have > all/2
}

// Weight is a voter's weight, 1 without groups. A voter of weight 0 never leads.
func (c *Config) Weight(id SID) int64 {
	if c.Weights == nil {
		return 1
	}
	return c.Weights[id]
}
