package peer

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/zab"
)

// patience bounds each wait. It is never the measure of a test: whatever is waited for must come.
const patience = 2 * time.Minute

var quiet = slog.New(slog.DiscardHandler)

// server is Elections with what they told.
type server struct {
	*Elections
	mu     sync.Mutex
	news   *sync.Cond
	heard  map[ensemble.SID][]zab.Notification
	states map[ensemble.SID][]bool
}

// elect starts Elections on a free port, and closes them with the test.
func elect(t *testing.T, sid ensemble.SID, change func(*ElectionOptions)) *server {
	t.Helper()
	s := &server{heard: map[ensemble.SID][]zab.Notification{}, states: map[ensemble.SID][]bool{}}
	s.news = sync.NewCond(&s.mu)
	o := ElectionOptions{
		SID: sid, Listen: []string{"127.0.0.1:0"}, MinPause: 5 * time.Millisecond, MaxPause: 50 * time.Millisecond, Logger: quiet,
		Heard: func(from ensemble.SID, n zab.Notification) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.heard[from] = append(s.heard[from], n)
			s.news.Broadcast()
		},
		Connected: func(sid ensemble.SID, up bool) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.states[sid] = append(s.states[sid], up)
			s.news.Broadcast()
		},
	}
	if change != nil {
		change(&o)
	}
	var err error
	if s.Elections, err = NewElections(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// wait waits for a condition, which is called with the lock held.
func (s *server) wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	late := false
	timer := time.AfterFunc(patience, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.news.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !ok() {
		if late {
			t.Fatalf("server %d waits for %s; heard %v, states %v", s.o.SID, what, s.heard, s.states)
		}
		s.news.Wait()
	}
}

// hears waits for a notification of this round.
func (s *server) hears(t *testing.T, from ensemble.SID, round int64) {
	t.Helper()
	s.wait(t, fmt.Sprintf("round %d of %d", round, from), func() bool {
		return slices.ContainsFunc(s.heard[from], func(n zab.Notification) bool { return n.Vote.Round == round })
	})
}

// was waits until it was told once that a peer is up, or down, whatever came behind it.
func (s *server) was(t *testing.T, sid ensemble.SID, up bool) {
	t.Helper()
	s.wait(t, fmt.Sprintf("%d to have been up=%v", sid, up), func() bool { return slices.Contains(s.states[sid], up) })
}

// is waits until the last that was told of a peer is up or down.
func (s *server) is(t *testing.T, sid ensemble.SID, up bool) {
	t.Helper()
	s.wait(t, fmt.Sprintf("%d to be up=%v", sid, up), func() bool {
		l := s.states[sid]
		return len(l) > 0 && l[len(l)-1] == up
	})
}

// member is a line of a configuration.
func member(sid ensemble.SID, a net.Addr) string {
	host, port, _ := net.SplitHostPort(a.String())
	return fmt.Sprintf("server.%d=%s:1:%s:participant\n", sid, host, port)
}

func view(t *testing.T, servers ...*server) *ensemble.Config {
	text := ""
	for _, s := range servers {
		text += member(s.o.SID, s.Addr())
	}
	return config(t, text+"version=0")
}

// know makes the servers the members for each other.
func know(t *testing.T, servers ...*server) {
	c := view(t, servers...)
	for _, s := range servers {
		s.SetView(c, c)
	}
}

func round(r int64) zab.Notification { return zab.Notification{Vote: zab.Vote{Leader: 1, Round: r}} }

// Whoever has something to say first: there is one connection, and it is used in both directions.
func TestTwoFindEachOther(t *testing.T) {
	for first := range ensemble.SID(2) {
		a, b := elect(t, 0, nil), elect(t, 1, nil)
		know(t, a, b)
		one, two := a, b
		if first == 1 {
			one, two = b, a
		}
		one.Send(1-first, round(7))
		two.hears(t, first, 7)
		one.is(t, 1-first, true)
		two.is(t, first, true)
		two.Send(first, round(8))
		one.hears(t, 1-first, 8)
	}
}

// Five at once, each with something for each: requests to call back and dials cross, and still everybody is heard.
func TestManyFindEachOther(t *testing.T) {
	var all []*server
	for sid := range ensemble.SID(5) {
		all = append(all, elect(t, sid, nil))
	}
	c := view(t, all...)
	var wg sync.WaitGroup
	for _, s := range all {
		wg.Go(func() {
			s.SetView(c, nil)
			for r := range int64(3) {
				for _, o := range all {
					s.Send(o.o.SID, round(r))
				}
			}
		})
	}
	wg.Wait()
	for _, s := range all {
		for _, o := range all {
			if s != o {
				s.hears(t, o.o.SID, 2)
			}
		}
	}
}

// What was sent last is sent again when a peer comes back (ensemble protocol, section 2.4), here one that asks to be called back at
// another address than the configured one.
func TestTheLastIsRepeated(t *testing.T) {
	a, b := elect(t, 1, nil), elect(t, 2, nil)
	know(t, a, b)
	b.Send(1, round(5))
	a.hears(t, 2, 5)
	a.Close()
	b.is(t, 1, false)
	again := elect(t, 1, nil)
	again.SetView(view(t, again, b), nil)
	again.Send(2, round(6))
	b.hears(t, 1, 6)
	again.hears(t, 2, 5)
	b.is(t, 1, true)
}

// A larger peer that comes back dials by itself.
func TestALargerOneRestarts(t *testing.T) {
	a, b := elect(t, 1, nil), elect(t, 2, nil)
	know(t, a, b)
	a.Send(2, round(1))
	b.hears(t, 1, 1)
	b.Close()
	a.is(t, 2, false)
	again := elect(t, 2, nil)
	know(t, a, again)
	again.Send(1, round(2))
	a.hears(t, 2, 2)
	again.hears(t, 1, 1)
}

// A smaller server whose larger peer cannot be dialled keeps trying, by name, until it can.
func TestNamesThatDoNotResolveYet(t *testing.T) {
	b := elect(t, 2, nil)
	_, port, _ := net.SplitHostPort(b.Addr().String())
	var mu sync.Mutex
	var dialled []string
	a := elect(t, 1, func(o *ElectionOptions) {
		o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			mu.Lock()
			dialled = append(dialled, addr)
			n := len(dialled)
			mu.Unlock()
			if n <= 3 {
				return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
			}
			return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
		}
	})
	c := config(t, member(1, a.Addr())+"server.2=zk-2.example:1:"+port+":participant\nversion=0")
	a.SetView(c, nil)
	b.SetView(c, nil)
	a.Send(2, round(3))
	a.was(t, 2, false)
	b.hears(t, 1, 3)
	a.is(t, 2, true)
	mu.Lock()
	defer mu.Unlock()
	if len(dialled) < 4 || slices.ContainsFunc(dialled, func(s string) bool { return s != "zk-2.example:"+port }) {
		t.Errorf("dialled %q", dialled)
	}
}

