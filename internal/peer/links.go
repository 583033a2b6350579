package peer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// Handler is told what happens on the links. See doc.go for who calls it.
type Handler interface {
	// LinkUp says that a learner has connected, or that a Dial has succeeded.
	LinkUp(l zab.Link, remote net.Addr)
	// Received are one or more packets, in order: all that had come when they were read. They are the handler's to keep, the slice is
	// not. The txn of a proposal has not been looked at: its Config is nil.
	Received(l zab.Link, ps []zab.Packet)
	// Snapshot is called behind Received of a leader's Snap, which is the last that it gave. It has to read the stream that follows, and not a byte more; an error
	// ends the link. Nothing else is read from the link meanwhile.
	Snapshot(l zab.Link, z zk.Zxid, r *bufio.Reader) error
	// LinkDown says that a link has ended, or that a Dial has failed. err is nil if this side closed it, io.EOF if the other did.
	LinkDown(l zab.Link, err error)
}

// LinkOptions says how Links work. Handler is required.
type LinkOptions struct {
	Handler Handler
	// MaxField bounds a field of a packet, in bytes; 0 is DefaultMaxField. It is jute.maxbuffer and its extra.
	MaxField int
	// MaxQueue bounds what waits to be written on one link, in bytes; beyond it the link is closed. 0 is 256 MiB: a learner that
	// lags is sent all that it lacks at once. What waits is not copied, and is shared between links.
	MaxQueue int
	// WriteTimeout bounds each write, 0 is 30 s: a peer that takes nothing for so long is gone.
	WriteTimeout time.Duration
	// CloseTimeout bounds how long a closed link may take to write what waits and to hear of the peer's end; 0 is 2 s.
	CloseTimeout time.Duration
	// GreetTimeout bounds Authenticate, 0 is 10 s.
	GreetTimeout time.Duration
	// Left, if there is one, is told of packets that leave for a learner: how many had waited, and the longest for how long. It must not wait.
	Left func(sid ensemble.SID, packets int, waited time.Duration)
	// DialPause is between the attempts of one Dial, but for the first few, 0 is 100 ms. It is leaderConnectDelayDuringRetryMs.
	DialPause time.Duration

	Dial         Dialer       // nil is net.Dialer's
	Open         Listener     // nil is net.ListenConfig's
	Authenticate Authenticate // nil is none
	Logger       *slog.Logger // nil is slog.Default
}

// Links are the connections of the quorum port: those that learners have opened to us and those that we have opened to a leader. A
// leader listens, and nobody else (ensemble protocol, sections 2 and 4.2).
type Links struct {
	o      LinkOptions
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup // of links
	routes routes

	mu       sync.RWMutex
	closed   bool
	config   *ensemble.Config
	links    map[zab.Link]*link
	accepted zab.Link // the last number given
	port     *port    // nil unless listening

	due struct {
		sync.Mutex
		links []*link // that have been posted to
	}
}

// port is the quorum port, while it is open.
type port struct {
	listeners []net.Listener
	lag       int // of its links
	done      chan struct{}
	wg        sync.WaitGroup
}

func (p *port) close() {
	close(p.done)
	for _, l := range p.listeners {
		l.Close()
	}
	p.wg.Wait()
}

// dialTries is how often a leader is dialled: section 4.2. Before, it is dialled some more times, with pauses that begin at a twentieth
// of DialPause and double: a follower of an election is often ready a few ms before its leader, whose port opens when it leads.
const (
	dialTries = 5
	hastyDial = 20
)

var (
	// ErrQueue says that a link was closed because too much was waiting for it.
	ErrQueue = errors.New("peer: too much waits to be written")
	// ErrLag says that a link was closed because commits of too many bytes were waiting for it.
	ErrLag  = errors.New("peer: too far behind")
	errStop = errors.New("peer: closed")
)

