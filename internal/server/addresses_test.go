package server

import (
	"context"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	public "github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// mesh is what members dial each other over. Hosts can be cut off: what is sent to and from them vanishes, and nobody is told. While
// somebody has held nothing is read.
type mesh struct {
	mu      sync.Mutex
	dead    map[string]bool
	held    sync.Mutex
	strands []*strand
}

// strand is a connection of the mesh, at the end that has dialled.
type strand struct {
	net.Conn
	addr   string
	mu     sync.Mutex
	cut    bool
	closed bool
	held   *sync.Mutex // nothing is read while somebody has it
}

// host is the address without its port.
func (l *strand) host() string {
	host, _, _ := net.SplitHostPort(l.addr)
	return host
}

func (l *strand) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

func (l *strand) Write(b []byte) (int, error) {
	if l.isCut() {
		return len(b), nil
	}
	return l.Conn.Write(b)
}

func (l *strand) Read(b []byte) (int, error) {
	for {
		n, err := l.Conn.Read(b)
		l.wait()
		if err != nil || !l.isCut() {
			return n, err
		}
	}
}

func (l *strand) wait() {
	l.held.Lock()
	defer l.held.Unlock()
}

// Close lets the other end go on waiting if the line is cut.
func (l *strand) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	if l.isCut() {
		return l.SetDeadline(time.Now())
	}
	return l.Conn.Close()
}

func (m *mesh) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	dead := m.dead[host]
	m.mu.Unlock()
	if dead {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l := &strand{Conn: c, addr: addr, cut: m.dead[host], held: &m.held}
	m.strands = append(m.strands, l)
	return l, nil
}

// cut cuts hosts off, and no others from now on.
func (m *mesh) cut(hosts ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.dead)
	for _, h := range hosts {
		m.dead[h] = true
	}
	for _, l := range m.strands {
		if slices.Contains(hosts, l.host()) {
			l.mu.Lock()
			l.cut = true
			l.mu.Unlock()
		}
	}
}

// givenUp tells whether of the connections to these addresses that are cut none is kept any more by who has dialled it, and there was one.
func (m *mesh) givenUp(addrs []string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	cut := false
	for _, l := range m.strands {
		if !slices.Contains(addrs, l.addr) {
			continue
		}
		l.mu.Lock()
		kept := l.cut && !l.closed
		cut = cut || l.cut
		l.mu.Unlock()
		if kept {
			return false
		}
	}
	return cut
}

// severally is an ensemble whose members have two addresses each, the first of which is behind the second as a text.
func severally(t *testing.T, m *mesh, n int, change ...func(*Options)) *crowd {
	t.Helper()
	w := muster(t, n, 0, append([]func(*Options){func(o *Options) {
		o.TickTime = 100 * time.Millisecond
		o.ReconfigEnabled, o.SkipACL = true, true
		e := o.Ensemble
		e.InitLimit, e.SyncLimit, e.ConnectLimit = 50, 25, 50
		e.MultiAddress, e.AnswerTimeout, e.Dial = true, 200*time.Millisecond, m.dial
		e.ReconfigEnabled, e.StaticFile = true, "conf/zoo.cfg"
	}}, change...)...)
	for i := range w.config.Members {
		x := &w.config.Members[i]
		for len(x.Peers) < 2 {
			host, ports := freePorts(t, 2)
			if host != x.Peers[0].Host {
				x.Peers = append(x.Peers, ensemble.Addr{Host: host, QuorumPort: ports[0], ElectionPort: ports[1]})
			}
		}
		if x.Peers[0].Host < x.Peers[1].Host {
			slices.Reverse(x.Peers)
		}
	}
	t.Cleanup(func() { // before the servers part
		for _, l := range m.strands {
			l.Conn.Close()
		}
	})
	return w
}

