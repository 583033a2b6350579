package peer

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// linkEnd is Links with what their handler was told, as one line for each callback.
type linkEnd struct {
	*Links
	mu       sync.Mutex
	news     *sync.Cond
	told     map[zab.Link][]string
	packets  map[zab.Link][]zab.Packet
	stream   int // bytes that Snapshot reads
	block    chan struct{}
	received func(l zab.Link, p zab.Packet)
}

func (e *linkEnd) tell(l zab.Link, format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told[l] = append(e.told[l], fmt.Sprintf(format, args...))
	e.news.Broadcast()
}

func (e *linkEnd) LinkUp(l zab.Link, remote net.Addr) { e.tell(l, "up") }

func (e *linkEnd) Received(l zab.Link, ps []zab.Packet) {
	for _, p := range ps {
		e.one(l, p)
	}
}

func (e *linkEnd) one(l zab.Link, p zab.Packet) {
	if e.block != nil {
		<-e.block
	}
	if e.received != nil {
		e.received(l, p)
	}
	e.mu.Lock()
	e.packets[l] = append(e.packets[l], p)
	e.mu.Unlock()
	e.tell(l, "%s", strings.TrimPrefix(reflect.TypeOf(p).String(), "*zab."))
}

func (e *linkEnd) Snapshot(l zab.Link, z zk.Zxid, r *bufio.Reader) error {
	b := make([]byte, e.stream)
	if _, err := io.ReadFull(r, b); err != nil {
		return err
	}
	e.tell(l, "stream of %v: %s", z, b)
	return nil
}

func (e *linkEnd) LinkDown(l zab.Link, err error) { e.tell(l, "down: %v", err) }

// newLinks makes Links that are shut down with the test.
func newLinks(t *testing.T, change func(*linkEnd, *LinkOptions)) *linkEnd {
	e := &linkEnd{told: map[zab.Link][]string{}, packets: map[zab.Link][]zab.Packet{}}
	e.news = sync.NewCond(&e.mu)
	o := LinkOptions{Handler: e, DialPause: 5 * time.Millisecond, Logger: quiet}
	if change != nil {
		change(e, &o)
	}
	e.Links = NewLinks(o)
	t.Cleanup(e.Shutdown)
	return e
}

// says waits until the handler was told all this of a link, in this order and nothing else.
func (e *linkEnd) says(t *testing.T, l zab.Link, want ...string) {
	t.Helper()
	e.wait(t, func() bool { return len(e.told[l]) >= len(want) })
	e.mu.Lock()
	defer e.mu.Unlock()
	if d := cmp.Diff(want, e.told[l]); d != "" {
		t.Errorf("link %d (-want +got)\n%s", l, d)
	}
}

func (e *linkEnd) wait(t *testing.T, ok func() bool) {
	t.Helper()
	late := false
	timer := time.AfterFunc(patience, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		late = true
		e.news.Broadcast()
	})
	defer timer.Stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	for !ok() {
		if late {
			t.Fatalf("told only %v", e.told)
		}
		e.news.Wait()
	}
}

// empty waits until nothing of what was sent on a link counts as waiting.
func (e *linkEnd) empty(t *testing.T, id zab.Link) {
	t.Helper()
	l := e.link(id)
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		waiting := l.waiting
		l.mu.Unlock()
		if waiting == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d bytes wait on link %d", waiting, id)
		}
	}
}

// linked is a leader, link 2, and a learner, link 1, that have found each other.
func linked(t *testing.T, change func(e *linkEnd, o *LinkOptions)) (leader, learner *linkEnd) {
	return linkedAt(t, "127.0.0.1", change)
}

func linkedAt(t *testing.T, host string, change func(e *linkEnd, o *LinkOptions)) (leader, learner *linkEnd) {
	leader = newLinks(t, change)
	if err := leader.Listen(host + ":0"); err != nil {
		t.Fatal(err)
	}
	learner = newLinks(t, change)
	learner.SetView(leaderAt(t, leader.Addrs()[0]))
	learner.Dial(zab.Dial{Link: 1, Leader: 3, Budget: patience.Milliseconds()})
	leader.says(t, 2, "up")
	learner.says(t, 1, "up")
	return leader, learner
}

// leaderAt is a configuration with server 3's quorum port there.
func leaderAt(t *testing.T, a net.Addr) *ensemble.Config {
	host, port, _ := net.SplitHostPort(a.String())
	return config(t, fmt.Sprintf("server.3=%s:%s:1:participant\nversion=0", host, port))
}

