package peer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/zab"
)

// Authenticate is the step of SASL, and of whatever else has to happen before two servers talk (ensemble protocol, section 9.2). It
// reads and writes c, which has a deadline. sid is NoSID where the peer has not said who it is: a learner on the quorum port. An
// error closes the connection.
type Authenticate func(c net.Conn, sid ensemble.SID, dialled bool) error

// Dialer opens a connection to host:port, by net.Dialer's rules. TLS is one that gives a *tls.Conn.
type Dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// Listener opens a listening socket, by net.ListenConfig's rules. What its Accept gives may be any net.Conn; Accept must not wait
// for the peer, so that a TLS handshake belongs into the first Read.
type Listener func(ctx context.Context, network, addr string) (net.Listener, error)

// ElectionOptions says how Elections work. SID, Heard and Connected are required.
type ElectionOptions struct {
	SID ensemble.SID
	// Listen are the addresses of the election port, host:port; Apache's quorumListenOnAllIPs is a host that is empty. One of them that
	// can be had is enough.
	Listen []string
	// BindTries is how often a port is tried, a second apart, before NewElections gives up, or goes on without it; 0 is 3, less is for
	// ever, while there is none. It is electionPortBindRetry, where 0 is for ever.
	BindTries int
	// MultiAddress tells peers all of this server's addresses, which Apache's before 3.6 do not understand. It is multiAddress.enabled.
	MultiAddress bool
	// AnswerTimeout is for how long a peer that has several addresses may leave unanswered what it is sent; then its next notification
	// takes another connection, to another address first. 0 is for ever. Section 2.5.
	AnswerTimeout time.Duration
	// ConnectTimeout bounds a connection's opening, and each write; 0 is 5 s. It is cnxTimeout.
	ConnectTimeout time.Duration
	// GreetTimeout bounds what comes before notifications: the greeting, TLS and Authenticate; 0 is 10 s. It is
	// quorumCnxnTimeoutMs, else syncLimit ticks.
	GreetTimeout time.Duration
	// MinPause is the pause behind the first dial that failed, 0 is 100 ms. It doubles up to MaxPause, 0 is 1 s. A dial that
	// asked to be called back is repeated after five times as long.
	MinPause, MaxPause time.Duration

	// Heard is called with every notification that comes. Its sender is who greeted, not the vote's leader.
	Heard func(from ensemble.SID, n zab.Notification)
	// Connected is called when a peer can be reached, and when it no longer can or could not. What lasted for an instant is not
	// told.
	Connected func(sid ensemble.SID, up bool)

	Dial         Dialer       // nil is net.Dialer's
	Open         Listener     // nil is net.ListenConfig's
	Authenticate Authenticate // nil is none
	Logger       *slog.Logger // nil is slog.Default
}

// Elections are the connections of the election port: one for each pair of servers, open for ever, dialled by the larger sid. A
// smaller one that dials asks to be called back (ensemble protocol, section 2.1).
type Elections struct {
	o      ElectionOptions
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	routes routes

	listeners []net.Listener
	heard     chan heard
	changed   chan struct{} // capacity 1: a peer's state has changed, or the view
	greeting  chan struct{} // a place for each accepted connection without a name
	opened    atomic.Uint64 // connections so far: their order

	mu                  sync.Mutex
	closed              bool
	committed, lastSeen *ensemble.Config
	peers               map[ensemble.SID]*peer
	conns               map[*electionConn]struct{}
}

type heard struct {
	from ensemble.SID
	n    zab.Notification
}

// maxNameless bounds the accepted connections that have not said who they are.
const maxNameless = 256

