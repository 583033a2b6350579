package admin

import "strconv"

func srvr(_ *Words, t *text, src Source) {
	st := src.Status()
	t.version(&st)
	t.status(&st)
}

// stat is srvr with the connections in between.
func stat(_ *Words, t *text, src Source) {
	st := src.Status()
	t.version(&st)
	t.line("Clients:")
	for _, c := range src.Connections() {
		t.connection(&c, true)
	}
	t.line()
	t.status(&st)
}

func (t *text) version(st *Status) {
	t.line("Zookeeper version: ", st.Version)
	if st.ReadOnly {
		t.line("READ-ONLY mode; serving only read-only clients")
	}
}

func (t *text) status(st *Status) {
	l := &st.Traffic.Latency
	t.line("Latency min/avg/max: ", dec(l.Min), "/", double(l.Avg()), "/", dec(l.Max))
	t.line("Received: ", dec(st.Traffic.Received))
	t.line("Sent: ", dec(st.Traffic.Sent))
	t.line("Connections: ", dec(st.Connections))
	t.line("Outstanding: ", dec(st.Outstanding))
	t.line("Zxid: ", st.Zxid.String())
	t.line("Mode: ", st.State)
	t.line("Node count: ", dec(st.Nodes))
	if p := st.Proposals; p != nil {
		t.line("Proposal sizes last/min/max: ", dec(p.Last), "/", dec(p.Min), "/", dec(p.Max))
	}
}

func cons(_ *Words, t *text, src Source) {
	for _, c := range src.Connections() {
		t.connection(&c, false)
	}
	t.line()
}

// connection is one line of stat (brief) or cons.
func (t *text) connection(c *Connection, brief bool) {
	t.add(" ", address(c.Remote), "[", strconv.FormatInt(int64(c.InterestOps), 16), "](queued=", dec(c.Queued),
		",recved=", dec(c.Received), ",sent=", dec(c.Sent))
	if !brief && c.Session != 0 {
		t.add(",sid=", c.Session.String(), ",lop=", c.LastOp, ",est=", dec(c.Established), ",to=", dec(c.Timeout))
		if c.LastXid >= 0 {
			t.add(",lcxid=0x", strconv.FormatInt(c.LastXid, 16))
		}
		t.add(",lzxid=", c.LastZxid.String(), ",lresp=", dec(c.LastResponse), ",llat=", dec(c.LastLatency),
			",minlat=", dec(c.MinLatency), ",avglat=", dec(c.AvgLatency), ",maxlat=", dec(c.MaxLatency))
	}
	t.line(")")
}
