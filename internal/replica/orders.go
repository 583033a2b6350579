package replica

import (
	"github.com/zooid-io/zooid/internal/zab"
)

// Orders are what an ensemble asks of the driver, besides the sends to clients. The driver takes them as a whole after a Step,
// or after several, and does each kind in order; see zab.Ready.
type Orders struct {
	Role   *zab.Role // the last change
	Disk   []DiskOrder
	Notify []zab.Notify
	Links  []LinkOrder
	Dial   []zab.Dial
	Close  []zab.Link // behind what was sent on them
	Config *zab.Configs
	Trace  []string
}

// DiskOrder is one operation on the disk.
type DiskOrder struct {
	Op   zab.Disk
	Tree *Frozen // of an Install: what to write; the driver closes it
}

// LinkOrder is one packet for a peer.
type LinkOrder struct {
	zab.Send
	Tree *Frozen // of a Snap: the stream behind it; the driver closes it
}

// Empty tells that there is nothing to do.
func (o *Orders) Empty() bool {
	return o.Role == nil && len(o.Disk) == 0 && len(o.Notify) == 0 && len(o.Links) == 0 && len(o.Dial) == 0 && len(o.Close) == 0 &&
		o.Config == nil && len(o.Trace) == 0
}

// Take gives the orders and forgets them.
func (o *Orders) Take() Orders {
	all := *o
	*o = Orders{}
	return all
}

// order collects what a Ready asks for, with the tree as it is now where the tree is wanted.
func (e *Effects) order(r *Replica, rd *zab.Ready) {
	if rd == nil {
		return
	}
	o := &e.Orders
	for _, d := range rd.Disk {
		do := DiskOrder{Op: d}
		if _, ok := d.(*zab.Install); ok {
			do.Tree = r.Freeze()
		}
		o.Disk = append(o.Disk, do)
	}
	o.Notify = append(o.Notify, rd.Notify...)
	for _, s := range rd.Send {
		lo := LinkOrder{Send: s}
		if _, ok := s.Packet.(*zab.Snap); ok {
			lo.Tree = r.Freeze()
		}
		o.Links = append(o.Links, lo)
	}
	if rd.Dial != nil {
		o.Dial = append(o.Dial, *rd.Dial)
	}
	o.Close = append(o.Close, rd.Close...)
	if rd.Config != nil {
		o.Config = rd.Config
		r.configure(rd.Config)
	}
	o.Trace = append(o.Trace, rd.Trace...)
}
