package client_test

import (
	"net"
	"sync"
	"testing"
)

// proxy stands between a client and its server: it can hang up, refuse, or hold back every byte while sockets stay open.
type proxy struct {
	addr   string
	target string
	l      net.Listener
	pumps  sync.WaitGroup

	mu       sync.Mutex
	moved    *sync.Cond // frozen or closed changed
	conns    map[net.Conn]bool
	accepted int
	refusing bool
	frozen   bool
	closed   bool
}

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: l.Addr().String(), target: target, l: l, conns: map[net.Conn]bool{}}
	p.moved = sync.NewCond(&p.mu)
	p.pumps.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.set(func() { p.closed = true })
		p.drop()
		p.pumps.Wait()
	})
	return p
}

func (p *proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.moved.Broadcast()
}

// drop closes every connection; new ones are served.
func (p *proxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
	clear(p.conns)
}

// cut closes every connection and refuses new ones, until mend.
func (p *proxy) cut() {
	p.set(func() { p.refusing = true })
	p.drop()
}

func (p *proxy) mend() { p.set(func() { p.refusing = false }) }

// freeze holds back every byte in both directions, until thaw.
func (p *proxy) freeze() { p.set(func() { p.frozen = true }) }

func (p *proxy) thaw() { p.set(func() { p.frozen = false }) }

func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

func (p *proxy) accept() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		p.set(func() { p.accepted++ })
		p.pumps.Go(func() { p.serve(c) })
	}
}

func (p *proxy) serve(in net.Conn) {
	defer in.Close()
	if !p.keep(in) {
		return
	}
	out, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer out.Close()
	if !p.keep(out) {
		return
	}
	p.pumps.Go(func() {
		p.pump(out, in)
		in.Close()
		out.Close()
	})
	p.pump(in, out)
}

func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refusing || p.closed {
		return false
	}
	p.conns[c] = true
	return true
}

func (p *proxy) pump(from, to net.Conn) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		p.mu.Lock()
		for p.frozen && !p.closed {
			p.moved.Wait()
		}
		p.mu.Unlock()
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
