package interop

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A proxy stands between a client and its server and can take the connection away: by closing it, by closing it and refusing
// new ones, or by going silent while every socket stays open. The client keeps one address through all of that.
type proxy struct {
	Addr   string
	target string

	listener net.Listener
	pumps    sync.WaitGroup

	mu       sync.Mutex
	moved    *sync.Cond // frozen or closed changed
	conns    map[net.Conn]bool
	refusing bool
	frozen   bool
	closed   bool
}

// newProxy forwards a free loopback port to target until the test ends.
func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Addr: listener.Addr().String(), target: target, listener: listener, conns: map[net.Conn]bool{}}
	p.moved = sync.NewCond(&p.mu)
	p.pumps.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Drop closes every connection. New ones are served.
func (p *proxy) Drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hangUp()
}

// Cut closes every connection and every new one, until Mend.
func (p *proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = true
	p.hangUp()
}

// Mend ends a Cut.
func (p *proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = false
}

// Freeze holds back every byte in both directions, until Thaw. Sockets stay open and new ones are accepted.
func (p *proxy) Freeze() { p.setFrozen(true) }

// Thaw ends a Freeze; what was held back is delivered.
func (p *proxy) Thaw() { p.setFrozen(false) }

func (p *proxy) setFrozen(frozen bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = frozen
	p.moved.Broadcast()
}

func (p *proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	p.closed = true
	p.moved.Broadcast()
	p.hangUp()
	p.mu.Unlock()
	p.pumps.Wait()
}

// hangUp closes what is open now; the caller holds mu.
func (p *proxy) hangUp() {
	for conn := range p.conns {
		conn.Close()
	}
	clear(p.conns)
}

func (p *proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.pumps.Go(func() { p.serve(conn) })
	}
}

// serve forwards one connection until either end closes it.
func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	if !p.keep(client) {
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return // the server is down: for the client that is a connection closed at once
	}
	defer server.Close()
	if !p.keep(server) {
		return
	}
	p.pumps.Go(func() {
		p.pump(server, client)
		client.Close()
		server.Close()
	})
	p.pump(client, server)
}

// keep remembers conn for the next hang-up, or says that the proxy refuses it.
func (p *proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refusing || p.closed {
		return false
	}
	p.conns[conn] = true
	return true
}

func (p *proxy) pump(from, to net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		for p.frozen && !p.closed {
			p.moved.Wait()
		}
		p.mu.Unlock()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// TestProxy checks the faults themselves, or every scenario that passes with them would prove nothing.
func TestProxy(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			conn, err := echo.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(conn, conn)
				conn.Close()
			}()
		}
	}()
	p := newProxy(t, echo.Addr().String())
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", p.Addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	send := func(conn net.Conn, s string) {
		if _, err := conn.Write([]byte(s)); err != nil {
			t.Fatalf("write %q: %v", s, err)
		}
	}
	want := func(conn net.Conn, s string) {
		t.Helper()
		got := make([]byte, len(s))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != s {
			t.Fatalf("read %q, %v; want %q", got, err, s)
		}
	}
	gone := func(conn net.Conn) {
		t.Helper()
		if n, err := conn.Read(make([]byte, 1)); err == nil {
			t.Fatalf("read %d bytes, want a closed connection", n)
		}
	}

	a := dial()
	send(a, "one")
	want(a, "one")
	p.Drop()
	gone(a)

	b := dial()
	send(b, "two")
	want(b, "two")
	p.Cut()
	gone(b)
	gone(dial())
	p.Mend()

	c := dial()
	send(c, "three")
	want(c, "three")
	p.Freeze()
	send(c, "four")
	d := dial() // accepted all the same
	send(d, "five")
	p.Thaw()
	want(c, "four")
	want(d, "five")
}
