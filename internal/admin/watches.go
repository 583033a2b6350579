package admin

func wchs(_ *Words, t *text, src Source) {
	s := src.WatchSummary()
	t.line(dec(s.Sessions), " connections watching ", dec(s.Paths), " paths")
	t.line("Total watches:", dec(s.Watches))
}

func wchc(_ *Words, t *text, src Source) {
	for _, w := range src.WatchesBySession() {
		t.line(w.Session.String())
		for _, p := range w.Paths {
			t.line("\t", p)
		}
	}
	t.line()
}

func wchp(_ *Words, t *text, src Source) {
	for _, w := range src.WatchesByPath() {
		t.line(w.Path)
		for _, s := range w.Sessions {
			t.line("\t", s.String())
		}
	}
	t.line()
}
