package sim

// monotone is SessionMonotone.
func (k *checks) monotone(c *client, a *call) {
	if a.zxid > 0 && a.zxid < c.seen {
		k.w.fail("SessionMonotone", "client %d has seen %v, and %s %d shows %v", c.id, c.seen, a.op.OpCode(), a.xid, a.zxid)
	}
}