// NewLinks makes Links without a connection.
func NewLinks(o LinkOptions) *Links {
	if o.MaxQueue == 0 {
		o.MaxQueue = 256 << 20
	}
	orDefault(&o.WriteTimeout, 30*time.Second)
	orDefault(&o.CloseTimeout, 2*time.Second)
	orDefault(&o.GreetTimeout, 10*time.Second)
	orDefault(&o.DialPause, 100*time.Millisecond)
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Open == nil {
		o.Open = new(net.ListenConfig).Listen
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s := &Links{o: o, log: o.Logger, links: map[zab.Link]*link{}}
	s.routes = routes{dial: o.Dial, wg: &s.wg}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// SetView says where leaders are: the committed configuration.
func (s *Links) SetView(committed *ensemble.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config = committed
}

// Listen opens the quorum port, at one or more addresses, and gives each learner's link the next even number. It is an error if no
// address can be had, or if the port is open.
func (s *Links) Listen(addrs ...string) error { return s.ListenBounded(0, addrs...) }

// ListenBounded is Listen for the observers of a follower: a link on which commits of more than lag bytes wait is closed. What a learner is
// sent first, to be in sync, does not count. 0 is no bound but MaxQueue.
func (s *Links) ListenBounded(lag int, addrs ...string) error {
	p := &port{done: make(chan struct{}), lag: lag}
	var missing []string
	var err error
	p.listeners, missing, err = listenAny(s.ctx, s.o.Open, addrs)
	switch {
	case len(p.listeners) == 0:
		return fmt.Errorf("quorum port: %w", err)
	case err != nil:
		s.log.Error("The quorum port is not open at all of its addresses", "missing", missing, "err", err)
	}
	s.mu.Lock()
	if s.port != nil || s.closed {
		s.mu.Unlock()
		p.close()
		return errors.New("quorum port: open already, or closed for good")
	}
	s.port = p
	for _, l := range p.listeners {
		p.wg.Go(func() { s.accept(p, l) })
	}
	s.mu.Unlock()
	return nil
}

// Addrs are where the quorum port is, while it is open.
func (s *Links) Addrs() (addrs []net.Addr) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.port != nil {
		for _, l := range s.port.listeners {
			addrs = append(addrs, l.Addr())
		}
	}
	return addrs
}

// StopListening closes the quorum port, if it is open. Links stay.
func (s *Links) StopListening() {
	s.mu.Lock()
	p := s.port
	s.port = nil
	s.mu.Unlock()
	if p != nil {
		p.close()
	}
}

func (s *Links) accept(p *port, l net.Listener) {
	for {
		c, err := l.Accept()
		if err == nil {
			s.add(c, p.lag)
			continue
		}
		select {
		case <-p.done:
			return
		default:
		}
		s.log.Warn("Quorum port", "addr", l.Addr(), "err", err) // out of file descriptors, most likely: it passes
		select {
		case <-p.done:
			return
		case <-time.After(s.o.DialPause):
		}
	}
}

// add makes a link of an accepted connection.
func (s *Links) add(c net.Conn, lag int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return
	}
	s.accepted += 2
	l := newLink(s, s.accepted, Learner)
	l.conn, l.lag = c, lag
	s.links[l.id] = l
	s.wg.Go(func() { l.run(nil) })
}

// Dial opens a link to a leader, in the background: LinkUp or LinkDown follows within d.Budget. The number must be an odd one that
// was never used. After Shutdown nothing happens.
func (s *Links) Dial(d zab.Dial) { s.DialAny(d, nil) }

// Master is a server that an observer may come to in the place of the leader, and where.
type Master struct {
	SID   ensemble.SID
	Addrs []string // host:port
}

// DialAny is Dial of one of several servers, in this order, each time around. If none is there the last attempts are at the leader, too.
func (s *Links) DialAny(d zab.Dial, masters []Master) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	l := newLink(s, d.Link, Leader)
	l.masters, l.to = masters, d.Leader
	s.links[l.id] = l
	s.wg.Go(func() { l.run(&d) })
}

