package interop

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gozk "github.com/go-zookeeper/zk"
)

// TestGoClient plays the scenario of github.com/go-zookeeper/zk, which has one-shot watches only.
func TestGoClient(t *testing.T) {
	t.Parallel()
	onEveryServer(t, func(t *testing.T, s *stage) {
		g := &goScenario{T: t, stage: s}
		t.Cleanup(g.closeAll)
		g.a = g.connect(s.proxy.Addr, 30*time.Second)
		g.b = g.connect(s.direct(), 30*time.Second)
		g.modes()
		g.data()
		g.children()
		g.acls()
		g.multi()
		g.watches()
		g.locks()
		g.connectionLost()
		g.silence()
		g.serverLost("kill")
		g.serverLost("stop")
		g.sessionEnds()
		t.Logf("%d checks", g.checks)
	})
}

type goScenario struct {
	*testing.T
	stage  *stage
	a, b   *goSession // a behind the proxy, b direct
	all    []*goSession
	checks int
}

// goSession is a connection and the states it went through, in order.
type goSession struct {
	*gozk.Conn
	mu     sync.Mutex
	states []gozk.State
	moved  chan struct{} // closed and replaced at each new state
}

var (
	anyone = gozk.WorldACL(gozk.PermAll)
	mine   = gozk.DigestACL(gozk.PermAll, "ann", "secret")
)

// silent keeps the client's own log, which reports every reconnect, out of the test's.
type silent struct{}

func (silent) Printf(string, ...any) {}

func (g *goScenario) connect(addr string, timeout time.Duration) *goSession {
	g.Helper()
	s := &goSession{moved: make(chan struct{})}
	conn, _, err := gozk.Connect([]string{addr}, timeout, gozk.WithLogger(silent{}), gozk.WithEventCallback(s.note))
	if err != nil {
		g.Fatal(err)
	}
	s.Conn = conn
	g.all = append(g.all, s)
	g.reaches(s, 0, gozk.StateHasSession)
	return s
}

func (s *goSession) note(ev gozk.Event) {
	if ev.Type != gozk.EventSession {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states = append(s.states, ev.State)
	close(s.moved)
	s.moved = make(chan struct{})
}

// mark is a place in the session's history, for reaches.
func (s *goSession) mark() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.states)
}

// reaches waits until the session was in state at or after the mark.
func (g *goScenario) reaches(s *goSession, mark int, state gozk.State) {
	g.Helper()
	deadline := time.After(hang)
	for {
		s.mu.Lock()
		reached, moved := slices.Contains(s.states[mark:], state), s.moved
		s.mu.Unlock()
		if reached {
			return
		}
		select {
		case <-moved:
		case <-deadline:
			g.Fatalf("the session never became %v: %v", state, s.states)
		}
	}
}

func (g *goScenario) closeAll() {
	for _, s := range g.all {
		s.Close()
	}
}

func (g *goScenario) do(word string) {
	g.Helper()
	g.stage.do(g.T, word)
}

func (g *goScenario) ok(what string, holds bool, got ...any) {
	g.Helper()
	if !holds {
		g.Fatalf("%s: got %v", what, got)
	}
	g.checks++
}

// fails checks that err is the error that the rule names.
func (g *goScenario) fails(what string, err, want error) {
	g.Helper()
	if !errors.Is(err, want) {
		g.Fatalf("%s: got error %v, want %v", what, err, want)
	}
	g.checks++
}

// works checks that err is nil.
func (g *goScenario) works(what string, err error) {
	g.Helper()
	g.fails(what, err, nil)
}

func (g *goScenario) create(s *goSession, path, data string, flags int32) string {
	g.Helper()
	made, err := s.Create(path, []byte(data), flags, anyone)
	g.works("create "+path, err)
	return made
}

