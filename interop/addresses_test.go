package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// gate is a proxy that can be shut: then its connections are reset, and nobody listens at its address any more.
type gate struct {
	l     net.Listener
	to    string
	mu    sync.Mutex
	shut  bool
	conns map[net.Conn]bool
}

func openGate(t *testing.T, addr, to string) *gate {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{l: l, to: to, conns: map[net.Conn]bool{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { g.pass(in) })
		}
	})
	t.Cleanup(func() {
		g.Shut()
		wg.Wait()
	})
	return g
}

func (g *gate) port() int { return g.l.Addr().(*net.TCPAddr).Port }

// take gives false if the gate is shut.
func (g *gate) take(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		c.Close()
		return false
	}
	g.conns[c] = true
	return true
}

func (g *gate) pass(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", g.to)
	if err != nil {
		return
	}
	defer out.Close()
	if !g.take(in) || !g.take(out) {
		return
	}
	var wg sync.WaitGroup
	copy := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		_ = to.(*net.TCPConn).CloseWrite()
	}
	wg.Go(func() { copy(out, in) })
	copy(in, out)
	wg.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, in)
	delete(g.conns, out)
}

// Shut shuts the gate for good.
func (g *gate) Shut() {
	g.l.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	for c := range g.conns {
		c.Close()
	}
}

// Members of either make have two addresses each, find each other, and go on when the first of each is gone. Apache's server lines need the -D.
func TestSeveralAddresses(t *testing.T) {
	t.Parallel()
	for name, kinds := range map[string][]Kind{
		"Zooid leads":  {Apache, Apache, Zooid},
		"Apache leads": {Zooid, Zooid, Apache},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &Ensemble{conf: []string{"tickTime=500", "initLimit=8", "syncLimit=6", "4lw.commands.whitelist=*"},
				props: []string{"zookeeper.multiAddress.enabled=true"}}
			var gates []*gate
			var own, others []string // lines: of a server itself, and of it for the others, who have a gate before its first address
			for i := range kinds {
				quorum, election := freePort(t), freePort(t)
				first, second := fmt.Sprintf("127.0.1.%d", i+1), fmt.Sprintf("127.0.2.%d:%d:%d", i+1, quorum, election)
				q := openGate(t, first+":0", fmt.Sprintf("%s:%d", first, quorum))
				v := openGate(t, first+":0", fmt.Sprintf("%s:%d", first, election))
				gates = append(gates, q, v)
				own = append(own, fmt.Sprintf("server.%d=%s:%d:%d|%s", i+1, first, quorum, election, second))
				others = append(others, fmt.Sprintf("server.%d=%s:%d:%d|%s", i+1, first, q.port(), v.port(), second))
			}
			for i, k := range kinds {
				s := e.add(t, k)
				lines := slices.Clone(others)
				lines[i] = own[i]
				s.setup.Conf = append(slices.Clone(e.conf), lines...)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			for _, s := range e.Servers {
				s.Launch(t)
			}
			for _, s := range e.Servers {
				s.WaitServing(t)
			}
			c := join(t, ctx, e.Addrs()...)
			if _, _, err := c.Create(ctx, "/before", nil, zk.Persistent); err != nil {
				t.Fatal(err)
			}
			for _, g := range gates {
				g.Shut()
			}
			for i, s := range e.Servers {
				s.WaitServing(t)
				for { // it may have said so before it knew; and elections may follow until everybody has found a way
					err := over(ctx, s.Addr(), fmt.Sprintf("/after%d", i))
					if err == nil {
						break
					}
					if !errors.Is(err, zk.ConnectionLoss) && !errors.Is(err, zk.SessionExpired) {
						t.Fatalf("server %d: %v", i+1, err)
					}
				}
			}
		})
	}
}

// over writes a znode over one server, which may be there from the time before, and looks whether it has what was written before.
func over(ctx context.Context, addr, path string) error {
	c, err := client.Dial(ctx, []string{addr}, &client.Options{MaxBackoff: 200 * time.Millisecond})
	if err != nil {
		return err
	}
	defer c.Close()
	if _, _, err := c.Create(ctx, path, nil, zk.Persistent); err != nil && !errors.Is(err, zk.NodeExists) {
		return err
	}
	if err := c.Sync(ctx, "/"); err != nil {
		return err
	}
	switch found, _, err := c.Exists(ctx, "/before"); {
	case err != nil:
		return err
	case !found:
		return errors.New("/before is gone")
	}
	return nil
}
