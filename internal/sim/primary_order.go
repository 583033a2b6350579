package sim

// order is LocalPrimaryOrder and GlobalPrimaryOrder, of the history.
func (k *checks) order() {
	for i, e := range k.w.history.log {
		if i == 0 {
			continue
		}
		prev := k.w.history.log[i-1].zxid
		switch {
		case e.zxid.Epoch() < prev.Epoch():
			k.w.fail("GlobalPrimaryOrder", "%v is committed behind %v", e.zxid, prev)
		case !follows(prev, e.zxid):
			k.w.fail("LocalPrimaryOrder", "%v is committed right behind %v", e.zxid, prev)
		}
	}
}