// NewElections opens the election port. It waits while the port is taken, see BindTries, unless ctx ends.
func NewElections(ctx context.Context, o ElectionOptions) (*Elections, error) {
	if o.BindTries == 0 {
		o.BindTries = 3
	}
	orDefault(&o.ConnectTimeout, 5*time.Second)
	orDefault(&o.GreetTimeout, 10*time.Second)
	orDefault(&o.MinPause, 100*time.Millisecond)
	orDefault(&o.MaxPause, time.Second)
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Open == nil {
		o.Open = new(net.ListenConfig).Listen
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	e := &Elections{
		o: o, log: o.Logger, heard: make(chan heard), changed: make(chan struct{}, 1), greeting: make(chan struct{}, maxNameless),
		peers: map[ensemble.SID]*peer{}, conns: map[*electionConn]struct{}{},
	}
	e.routes = routes{dial: o.Dial, wg: &e.wg}
	if err := e.bind(ctx); err != nil {
		return nil, fmt.Errorf("election port: %w", err)
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	for _, l := range e.listeners {
		e.wg.Go(func() { e.accept(l) })
	}
	e.wg.Go(e.tell)
	return e, nil
}

func orDefault(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}

// bindPause is the pause between two attempts to take a port, and enoughTries how often others are tried where one is had.
const (
	bindPause   = time.Second
	enoughTries = 3
)

// bind opens the listeners.
func (e *Elections) bind(ctx context.Context) error {
	missing := e.o.Listen
	for n := 1; len(missing) > 0; n++ {
		var ls []net.Listener
		var err error
		ls, missing, err = listenAny(ctx, e.o.Open, missing)
		e.listeners = append(e.listeners, ls...)
		over := n == e.o.BindTries || ctx.Err() != nil
		switch {
		case len(missing) == 0:
			return nil
		case len(e.listeners) > 0 && (over || n == enoughTries):
			e.log.Error("The election port is not open at all of its addresses", "missing", missing, "err", err)
			return nil
		case over:
			return err
		}
		e.log.Warn("Election port cannot be opened", "addrs", missing, "attempt", n, "err", err)
		select {
		case <-time.After(bindPause):
		case <-ctx.Done():
			e.closeListeners()
			return errors.Join(err, ctx.Err())
		}
	}
	return nil
}

func (e *Elections) closeListeners() {
	for _, l := range e.listeners {
		l.Close()
	}
}

// Addr is where the first of the listeners listens, nil if there is none.
func (e *Elections) Addr() net.Addr {
	if len(e.listeners) == 0 {
		return nil
	}
	return e.listeners[0].Addr()
}

// SetView says who the members are. The addresses of the committed configuration are dialled first, then those of the last seen;
// either may be nil. Connections stay as they are: whoever moves a server, itself above all, closes its Elections and makes others.
func (e *Elections) SetView(committed, lastSeen *ensemble.Config) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.committed, e.lastSeen = committed, lastSeen
	for _, p := range e.peers {
		e.reach(p, 0)
	}
	e.wakeTeller()
}

// Send puts a notification into the peer's slot, over one that has not left, and never waits. If there is no connection a member
// is dialled until there is one; to anybody else it is dropped, and so is one to this server itself: its Core knows already.
func (e *Elections) Send(to ensemble.SID, n zab.Notification) {
	if to == e.o.SID {
		return
	}
	b := AppendNotification(nil, n)
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peers[to]
	if p == nil {
		if e.closed || len(e.addrs(to)) == 0 {
			return
		}
		p = e.peer(to)
	}
	p.slot = b
	if p.conn != nil && e.mute(p, n) {
		e.log.Info("Nothing is heard of a peer, which has more addresses: the connection for elections is given up", "sid", to, "remote", p.conn.RemoteAddr())
		if p.conn.addr != "" {
			e.routes.bad(p.conn.addr)
		}
		e.drop(p)
	}
	if p.conn != nil {
		wake(p.conn.wake)
		return
	}
	e.reach(p, 0)
}

// mute tells whether a peer has left a search for a leader unanswered for too long, and may be better off at another address. The network
// between may be cut, which TCP takes a quarter of an hour to find out. Somebody who lives may have nothing to say for once: that costs a
// connection. The caller holds the lock, and is about to send n.
func (e *Elections) mute(p *peer, n zab.Notification) bool {
	if n.State != zab.Looking {
		return false // it is an answer
	}
	if u := &p.conn.unanswered; u.since.IsZero() || u.round != n.Vote.Round { // the last of a round may need no answer
		u.since, u.round = time.Now(), n.Vote.Round
		return false
	}
	return e.o.AnswerTimeout > 0 && time.Since(p.conn.unanswered.since) >= e.o.AnswerTimeout && len(e.targets(p)) > 1
}

// Close closes the port and every connection, and waits for the goroutines. No callback comes after it.
func (e *Elections) Close() {
	e.mu.Lock()
	e.closed = true
	conns := e.conns
	e.conns = nil
	e.mu.Unlock()
	e.cancel()
	e.closeListeners()
	for c := range conns {
		c.close()
	}
	e.wg.Wait()
}

// wake lets a goroutine look, unless it has been told already. c has capacity 1.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (e *Elections) wakeTeller() { wake(e.changed) }

// addrs are the election addresses of a member, in the order in which they are tried; none of a stranger. The caller holds the lock.
func (e *Elections) addrs(sid ensemble.SID) (addrs []string) {
	for _, c := range []*ensemble.Config{e.committed, e.lastSeen} {
		if c == nil {
			continue
		}
		m, _ := c.Member(sid)
		for _, a := range m.ElectionAddrs() {
			if !slices.Contains(addrs, a) {
				addrs = append(addrs, a)
			}
		}
	}
	return addrs
}

// tell makes the callbacks.
func (e *Elections) tell() {
	for {
		select {
		case h := <-e.heard:
			e.tellStates() // so that a peer is up before it is heard
			e.o.Heard(h.from, h.n)
		case <-e.changed:
			e.tellStates()
		case <-e.ctx.Done():
			return
		}
	}
}

// tellStates tells whose state is no longer what was told, and forgets strangers that are gone.
func (e *Elections) tellStates() {
	type state struct {
		sid ensemble.SID
		up  bool
	}
	var news []state
	e.mu.Lock()
	for sid, p := range e.peers {
		if p.state != p.told {
			p.told = p.state
			news = append(news, state{sid, p.state == up})
		}
		if p.conn == nil && !p.dialling && len(e.addrs(sid)) == 0 {
			delete(e.peers, sid)
		}
	}
	e.mu.Unlock()
	slices.SortFunc(news, func(a, b state) int { return cmp.Compare(a.sid, b.sid) })
	for _, n := range news {
		e.o.Connected(n.sid, n.up)
	}
}

// accept takes connections. Each is greeted in a goroutine of its own, so that a silent one stops nobody.
func (e *Elections) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			if e.ctx.Err() != nil {
				return
			}
			e.log.Warn("Election port", "addr", l.Addr(), "err", err) // out of file descriptors, most likely: it passes
			select {
			case <-time.After(e.o.MaxPause):
				continue
			case <-e.ctx.Done():
				return
			}
		}
		select {
		case e.greeting <- struct{}{}:
			order := e.opened.Add(1)
			e.wg.Go(func() { e.greet(c, order) })
		default:
			e.log.Warn("Too many connections on the election port that do not say who they are", "remote", c.RemoteAddr())
			c.Close()
		}
	}
}

