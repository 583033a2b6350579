package shell

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
	"github.com/zooid-io/zooid/zktest"
)

// prober is a shell that is given lines one by one, and what it prints.
type prober struct {
	*Shell
	y *typist
}

// set changes a znode by a client that may not have noticed yet that its connection is gone.
func set(t *testing.T, c *client.Client, path, data string) {
	t.Helper()
	_, err := c.Set(t.Context(), path, []byte(data), -1)
	for errors.Is(err, zk.ConnectionLoss) {
		_, err = c.Set(t.Context(), path, []byte(data), -1)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// probe starts a shell without a terminal, for a server that may be away.
func probe(t *testing.T, addr string) *prober {
	t.Helper()
	y := &typist{t: t, more: make(chan struct{}, 1)}
	p := &prober{New(Options{Server: addr, Out: y, Err: y}), y}
	t.Cleanup(p.Close)
	p.open(addr, "")
	return p
}

// says runs a line and gives what was printed.
func (p *prober) says(line string) string {
	p.y.t.Helper()
	fmt.Fprint(p.y, "[BEGIN]")
	p.line(context.Background(), line)
	fmt.Fprint(p.y, "[END]")
	p.y.sees("[BEGIN]")
	return p.y.sees("[END]")
}

// A server that goes away and comes back, with the same address and data: the prompt says so, the session is the same, its ephemerals
// and watches are there, and a command that was typed meanwhile is carried out when there is a server again.
func TestConnectionComesBack(t *testing.T) {
	srv := zktest.Start(t)
	other := srv.Client(t)
	y := sit(t, srv.Addr(), "")
	y.sees("(CONNECTED) 0] ")
	y.types("create -e /mine x\r")
	y.sees("Created /mine\r\n")
	y.types("get -w /mine\r")
	y.sees("(CONNECTED) 2] ")
	y.types("get /mi")
	y.sees("get /mi")

	srv.Stop()
	y.sees("WatchedEvent state:Disconnected type:None path:null zxid: -1\r\n")
	y.sees("(CONNECTING) 2] get /mi") // drawn again, with the new state
	srv.Restart()
	y.sees("WatchedEvent state:SyncConnected type:None path:null zxid: -1\r\n")
	y.sees("(CONNECTED) 2] get /mi")
	y.types("ne\r")
	y.sees("x\r\n")

	set(t, other, "/mine", "y")
	if _, st, err := other.Get(t.Context(), "/mine"); err != nil || st.EphemeralOwner == 0 {
		t.Errorf("the ephemeral: %+v, %v", st, err)
	}
	y.sees("type:NodeDataChanged path:/mine")

	srv.Stop()
	y.sees("(CONNECTING) 3] ")
	y.types("get /mine\r") // waits
	y.sees("get /mine")
	srv.Restart()
	y.sees("y\r\n")
	y.leaves()
}

// -l removes a watch where there is no server to ask, and tells of it as zkCli does; what is removed is not set again.
func TestRemoveWatchesWithoutAConnection(t *testing.T) {
	srv := zktest.Start(t)
	other := srv.Client(t)
	p := probe(t, srv.Addr())
	for _, line := range []string{"create /a x", "create /b x", "get -w /a", "ls -w /a", "addWatch /b", "get -w /b"} {
		p.says(line)
	}
	srv.Stop()
	p.y.sees("state:Disconnected type:None")
	for _, c := range []struct{ line, want string }{
		{"removewatches -d /a -l", "state:Disconnected type:DataWatchRemoved path:/a zxid: -1\n"},
		{"removewatches /a -l", "state:Disconnected type:ChildWatchRemoved path:/a zxid: -1\n"},
		{"removewatches /a -l", "No such watcher for /a\n"},
		{"removewatches -r /b -l", "state:Disconnected type:PersistentWatchRemoved path:/b zxid: -1\n"},
	} {
		if got := p.says(c.line); !strings.HasSuffix(got, c.want) || strings.Count(got, "\n") > 4 {
			t.Errorf("%s: %q, want %q", c.line, got, c.want)
		}
	}
	srv.Restart()
	p.y.sees("state:SyncConnected type:None")
	for _, path := range []string{"/a", "/b"} {
		set(t, other, path, "y")
	}
	if before := p.y.sees("type:NodeDataChanged path:/b"); strings.Contains(before, "/a") { // the one that is left
		t.Errorf("told of %q", before)
	}
	if got := p.says("removewatches -l /a"); !strings.Contains(got, "No such watcher for /a") {
		t.Errorf("with a connection: %q", got)
	}
}
