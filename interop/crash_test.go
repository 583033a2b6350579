package interop

import (
	"errors"
	"flag"
	"fmt"
	"math/rand"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

var (
	crashRounds = flag.Int("crash-rounds", 20, "how often TestKillNine kills the server")
	crashSeed   = flag.Int64("crash-seed", 1, "what decides when TestKillNine kills the server")
)

// pipeliner writes as fast as it can, with many requests in flight. Step i creates <root>/<i>, an ephemeral every tenth time, and
// then sets the data of root to i. Answers come in order, so their number says all that was acknowledged.
type pipeliner struct {
	root    string
	conn    *Conn
	creates int // acknowledged
	sets    int // acknowledged
	closed  bool
}

const inFlight = 64 // steps

// run writes until the connection breaks, and adds to acks with each acknowledgement. It returns an error if an answer is
// anything but a success in order.
func (p *pipeliner) run(acks *atomic.Int64) error {
	open := zk.WorldACL(zk.PermAll)
	tokens := make(chan struct{}, inFlight)
	broken := make(chan struct{})
	go func() { // ends when the reader below has met the end of the connection
		for i := 0; ; i++ {
			select {
			case tokens <- struct{}{}:
			case <-broken:
				return
			}
			mode := zk.Persistent
			if i%10 == 0 {
				mode = zk.Ephemeral
			}
			out := wire.AppendRequestFrame(nil, int32(2*i), &wire.Create{Path: fmt.Sprintf("%s/%d", p.root, i), Data: []byte("d"), ACL: open, Mode: mode})
			out = wire.AppendRequestFrame(out, int32(2*i+1), &wire.SetData{Path: p.root, Data: strconv.AppendInt(nil, int64(i), 10), Version: -1})
			if _, err := p.conn.Write(out); err != nil {
				return
			}
		}
	}()
	defer close(broken)
	for n := int32(0); ; n++ {
		h, _, err := p.conn.Reply(patience)
		if err != nil {
			return nil
		}
		if h.Xid != n || h.Err != zk.OK {
			return fmt.Errorf("answer %d: %+v", n, h)
		}
		if n%2 == 0 {
			p.creates++
		} else {
			p.sets++
			<-tokens
		}
		acks.Add(1)
	}
}

// check compares what is there now with what was acknowledged: all of it must be there, and of the rest only what follows directly, because
// one connection's writes are one order.
func (p *pipeliner) check(c *Conn) error {
	var data wire.DataReply
	var kids wire.ChildrenReply
	if h, err := c.Call(&wire.GetData{Path: p.root}, &data); err != nil || h.Err != zk.OK {
		return fmt.Errorf("%s: %v %v", p.root, h.Err, err)
	}
	sets := int(data.Stat.Version)
	if sets > 0 {
		last, err := strconv.Atoi(string(data.Data))
		if err != nil || last != sets-1 {
			return fmt.Errorf("%s: version %d has the data %q", p.root, sets, data.Data)
		}
	}
	if _, err := c.Call(&wire.GetChildren{Path: p.root}, &kids); err != nil {
		return err
	}
	there := map[int]bool{}
	for _, k := range kids.Children {
		n, err := strconv.Atoi(k)
		if err != nil {
			return err
		}
		there[n] = true
	}
	creates := sets // before the first set that is missing
	if there[sets] {
		creates++
	}
	for i := range creates {
		if want := i%10 != 0 || !p.closed; there[i] != want {
			return fmt.Errorf("%s/%d: there is %v, should be %v; %d sets", p.root, i, there[i], want, sets)
		}
		delete(there, i)
	}
	if len(there) > 0 && !p.closed {
		return fmt.Errorf("%s: beyond the %d that were in order: %v", p.root, creates, there)
	}
	if sets < p.sets || creates < p.creates {
		return fmt.Errorf("%s: LOST acknowledged writes: %d of %d sets, %d of %d creates", p.root, sets, p.sets, creates, p.creates)
	}
	return nil
}

// The server is killed with kill -9 again and again while several connections write. No acknowledged write may be lost, no hole may
// open, and every session resumes with its ephemerals. In the end Apache finds the same.
func TestKillNine(t *testing.T) {
	t.Parallel()
	setup := profiles["base"]
	setup.Dir = t.TempDir()
	setup.Conf = append(slices.Clone(setup.Conf), "snapCount=500", "preAllocSize=64")
	srv := Start(t, Zooid, setup)
	random := rand.New(rand.NewSource(*crashSeed))
	var all []*pipeliner
	var total int64
	for round := range *crashRounds {
		var writers []*pipeliner
		for w := range 4 {
			c, err := Connect(srv.Addr(), sessionTimeout)
			if err != nil {
				t.Fatal(err)
			}
			p := &pipeliner{root: fmt.Sprintf("/r%d-w%d", round, w), conn: c}
			call(t, c, &wire.Create{Path: p.root, Data: []byte{}, ACL: zk.WorldACL(zk.PermAll)}, nil)
			writers = append(writers, p)
		}
		var acks atomic.Int64
		var wg sync.WaitGroup
		errs := make([]error, len(writers))
		for i, p := range writers {
			wg.Go(func() { errs[i] = p.run(&acks) }) // ends when the server is killed
		}
		// The moment is a number of acknowledgements, not a time.
		for limit := 20 + random.Int63n(3000); acks.Load() < limit; {
			select {
			case <-srv.Done():
				t.Fatal("the server ended by itself")
			case <-time.After(100 * time.Microsecond): // leave the processors to those who write
			}
		}
		srv.Kill()
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		total += acks.Load()
		srv.Launch(t)
		srv.WaitServing(t)
		for _, p := range writers {
			h := &holder{Conn: p.conn}
			c, err := Dial(srv.Addr())
			if err != nil {
				t.Fatal(err)
			}
			if resp, err := c.Handshake(h.Resume(sessionTimeout)); err != nil || resp.SessionID != p.conn.Session {
				t.Fatalf("round %d: session %v is not resumed: %+v, %v", round, p.conn.Session, resp, err)
			}
			if err := p.check(c); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			var ephemerals, kids wire.ChildrenReply
			call(t, c, &wire.GetEphemerals{}, &ephemerals)
			mine := len(ephemerals.Children)
			call(t, c, &wire.GetChildren{Path: p.root}, &kids)
			tenth := 0
			for _, k := range kids.Children {
				if k[len(k)-1] == '0' {
					tenth++
				}
			}
			if mine != tenth {
				t.Fatalf("round %d: %s: the session has %d ephemerals of %d", round, p.root, mine, tenth)
			}
			call(t, c, &wire.CloseSession{}, nil)
			c.Close()
			p.conn.Close()
			p.closed = true
		}
		all = append(all, writers...)
	}
	t.Logf("%d rounds, %d acknowledged writes", *crashRounds, total)
	verify := func(srv *Server) {
		c, err := Connect(srv.Addr(), sessionTimeout)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, p := range all {
			if err := p.check(c); err != nil {
				t.Error(err)
			}
		}
	}
	verify(srv)
	want := readTree(t, srv)
	srv.Kill()
	t.Run("apache", func(t *testing.T) {
		srv := Start(t, Apache, setup)
		sameTree(t, readTree(t, srv), want)
		if bad := complaints(srv.Log()); bad != "" {
			t.Errorf("Apache complains:\n%s", bad)
		}
	})
}
