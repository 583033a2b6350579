package client_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// until waits for a state.
func until(t testing.TB, states <-chan client.Status, want client.State) client.Status {
	t.Helper()
	ctx := patient(t)
	for {
		select {
		case s, ok := <-states:
			if !ok {
				t.Fatalf("the states end without %v", want)
			}
			if s.State == want {
				return s
			}
		case <-ctx.Done():
			t.Fatalf("the state never is %v", want)
		}
	}
}

// A dropped connection is not the end of a session: its ephemerals stay, its calls wait, its credentials are given again.
func TestASessionOutlivesItsConnection(t *testing.T) {
	addr := serverOn(t)
	p := newProxy(t, addr)
	c, other := dial(t, p.addr, nil), dial(t, addr, nil)
	ctx := patient(t)
	states := c.States(ctx)
	if err := c.AddAuth(ctx, "digest", []byte("ann:secret")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Create(ctx, "/mine", nil, zk.Ephemeral, zk.AuthACL(zk.PermAll)...); err != nil {
		t.Fatal(err)
	}
	first := until(t, states, client.Connected)
	if first.Session == 0 || first.Server != p.addr || !first.Suspended.IsZero() {
		t.Errorf("%+v", first)
	}
	p.cut()
	lost := until(t, states, client.Connecting)
	if lost.Suspended.IsZero() || lost.Err == nil || lost.Server != "" || lost.Session != first.Session {
		t.Errorf("%+v", lost)
	}
	answered := make(chan error, 1)
	go func() {
		_, _, err := c.Get(ctx, "/mine")
		answered <- err
	}()
	p.mend()
	if err := <-answered; err != nil {
		t.Errorf("a call made meanwhile: %v", err)
	}
	again := until(t, states, client.Connected)
	if again.Session != first.Session || !again.Suspended.IsZero() || again.Err != nil {
		t.Errorf("%+v", again)
	}
	if err := other.AddAuth(ctx, "digest", []byte("ann:secret")); err != nil {
		t.Fatal(err)
	}
	if found, stat, err := other.Exists(ctx, "/mine"); err != nil || !found || stat.EphemeralOwner != first.Session {
		t.Errorf("%v %+v %v", found, stat, err)
	}
}

// What was sent when the connection broke ends with ConnectionLoss, and nobody hangs.
func TestConnectionLoss(t *testing.T) {
	p := newProxy(t, serverOn(t))
	c := dial(t, p.addr, nil)
	ctx := patient(t)
	p.freeze()
	b := c.Batch()
	b.Get("/")
	b.Set("/", nil, -1)
	b.Send()
	p.drop()
	err := b.Wait(ctx)
	fails(t, err, zk.ConnectionLoss, "getData", "/")
	if errors.Is(err, client.ErrNotSent) || !strings.Contains(err.Error(), "server "+p.addr) {
		t.Errorf("error is %v", err)
	}
	p.thaw()
	if _, _, err := c.Get(ctx, "/"); err != nil {
		t.Error(err)
	}
}

// A silent server is given up.
func TestASilentServerIsGivenUp(t *testing.T) {
	p := newProxy(t, newFake(t, nil).addr) // which ends no session, however long this process is kept from its pings
	c := dial(t, p.addr, &client.Options{SessionTimeout: 600 * time.Millisecond, ConnectTimeout: 5 * time.Second})
	ctx := patient(t)
	states := c.States(ctx)
	until(t, states, client.Connected)
	p.freeze()
	lost := until(t, states, client.Connecting)
	if !strings.Contains(lost.Err.Error(), "nothing was heard") {
		t.Errorf("%+v", lost)
	}
	p.drop()
	p.thaw()
}

// Pings keep an idle session.
func TestPingsKeepASession(t *testing.T) {
	t.Parallel() // it is waiting, for so long because a process that is kept from running for a few seconds must not lose its session
	c := dial(t, serverOn(t), &client.Options{SessionTimeout: 6 * time.Second})
	ctx := patient(t)
	create(t, c, "/e", "", zk.Ephemeral)
	states := c.States(ctx)
	until(t, states, client.Connected)
	idle, cancel := context.WithTimeout(ctx, 7*time.Second) // longer than the timeout
	defer cancel()
	<-idle.Done()
	_, _, err := c.Get(ctx, "/e")
	for errors.Is(err, zk.ConnectionLoss) { // of a connection, not of the session
		_, _, err = c.Get(ctx, "/e")
	}
	if err != nil {
		t.Error(err)
	}
}

// Cut off from all servers, the client says by its own clock that the session has lapsed, ends what waits, and learns of the expiry
// from the first server that it reaches.
func TestExpiry(t *testing.T) {
	t.Parallel() // it is mostly waiting
	addr := serverOn(t)
	p := newProxy(t, addr)
	c, other := dial(t, p.addr, &client.Options{SessionTimeout: 4 * time.Second, MaxBackoff: 20 * time.Millisecond}), dial(t, addr, nil)
	ctx := patient(t)
	create(t, c, "/e", "", zk.Ephemeral)
	states := c.States(ctx)
	until(t, states, client.Connected)
	_, _, watched, err := c.GetW(ctx, "/e")
	if err != nil {
		t.Fatal(err)
	}
	found, _, gone, err := other.ExistsW(ctx, "/e")
	if err != nil || !found {
		t.Fatal(found, err)
	}
	p.cut()
	until(t, states, client.Connecting)
	waiting := make(chan error, 1)
	go func() {
		_, _, err := c.Get(context.Background(), "/e") // no deadline: it must end all the same
		waiting <- err
	}()
	lapsed := until(t, states, client.Lapsed)
	if lapsed.Suspended.IsZero() || lapsed.Heard.IsZero() || lapsed.Since.Sub(lapsed.Heard) < lapsed.Timeout {
		t.Errorf("%+v", lapsed)
	}
	err = <-waiting
	fails(t, err, zk.ConnectionLoss, "getData", "/e")
	_, _, err = c.Get(ctx, "/e")
	if fails(t, err, zk.ConnectionLoss, "getData", "/e"); !errors.Is(err, client.ErrNotSent) {
		t.Errorf("error is %v", err)
	}
	event(t, gone, zk.EventNodeDeleted, "/e") // the server has ended the session
	p.mend()
	over := until(t, states, client.Expired)
	if over.Err != zk.SessionExpired || !over.State.Ended() {
		t.Errorf("%+v", over)
	}
	if _, open := <-states; open {
		t.Error("a state after the last")
	}
	event(t, watched, zk.EventNone, "/e")
	_, _, err = c.Get(ctx, "/e")
	if fails(t, err, zk.SessionExpired, "getData", "/e"); errors.Is(err, client.ErrClosed) {
		t.Errorf("error is %v", err)
	}
	for s := range c.States(ctx) {
		if s.State != client.Expired {
			t.Errorf("%+v", s)
		}
	}
}

func TestClose(t *testing.T) {
	addr := serverOn(t)
	c, other := dial(t, addr, nil), dial(t, addr, nil)
	ctx := patient(t)
	create(t, c, "/e", "", zk.Ephemeral)
	states := c.States(ctx)
	b := c.Batch()
	sent := b.Get("/e")
	b.Send()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Wait(ctx); err != nil || sent.Err != nil { // what was sent before is answered
		t.Error(err)
	}
	if found, _, err := other.Exists(ctx, "/e"); err != nil || found {
		t.Errorf("an ephemeral outlives Close: %v %v", found, err)
	}
	until(t, states, client.Closed)
	_, _, err := c.Get(ctx, "/")
	if fails(t, err, zk.SessionExpired, "getData", "/"); !errors.Is(err, client.ErrClosed) || !errors.Is(err, client.ErrNotSent) {
		t.Errorf("error is %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// Close does not wait for ever for a server that says nothing, nor for one that is not there, and says that the session may live on.
func TestCloseWithoutAServer(t *testing.T) {
	p := newProxy(t, newFake(t, nil).addr) // which ends no session: to close one that is over is no failure
	silent := dial(t, p.addr, &client.Options{SessionTimeout: 300 * time.Millisecond})
	away := dial(t, p.addr, &client.Options{CloseTimeout: 50 * time.Millisecond})
	p.freeze()
	fails(t, silent.Close(), zk.ConnectionLoss, "closeSession", "")
	p.cut()
	p.thaw()
	until(t, away.States(patient(t)), client.Connecting)
	fails(t, away.Close(), zk.ConnectionLoss, "closeSession", "")
	if silent.State() != client.Closed || away.State() != client.Closed {
		t.Error(silent.State(), away.State())
	}
}

// Close without a connection finds a server to close the session at, although the client was about to rest for long; and it closes a
// session whose connection breaks in the middle of it.
func TestCloseFindsAServer(t *testing.T) {
	addr := serverOn(t)
	other := dial(t, addr, nil)
	ctx := patient(t)
	for _, way := range []string{"there is none", "it breaks"} {
		p := newProxy(t, addr)
		c := dial(t, p.addr, &client.Options{SessionTimeout: 30 * time.Second, CloseTimeout: 10 * time.Second, MaxBackoff: time.Hour})
		create(t, c, "/e", "", zk.Ephemeral)
		p.freeze()
		if way == "there is none" {
			p.cut()
			until(t, c.States(ctx), client.Connecting)
		}
		closed := make(chan error)
		go func() { closed <- c.Close() }()
		for { // until it is closing
			now, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
			_, _, err := c.Get(now, "/e")
			cancel()
			if errors.Is(err, client.ErrClosed) {
				break
			}
		}
		p.drop()
		p.mend()
		p.thaw()
		if err := <-closed; err != nil {
			t.Errorf("%s: %v", way, err)
		}
		if found, _, err := other.Exists(ctx, "/e"); err != nil || found {
			t.Errorf("%s: the ephemeral outlives Close: %v %v", way, found, err)
		}
	}
}

func TestDetachAndResume(t *testing.T) {
	addr := serverOn(t)
	c := dial(t, addr, nil)
	ctx := patient(t)
	create(t, c, "/e", "", zk.Ephemeral)
	s := c.Detach()
	if c.State() != client.Closed || s.ID == 0 || len(s.Password) != 16 {
		t.Fatalf("%v %+v", c.State(), s)
	}
	next := dial(t, addr, &client.Options{Session: s})
	if got := next.Session(); got.ID != s.ID {
		t.Errorf("%v, want %v", got, s)
	}
	if mine, err := next.Ephemerals(ctx, "/"); err != nil || !slices.Equal(mine, []string{"/e"}) {
		t.Error(mine, err)
	}
	next.Close()
	_, err := client.Dial(ctx, []string{addr}, &client.Options{Session: s})
	fails(t, err, zk.SessionExpired, "dial", "")
	if _, err := client.Dial(ctx, []string{addr}, &client.Options{Session: client.Session{ID: 1}}); err == nil {
		t.Error("a session without a password")
	}
}

// A call ends with its context; the reply that comes later is nobody's, and those behind it are still right.
func TestCancelledCalls(t *testing.T) {
	p := newProxy(t, serverOn(t))
	c := dial(t, p.addr, nil)
	ctx := patient(t)
	create(t, c, "/a", "A", zk.Persistent)
	create(t, c, "/b", "B", zk.Persistent)
	p.freeze()
	short, cancel := context.WithCancel(ctx)
	b := c.Batch()
	a := b.Get("/a")
	b.Send()
	cancel()
	err := b.Wait(short)
	fails(t, err, zk.OperationTimeout, "getData", "/a")
	if !errors.Is(err, context.Canceled) || errors.Is(err, client.ErrNotSent) || a.Data != nil {
		t.Errorf("error is %v, data %q", err, a.Data)
	}
	last := b.Get("/b")
	b.Send()
	p.thaw()
	if err := b.Wait(ctx); err != nil || string(last.Data) != "B" {
		t.Errorf("%q %v", last.Data, err)
	}
}

// Paths go out with the chroot and come back without, in events too.
func TestChroot(t *testing.T) {
	addr := serverOn(t)
	root := dial(t, addr, nil)
	ctx := patient(t)
	create(t, root, "/app", "root", zk.Persistent)
	create(t, root, "/apple", "", zk.Persistent)
	byList, byOption := dial(t, addr+"/app", nil), dial(t, addr, &client.Options{Chroot: "/app/"})

	if data, _, err := byList.Get(ctx, "/"); err != nil || string(data) != "root" {
		t.Errorf("%q %v", data, err)
	}
	_, _, created, err1 := byList.ExistsW(ctx, "/a")
	_, _, listed, err2 := byList.ChildrenW(ctx, "/")
	stream, err3 := byList.AddWatch(ctx, "/", zk.WatchPersistentRecursive)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if p := create(t, byOption, "/a", "x", zk.Ephemeral); p != "/a" {
		t.Errorf("created %s", p)
	}
	event(t, created, zk.EventNodeCreated, "/a")
	event(t, listed, zk.EventNodeChildrenChanged, "/")
	notice(t, stream, zk.EventNodeCreated, "/a")
	if data, _, err := root.Get(ctx, "/app/a"); err != nil || string(data) != "x" {
		t.Errorf("%q %v", data, err)
	}
	tx := byOption.Multi()
	made := tx.Create("/s-", nil, zk.EphemeralSequential)
	if err := tx.Commit(ctx); err != nil || made.Path != "/s-0000000001" {
		t.Errorf("%+v %v", made, err)
	}
	if mine, err := byOption.Ephemerals(ctx, "/"); err != nil || !slices.Contains(mine, "/a") || len(mine) != 2 {
		t.Errorf("%v %v", mine, err)
	}
	_, _, err := byOption.Get(ctx, "/none")
	fails(t, err, zk.NoNode, "getData", "/none")
	if err := stream.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := byList.Sync(ctx, "/"); err != nil {
		t.Error(err)
	}
}

// A Dial that reaches nobody tries again until its context ends, says what the trouble was, and leaves nothing behind.
func TestDialWithoutAServer(t *testing.T) {
	p := newProxy(t, "127.0.0.1:1")
	p.cut()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	attempts := 0
	_, err := client.Dial(ctx, []string{p.addr}, &client.Options{Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if attempts++; attempts == 3 {
			cancel()
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}})
	if fails(t, err, zk.ConnectionLoss, "dial", ""); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), p.addr) {
		t.Errorf("error is %v", err)
	}
	if p.count() < 2 {
		t.Errorf("%d attempts", p.count())
	}
}

func TestStatesEndWithTheirContext(t *testing.T) {
	c := dial(t, serverOn(t), nil)
	ctx, cancel := context.WithCancel(context.Background())
	states := c.States(ctx)
	until(t, states, client.Connected)
	cancel()
	select {
	case s, open := <-states:
		if open {
			t.Errorf("%+v", s)
		}
	case <-patient(t).Done():
		t.Error("the channel stays open")
	}
}
