package server

import (
	"bufio"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/peer"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// stuckLearner is a learner that asks for everything, and reads of the stream that it is sent not a byte.
type stuckLearner struct {
	links *peer.Links
	hello zab.LearnerInfo
	snap  chan struct{} // closed when the stream begins
	free  chan struct{} // closed to let go
}

func (s *stuckLearner) LinkUp(l zab.Link, _ net.Addr) { s.links.Send(l, &s.hello) }
func (s *stuckLearner) LinkDown(zab.Link, error)      {}
func (s *stuckLearner) Received(l zab.Link, ps []zab.Packet) {
	for _, p := range ps {
		if _, ok := p.(*zab.LeaderInfo); ok {
			s.links.Send(l, &zab.AckEpoch{Last: 0, Current: 0})
		}
	}
}

func (s *stuckLearner) Snapshot(zab.Link, zk.Zxid, *bufio.Reader) error {
	close(s.snap)
	<-s.free
	return errors.New("enough")
}

// ZOOKEEPER-2201, 3531, 4858: a learner that does not take the snapshot that it is sent holds up nobody: the leader goes on to write,
// to read, and to bring others up to date.
func TestEnsembleStuckLearner(t *testing.T) {
	w := gather(t, 3, 0, func(o *Options) { o.PreAllocSize = 16 << 20 })
	leader := w.serving()
	c := connect(t, w.all[leader], lasting)
	c.must(create("/large", ""))
	n := 12 // more than sockets and buffers hold
	if Brief() {
		n = 2
	}
	for i := range n {
		c.must(create(name("/large/%d", i), strings.Repeat("x", 700<<10)))
	}
	c.fill("/many", 600) // more than is remembered
	s := &stuckLearner{
		hello: zab.LearnerInfo{SID: 9, Observer: true, Version: 0x10000}, snap: make(chan struct{}), free: make(chan struct{}),
	}
	s.links = peer.NewLinks(peer.LinkOptions{Handler: s, Logger: slog.New(slog.DiscardHandler)})
	defer s.links.Shutdown()
	defer close(s.free)
	s.links.SetView(w.config)
	s.links.Dial(zab.Dial{Link: 1, Leader: ensemble.SID(leader + 1), Budget: patience.Milliseconds()})
	<-s.snap
	c.fill("/while-it-is-stuck", 50)
	c.must(&wire.Sync{Path: "/"})
	if n = c.all("/while-it-is-stuck", 50); n != 50 {
		t.Errorf("%d of 50", n)
	}
	away := w.followers()[0]
	w.stop(away)
	c.fill("/more", 600)
	w.start(away)
	w.serving()
	w.same()
}
