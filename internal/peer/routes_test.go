package peer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zooid-io/zooid/internal/zab"
)

// scene is a network in which an address's first letter says what becomes of a dial: it hangs, is refused, at first or always, or answers.
type scene struct {
	mu    sync.Mutex
	log   []string // when, and what
	start time.Time
	open  bool
}

// spoken is a connection that says when it is closed.
type spoken struct {
	net.Conn
	s    *scene
	addr string
}

func (c *spoken) Close() error {
	c.s.note("closed " + c.addr)
	return nil
}

func (s *scene) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, fmt.Sprintf("%d %s", time.Since(s.start).Milliseconds(), what))
}

func (s *scene) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	s.note(addr)
	switch addr[0] {
	case 'h':
		<-ctx.Done()
		return nil, ctx.Err()
	case 's': // soon
		if !s.open && time.Since(s.start) < 300*time.Millisecond {
			return nil, errors.New(addr + ": refused")
		}
		s.open = true
		time.Sleep(30 * time.Millisecond)
	case 'r':
		return nil, errors.New(addr + ": refused")
	case 'l': // late: nothing stops it
		time.Sleep(250 * time.Millisecond)
	default:
		time.Sleep(30 * time.Millisecond)
	}
	return &spoken{s: s, addr: addr}, nil
}

// A dead address costs little, and only once; what nobody wants is closed; a server whose addresses are well sees one connection.
func TestRoutes(t *testing.T) {
	for _, tt := range []struct {
		addrs       string
		want, again string // who answers, and what happens until all is still; then once more
	}{
		{"ok", "ok: 0 ok", "ok: 0 ok"},
		{"a b", "a: 0 a", "a: 0 a"},
		{"r1 a b", "a: 0 r1, 0 a", "a: 0 a"},
		{"h1 a b", "a: 0 h1, 100 a", "a: 0 a"},
		{"h1 h2 r3 a", "a: 0 h1, 100 h2, 200 r3, 300 a", "a: 0 a"},
		{"l1 a", "a: 0 l1, 100 a, 250 closed l1", "a: 0 a"},
		{"r1 r2", ": 0 r1, 0 r2", ": 0 r1, 0 r2"},
		{"h1 r1", ": 0 h1, 100 r1, 200 r1, 300 r1", ": 0 r1, 0 h1, 100 r1, 200 r1, 300 r1"}, // h1 was the last to fail
		{"h1 s1", "s1: 0 h1, 100 s1, 200 s1, 300 s1", "s1: 0 s1"},
		{"", ": ", ": "},
	} {
		t.Run(tt.addrs, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scene{}
				var wg sync.WaitGroup
				r := routes{dial: s.dial, wg: &wg}
				for i, want := range []string{tt.want, tt.again} {
					s.log, s.start = nil, time.Now()
					c, addr, err := r.connect(t.Context(), strings.Fields(tt.addrs), 350*time.Millisecond)
					if (c == nil) == (addr != "") || (err == nil) != (c != nil) && tt.addrs != "" {
						t.Errorf("%v, %q, %v", c, addr, err)
					}
					wg.Wait()
					if got := addr + ": " + strings.Join(s.log, ", "); got != want {
						t.Errorf("%d: got %q, want %q", i, got, want)
					}
				}
			})
		})
	}
}

// The end of the context ends all dials; a connection that comes too late is closed.
func TestRoutesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{start: time.Now()}
		var wg sync.WaitGroup
		r := routes{dial: s.dial, wg: &wg}
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
		defer cancel()
		if c, _, err := r.connect(ctx, []string{"h1", "l2"}, 0); c != nil || !errors.Is(err, context.DeadlineExceeded) || time.Since(s.start) != 150*time.Millisecond {
			t.Errorf("%v, %v", c, err)
		}
		wg.Wait()
		if got := strings.Join(s.log, ", "); got != "0 h1, 100 l2, 350 closed l2" {
			t.Error(got)
		}
	})
}