func TestPacketsInOrder(t *testing.T) {
	leader, learner := linked(t, nil)
	const n = 5000
	for i := range n {
		if !leader.Send(2, &zab.Propose{Proposal: zab.Proposal{Zxid: zk.Zxid(i), Payload: bytes.Repeat([]byte("t"), 1+i%300)}}) ||
			!learner.Send(1, &zab.Ack{Zxid: zk.Zxid(i)}) {
			t.Fatal("not sent")
		}
	}
	leader.wait(t, func() bool { return len(leader.packets[2]) == n })
	learner.wait(t, func() bool { return len(learner.packets[1]) == n })
	for i := range n {
		if z := leader.packets[2][i].(*zab.Ack).Zxid; z != zk.Zxid(i) {
			t.Fatalf("the %dth ack is of %v", i, z)
		}
		if p := learner.packets[1][i].(*zab.Propose); p.Zxid != zk.Zxid(i) || len(p.Payload) != 1+i%300 {
			t.Fatalf("the %dth proposal is of %v with %d bytes", i, p.Zxid, len(p.Payload))
		}
	}
}

// The two sides read the types that mean two things each in their way.
func TestDirections(t *testing.T) {
	leader, learner := linked(t, nil)
	leader.Send(2, &zab.Ping{Zxid: 1})
	leader.Send(2, &zab.Revalidated{Session: 2})
	learner.Send(1, &zab.Ping{Zxid: 1, Answer: true})
	learner.Send(1, &zab.Revalidate{Session: 2})
	learner.says(t, 1, "up", "Ping", "Revalidated")
	leader.says(t, 2, "up", "Ping", "Revalidate")
	if p := learner.packets[1][0].(*zab.Ping); p.Answer {
		t.Errorf("%+v", p)
	}
	if p := leader.packets[2][0].(*zab.Ping); !p.Answer {
		t.Errorf("%+v", p)
	}
}

// A snapshot's stream stands where it was sent, among the packets; the handler reads it before the next packet is.
func TestSnapshotInTheMiddle(t *testing.T) {
	const n = 300000 // more than any buffer
	text := strings.Repeat("x", n)
	leader, learner := linked(t, func(e *linkEnd, o *LinkOptions) { e.stream = n })
	leader.Send(2, &zab.Diff{Zxid: 1})
	for range 2 {
		leader.Send(2, &zab.Snap{Zxid: 7})
		if !leader.SendSnapshot(2, func(w io.Writer) error {
			for i := 0; i < n; i += 1000 {
				if _, err := io.WriteString(w, text[:1000]); err != nil {
					return err
				}
			}
			return nil
		}) {
			t.Fatal("not sent")
		}
		leader.Send(2, &zab.NewLeader{Epoch: 1})
	}
	leader.Send(2, &zab.UpToDate{})
	learner.says(t, 1, "up", "Diff", "Snap", "stream of 0x7: "+text, "NewLeader", "Snap", "stream of 0x7: "+text, "NewLeader", "UpToDate")
}

// What is posted and flushed stands in the order in which it was posted, among what was sent, whoever writes it: the flush, the writer,
// or, where a socket takes no more, one after the other.
func TestPostedPackets(t *testing.T) {
	const n = 10
	gate := make(chan struct{})
	leader, learner := linked(t, func(e *linkEnd, o *LinkOptions) {
		e.stream = n
		e.received = func(l zab.Link, p zab.Packet) {
			if _, ok := p.(*zab.Diff); ok {
				<-gate // so that the sockets fill
			}
		}
	})
	want := []string{"up", "Diff"}
	leader.Post(2, &zab.Diff{})
	leader.Flush()
	big := &zab.Propose{Proposal: zab.Proposal{Payload: make([]byte, 40000)}}
	for i := range 600 {
		leader.Post(2, big)
		want = append(want, "Propose")
		if i%3 == 0 {
			leader.Send(2, &zab.Commit{})
			want = append(want, "Commit")
		}
		if i%100 == 50 {
			leader.Post(2, &zab.Snap{Zxid: 7})
			leader.SendSnapshot(2, func(w io.Writer) error {
				_, err := io.WriteString(w, "0123456789")
				return err
			})
			leader.Post(2, &zab.NewLeader{})
			want = append(want, "Snap", "stream of 0x7: 0123456789", "NewLeader")
		}
		leader.Flush()
	}
	close(gate)
	learner.says(t, 1, want...)
	if leader.Post(4, &zab.UpToDate{}) {
		t.Error("posted on no link")
	}
	leader.Close(2)
	learner.says(t, 1, append(want, "down: EOF")...)
	if leader.Post(2, &zab.UpToDate{}) {
		t.Error("posted on a closed link")
	}
	leader.Flush()
}

