package shell

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// conn is a session from the moment that it is asked for.
type conn struct {
	server string // as given
	cancel context.CancelFunc
	ready  chan struct{} // closed when c or err is set
	states *source       // from ready on

	c   *client.Client
	err error

	mu     sync.Mutex
	failed chan struct{}   // closed when every server was tried in vain, and then renewed
	tried  map[string]bool // addresses, in this round
}

// open begins a session in the background: the user may type meanwhile. The greeting comes before any event.
func (s *Shell) open(server, greeting string) {
	fmt.Fprint(s.news, "Connecting to "+server+"\n"+greeting)
	ctx, cancel := context.WithCancel(context.Background())
	n := &conn{server: server, cancel: cancel, ready: make(chan struct{}), states: newSource(), failed: make(chan struct{}), tried: map[string]bool{}}
	s.conn, s.kept = n, false
	opt := s.opt.Client
	opt.SessionTimeout, opt.ReadOnly = s.opt.Timeout, s.opt.ReadOnly
	opt.CloseTimeout = -1 // who leaves does not wait for a server that is gone
	dial := opt.Dialer
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	opt.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		n.attempt(addr)
		return dial(ctx, network, addr)
	}
	s.events.Go(func() { // ends with the session
		defer close(n.states.done)
		n.c, n.err = client.Dial(ctx, []string{server}, &opt)
		if n.err != nil {
			close(n.ready)
			return
		}
		first := n.c.State()
		states := n.c.States(context.Background())
		s.sessionEvent(first)
		close(n.ready)
		pumpUntilEnd(n.states, states, func(st client.Status) {
			if st.State != first {
				s.sessionEvent(st.State)
			}
			first = st.State
		})
	})
}

// attempt notes that an address is dialed. One that comes again says that a round through all of them was in vain.
func (n *conn) attempt(addr string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.tried[addr] {
		close(n.failed)
		n.failed = make(chan struct{})
		clear(n.tried)
	}
	n.tried[addr] = true
}

// isReady tells whether Dial has ended.
func (n *conn) isReady() bool {
	select {
	case <-n.ready:
		return true
	default:
		return false
	}
}

// end ends the session, or leaves it to the server.
func (n *conn) end(keep bool) {
	if !n.isReady() {
		n.cancel()
		<-n.ready
	}
	defer n.cancel()
	if n.c == nil {
		return
	}
	if keep || !n.c.State().IsConnected() { // nobody hears that it should end: do not wait for it
		n.c.Detach()
		return
	}
	n.c.Close()
}

// notConnected is that there is no session, by the command close. zkCli says so on standard output, and calls it success.
var errNotConnected = errors.New("Not connected")

// client is the session, for a command about a path. It waits while a server is looked for: until all were tried in vain, or
// for the session's timeout with Options.WaitForConnection.
func (s *Shell) client(ctx context.Context, path string) (*client.Client, error) {
	n := s.conn
	if n == nil {
		return nil, errNotConnected
	}
	lost := func(err error) error { return &zk.Error{Op: "connect", Path: path, Code: zk.ConnectionLoss, Err: err} }
	if !n.isReady() {
		n.mu.Lock()
		failed := n.failed
		n.mu.Unlock()
		if s.opt.WaitForConnection {
			var stop context.CancelFunc
			ctx, stop = context.WithTimeout(ctx, s.opt.Timeout)
			defer stop()
			failed = nil
		}
		select {
		case <-n.ready:
		case <-failed:
			return nil, lost(nil)
		case <-ctx.Done():
			if s.opt.WaitForConnection {
				return nil, lost(nil)
			}
			return nil, lost(ctx.Err())
		}
	}
	if n.err != nil {
		var e *zk.Error
		if !errors.As(n.err, &e) {
			return nil, n.err // a bad list of servers
		}
		return nil, &zk.Error{Op: e.Op, Path: path, Code: e.Code, Err: e.Err}
	}
	return n.c, nil
}

