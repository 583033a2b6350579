package server

import (
	"errors"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// What operators draw: bytes of replies and of notices, handshakes, connections that broke.
func TestConnectionsAreCounted(t *testing.T) {
	s := start(t, vfs.NewMem())
	counts := func(name string, want int64) {
		t.Helper()
		eventually(t, name, func() bool { return s.metric(name).Value == want })
	}
	c := connect(t, s, lasting)
	c.must(&wire.Create{Path: "/a", ACL: zk.WorldACL(zk.PermAll)})
	before := s.metric("response_bytes").Value
	var frames, notices int64
	for _, op := range []wire.Op{&wire.GetData{Path: "/a", Watch: true}, &wire.SetData{Path: "/a", Data: []byte("x"), Version: -1}, &wire.GetData{Path: "/none"}} {
		c.send(op)
		for range map[wire.OpCode]int{wire.OpSetData: 2, wire.OpGetData: 1}[op.OpCode()] {
			f, err := c.frame()
			if err != nil {
				t.Fatal(err)
			}
			if string(f[:4]) == "\xff\xff\xff\xff" {
				notices += int64(len(f))
			} else {
				frames += int64(len(f))
			}
		}
	}
	counts("response_bytes", before+frames)
	counts("watch_bytes", notices)
	counts("connection_request_count", 1)
	c.nc.Close()
	counts("connection_drop_count", 1)
	d, _ := c.resume(s)
	counts("connection_request_count", 2)
	counts("connection_revalidate_count", 1)
	d.must(&wire.CloseSession{})
	d.ended()
	d.nc.Close()
	eventually(t, "it is gone", func() bool { return s.conns.len() == 0 })
	counts("connection_drop_count", 1) // that was no accident
	if notices == 0 {
		t.Error("no notice came")
	}
}

func TestEndsAreCounted(t *testing.T) {
	s := start(t, vfs.NewMem(), func(o *Options) { o.HandshakeTimeout = 50 * time.Millisecond })
	dial(t, s).ended()
	if n := s.metric("sessionless_connections_expired").Value; n != 1 {
		t.Errorf("%d connections without a handshake", n)
	}
	s.fail(errors.New("of a test"))
	<-s.Fatal()
	if n := s.metric("unrecoverable_error_count").Value; n != 1 {
		t.Errorf("%d errors", n)
	}
}
