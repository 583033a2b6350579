package recipes_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
	"github.com/zooid-io/zooid/zktest"
)

// No test may leave a goroutine behind: those of a recipe end with what they guard, or with the client.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var mishaps = flag.Int("mishaps", 30, "how many mishaps a test with a storm has")

// patience bounds what must happen; nothing passes or fails by how long it took.
const patience = 2 * time.Minute

func patient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// eventuallyEmpty waits until a folder has no children.
func eventuallyEmpty(t testing.TB, c *client.Client, folder string) {
	t.Helper()
	var names []string
	eventually(t, folder+" is empty", func() bool {
		var err error
		names, _, err = c.Children(patient(t), folder)
		return errors.Is(err, zk.NoNode) || err == nil && len(names) == 0
	})
}

// storm is a server, clients that work on it, and mishaps: connections break, replies are lost, sessions end, the server starts anew.
type storm struct {
	t   *testing.T
	srv *zktest.Server
	ctx context.Context // ends when the mishaps are over

	mu     sync.Mutex
	crew   []*sailor
	doomed map[zk.SessionID]bool // sessions that were ended, or are about to
	count  map[string]int
}

// sailor is one of the workers.
type sailor struct {
	s    *storm
	id   int
	line zktest.Line
	c    *client.Client
}

// weather starts n workers, each a loop that ends when ctx does, and gives them mishaps, and time until it is enough. It returns when all
// is over.
func weather(t *testing.T, n int, work func(ctx context.Context, me *sailor, c *client.Client), enough func() bool) *storm {
	t.Helper()
	s := &storm{t: t, srv: zktest.Start(t), doomed: map[zk.SessionID]bool{}, count: map[string]int{}}
	s.run(n, work, enough)
	return s
}

func (s *storm) run(n int, work func(ctx context.Context, me *sailor, c *client.Client), enough func() bool) {
	ctx, over := context.WithCancel(context.Background())
	defer over()
	s.ctx = ctx
	var wg sync.WaitGroup
	s.crew = nil
	for i := range n {
		m := &sailor{s: s, id: i}
		m.c = s.dial(&m.line)
		s.crew = append(s.crew, m)
	}
	for _, m := range s.crew {
		wg.Go(func() {
			for ctx.Err() == nil {
				work(ctx, m, m.client())
			}
		})
	}
	for range *mishaps {
		s.mishap()
	}
	eventually(s.t, "something was achieved", enough)
	over()
	wg.Wait()
	for _, m := range s.crew {
		// Without a connection Close leaves the session to its timeout.
		m.line.Mend()
		_ = insist(func() error { _, _, err := m.c.Exists(context.Background(), "/"); return err })
		m.c.Close()
	}
	s.t.Logf("mishaps: %v", s.count)
}

func (s *storm) dial(line *zktest.Line) *client.Client {
	return s.srv.Client(s.t, func(o *client.Options) { o.Dialer = line.Dial })
}

// client is the worker's client; a new one after the end of the session.
func (m *sailor) client() *client.Client {
	m.s.mu.Lock()
	c := m.c
	m.s.mu.Unlock()
	if !c.State().Ended() {
		return c
	}
	c = m.s.dial(&m.line)
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.c = c
	return c
}

func (s *storm) isDoomed(c *client.Client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doomed[c.Session().ID]
}

func (s *storm) mishap() {
	rest := time.NewTimer(time.Duration(rand.IntN(30)) * time.Millisecond) // let them work
	<-rest.C
	s.mu.Lock()
	m := s.crew[rand.IntN(len(s.crew))]
	id := m.c.Session().ID
	kind := "drop"
	switch n := rand.IntN(20); {
	case n < 5:
		kind = "lost reply"
	case n < 7:
		kind = "drop all"
	case n < 11 && !s.doomed[id]:
		kind = "expire"
		s.doomed[id] = true
	case n < 12:
		kind = "restart"
	}
	s.count[kind]++
	s.mu.Unlock()
	switch kind {
	case "drop":
		s.srv.Drop(id)
	case "drop all":
		s.srv.Drop()
	case "lost reply":
		m.line.LoseReply()
	case "expire":
		s.srv.Expire(id)
	case "restart":
		s.srv.Restart()
	}
}

// expected tells whether an error is one that mishaps explain.
func expected(err error) bool {
	return err == nil || errors.Is(err, zk.SessionExpired) || errors.Is(err, context.Canceled)
}

// base is the name of a znode.
func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