// state is where the session stands, in the words of zkCli's prompt.
func (s *Shell) state() string {
	switch {
	case s.conn == nil:
		return "CLOSED"
	case !s.conn.isReady():
		return "CONNECTING"
	case s.conn.c == nil:
		return "NOT_CONNECTED"
	}
	return stateWord(s.conn.c.State())
}

func stateWord(st client.State) string {
	switch st {
	case client.Connected:
		return "CONNECTED"
	case client.ConnectedReadOnly:
		return "CONNECTEDREADONLY"
	case client.AuthFailed:
		return "AUTH_FAILED"
	case client.Expired, client.Closed:
		return "CLOSED"
	}
	return "CONNECTING"
}

// prompt is what stands before the line that is typed.
func (s *Shell) prompt() string {
	server := s.opt.Server
	if s.conn != nil {
		server = s.conn.server
	}
	return promptText(server, s.state(), len(s.history))
}

func promptText(server, state string, n int) string {
	return fmt.Sprintf("[zk: %s(%s) %d] ", server, state, n)
}

func runConnect(ctx context.Context, s *Shell, a *args) error {
	server := s.opt.Server
	if a.n() >= 1 {
		server = a.at(1)
	}
	if s.conn != nil {
		s.conn.end(false)
		s.events.Wait()
	}
	s.opt.Server = server
	s.open(server, "")
	_, err := s.client(ctx, "")
	return err
}

func runClose(_ context.Context, s *Shell, _ *args) error {
	if s.conn == nil {
		return errNotConnected
	}
	s.conn.end(false)
	s.conn = nil
	s.events.Wait() // the event comes before the next command's output
	return nil
}

func runQuit(_ context.Context, s *Shell, _ *args) error {
	s.quit = true
	return nil
}

func runAddAuth(ctx context.Context, s *Shell, a *args) error {
	if a.n() < 1 {
		return usage{a.command()}
	}
	c, err := s.client(ctx, "")
	if err != nil {
		return err
	}
	if err := c.AddAuth(ctx, a.at(1), []byte(a.at(2))); err != nil && !errors.Is(err, zk.AuthFailed) {
		return err // a refused login shows as an event, and as the end of the session
	}
	return nil
}

func runWhoAmI(ctx context.Context, s *Shell, _ *args) error {
	c, err := s.client(ctx, "")
	if err != nil {
		return err
	}
	ids, err := c.WhoAmI(ctx)
	if err != nil {
		return err
	}
	type row struct {
		Scheme string `json:"scheme"`
		ID     string `json:"id"`
	}
	var rows []row
	for _, id := range ids {
		rows = append(rows, row{id.Scheme, id.ID})
	}
	return s.show(rows, func(w writer) {
		fmt.Fprintln(w, "Auth scheme: User")
		for _, r := range rows {
			fmt.Fprintf(w, "%s: %s\n", r.Scheme, r.ID)
		}
	})
}

func runConfig(ctx context.Context, s *Shell, a *args) error {
	c, err := s.client(ctx, configPath)
	if err != nil {
		return err
	}
	var data []byte
	var st zk.Stat
	if a.has("w") {
		var ch <-chan zk.Event
		data, st, ch, err = c.GetConfigW(ctx)
		s.announce(ch)
	} else {
		data, st, err = c.GetConfig(ctx)
	}
	if err != nil {
		return err
	}
	t := string(data)
	if a.has("c") {
		t = clientAddresses(t)
	}
	fmt.Fprintln(s.out, t)
	if a.has("s") {
		return s.printStat(st)
	}
	return nil
}

const configPath = "/zookeeper/config"

// clientAddresses makes "version addr,addr" of a config, where clients may connect to.
func clientAddresses(config string) string {
	version, addrs := "", []string{}
	for line := range strings.Lines(config) {
		line = strings.TrimSpace(line)
		if v, ok := strings.CutPrefix(line, "version="); ok {
			version = v
		}
		if _, addr, ok := strings.Cut(line, ";"); ok && strings.HasPrefix(line, "server.") {
			addrs = append(addrs, addr)
		}
	}
	return version + " " + strings.Join(addrs, ",")
}
