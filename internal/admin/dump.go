package admin

func dump(_ *Words, t *text, src Source) {
	d := src.Dump()
	t.line("SessionTracker dump:")
	if d.Local != nil {
		t.add("Local ")
		t.sessionBuckets(d.Local)
	}
	switch {
	case d.Learner:
		t.line("Global Sessions(", dec(len(d.Global)), "):")
		for _, s := range d.Global {
			t.line(s.Session.String(), "\t", dec(s.Timeout), "ms")
		}
	case d.Local != nil:
		t.add("Global ")
		fallthrough
	default:
		t.sessionBuckets(d.Sessions)
	}

	t.line("ephemeral nodes dump:")
	t.line("Sessions with Ephemerals (", dec(len(d.Ephemerals)), "):")
	for _, e := range d.Ephemerals {
		t.line(e.Session.String(), ":")
		for _, p := range e.Paths {
			t.line("\t", p)
		}
	}

	t.line("Connections dump:")
	members := 0
	for _, b := range d.Connections {
		members += len(b.Connections)
	}
	t.line("Connections Sets (", dec(len(d.Connections)), ")/(", dec(members), "):")
	for _, b := range d.Connections {
		t.line(dec(len(b.Connections)), " expire at ", date(b.Expires), ":")
		for _, c := range b.Connections {
			t.line("\tip: ", address(c.Remote), " sessionId: ", c.Session.String())
		}
	}
}

func (t *text) sessionBuckets(buckets []SessionBucket) {
	members := 0
	for _, b := range buckets {
		members += len(b.Sessions)
	}
	t.line("Session Sets (", dec(len(buckets)), ")/(", dec(members), "):")
	for _, b := range buckets {
		t.line(dec(len(b.Sessions)), " expire at ", date(b.Expires), ":")
		for _, s := range b.Sessions {
			t.line("\t", s.String())
		}
	}
}