// Dialled is who is at the other end of a link that was dialled and is up.
func (s *Links) Dialled(id zab.Link) (ensemble.SID, bool) {
	l := s.link(id)
	if l == nil {
		return ensemble.NoSID, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to, l.conn != nil && !l.dead
}

func (s *Links) link(id zab.Link) *link {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.links[id]
}

// Send sends a packet, behind all that was sent on the link before, and never waits. p and all in it must not change any more. It
// reports false if the link is closed, or gone, or now goes because of MaxQueue.
func (s *Links) Send(id zab.Link, p zab.Packet) bool {
	l := s.link(id)
	return l != nil && l.send(entry{packet: p}, packetSize(p))
}

// Post is Send for a caller that calls Flush soon after it, once it has let its lock go: until then the packet may not leave.
func (s *Links) Post(id zab.Link, p zab.Packet) bool {
	l := s.link(id)
	if l == nil {
		return false
	}
	ok, first := l.post(entry{packet: p}, packetSize(p))
	if first {
		s.due.Lock()
		s.due.links = append(s.due.links, l)
		s.due.Unlock()
	}
	return ok
}

// Flush writes what was posted by anybody, as far as it need not wait. The caller's goroutine does it where it can: to wake a writer
// costs more than the write.
func (s *Links) Flush() {
	var few [4]*link
	s.due.Lock()
	list := append(few[:0], s.due.links...)
	clear(s.due.links)
	s.due.links = s.due.links[:0]
	s.due.Unlock()
	for _, l := range list {
		l.flush()
	}
}

// SendSnapshot sends a raw stream, behind all that was sent on the link before: after a Snap, the tree. If it reports true, write is
// called exactly once, from another goroutine; on a link that has ended meanwhile the writer gives an error at once. An error that
// write gives ends the link. If it reports false, write is not called.
func (s *Links) SendSnapshot(id zab.Link, write func(w io.Writer) error) bool {
	l := s.link(id)
	return l != nil && l.send(entry{stream: write}, 0)
}

// Close closes a link behind what was sent on it, and stops a Dial. LinkDown follows within CloseTimeout. Packets that are
// being handed over may still come, and none after them.
func (s *Links) Close(id zab.Link) {
	if l := s.link(id); l != nil {
		l.close()
	}
}

// Shutdown closes the port and all links, as Close does, and waits for them and for the goroutines.
func (s *Links) Shutdown() {
	s.StopListening()
	s.mu.Lock()
	s.closed = true
	for _, l := range s.links {
		l.close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	s.cancel()
}

// connect dials a leader, or one of the masters. It gives the address, and whose it is.
func (s *Links) connect(ctx context.Context, d *zab.Dial, masters []Master) (c net.Conn, addr string, to ensemble.SID, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(d.Budget)*time.Millisecond)
	defer cancel()
	pause := s.o.DialPause / hastyDial
	for n := 1; ; {
		if len(masters) > 0 {
			if c, addr, to, err = s.attemptAny(ctx, masters); err == nil {
				return c, addr, to, nil
			}
		}
		if len(masters) == 0 || n > dialTries/2 {
			if c, addr, err = s.attempt(ctx, d.Leader); err == nil {
				return c, addr, d.Leader, nil
			}
		}
		if n == dialTries || ctx.Err() != nil {
			return nil, "", d.Leader, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, "", d.Leader, err
		}
		if pause *= 2; pause >= s.o.DialPause {
			pause = s.o.DialPause
			n++
		}
	}
}

// attemptAny tries each of the masters, a second each at most: one that does not answer must not take all the time.
func (s *Links) attemptAny(ctx context.Context, masters []Master) (net.Conn, string, ensemble.SID, error) {
	var errs []error
	for _, m := range masters {
		c, addr, err := s.routes.connect(ctx, m.Addrs, time.Second)
		if err == nil {
			return c, addr, m.SID, nil
		}
		errs = append(errs, err)
	}
	return nil, "", ensemble.NoSID, errors.Join(errs...)
}

// attempt tries the leader's addresses as they are configured now.
func (s *Links) attempt(ctx context.Context, leader ensemble.SID) (net.Conn, string, error) {
	s.mu.RLock()
	config := s.config
	s.mu.RUnlock()
	var m ensemble.Member
	if config != nil {
		m, _ = config.Member(leader)
	}
	if len(m.Peers) == 0 {
		return nil, "", fmt.Errorf("peer: leader %d is not in the configuration", leader)
	}
	return s.routes.connect(ctx, m.QuorumAddrs(), 0)
}