// Nobody is dialled without a reason, and of what waits for a connection the newest leaves.
func TestOneSlotNewestWins(t *testing.T) {
	b := elect(t, 1, nil)
	dials, let := make(chan struct{}, 10), make(chan struct{})
	a := elect(t, 2, func(o *ElectionOptions) {
		o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials <- struct{}{}
			<-let
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	})
	know(t, a, b)
	if len(dials) != 0 {
		t.Error("dialled with nothing to say")
	}
	a.Send(1, round(1))
	<-dials
	for r := range int64(5) {
		a.Send(1, round(r+2))
	}
	close(let)
	b.hears(t, 2, 6)
	a.Send(1, round(7))
	b.hears(t, 2, 7)
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.heard[2]; len(l) != 2 {
		t.Errorf("heard %v", l)
	}
	if len(dials) != 0 {
		t.Error("dialled again")
	}
}

// Nobody is told of strangers, and a stranger that connects is answered on its connection.
func TestStrangers(t *testing.T) {
	a, b := elect(t, 1, nil), elect(t, 2, nil)
	b.SetView(view(t, a, b), nil)
	a.SetView(view(t, a), nil)
	a.Send(2, round(1)) // dropped
	a.Send(1, round(1)) // to itself: dropped
	b.Send(1, round(2))
	a.hears(t, 2, 2)
	a.Send(2, round(3))
	b.hears(t, 1, 3)
	b.mu.Lock()
	l := b.heard[1]
	b.mu.Unlock()
	if len(l) != 1 {
		t.Errorf("heard %v", l)
	}
	b.Close()
	a.is(t, 2, false)
	a.Elections.mu.Lock()
	defer a.Elections.mu.Unlock()
	if len(a.peers) != 0 {
		t.Error("the stranger is not forgotten")
	}
}

// raw is a connection to a server's election port that greets as sid.
func raw(t *testing.T, s *server, greeting []byte) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(greeting); err != nil {
		t.Fatal(err)
	}
	return c
}

// ends checks that the other side closes a connection without a word.
func ends(t *testing.T, c net.Conn) {
	t.Helper()
	b, err := io.ReadAll(c)
	if ne, ok := err.(net.Error); ok && ne.Timeout() || len(b) > 0 {
		t.Errorf("not closed: %q, %v", b, err)
	}
}