func (g *goScenario) modes() {
	a := g.a
	g.ok("session", a.SessionID() != 0 && a.State() == gozk.StateHasSession, a.SessionID(), a.State())
	g.ok("persistent", g.create(a, "/go", "root", gozk.FlagPersistent) == "/go")
	g.create(a, "/go/modes", "", gozk.FlagPersistent)
	_, parent, err := a.Get("/go/modes")
	g.works("parent", err)
	made := g.create(a, "/go/modes/s-", "", gozk.FlagSequence)
	g.ok("sequential", made == "/go/modes/s-0000000000", made)
	g.create(a, "/go/modes/e", "mine", gozk.FlagEphemeral)
	_, st, err := a.Exists("/go/modes/e")
	g.ok("ephemeral owner", err == nil && st.EphemeralOwner == a.SessionID(), st, err)
	made = g.create(a, "/go/modes/es-", "", gozk.FlagEphemeralSequential)
	g.ok("ephemeral sequential", made == "/go/modes/es-0000000002", made)
	made, err = a.CreateProtectedEphemeralSequential("/go/modes/p-", nil, anyone)
	g.ok("protected", err == nil && strings.HasSuffix(made, "-p-0000000003"), made, err)
	made, err = a.CreateContainer("/go/modes/c", []byte("c"), gozk.FlagContainer, anyone)
	g.ok("container", err == nil && made == "/go/modes/c", made, err)
	_, st, err = a.Exists("/go/modes/c")
	g.ok("container has no owner", err == nil && st.EphemeralOwner == 0, st, err)
	made, err = a.CreateTTL("/go/modes/t", []byte("t"), gozk.FlagTTL, anyone, time.Hour)
	g.ok("ttl", err == nil && made == "/go/modes/t", made, err)
	made, err = a.CreateTTL("/go/modes/ts-", nil, gozk.FlagPersistentSequentialWithTTL, anyone, time.Hour)
	g.ok("ttl sequential", err == nil && made == "/go/modes/ts-0000000006", made, err)
	_, st, err = a.Exists("/go/modes/t")
	g.ok("ttl has no owner", err == nil && st.EphemeralOwner == 0, st, err)
	_, st, err = a.Exists("/go/modes")
	g.ok("parent counts", err == nil && st.NumChildren == 7 && st.Cversion == 7 && st.Version == parent.Version && st.Mzxid == parent.Mzxid, st, err)

	_, err = a.Create("/go", nil, 0, anyone)
	g.fails("exists already", err, gozk.ErrNodeExists)
	_, err = a.Create("/go/none/x", nil, 0, anyone)
	g.fails("no parent", err, gozk.ErrNoNode)
	_, err = a.Create("/go/modes/e/x", nil, 0, anyone)
	g.fails("child of an ephemeral", err, gozk.ErrNoChildrenForEphemerals)
	_, err = a.Create("/go/noacl", nil, 0, nil)
	g.fails("no acl", err, gozk.ErrInvalidACL)
	_, err = a.CreateTTL("/go/never", nil, gozk.FlagTTL, anyone, 0)
	g.fails("ttl of zero", err, gozk.ErrBadArguments)
	g.works("sessions stay after refusals", a.Delete("/go/modes/e", -1))
	g.create(a, "/go/modes/e", "again", gozk.FlagEphemeral)
}

