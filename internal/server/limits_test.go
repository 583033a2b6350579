package server

import (
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// One address may have so many connections, and all together so many; the next is closed at once. Whoever leaves makes room.
func TestConnectionLimits(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*Options)
		line string
	}{
		{"per address", func(o *Options) { o.MaxClientCnxns = 3 }, "Too many connections from /127.0.0.1 - max is 3"},
		{"in all", func(o *Options) { o.MaxCnxns = 3 }, "Too many connections max allowed is 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var j journal
			s := start(t, vfs.NewMem(), j.into, c.set)
			first := connect(t, s, lasting)
			connect(t, s, lasting)
			connect(t, s, lasting)
			for range 5 {
				nc, err := net.DialTimeout("tcp", s.Addr().String(), patience)
				if err != nil {
					continue // it was reset already
				}
				nc.SetReadDeadline(time.Now().Add(patience))
				if _, err := nc.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("a connection that was one too many: %v", err)
				}
				nc.Close()
			}
			j.wait(t, "WARN", c.line)
			first.nc.Close()
			eventually(t, "room for one", func() bool { return s.conns.len() == 2 })
			connect(t, s, lasting).must(create("/in", ""))
		})
	}
}

// While more requests are in flight than globalOutstandingLimit, a connection with one of them is not read from; nothing is
// lost or reordered, and everything goes on.
func TestOutstandingLimit(t *testing.T) {
	disk := newDam(vfs.NewMem())
	s := start(t, disk, func(o *Options) { o.GlobalOutstandingLimit = 10 })
	idle := connect(t, s, lasting)
	var wg sync.WaitGroup
	var clients []*client
	for range 4 {
		clients = append(clients, connect(t, s, lasting))
	}
	disk.shut()
	defer disk.open()
	const n = 3000
	for i, c := range clients {
		wg.Go(func() {
			for k := range n { // one segment each, so that the server may stop between any two
				c.write(c.request(create(name("/o%d-%d", i, k), strings.Repeat("x", 500))))
			}
		})
	}
	inFlight := func() int {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.rep.InFlight()
	}
	eventually(t, "the limit is met", func() bool { return inFlight() > 10 })
	for range 100 {
		if idle.must(&wire.Exists{Path: "/"}); inFlight() >= n {
			t.Fatalf("%d requests were taken while nothing is answered", inFlight())
		}
	}
	disk.open()
	for _, c := range clients {
		for xid := range int32(n) {
			if r := c.recv(xid + 1); r.Err != zk.OK {
				t.Fatal(r.Err)
			}
		}
	}
	wg.Wait()
}

// The four-letter words answer beside a load, each with something and an end.
func TestWordsUnderLoad(t *testing.T) {
	s := start(t, vfs.NewMem())
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 3 {
		c := connect(t, s, lasting)
		c.must(create(name("/w%d", i), ""))
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				last := c.send(set(name("/w%d", i), "x"), ephemeral(name("/w%d/e", i)), &wire.Exists{Path: "/", Watch: true},
					&wire.Delete{Path: name("/w%d/e", i), Version: -1}, &wire.Ping{})
				for {
					r, err := c.next()
					if err != nil {
						t.Error(err)
						return
					}
					if r.Xid == last-1 {
						break
					}
				}
				if r, err := c.next(); err != nil || r.Xid != wire.XidPing {
					t.Errorf("%+v, %v", r, err)
					return
				}
			}
		})
	}
	for range 10 {
		for _, word := range strings.Fields("conf cons dirs dump envi gtmk mntr ruok srvr stat wchc wchp wchs isro hash crst srst") {
			w := dial(t, s)
			w.write([]byte(word))
			w.nc.SetReadDeadline(time.Now().Add(patience))
			var b strings.Builder
			if _, err := w.r.WriteTo(&b); err != nil || b.Len() == 0 && word != "hash" {
				t.Errorf("%s: %q, %v", word, b.String(), err)
			}
			w.nc.Close()
		}
	}
	close(stop)
	wg.Wait()
}
