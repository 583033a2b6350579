package zktest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
	"github.com/zooid-io/zooid/zktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func patient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// state waits until the session of a client is in a state.
func state(t *testing.T, c *client.Client, want client.State) {
	t.Helper()
	ctx := patient(t)
	for s := range c.States(ctx) {
		if s.State == want {
			return
		}
	}
	t.Fatalf("the session is %v and will not be %v", c.State(), want)
}

// A server keeps its data over a restart, a session goes on over one and over a broken connection, and ends when told to.
func TestServer(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	c, other := srv.Client(t), srv.Client(t)
	if _, _, err := c.Create(ctx, "/e", []byte("x"), zk.Ephemeral); err != nil {
		t.Fatal(err)
	}
	if n := srv.Drop(c.Session().ID); n != 1 {
		t.Errorf("%d connections were dropped", n)
	}
	if n := srv.Drop(); n == 0 {
		t.Error("nothing was dropped")
	}
	srv.Restart()
	_, _, gone, err := exists(ctx, other, "/e")
	if err != nil {
		t.Fatal(err)
	}
	id := c.Session().ID
	srv.Expire(id)
	if e := <-gone; e.Type != zk.EventNodeDeleted {
		t.Errorf("%+v", e)
	}
	state(t, c, client.Expired)
	if other.Session().ID == id {
		t.Error("two clients with one session")
	}
}

// exists asks until a connection lasts long enough.
func exists(ctx context.Context, c *client.Client, path string) (ok bool, st zk.Stat, ch <-chan zk.Event, err error) {
	for {
		if ok, st, ch, err = c.ExistsW(ctx, path); !errors.Is(err, zk.ConnectionLoss) {
			return ok, st, ch, err
		}
	}
}

// Time that passes ends the sessions that are silent meanwhile.
func TestAdvance(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	var line zktest.Line
	c := srv.Client(t, func(o *client.Options) { o.Dialer = line.Dial })
	other := srv.Client(t, func(o *client.Options) { o.SessionTimeout = time.Hour })
	if _, _, err := c.Create(ctx, "/e", nil, zk.Ephemeral); err != nil {
		t.Fatal(err)
	}
	_, _, gone, err := other.ExistsW(ctx, "/e")
	if err != nil {
		t.Fatal(err)
	}
	line.Cut()
	state(t, c, client.Connecting)
	srv.Advance(2 * zktest.SessionTimeout)
	if e := <-gone; e.Type != zk.EventNodeDeleted {
		t.Errorf("%+v", e)
	}
	line.Mend()
	state(t, c, client.Expired)
}

// A lost reply is one whose request was carried out.
func TestLostReply(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	var line zktest.Line
	c := srv.Client(t, func(o *client.Options) { o.Dialer = line.Dial })
	line.LoseReply()
	if _, _, err := c.Create(ctx, "/a", nil, zk.Persistent); !errors.Is(err, zk.ConnectionLoss) {
		t.Fatal(err)
	}
	if ok, _, err := c.Exists(ctx, "/a"); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	if line.Lost() != 1 {
		t.Errorf("%d replies were lost", line.Lost())
	}
}

// A client that is frozen past its timeout is dead when it wakes up: what it sends is refused.
func TestFreeze(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	var line zktest.Line
	c, other := srv.Client(t, func(o *client.Options) { o.Dialer = line.Dial }), srv.Client(t)
	if _, _, err := c.Create(ctx, "/e", nil, zk.Ephemeral); err != nil {
		t.Fatal(err)
	}
	line.Freeze()
	said := make(chan error)
	go func() { _, _, err := c.Create(ctx, "/late", nil, zk.Persistent); said <- err }()
	srv.Expire(c.Session().ID)
	if c.State() != client.Connected {
		t.Errorf("%v: it was told", c.State())
	}
	line.Mend()
	if err := <-said; err == nil {
		t.Error("a dead client has written")
	}
	state(t, c, client.Expired)
	for _, path := range []string{"/e", "/late"} {
		if ok, _, err := other.Exists(ctx, path); ok || err != nil {
			t.Errorf("%s: %v, %v", path, ok, err)
		}
	}
}

// An ensemble goes on without its leader, which comes back; sessions are ended by whoever leads.
func TestEnsemble(t *testing.T) {
	e := zktest.StartEnsemble(t, 3)
	ctx := patient(t)
	c := e.Client(t)
	if _, _, err := c.Create(ctx, "/e", nil, zk.Ephemeral); err != nil {
		t.Fatal(err)
	}
	was := e.Leader()
	e.Stop(was)
	e.Settle()
	if now := e.Leader(); now == was || now < 0 {
		t.Errorf("%d led and stopped, and %d leads", was, now)
	}
	if ok, _, _, err := exists(ctx, c, "/e"); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	e.Restart(was)
	e.Settle()
	e.Expire(c.Session().ID)
	state(t, c, client.Expired)
	for i := range e.Len() {
		if ok, _, _, err := exists(ctx, e.Server(i).Client(t), "/e"); ok || err != nil {
			t.Errorf("server %d: %v, %v", i, ok, err)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		zktest.Start(b).Stop()
	}
}