func (g *goScenario) data() {
	a, b := g.a, g.b
	g.create(a, "/go/data", "one", 0)
	data, st, err := a.Get("/go/data")
	g.ok("get", err == nil && string(data) == "one" && st.Version == 0 && st.DataLength == 3 && st.Czxid == st.Mzxid, data, st, err)
	st2, err := a.Set("/go/data", []byte("two"), 0)
	g.ok("set", err == nil && st2.Version == 1 && st2.Mzxid > st.Mzxid && st2.Czxid == st.Czxid && st2.Mtime >= st.Mtime, st2, err)
	_, err = a.Set("/go/data", []byte("three"), 0)
	g.fails("set with an old version", err, gozk.ErrBadVersion)
	_, err = a.Set("/go/none", nil, -1)
	g.fails("set of nothing", err, gozk.ErrNoNode)
	_, _, err = a.Get("/go/none")
	g.fails("get of nothing", err, gozk.ErrNoNode)
	big := bytes.Repeat([]byte("0123456789abcdef"), 60_000)
	_, err = a.Set("/go/data", big, -1)
	g.works("set of 960000 bytes", err)
	path, err := b.Sync("/go/data")
	g.ok("sync", err == nil && path == "/go/data", path, err)
	data, st, err = b.Get("/go/data")
	g.ok("another session reads it", err == nil && bytes.Equal(data, big) && int(st.DataLength) == len(big), len(data), err)
	_, err = a.Set("/go/data", []byte{}, 2)
	g.works("set of empty", err)
	data, _, err = b.Get("/go/data")
	g.ok("get of empty", err == nil && len(data) == 0, data, err)
	found, _, err := a.Exists("/go/none")
	g.ok("exists of nothing", err == nil && !found, found, err)
	g.fails("delete with an old version", a.Delete("/go/data", 1), gozk.ErrBadVersion)
	g.works("delete", a.Delete("/go/data", 3))
	g.fails("delete of nothing", a.Delete("/go/data", -1), gozk.ErrNoNode)
	g.fails("delete of a parent", a.Delete("/go", -1), gozk.ErrNotEmpty)
	g.create(a, "/go/ünïcode-日本", "ö", 0)
	data, _, err = b.Get("/go/ünïcode-日本")
	g.ok("a path beyond ASCII", err == nil && string(data) == "ö", data, err)
}

func (g *goScenario) children() {
	a := g.a
	g.create(a, "/go/kids", "", 0)
	names, st, err := a.Children("/go/kids")
	g.ok("no children", err == nil && len(names) == 0 && st.NumChildren == 0, names, st, err)
	for _, name := range []string{"c", "a", "b"} {
		g.create(a, "/go/kids/"+name, "", 0)
	}
	names, st, err = a.Children("/go/kids")
	slices.Sort(names)
	g.ok("children", err == nil && slices.Equal(names, []string{"a", "b", "c"}) && st.NumChildren == 3 && st.Pzxid > st.Czxid, names, st, err)
	g.works("delete a child", a.Delete("/go/kids/b", -1))
	_, st2, err := a.Children("/go/kids")
	g.ok("after a delete", err == nil && st2.NumChildren == 2 && st2.Cversion == 4 && st2.Pzxid > st.Pzxid, st2, err)
	_, _, err = a.Children("/go/none")
	g.fails("children of nothing", err, gozk.ErrNoNode)
	names, _, err = a.Children("/")
	g.ok("children of the root", err == nil && slices.Contains(names, "zookeeper") && slices.Contains(names, "go"), names, err)
}

