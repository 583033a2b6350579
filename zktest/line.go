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
	mu   sync.Mutex
	lose bool
	lost int
	down bool
	all  map[*end]bool
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
	e := &end{Conn: c, l: l}
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

// Mend undoes Cut, and a LoseReply that has not come about yet.
func (l *Line) Mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down, l.lose = false, false
}

// end is the client's end of a connection.
type end struct {
	net.Conn
	l *Line
}

func (e *end) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	if n > 0 && e.l.loses() {
		e.Conn.Close()
		return 0, errCut
	}
	return n, err
}

func (e *end) Close() error {
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
