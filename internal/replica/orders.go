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
	Search []zab.Search
	Close  []zab.Link // behind what was sent on them
	Config *zab.Configs
	Trace  []string

	Proposed, Committed int // how many proposals were made, and delivered, for the metrics
}

// DiskOrder is one operation on the disk, or the configurations to be kept there before the next: a driver that keeps none passes
// over it. It is not one of those that a zab.Synced counts.
type DiskOrder struct {
	Config *zab.Configs // instead of an Op
	Op     zab.Disk
	Tree   *Frozen // of an Install: what to write; the driver closes it
}

// LinkOrder is one packet for a peer.
type LinkOrder struct {
	zab.Send
	Tree *Frozen // of a Snap: the stream behind it; the driver closes it
}

// Reset forgets the orders, once the driver has them in its queues.
func (o *Orders) Reset() {
	clear(o.Disk)
	clear(o.Notify)
	clear(o.Links)
	clear(o.Search)
	clear(o.Trace)
	*o = Orders{Disk: o.Disk[:0], Notify: o.Notify[:0], Links: o.Links[:0], Dial: o.Dial[:0], Search: o.Search[:0], Close: o.Close[:0], Trace: o.Trace[:0]}
}

// order collects what a Ready asks for, with the tree as it is now where the tree is wanted.
func (e *Effects) order(r *Replica, rd *zab.Ready) {
	o := &e.Orders
	if rd.Config != nil {
		o.Config = rd.Config
		o.Disk = append(o.Disk, DiskOrder{Config: rd.Config})
		r.configure(*rd.Config)
	}
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
	o.Search = append(o.Search, rd.Search...)
	o.Close = append(o.Close, rd.Close...)
	o.Trace = append(o.Trace, rd.Trace...)
}