func (g *goScenario) acls() {
	a, b := g.a, g.b
	g.works("add digest", a.AddAuth("digest", []byte("ann:secret")))
	_, err := a.Create("/go/private", []byte("p"), 0, gozk.AuthACL(gozk.PermAll))
	g.works("create with auth", err)
	acl, st, err := a.GetACL("/go/private")
	g.ok("auth becomes the digest", err == nil && slices.Equal(acl, mine) && st.Aversion == 0, acl, st, err)
	_, _, err = b.Get("/go/private")
	g.fails("a stranger reads", err, gozk.ErrNoAuth)
	_, err = b.Set("/go/private", nil, -1)
	g.fails("a stranger writes", err, gozk.ErrNoAuth)
	_, _, err = b.Children("/go/private")
	g.fails("a stranger lists", err, gozk.ErrNoAuth)
	_, err = b.Create("/go/private/x", nil, 0, anyone)
	g.fails("a stranger creates", err, gozk.ErrNoAuth)
	_, _, err = b.GetACL("/go/private")
	g.fails("a stranger asks for the acl", err, gozk.ErrNoAuth)
	_, err = b.SetACL("/go/private", anyone, -1)
	g.fails("a stranger sets the acl", err, gozk.ErrNoAuth)
	_, err = b.Create("/go/nobody", nil, 0, gozk.AuthACL(gozk.PermAll))
	g.fails("auth without an identity", err, gozk.ErrInvalidACL)
	readable := append(gozk.WorldACL(gozk.PermRead), mine...)
	st, err = a.SetACL("/go/private", readable, 0)
	g.ok("set acl", err == nil && st.Aversion == 1 && st.Version == 0, st, err)
	_, err = a.SetACL("/go/private", readable, 0)
	g.fails("set acl with an old version", err, gozk.ErrBadVersion)
	data, _, err := b.Get("/go/private")
	g.ok("a stranger reads now", err == nil && string(data) == "p", data, err)
	acl, _, err = b.GetACL("/go/private")
	g.ok("a reader sees no hash", err == nil && len(acl) == 2 && acl[1].ID == "ann:x", acl, err)
	_, err = b.Set("/go/private", nil, -1)
	g.fails("a reader writes", err, gozk.ErrNoAuth)
	_, err = b.Create("/go/private/x", nil, 0, anyone)
	g.fails("a reader creates", err, gozk.ErrNoAuth)
	g.create(a, "/go/private/kid", "", 0)
	g.fails("a reader deletes", b.Delete("/go/private/kid", -1), gozk.ErrNoAuth)
	_, err = a.Create("/go/strange", nil, 0, []gozk.ACL{{Perms: gozk.PermAll, Scheme: "nosuch", ID: "x"}})
	g.fails("an unknown scheme", err, gozk.ErrInvalidACL)

	wrong := g.connect(g.stage.direct(), 30*time.Second)
	g.works("add another digest", wrong.AddAuth("digest", []byte("ann:wrong")))
	_, err = wrong.Set("/go/private", nil, -1)
	g.fails("a wrong password writes", err, gozk.ErrNoAuth)
	wrong.Close()
}

func (g *goScenario) multi() {
	a := g.a
	g.create(a, "/go/multi", "m", 0)
	got, err := a.Multi(
		&gozk.CheckVersionRequest{Path: "/go/multi", Version: 0},
		&gozk.CreateRequest{Path: "/go/multi/s-", Acl: anyone, Flags: gozk.FlagSequence},
		&gozk.CreateRequest{Path: "/go/multi/e", Acl: anyone, Flags: gozk.FlagEphemeral},
		&gozk.SetDataRequest{Path: "/go/multi", Data: []byte("n"), Version: 0},
		&gozk.DeleteRequest{Path: "/go/multi/e", Version: 0},
	)
	g.ok("multi", err == nil && len(got) == 5 && got[1].String == "/go/multi/s-0000000000" && got[2].String == "/go/multi/e" &&
		got[3].Stat != nil && got[3].Stat.Version == 1, fmt.Sprintf("%+v", got), err)
	_, st, err := a.Exists("/go/multi/s-0000000000")
	g.ok("one zxid for all", err == nil && st.Czxid == got[3].Stat.Mzxid, st, err)
	got, err = a.Multi(
		&gozk.CreateRequest{Path: "/go/multi/never", Acl: anyone},
		&gozk.CheckVersionRequest{Path: "/go/multi", Version: 7},
		&gozk.DeleteRequest{Path: "/go/multi", Version: -1},
	)
	g.fails("multi that fails", err, gozk.ErrBadVersion)
	g.ok("an error for each", len(got) == 3 && got[0].Error == nil && errors.Is(got[1].Error, gozk.ErrBadVersion) && got[2].Error != nil, fmt.Sprintf("%+v", got))
	found, _, err := a.Exists("/go/multi/never")
	g.ok("nothing happened", err == nil && !found, found, err)
	got, err = a.Multi()
	g.ok("an empty multi", err == nil && len(got) == 0, got, err)
}

