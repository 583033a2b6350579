package zktest

import (
	"context"
	"errors"
	"net"
	"sync"
)

// Line is the way of one client to its server, which a test can break at the worst moment. Its Dial is for client.Options:
//
//	var line zktest.Line
//	c := srv.Client(t, func(o *client.Options) { o.Dialer = line.Dial })
//	line.LoseReply()
//	c.Create(...) // the znode is made; the call ends with zk.ConnectionLoss
type Line struct {
	mu     sync.Mutex
	lose   bool
	lost   int
	down   bool
	frozen chan struct{} // nil unless it is; closed when it no longer is
	all    map[*end]bool
}

var errCut = errors.New("the test has cut the line")

// Dial is client.Options.Dialer.
func (l *Line) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	l.mu.Lock()
	down := l.down
	l.mu.Unlock()
	if down {
		return nil, errCut
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		c.Close()
		return nil, errCut
	}
	if l.all == nil {
		l.all = map[*end]bool{}
	}
	e := &end{Conn: c, l: l, closed: make(chan struct{})}
	l.all[e] = true
	return e, nil
}

// LoseReply loses the next bytes that come from the server, and breaks the connection there: the request before them was carried out.
func (l *Line) LoseReply() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lose = true
}

// Lost is how many replies were lost so far.
func (l *Line) Lost() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// Cut breaks the connection, and lets none come about until Mend.
func (l *Line) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for e := range l.all {
		e.Conn.Close()
	}
}

// Freeze stops what goes to the server and what comes from it, until Mend, and breaks nothing: the server sees a client whose process
// stands still. Longer than its session's timeout, say, with Server.Expire for the time that passes: what it wrote and read before is
// then sent and taken at Mend, by a client that has not heard yet that it is dead.
func (l *Line) Freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.frozen == nil {
		l.frozen = make(chan struct{})
	}
}

// Mend undoes Cut and Freeze, and a LoseReply that has not come about yet.
func (l *Line) Mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down, l.lose = false, false
	if l.frozen != nil {
		close(l.frozen)
		l.frozen = nil
	}
}

// end is the client's end of a connection.
type end struct {
	net.Conn
	l      *Line
	once   sync.Once
	closed chan struct{}
}

// thaw waits while the line is frozen.
func (e *end) thaw() {
	e.l.mu.Lock()
	frozen := e.l.frozen
	e.l.mu.Unlock()
	if frozen != nil {
		select {
		case <-frozen:
		case <-e.closed:
		}
	}
}

func (e *end) Write(p []byte) (int, error) {
	e.thaw()
	return e.Conn.Write(p)
}

func (e *end) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	e.thaw()
	if n > 0 && e.l.loses() {
		e.Conn.Close()
		return 0, errCut
	}
	return n, err
}

func (e *end) Close() error {
	e.once.Do(func() { close(e.closed) })
	e.l.mu.Lock()
	delete(e.l.all, e)
	e.l.mu.Unlock()
	return e.Conn.Close()
}

func (l *Line) loses() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.lose {
		return false
	}
	l.lose = false
	l.lost++
	return true
}
