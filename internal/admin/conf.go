package admin

func conf(_ *Words, t *text, src Source) {
	c, d := src.Config(), src.Dirs()
	t.line("clientPort=", dec(c.ClientPort))
	t.line("secureClientPort=", dec(c.SecureClientPort))
	t.line("dataDir=", c.DataDir)
	t.line("dataDirSize=", dec(d.Data))
	t.line("dataLogDir=", c.DataLogDir)
	t.line("dataLogSize=", dec(d.Log))
	t.line("tickTime=", dec(c.TickTime))
	t.line("maxClientCnxns=", dec(c.MaxClientCnxns))
	t.line("minSessionTimeout=", dec(c.MinSessionTimeout))
	t.line("maxSessionTimeout=", dec(c.MaxSessionTimeout))
	t.line("clientPortListenBacklog=", dec(c.ListenBacklog))
	t.line("serverId=", dec(c.ServerID))
	q := c.Quorum
	if q == nil {
		return
	}
	peerType := 0
	if q.Observer {
		peerType = 1
	}
	t.line("initLimit=", dec(q.InitLimit))
	t.line("syncLimit=", dec(q.SyncLimit))
	t.line("electionAlg=", dec(q.ElectionAlg))
	t.line("electionPort=", q.ElectionPort)
	t.line("quorumPort=", q.QuorumPort)
	t.line("peerType=", dec(peerType))
	if q.Membership != "" {
		t.line("membership: ")
		t.add(q.Membership)
	}
}