// next waits for a watch's only event.
func (g *goScenario) next(what string, ch <-chan gozk.Event, kind gozk.EventType, path string) {
	g.Helper()
	select {
	case ev := <-ch:
		g.ok(what, ev.Type == kind && ev.Path == path && ev.Err == nil, ev)
	case <-time.After(hang):
		g.Fatalf("%s: no event", what)
	}
}

// still checks that a watch has not fired. The caller has just seen a later event of the same connection.
func (g *goScenario) still(what string, ch <-chan gozk.Event) {
	g.Helper()
	select {
	case ev := <-ch:
		g.Fatalf("%s: fired with %v", what, ev)
	default:
		g.checks++
	}
}

func (g *goScenario) watchData(s *goSession, path string) <-chan gozk.Event {
	g.Helper()
	_, _, ch, err := s.GetW(path)
	g.works("get and watch "+path, err)
	return ch
}

func (g *goScenario) watchExists(s *goSession, path string, want bool) <-chan gozk.Event {
	g.Helper()
	found, _, ch, err := s.ExistsW(path)
	g.ok("exists and watch "+path, err == nil && found == want, found, err)
	return ch
}

func (g *goScenario) watchChildren(s *goSession, path string) <-chan gozk.Event {
	g.Helper()
	_, _, ch, err := s.ChildrenW(path)
	g.works("list and watch "+path, err)
	return ch
}

func (g *goScenario) set(s *goSession, path, data string) {
	g.Helper()
	_, err := s.Set(path, []byte(data), -1)
	g.works("set "+path, err)
}

func (g *goScenario) delete(s *goSession, path string) {
	g.Helper()
	g.works("delete "+path, s.Delete(path, -1))
}

func (g *goScenario) watches() {
	a, b := g.a, g.b
	g.create(a, "/go/w", "", 0)
	born := g.watchExists(a, "/go/w/x", false)
	kids := g.watchChildren(a, "/go/w")
	g.create(b, "/go/w/x", "1", 0)
	g.next("exists watch: created", born, gozk.EventNodeCreated, "/go/w/x")
	g.next("child watch: created", kids, gozk.EventNodeChildrenChanged, "/go/w")
	changed, seen := g.watchData(a, "/go/w/x"), g.watchExists(a, "/go/w/x", true)
	g.set(b, "/go/w/x", "2")
	g.next("data watch: changed", changed, gozk.EventNodeDataChanged, "/go/w/x")
	g.next("exists watch: changed", seen, gozk.EventNodeDataChanged, "/go/w/x")
	quiet := g.watchChildren(a, "/go/w")
	gone, empty := g.watchData(a, "/go/w/x"), g.watchChildren(a, "/go/w/x")
	g.set(b, "/go/w", "other data")
	_, err := b.SetACL("/go/w/x", anyone, -1)
	g.works("set acl", err)
	g.create(b, "/go/w/x/y", "", 0)
	g.next("child watch: grandchild", empty, gozk.EventNodeChildrenChanged, "/go/w/x")
	g.still("a child watch is quiet for data and grandchildren", quiet)
	g.still("a data watch is quiet for acl and children", gone)
	g.delete(b, "/go/w/x/y")
	empty = g.watchChildren(a, "/go/w/x")
	g.delete(b, "/go/w/x")
	g.next("data watch: deleted", gone, gozk.EventNodeDeleted, "/go/w/x")
	g.next("child watch: deleted itself", empty, gozk.EventNodeDeleted, "/go/w/x")
	g.next("child watch: deleted child", quiet, gozk.EventNodeChildrenChanged, "/go/w")
}