// Marks are bounded.
func TestRoutesForget(t *testing.T) {
	r := routes{}
	for i := range 3 * maxMarks {
		r.bad(fmt.Sprint(i))
	}
	if len(r.marks) > maxMarks {
		t.Errorf("%d marks", len(r.marks))
	}
	r.good(fmt.Sprint(3*maxMarks - 1))
	if got := r.order([]string{fmt.Sprint(3*maxMarks - 2), fmt.Sprint(3*maxMarks - 1)}); got[0] != fmt.Sprint(3*maxMarks-1) {
		t.Errorf("a good one is behind: %q", got)
	}
}

// remote is an address of this machine at which nobody else takes a port that is free again. Where there is only one it is that.
func remote(t *testing.T) string {
	t.Helper()
	host := fmt.Sprintf("127.%d.%d.%d", 64+rand.IntN(128), rand.IntN(256), 1+rand.IntN(254))
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		return "127.0.0.1"
	}
	l.Close()
	return host
}

// dead gives an address where nobody listens, one where nobody accepts, and one that takes what comes and says nothing.
func dead(t *testing.T, how string) *net.TCPAddr {
	t.Helper()
	l, err := net.Listen("tcp", remote(t)+":0")
	if err != nil {
		t.Fatal(err)
	}
	if how == "refused" {
		l.Close()
	} else {
		t.Cleanup(func() { l.Close() })
	}
	return l.Addr().(*net.TCPAddr)
}

// passage is a proxy whose connections can be cut without a word to either end, as a network is cut.
type passage struct {
	l  net.Listener
	to string

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
	wg    sync.WaitGroup
}

func openPassage(t *testing.T, to string) *passage {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &passage{l: l, to: to}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return p
}

func (p *passage) accept() {
	for {
		in, err := p.l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.to)
		if err != nil {
			in.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		p.wg.Go(func() { p.copy(in, out) })
		p.wg.Go(func() { p.copy(out, in) })
	}
}

// copy passes on until the passage is cut. What comes then is taken, and goes nowhere.
func (p *passage) copy(from, to net.Conn) {
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		p.mu.Lock()
		cut := p.cut
		p.mu.Unlock()
		if !cut && n > 0 {
			_, err = to.Write(b[:n])
		}
		if err != nil {
			if !cut {
				to.Close()
			}
			return
		}
	}
}

func (p *passage) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
}

func several(sid int, election bool, addrs ...net.Addr) string {
	var list []string
	for _, a := range addrs {
		host, port, _ := net.SplitHostPort(a.String())
		if election {
			list = append(list, host+":1:"+port)
		} else {
			list = append(list, host+":"+port+":1")
		}
	}
	return fmt.Sprintf("server.%d=%s\n", sid, strings.Join(list, "|"))
}

// searching is a notification of who looks for a leader.
func searching(r int64) zab.Notification {
	n := round(r)
	n.State = zab.Looking
	return n
}

// A peer whose first address is dead is reached at the second, whoever is the larger: the smaller one asks to be called back, and says
// both of its addresses.
func TestElectionsWithADeadAddress(t *testing.T) {
	for _, how := range []string{"refused", "never accepts"} {
		for _, dialler := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s, %d dials", how, dialler), func(t *testing.T) {
				t.Parallel()
				change := func(o *ElectionOptions) { o.MultiAddress, o.AnswerTimeout = true, 20*time.Millisecond }
				all := []*server{elect(t, 1, change), elect(t, 2, change)}
				c := config(t, several(1, true, dead(t, how), all[0].Addr())+several(2, true, dead(t, how), all[1].Addr())+"version=0")
				for _, s := range all {
					s.SetView(c, c)
				}
				one, two := all[dialler], all[1-dialler]
				keepSending(t, one, two)
				two.hears(t, one.o.SID, 1)
			})
		}
	}
}