// widePort is a port that nobody has at any address, nor gets: the system gives out others to who asks for any, or dials.
func widePort(t *testing.T) int {
	t.Helper()
	for range 1000 {
		port := 10000 + rand.IntN(22000)
		if l, err := net.Listen("tcp", ":"+strconv.Itoa(port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// hosts are the first, or the second, addresses of members.
func hosts(members []ensemble.Member, which int) (list []string) {
	for _, x := range members {
		list = append(list, x.Peers[which].Host)
	}
	return list
}

// When the network of everybody's first address is cut, an ensemble whose members have two finds itself over the other; and when only the
// leader's is.
func TestEnsembleLosesAddresses(t *testing.T) {
	for _, tt := range []struct {
		name  string
		loses func(w *crowd, leader int) []ensemble.Member
	}{
		{"all", func(w *crowd, leader int) []ensemble.Member { return w.config.Members }},
		{"the leader", func(w *crowd, leader int) []ensemble.Member { return w.config.Members[leader : leader+1] }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &mesh{dead: map[string]bool{}}
			w := severally(t, m, 3)
			m.cut(hosts(w.config.Members, 1)...) // so that everybody is connected to the first
			for i := range w.all {
				w.start(i)
			}
			leader := w.serving()
			c := connect(t, w.all[(leader+1)%3], lasting)
			c.must(ephemeral("/e"))
			c.must(&wire.Create{Type: wire.OpCreate, Path: "/a", Data: []byte("x"), ACL: zk.WorldACL(zk.PermAll)})
			m.cut(hosts(tt.loses(w, leader), 0)...)
			quorum := w.config.Members[leader].QuorumAddrs()
			eventually(t, "the followers notice the loss", func() bool { return m.givenUp(quorum) })
			// Some may serve yet and be about to notice, so this client comes again when it is sent away.
			leader = w.serving()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			again, err := public.Dial(ctx, []string{w.all[(leader+2)%3].Addr().String()}, &public.Options{SessionTimeout: lasting})
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			eventually(t, "a write", func() bool { _, err := again.Set(ctx, "/a", []byte("y"), -1); return err == nil })
			eventually(t, "a read behind it", func() bool {
				data, _, err := again.Get(ctx, "/a")
				return err == nil && string(data) == "y"
			})
			eventually(t, "the session has lived through it", func() bool { there, _, err := again.Exists(ctx, "/e"); return err == nil && there })
			w.same()
		})
	}
}

// A reconfiguration keeps the leader although it writes its addresses in another order, and gives members several. They listen at all
// of them, once at each.
func TestReconfigSeveralAddresses(t *testing.T) {
	m := &mesh{dead: map[string]bool{}}
	w := severally(t, m, 3, func(o *Options) {
		o.Ensemble.ListenOnAllIPs, o.Ensemble.SyncLimit = o.Ensemble.SID == 2, 100 // nothing is lost here, and the leader is to stay
	})
	for i := range w.config.Members[1].Peers {
		w.config.Members[1].Peers[i].ElectionPort, w.config.Members[1].Peers[i].QuorumPort = widePort(t), widePort(t)
	}
	for i := range w.all {
		w.start(i)
	}
	leader := w.serving()
	elections := w.all[leader].member.elections
	i, line := w.newcomer("participant")
	host, ports := freePorts(t, 2)
	at, clients, _ := strings.Cut(line, ";")
	line = name("%s|%s:%d:%d:participant;%s", at, host, ports[0], ports[1], clients)
	g, err := ensemble.Parse(w.config.String() + "\n" + line)
	if err != nil {
		t.Fatal(err)
	}
	w.own[i] = func(e *EnsembleOptions) { e.Config = g.At(0) }
	w.start(i)
	w.serving()
	c := connect(t, w.all[(leader+1)%3], lasting)
	c.reconfig(line, "")
	if x, _ := w.agreed(4, 0).Member(ensemble.SID(i + 1)); len(x.Peers) != 2 {
		t.Errorf("the newcomer is %v", x)
	}
	if now := w.serving(); now != leader {
		t.Errorf("%d leads, and no longer %d", now+1, leader+1)
	}
	s := w.all[leader]
	s.mu.RLock()
	same := s.member.elections == elections
	s.mu.RUnlock()
	if !same {
		t.Error("the election port has moved")
	}
	for _, x := range g.Members {
		for _, a := range x.Peers {
			nc, err := net.Dial("tcp", net.JoinHostPort(a.Host, strconv.Itoa(a.ElectionPort)))
			if err != nil {
				t.Errorf("server %d: %v", x.ID, err)
				continue
			}
			nc.Close()
		}
	}
}