func (g *goScenario) locks() {
	first, second := gozk.NewLock(g.a.Conn, "/go/lock", anyone), gozk.NewLock(g.b.Conn, "/go/lock", anyone)
	g.works("lock", first.Lock())
	g.fails("lock twice", first.Lock(), gozk.ErrDeadlock)
	got := make(chan error, 1)
	go func() { got <- second.Lock() }()
	g.queued("/go/lock", 2)
	select {
	case err := <-got:
		g.Fatalf("two hold the lock: %v", err)
	default:
	}
	g.works("unlock", first.Unlock())
	g.works("the next one has it", <-got)
	g.works("unlock", second.Unlock())
	g.fails("unlock twice", second.Unlock(), gozk.ErrNotLocked)
}

// queued waits until path has n children.
func (g *goScenario) queued(path string, n int) {
	g.Helper()
	for {
		names, _, ch, err := g.b.ChildrenW(path)
		if err != nil {
			g.Fatal(err)
		}
		if len(names) == n {
			return
		}
		select {
		case <-ch:
		case <-time.After(hang):
			g.Fatalf("%s has %v", path, names)
		}
	}
}

// connectionLost cuts the proxied connection, changes things meanwhile, and looks at what the session finds when it is back.
func (g *goScenario) connectionLost() {
	a, b := g.a, g.b
	id := a.SessionID()
	mark := a.mark()
	g.do("drop")
	g.reaches(a, mark, gozk.StateDisconnected)
	g.reaches(a, mark, gozk.StateHasSession)
	g.ok("same session after a drop", a.SessionID() == id, a.SessionID())

	g.create(a, "/go/away", "", 0)
	for _, name := range []string{"data", "kids", "gone", "still", "kept"} {
		g.create(a, "/go/away/"+name, "", 0)
	}
	g.create(a, "/go/away/mine", "e", gozk.FlagEphemeral)
	data, kids, gone := g.watchData(a, "/go/away/data"), g.watchChildren(a, "/go/away/kids"), g.watchExists(a, "/go/away/gone", true)
	born, unborn := g.watchExists(a, "/go/away/born", false), g.watchExists(a, "/go/away/unborn", false)
	still, kept := g.watchData(a, "/go/away/still"), g.watchChildren(a, "/go/away/kept")
	mark = a.mark()
	g.do("cut")
	g.reaches(a, mark, gozk.StateDisconnected)
	g.set(b, "/go/away/data", "new")
	g.create(b, "/go/away/kids/k", "", 0)
	g.delete(b, "/go/away/gone")
	g.create(b, "/go/away/born", "", 0)
	_, st, err := b.Exists("/go/away/mine")
	g.ok("ephemeral is there while away", err == nil && st.EphemeralOwner == id, st, err)
	mark = a.mark()
	g.do("mend")
	g.reaches(a, mark, gozk.StateHasSession)
	g.ok("same session after a cut", a.SessionID() == id, a.SessionID())
	g.next("caught up: changed", data, gozk.EventNodeDataChanged, "/go/away/data")
	g.next("caught up: child", kids, gozk.EventNodeChildrenChanged, "/go/away/kids")
	g.next("caught up: deleted", gone, gozk.EventNodeDeleted, "/go/away/gone")
	g.next("caught up: created", born, gozk.EventNodeCreated, "/go/away/born")
	g.still("what did not change is quiet: data", still)
	g.still("what did not change is quiet: children", kept)
	g.still("what did not change is quiet: exists", unborn)
	g.set(b, "/go/away/still", "new")
	g.create(b, "/go/away/kept/k", "", 0)
	g.create(b, "/go/away/unborn", "", 0)
	g.next("re-armed: changed", still, gozk.EventNodeDataChanged, "/go/away/still")
	g.next("re-armed: child", kept, gozk.EventNodeChildrenChanged, "/go/away/kept")
	g.next("re-armed: created", unborn, gozk.EventNodeCreated, "/go/away/unborn")
	_, err = a.Set("/go/private", []byte("q"), -1)
	g.works("the identity came back", err)
}