func TestDuplicatesOfALargerOne(t *testing.T) {
	a := elect(t, 5, nil)
	one := raw(t, a, appendGreeting(nil, 9, "127.0.0.1:1"))
	a.is(t, 9, true)
	two := raw(t, a, appendGreeting(nil, 9, "127.0.0.1:1"))
	ends(t, one)
	if _, err := two.Write(AppendNotification(nil, round(4))); err != nil {
		t.Fatal(err)
	}
	a.hears(t, 9, 4)
	a.Send(9, round(5))
	if body, err := readFrame(bufio.NewReader(two)); err != nil || !bytes.Equal(body, AppendNotification(nil, round(5))[4:]) {
		t.Errorf("%x, %v", body, err)
	}
}

// Greetings are read side by side. A connection that was opened before another, and is understood after it, is not taken.
func TestAnOlderConnectionIsNotTaken(t *testing.T) {
	a := elect(t, 5, nil)
	whole := appendGreeting(nil, 9, "127.0.0.1:1")
	old := raw(t, a, whole[:10])
	young := raw(t, a, whole)
	a.is(t, 9, true)
	if _, err := old.Write(whole[10:]); err != nil {
		t.Fatal(err)
	}
	ends(t, old)
	if _, err := young.Write(AppendNotification(nil, round(4))); err != nil {
		t.Fatal(err)
	}
	a.hears(t, 9, 4)
}

// A smaller one that dials is called back at the address that it says, each time that it asks (section 2.1).
func TestASmallerOneIsCalledBack(t *testing.T) {
	a := elect(t, 5, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var before net.Conn
	for r := range int64(3) {
		ends(t, raw(t, a, appendGreeting(nil, 2, l.Addr().String())))
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(patience))
		g, err := readGreeting(bufio.NewReader(c))
		if err != nil || g.sid != 5 || len(g.addrs) != 1 || g.addrs[0] != a.Addr().String() {
			t.Errorf("greeted by %+v, %v", g, err)
		}
		if before != nil {
			ends(t, before)
		}
		// What asks while it is being dialled is answered by that dial, so wait until this one is over.
		if _, err := c.Write(AppendNotification(nil, round(r))); err != nil {
			t.Fatal(err)
		}
		a.hears(t, 2, r)
		before = c
	}
	a.is(t, 2, true)
}

// Nobody on the port can keep others from it, and nothing that is sent ends more than its connection.
func TestBadCompany(t *testing.T) {
	t.Parallel()
	// Long enough for those who are to be understood, however slow the machine.
	a := elect(t, 5, func(o *ElectionOptions) { o.GreetTimeout = 5 * time.Second })
	b := elect(t, 6, nil)
	know(t, a, b)
	var silent []net.Conn
	for range 20 {
		silent = append(silent, raw(t, a, nil))
	}
	ends(t, raw(t, a, []byte("\xffGET / HTTP/1.1\r\n\r\n")))
	ends(t, raw(t, a, appendGreeting(nil, 5, "127.0.0.1:1"))) // this server itself
	ends(t, raw(t, a, appendGreeting(nil, 9, "nonsense")))
	b.Send(5, round(1))
	a.hears(t, 6, 1)
	for _, c := range silent {
		ends(t, c)
	}

	bad := raw(t, a, append(appendGreeting(nil, 9, "127.0.0.1:1"), 0, 0, 0, 2, 7, 7)) // too short: dropped
	if _, err := bad.Write(AppendNotification(nil, round(2))); err != nil {
		t.Fatal(err)
	}
	a.hears(t, 9, 2)
	if _, err := bad.Write([]byte{0x7f, 0xff, 0xff, 0xff}); err != nil { // no frame: closed
		t.Fatal(err)
	}
	ends(t, bad)
	a.is(t, 9, false)
	a.Send(6, round(3))
	b.hears(t, 5, 3)
}

// More nameless connections than there is place for are closed at once.
func TestTooManyNameless(t *testing.T) {
	a := elect(t, 5, nil)
	for range maxNameless {
		a.greeting <- struct{}{}
	}
	ends(t, raw(t, a, nil))
	for range maxNameless {
		<-a.greeting
	}
}

// writes records what is written, write by write.
type writes struct {
	net.Conn
	mu  sync.Mutex
	all []string
}

func (w *writes) Write(b []byte) (int, error) {
	w.mu.Lock()
	w.all = append(w.all, string(b))
	w.mu.Unlock()
	return w.Conn.Write(b)
}