// greet finds out who an accepted connection is of, and what becomes of it.
func (e *Elections) greet(raw net.Conn, order uint64) {
	named := false
	name := func() {
		if !named {
			named = true
			<-e.greeting
		}
	}
	defer name()
	c := e.track(raw, order)
	if c == nil {
		return
	}
	defer e.untrack(c)
	_ = c.SetDeadline(time.Now().Add(e.o.GreetTimeout)) // on error the read fails, too
	g, err := readGreeting(c.r)
	if err == nil && e.o.Authenticate != nil {
		err = e.o.Authenticate(c, g.sid, false)
	}
	if err != nil {
		e.log.Info("A connection to the election port is refused", "remote", c.RemoteAddr(), "err", err)
		return
	}
	name()
	switch {
	case g.sid == e.o.SID:
		e.log.Warn("A connection to the election port has this server's own id", "sid", g.sid, "remote", c.RemoteAddr())
	case g.sid < e.o.SID:
		e.callBack(g, order)
	default:
		_ = c.SetDeadline(time.Time{})
		if p := e.install(g.sid, c, false); p != nil {
			e.read(p, c)
		}
	}
}

// callBack dials a smaller peer that has asked for it. What connected it before is dead, or the peer would not have asked. What was
// dialled since it asked is what it has asked for.
func (e *Elections) callBack(g greeting, order uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	p := e.peer(g.sid)
	if p.conn != nil {
		if p.conn.order > order {
			return
		}
		e.drop(p)
	}
	p.called, p.announced = true, g.addrs
	if p.dialling {
		wake(p.wake)
	}
	e.reach(p, 0)
	e.wakeTeller() // it may be a stranger who says nothing of use
}
