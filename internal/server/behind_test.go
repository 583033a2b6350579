package server

import (
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Two hundred reads of most of a megabyte, all behind one write, come to a client that takes its time. What is not read yet waits
// as requests of 40 bytes, not as answers: an outbox with that much in it would be given up.
func TestManyLargeReadsBehindWrite(t *testing.T) {
	s := start(t, vfs.NewMem())
	c, other := connect(t, s, lasting), connect(t, s, lasting)
	c.must(create("/big", strings.Repeat("x", 900_000)))
	ops := []wire.Op{create("/w", "")}
	for range 200 {
		ops = append(ops, &wire.GetData{Path: "/big"})
	}
	first := c.xid + 1
	c.send(ops...)
	eventually(t, "the write is done", func() bool { return other.exists("/w") })
	eventually(t, "its outbox is full", func() bool {
		s.mu.RLock()
		defer s.mu.RUnlock()
		full := false
		for _, x := range s.conns.list() {
			full = full || x.out.high()
		}
		return full
	})
	other.must(create("/meanwhile", ""))
	for i := range ops {
		if r := c.recv(first + int32(i)); r.Err != zk.OK {
			t.Fatal(r.Err)
		}
	}
}
