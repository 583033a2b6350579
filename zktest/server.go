package zktest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/server"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

// Server is a server that a test has for itself. Its methods may be called from many goroutines; like t.Fatal, those that can fail the
// test are for the test's own, except where they say otherwise.
type Server struct {
	t    testing.TB
	opt  server.Options
	disk vfs.FS
	addr string
	wrap func(dialer) dialer // in an ensemble: by the ways that can be cut

	mu      sync.Mutex
	running *server.Server // nil while it is stopped
}

// Start starts a server that ends with the test. It returns when the server serves.
func Start(t testing.TB, change ...func(*Options)) *Server {
	t.Helper()
	o := settle(change)
	s := newServer(t, &o, "zookeeper")
	t.Cleanup(s.Stop)
	s.Restart()
	return s
}

func newServer(t testing.TB, o *Options, name string) *Server {
	t.Helper()
	addr := freePorts(t, 1)[0]
	if o.Dir == "" {
		return &Server{t: t, opt: o.forServer(addr, name), disk: vfs.NewMem(), addr: addr}
	}
	return &Server{t: t, opt: o.forServer(addr, filepath.Join(o.Dir, name)), disk: vfs.OS{}, addr: addr}
}

// freePorts finds addresses that nobody listens on. They are on a host of the loopback drawn by lot where there are several, because
// outgoing connections take ports of 127.0.0.1, also one that a stopped server wants to have again.
func freePorts(t testing.TB, n int) (addrs []string) {
	t.Helper()
	host := fmt.Sprintf("127.%d.%d.%d", 64+rand.IntN(128), rand.IntN(256), 1+rand.IntN(254))
	if l, err := net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
		host = "127.0.0.1"
	} else {
		l.Close()
	}
	for range n {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs
}

// Addr is where clients find it, "host:port". It stays the same over Stop and Restart.
func (s *Server) Addr() string { return s.addr }

// Client gives a client with a session of its own, which ends with the test at the latest. change may change its options.
func (s *Server) Client(t testing.TB, change ...func(*client.Options)) *client.Client {
	t.Helper()
	return dial(t, []string{s.addr}, change, s.wrap)
}

// patience bounds what must happen; nothing passes or fails by how long it took.
const patience = 2 * time.Minute

func dial(t testing.TB, addrs []string, change []func(*client.Options), wrap func(dialer) dialer) *client.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	o := forClient(change)
	if wrap != nil {
		if o.Dialer == nil {
			o.Dialer = (&net.Dialer{}).DialContext
		}
		o.Dialer = wrap(o.Dialer)
	}
	c, err := client.Dial(ctx, addrs, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Detach() }) // the server, which is about to end too, may be stopped: Close would wait for it
	return c
}

func (s *Server) now() *server.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

// Stop stops it, as by a signal. Sessions stay, and have their whole timeout before them at a Restart. A stopped server stays so.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		if err := s.running.Close(); err != nil {
			s.t.Errorf("stopping the server: %v", err)
		}
		s.running = nil
	}
}

// Restart stops it if it runs, and starts it on the same disk and port. It returns when the server serves.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := server.Start(s.opt, s.disk)
	if err != nil {
		s.t.Fatalf("starting the server: %v", err)
	}
	s.running = r
}

// Drop breaks the connections of the sessions given, or, without any, all connections of clients, and tells how many there were. The
// clients come back, and their sessions go on.
func (s *Server) Drop(sessions ...zk.SessionID) int {
	if r := s.now(); r != nil {
		return r.DropConnections(sessions...)
	}
	return 0
}

// Expire ends a session now, as if its client had been silent for its timeout, and returns when it is over: its ephemerals are gone,
// and its client hears of it when it comes back, which it does at once. It fails the test if the server is stopped or does not know
// the session.
func (s *Server) Expire(session zk.SessionID) {
	s.t.Helper()
	r := s.now()
	if r == nil || !r.ExpireSession(session) {
		s.t.Errorf("expiring session %v: the server is stopped or does not know it", session)
		return
	}
	await(s.t, fmt.Sprintf("the end of session %v", session), func() bool { return !r.KnowsSession(session) })
}

// TryExpire is Expire of a session that may be over already, and tells whether it was not. It does not wait.
func (s *Server) TryExpire(session zk.SessionID) bool {
	r := s.now()
	return r != nil && r.ExpireSession(session)
}

// Advance lets time pass for the sessions only: those that are silent for their timeout by it end at the next tick. A client that is
// connected is heard of in time only if d is less than a third of its timeout, and it is given time to ping.
func (s *Server) Advance(d time.Duration) {
	if r := s.now(); r != nil {
		r.Advance(d)
	}
}

// await waits until ok, and fails the test if that does not come about.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("waited in vain for %s", what)
			return
		}
	}
}