// Either error of a stream ends the link.
func TestSnapshotFails(t *testing.T) {
	bad := errors.New("disk")
	leader, learner := linked(t, func(e *linkEnd, o *LinkOptions) { e.stream = 10 })
	leader.Send(2, &zab.Snap{Zxid: 7})
	leader.SendSnapshot(2, func(w io.Writer) error {
		io.WriteString(w, "123")
		return bad
	})
	leader.says(t, 2, "up", "down: disk")
	learner.wait(t, func() bool { return len(learner.told[1]) == 3 })
	if learner.told[1][1] != "Snap" || !strings.HasPrefix(learner.told[1][2], "down: ") {
		t.Errorf("%q", learner.told[1])
	}
}

// What was sent before Close arrives, and nothing is taken after it.
func TestCloseIsBehindWhatWasSent(t *testing.T) {
	leader, learner := linked(t, func(e *linkEnd, o *LinkOptions) { o.CloseTimeout = patience })
	const n = 1000
	for i := range n {
		leader.Send(2, &zab.Propose{Proposal: zab.Proposal{Zxid: zk.Zxid(i), Payload: make([]byte, 1000)}})
		learner.Send(1, &zab.Ack{Zxid: zk.Zxid(i)}) // unread input must not make the close a reset
	}
	leader.Close(2)
	leader.Close(2)
	if leader.Send(2, &zab.UpToDate{}) || leader.SendSnapshot(2, func(io.Writer) error { return nil }) {
		t.Error("sent on a closed link")
	}
	learner.wait(t, func() bool { l := learner.told[1]; return strings.HasPrefix(l[len(l)-1], "down") })
	if got := learner.told[1]; len(got) != n+2 || got[n+1] != "down: EOF" {
		t.Errorf("%d callbacks, the last %q", len(got), got[len(got)-1])
	}
	leader.wait(t, func() bool { l := leader.told[2]; return l[len(l)-1] == "down: <nil>" })
	if leader.Send(2, &zab.UpToDate{}) || leader.Send(4, &zab.UpToDate{}) {
		t.Error("sent on a link that is not there")
	}
	leader.Close(2) // of a link that is gone
}

// Both sides may close at the same time, and both have said all.
func TestBothClose(t *testing.T) {
	leader, learner := linked(t, func(e *linkEnd, o *LinkOptions) { o.CloseTimeout = patience })
	leader.Send(2, &zab.UpToDate{})
	learner.Send(1, &zab.Ack{})
	leader.says(t, 2, "up", "Ack")
	learner.says(t, 1, "up", "UpToDate")
	var wg sync.WaitGroup
	wg.Go(leader.Shutdown)
	wg.Go(learner.Shutdown)
	wg.Wait()
	for _, s := range []string{leader.told[2][2], learner.told[1][2]} {
		if s != "down: <nil>" && s != "down: EOF" {
			t.Error(s)
		}
	}
	learner.Dial(zab.Dial{Link: 3, Leader: 3, Budget: 1}) // nothing happens
	if err := leader.Listen("127.0.0.1:0"); err == nil {
		t.Error("the port is open after Shutdown")
	}
}

// A peer that takes nothing is closed when too much waits, and its streams are told.
func TestTheQueueIsBounded(t *testing.T) {
	block := make(chan struct{})
	leader, _ := linked(t, func(e *linkEnd, o *LinkOptions) {
		o.MaxQueue = 1 << 20
		e.block = block
	})
	defer close(block)
	p := &zab.Propose{Proposal: zab.Proposal{Zxid: 1, Payload: make([]byte, 100000)}}
	streamed := make(chan error, 1)
	sent := 0
	for leader.Send(2, p) {
		if sent++; sent == 5 {
			// Sockets and buffers between the two hold a few MB. This one is behind them, or runs: either way it ends with an error.
			leader.SendSnapshot(2, func(w io.Writer) error {
				for {
					if _, err := w.Write(p.Payload); err != nil {
						streamed <- err
						return err
					}
				}
			})
		}
		if sent > 100000 {
			t.Fatal("the bound is none")
		}
	}
	if err := <-streamed; err == nil {
		t.Error("a stream went through")
	}
	leader.says(t, 2, "up", "down: "+ErrQueue.Error())
}