// Section 12, trap 3: Apache reads the address with one read. And it needs the name that is configured.
func TestTheGreetingIsOneWrite(t *testing.T) {
	b := elect(t, 1, nil)
	var w *writes
	a := elect(t, 2, func(o *ElectionOptions) {
		o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			w = &writes{Conn: c}
			return w, err
		}
	})
	a.SetView(config(t, member(1, b.Addr())+"server.2=localhost:1:77:participant\nversion=0"), nil)
	a.Send(1, round(1))
	b.hears(t, 2, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.all) != 2 || w.all[0] != string(appendGreeting(nil, 2, "localhost:77")) {
		t.Errorf("written: %q", w.all)
	}
}

// The addresses of the committed configuration come first, then those that only the last seen one has (section 2.1).
func TestBothConfigurationsAreDialled(t *testing.T) {
	b := elect(t, 1, nil)
	var mu sync.Mutex
	var dialled []string
	a := elect(t, 2, func(o *ElectionOptions) {
		o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			dialled = append(dialled, addr)
			if strings.HasPrefix(addr, "old") {
				return nil, errors.New("nobody there")
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	})
	a.Send(1, round(1)) // nobody knows it yet
	a.SetView(config(t, "server.1=old:1:2:participant\nversion=0"), config(t, member(1, b.Addr())+"version=1"))
	a.Send(1, round(2))
	b.hears(t, 2, 2)
	mu.Lock()
	defer mu.Unlock()
	if len(dialled) != 2 || dialled[0] != "old:2" {
		t.Errorf("dialled %q", dialled)
	}
}

// Close ends dials and pauses that are under way.
func TestCloseDoesNotWaitForDials(t *testing.T) {
	hanging := make(chan struct{})
	a := elect(t, 2, func(o *ElectionOptions) {
		o.MinPause, o.ConnectTimeout = time.Hour, time.Hour
		o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if strings.HasPrefix(addr, "refused") {
				return nil, errors.New("refused")
			}
			close(hanging)
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
	a.SetView(config(t, "server.1=hanging:1:2:participant\nserver.3=refused:1:2:participant\nversion=0"), nil)
	a.Send(1, round(1))
	a.Send(3, round(1))
	<-hanging
	a.is(t, 3, false)
	a.Close()
	a.Send(1, round(2)) // nothing happens
}

// The hook for SASL stands behind the greeting, on both sides, and can say no.
func TestAuthenticate(t *testing.T) {
	step := func(say, want byte) func(*ElectionOptions) {
		return func(o *ElectionOptions) {
			o.Authenticate = func(c net.Conn, sid ensemble.SID, dialled bool) error {
				if _, err := c.Write([]byte{say, byte(sid)}); err != nil {
					return err
				}
				var b [2]byte
				if _, err := io.ReadFull(c, b[:]); err != nil {
					return err
				}
				if b != [2]byte{want, byte(o.SID)} {
					return fmt.Errorf("server %d sees %v", o.SID, b)
				}
				return nil
			}
		}
	}
	a, b := elect(t, 1, step('a', 'b')), elect(t, 2, step('b', 'a'))
	know(t, a, b)
	a.Send(2, round(1))
	b.hears(t, 1, 1)
	b.Send(1, round(2))
	a.hears(t, 2, 2)

	x := elect(t, 3, step('x', 'a'))
	know(t, a, x)
	x.Send(1, round(3))
	x.is(t, 1, false)
}

// A port that is taken is tried again, a bounded number of times.
func TestBind(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = NewElections(t.Context(), ElectionOptions{SID: 1, Listen: []string{l.Addr().String()}, BindTries: 1, Logger: quiet})
	if err == nil || !strings.Contains(err.Error(), "election port") {
		t.Error(err)
	}
	some := elect(t, 1, func(o *ElectionOptions) { o.Listen, o.BindTries = []string{l.Addr().String(), "127.0.0.1:0"}, 1 })
	if a := some.Addr(); a == nil || a.String() == l.Addr().String() {
		t.Errorf("one of two can be had, and open is %v", a)
	}
	tries := 0
	a := elect(t, 1, func(o *ElectionOptions) {
		o.Open = func(ctx context.Context, network, addr string) (net.Listener, error) {
			if tries++; tries < 2 {
				return nil, errors.New("in use")
			}
			return new(net.ListenConfig).Listen(ctx, network, addr)
		}
	})
	if a.Addr() == nil || tries != 2 {
		t.Errorf("%v after %d", a.Addr(), tries)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewElections(ctx, ElectionOptions{Listen: []string{l.Addr().String()}, BindTries: -1, Logger: quiet}); err == nil {
		t.Error("a taken port was opened")
	}
}