// silence lets a connection starve without closing it: the client has to notice by itself, and the server must not have ended
// the session before. The client leaves a third of the session's time for coming back; where the machine takes more than that, the
// server may have ended the session, and the next try counts.
func (g *goScenario) silence() {
	const timeout = 9 * time.Second
	for try := 1; ; try++ {
		path := fmt.Sprintf("/go/quiet%d", try)
		c := g.connect(g.stage.proxy.Addr, timeout)
		id := c.SessionID()
		heard := time.Now() // the server hears from the client later than that
		g.create(c, path, "", gozk.FlagEphemeral)
		mark := c.mark()
		g.do("freeze")
		g.reaches(c, mark, gozk.StateDisconnected)
		g.do("thaw")
		g.reaches(c, mark, gozk.StateHasSession)
		if c.SessionID() != id && time.Since(heard) > timeout && try < 5 {
			c.Close()
			continue
		}
		g.ok("same session after silence", c.SessionID() == id, c.SessionID())
		_, st, err := c.Exists(path)
		g.ok("ephemeral survives silence", err == nil && st.EphemeralOwner == id, st, err)
		c.Close()
		return
	}
}

// serverLost ends the server in the given way and starts it again with the same data.
func (g *goScenario) serverLost(how string) {
	a, b := g.a, g.b
	root := "/go/" + how
	g.create(a, root, "1", 0)
	g.create(a, root+"/e", "", gozk.FlagEphemeral)
	g.create(a, root+"/s-", "", gozk.FlagSequence)
	g.set(a, root, "2")
	data, kids, born := g.watchData(a, root), g.watchChildren(a, root), g.watchExists(a, root+"/born", false)
	direct := g.watchData(b, root)
	_, before, err := a.Get(root)
	g.works("get", err)
	ids := [2]int64{a.SessionID(), b.SessionID()}
	marks := [2]int{a.mark(), b.mark()}
	g.do(how)
	g.reaches(a, marks[0], gozk.StateDisconnected)
	g.reaches(b, marks[1], gozk.StateDisconnected)
	g.do("start")
	g.reaches(a, marks[0], gozk.StateHasSession)
	g.reaches(b, marks[1], gozk.StateHasSession)
	g.ok(how+": same sessions", ids == [2]int64{a.SessionID(), b.SessionID()}, a.SessionID(), b.SessionID())
	value, after, err := a.Get(root)
	g.ok(how+": same data and stat", err == nil && string(value) == "2" && *after == *before, value, after, before, err)
	_, st, err := b.Exists(root + "/e")
	g.ok(how+": ephemeral is there", err == nil && st.EphemeralOwner == ids[0], st, err)
	g.still(how+": no event of its own", data)
	g.set(b, root, "3")
	g.next(how+": data watch", data, gozk.EventNodeDataChanged, root)
	g.next(how+": data watch of the other", direct, gozk.EventNodeDataChanged, root)
	made := g.create(b, root+"/s-", "", gozk.FlagSequence)
	g.ok(how+": the sequence goes on", made == root+"/s-0000000002", made)
	g.next(how+": child watch", kids, gozk.EventNodeChildrenChanged, root)
	g.create(b, root+"/born", "", 0)
	g.next(how+": exists watch", born, gozk.EventNodeCreated, root+"/born")
	_, err = a.Set("/go/private", []byte(how), -1)
	g.works(how+": the identity came back", err)
}

func (g *goScenario) sessionEnds() {
	gone := g.watchExists(g.b, "/go/kill/e", true)
	mark := g.a.mark()
	g.a.Close()
	g.reaches(g.a, mark, gozk.StateDisconnected)
	g.next("close deletes ephemerals", gone, gozk.EventNodeDeleted, "/go/kill/e")
	found, _, err := g.b.Exists("/go/stop/e")
	g.ok("all of them", err == nil && !found, found, err)
	found, _, err = g.b.Exists("/go/stop")
	g.ok("and nothing else", err == nil && found, found, err)
}