// Commits that wait on a link of a follower's observer are bounded on their own; what comes before them, and one alone, may be longer.
func TestObserversLagIsBounded(t *testing.T) {
	master := newLinks(t, nil)
	if err := master.ListenBounded(1000, "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	block := make(chan struct{})
	observer := newLinks(t, func(e *linkEnd, o *LinkOptions) { e.block = block })
	observer.SetView(leaderAt(t, master.Addrs()[0]))
	observer.Dial(zab.Dial{Link: 1, Leader: 3, Budget: patience.Milliseconds()})
	master.says(t, 2, "up")
	long := zab.Proposal{Zxid: 1, Payload: make([]byte, 100000)}
	if !master.Send(2, &zab.Inform{Proposal: long}) {
		t.Fatal("one that is longer than the bound does not go out")
	}
	block <- struct{}{}
	observer.says(t, 1, "up", "Inform")
	master.empty(t, 2) // who has written it may not have said so yet
	for range 100 {    // more than sockets and buffers hold
		if !master.Send(2, &zab.Propose{Proposal: long}) {
			t.Fatal("what synchronizes is bounded")
		}
	}
	sent := 0
	for master.Send(2, &zab.Inform{Proposal: zab.Proposal{Zxid: 2, Payload: make([]byte, 270)}}) {
		if sent++; sent > 100 {
			t.Fatal("the bound is none")
		}
	}
	if sent != 3 {
		t.Errorf("%d commits wait", sent)
	}
	close(block)
	master.says(t, 2, "up", "down: "+ErrLag.Error())
}

// A stuck peer does not hang Close.
func TestCloseOfAStuckLink(t *testing.T) {
	block := make(chan struct{})
	leader, _ := linked(t, func(e *linkEnd, o *LinkOptions) {
		o.CloseTimeout = 50 * time.Millisecond
		e.block = block
	})
	defer close(block)
	leader.Send(2, &zab.UpToDate{}) // its handler holds the learner up
	leader.SendSnapshot(2, func(w io.Writer) error {
		for {
			if _, err := w.Write(make([]byte, 100000)); err != nil {
				return err
			}
		}
	})
	leader.Shutdown()
	leader.says(t, 2, "up", "down: <nil>")
}

// A peer that takes nothing is given up without Close, too.
func TestWritesTimeOut(t *testing.T) {
	block := make(chan struct{})
	leader, _ := linked(t, func(e *linkEnd, o *LinkOptions) {
		o.WriteTimeout = 50 * time.Millisecond
		e.block = block
	})
	defer close(block)
	leader.Send(2, &zab.UpToDate{}) // its handler holds the learner up
	leader.SendSnapshot(2, func(w io.Writer) error {
		for {
			if _, err := w.Write(make([]byte, 100000)); err != nil {
				return err
			}
		}
	})
	leader.wait(t, func() bool { return len(leader.told[2]) == 2 })
	if s := leader.told[2][1]; !strings.Contains(s, "timeout") {
		t.Error(s)
	}
}

// Dials fail within their budget and tries, resolve the leader anew each time, and can be stopped.
func TestDials(t *testing.T) {
	var mu sync.Mutex
	var dialled []string
	hanging := make(chan struct{}, 1)
	e := newLinks(t, func(e *linkEnd, o *LinkOptions) {
		o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			if strings.HasPrefix(addr, "hanging") {
				hanging <- struct{}{}
				<-ctx.Done()
				return nil, ctx.Err()
			}
			dialled = append(dialled, addr)
			return nil, errors.New("refused")
		}
	})
	e.Dial(zab.Dial{Link: 1, Leader: 1, Budget: patience.Milliseconds()})
	e.says(t, 1, "down: peer: leader 1 is not in the configuration")
	e.SetView(config(t, "server.1=name:1:2:participant\nserver.2=hanging:1:2:participant\nversion=0"))
	e.Dial(zab.Dial{Link: 3, Leader: 1, Budget: patience.Milliseconds()})
	e.says(t, 3, "down: refused")
	if len(dialled) != 9 || dialled[8] != "name:1" { // four hasty ones, and five
		t.Errorf("dialled %q", dialled)
	}
	e.Dial(zab.Dial{Link: 5, Leader: 2, Budget: 3600000})
	<-hanging
	e.Close(5)
	e.says(t, 5, "down: <nil>")
	e.Dial(zab.Dial{Link: 7, Leader: 2, Budget: 20}) // over, perhaps, before anybody is dialled
	e.says(t, 7, "down: context deadline exceeded")
}