// keepSending repeats a notification as a search does, until the peer has heard it.
func keepSending(t *testing.T, one, two *server) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			one.Send(two.o.SID, searching(1))
			select {
			case <-time.After(10 * time.Millisecond):
			case <-stop:
				return
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-done })
}

// A connection whose network is cut, and that nobody closes, is given up when it is needed, by whoever needs it, for one to another address.
func TestElectionsCutOff(t *testing.T) {
	for _, needs := range []int{0, 1} {
		t.Run(fmt.Sprint(needs), func(t *testing.T) {
			t.Parallel()
			change := func(o *ElectionOptions) { o.MultiAddress, o.AnswerTimeout = true, 20*time.Millisecond }
			all := []*server{elect(t, 1, change), elect(t, 2, change)}
			p := openPassage(t, all[0].Addr().String()) // the larger one dials
			c := config(t, several(1, true, p.l.Addr(), all[0].Addr())+several(2, true, all[1].Addr(), dead(t, "refused"))+"version=0")
			for _, s := range all {
				s.SetView(c, c)
			}
			all[1].Send(1, round(7))
			all[0].hears(t, 2, 7)
			all[0].Send(2, round(7))
			all[1].hears(t, 1, 7)
			p.close()
			one, two := all[needs], all[1-needs]
			keepSending(t, one, two)
			two.hears(t, one.o.SID, 1)
		})
	}
}

// Without a second address, and without the check, a connection stays whatever happens; and so it does if the peer answers, or if
// searches follow each other that need no answer.
func TestElectionsStay(t *testing.T) {
	for _, tt := range []struct {
		name    string
		timeout time.Duration
		second  bool
		rounds  func(i int64) int64
		answers bool
	}{
		{"one address", 1, false, func(int64) int64 { return 1 }, false},
		{"unchecked", 0, true, func(int64) int64 { return 1 }, false},
		{"new searches", 1, true, func(i int64) int64 { return i }, false},
		{"answers", 1, true, func(int64) int64 { return 1 }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			change := func(o *ElectionOptions) { o.AnswerTimeout = tt.timeout }
			a, b := elect(t, 1, change), elect(t, 2, nil)
			addrs := []net.Addr{b.Addr()}
			if tt.second {
				addrs = append(addrs, dead(t, "refused"))
			}
			c := config(t, several(1, true, a.Addr())+several(2, true, addrs...)+"version=0")
			a.SetView(c, c)
			b.SetView(c, c)
			for i := range int64(3) {
				n := searching(tt.rounds(i))
				n.Vote.Zxid = 100 // so that it is told apart
				a.Send(2, n)
				b.wait(t, "it", func() bool { return len(b.heard[1]) > int(i) })
				if tt.answers {
					b.Send(1, round(50+i))
					a.hears(t, 2, 50+i)
				}
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			if got := a.states[2]; !slices.Equal(got, []bool{true}) {
				t.Errorf("states %v", got)
			}
			if n := b.opened.Load(); n > 2 { // a's request, and b's dial
				t.Errorf("%d connections", n)
			}
		})
	}
}

// A learner finds its leader at the second address. One that takes connections and says nothing costs a link, and then it is the last to be tried.
func TestLinksWithADeadAddress(t *testing.T) {
	leader := newLinks(t, nil)
	if err := leader.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	at := leader.Addrs()[0]
	for _, how := range []string{"refused", "never accepts"} {
		learner := newLinks(t, nil)
		learner.SetView(config(t, several(3, false, dead(t, how), at)+"version=0"))
		learner.Dial(zab.Dial{Link: 1, Leader: 3, Budget: patience.Milliseconds()})
		learner.says(t, 1, "up")
		if how == "never accepts" {
			learner.Close(1) // as the agreement does when nothing comes
			learner.says(t, 1, "up", "down: <nil>")
			learner.Dial(zab.Dial{Link: 3, Leader: 3, Budget: patience.Milliseconds()})
			leader.says(t, 4, "up")
			continue
		}
		leader.says(t, 2, "up")
	}
}