// A leader that is not there yet is found at a later try (section 4.2).
func TestDialsAreRepeated(t *testing.T) {
	leader := newLinks(t, nil)
	tries := 0
	learner := newLinks(t, func(e *linkEnd, o *LinkOptions) {
		o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if tries++; tries == 4 {
				if err := leader.Listen("127.0.0.1:0"); err != nil {
					t.Error(err)
				}
				e.SetView(leaderAt(t, leader.Addrs()[0]))
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	})
	learner.SetView(config(t, "server.3=127.0.0.1:0:1:participant\nversion=0"))
	learner.Dial(zab.Dial{Link: 1, Leader: 3, Budget: patience.Milliseconds()})
	learner.says(t, 1, "up")
	if tries != 5 {
		t.Errorf("%d tries", tries)
	}
}

// The port opens and closes with leading; each learner has its own even number, and no number comes twice.
func TestListening(t *testing.T) {
	leader, learner := linkedAt(t, remote(t), nil)
	if err := leader.Listen("127.0.0.1:0"); err == nil {
		t.Error("opened twice")
	}
	learner.Dial(zab.Dial{Link: 3, Leader: 3, Budget: patience.Milliseconds()})
	leader.says(t, 4, "up")
	addr := leader.Addrs()[0].String()
	leader.StopListening()
	leader.StopListening()
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("the port is open")
	}
	leader.Send(4, &zab.UpToDate{})
	learner.says(t, 3, "up", "UpToDate")
	if err := leader.Listen(addr); err != nil {
		t.Fatal(err)
	}
	learner.Dial(zab.Dial{Link: 5, Leader: 3, Budget: patience.Milliseconds()})
	leader.says(t, 6, "up")
	other := newLinks(t, nil)
	if err := other.Listen(addr); err == nil {
		t.Error("a port that is taken was opened")
	}
	if err := other.Listen(addr, "127.0.0.1:0"); err != nil || len(other.Addrs()) != 1 {
		t.Errorf("one of two can be had: %v, %v", other.Addrs(), err)
	}
}

// Packets that nobody knows are skipped; those that cannot be understood end the link.
func TestForeignBytes(t *testing.T) {
	leader := newLinks(t, nil)
	if err := leader.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", leader.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b := bare(nil, 99, 1)
	b = AppendPacket(b, &zab.Snap{Zxid: 1}) // no learner's; nobody reads a stream
	b = AppendPacket(b, &zab.Ack{Zxid: 1})
	b = append(b, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0, 0, 0)
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
	leader.wait(t, func() bool { return len(leader.told[2]) == 4 })
	if got := leader.told[2]; got[1] != "Snap" || got[2] != "Ack" || !strings.Contains(got[3], "packet of type 2") {
		t.Errorf("%q", got)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	ends(t, c)
}

// The hook for SASL comes before packets. A refused learner is nobody's link; a refused dial is one that failed.
func TestLinksAuthenticate(t *testing.T) {
	leader := newLinks(t, func(e *linkEnd, o *LinkOptions) {
		o.Authenticate = func(c net.Conn, sid ensemble.SID, dialled bool) error {
			var b [3]byte
			if _, err := io.ReadFull(c, b[:]); err != nil {
				return err
			}
			if string(b[:]) != "yes" || sid != ensemble.NoSID || dialled {
				return errors.New("refused")
			}
			return nil
		}
	})
	if err := leader.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	for i, word := range []string{"yes", "no!", "err"} {
		learner := newLinks(t, func(e *linkEnd, o *LinkOptions) {
			o.Authenticate = func(c net.Conn, sid ensemble.SID, dialled bool) error {
				if word == "err" {
					return fmt.Errorf("leader %d has no key", sid)
				}
				_, err := io.WriteString(c, word)
				return err
			}
		})
		learner.SetView(leaderAt(t, leader.Addrs()[0]))
		learner.Dial(zab.Dial{Link: 1, Leader: 3, Budget: patience.Milliseconds()})
		switch i {
		case 0:
			learner.says(t, 1, "up")
			leader.says(t, 2, "up")
		case 1:
			learner.wait(t, func() bool { l := learner.told[1]; return len(l) > 0 && strings.HasPrefix(l[len(l)-1], "down") })
		case 2:
			learner.says(t, 1, "down: leader 3 has no key")
		}
	}
	leader.Shutdown()
	if len(leader.told) != 1 {
		t.Errorf("told %v", leader.told)
	}
}

// A callback may send and close.
func TestCallbacksMaySend(t *testing.T) {
	var leader *linkEnd
	leader, learner := linked(t, func(e *linkEnd, o *LinkOptions) {
		e.received = func(l zab.Link, p zab.Packet) {
			if l == 2 {
				leader.Send(l, &zab.Commit{Zxid: p.(*zab.Ack).Zxid})
				leader.Close(l)
			}
		}
	})
	learner.Send(1, &zab.Ack{Zxid: 9})
	learner.says(t, 1, "up", "Commit", "down: EOF")
	leader.says(t, 2, "up", "Ack", "down: <nil>")
}
