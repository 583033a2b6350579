package server

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Many frames in one segment are answered in their order.
func TestManyFrames(t *testing.T) {
	s := start(t, vfs.NewMem())
	c := connect(t, s, lasting)
	const n = 5000
	var ops []wire.Op
	for i := range n {
		switch i % 3 {
		case 0:
			ops = append(ops, create(name("/n%d", i), ""))
		case 1:
			ops = append(ops, &wire.GetData{Path: name("/n%d", i-1)})
		case 2:
			ops = append(ops, &wire.Sync{Path: "/"})
		}
	}
	go c.send(ops...) // more than the sockets hold, so beside the reading
	var last zk.Zxid
	for i := range n {
		r := c.recv(int32(i + 1))
		if r.Err != zk.OK || r.Zxid < last {
			t.Fatalf("reply %d: %v, zxid %v after %v", r.Xid, r.Err, r.Zxid, last)
		}
		last = r.Zxid
	}
}

// Frames may be cut anywhere.
func TestSplitFrames(t *testing.T) {
	t.Parallel()
	s := start(t, vfs.NewMem())
	base := connect(t, s, lasting)
	base.must(create("/s", "data"))
	whole := hello(&wire.ConnectRequest{TimeOut: lastingMs})
	probe := &client{}
	for _, op := range []wire.Op{&wire.GetData{Path: "/s"}, set("/s", "data"), &wire.Exists{Path: "/s"}} {
		whole = append(whole, probe.request(op)...)
	}
	for cut := 1; cut < len(whole); cut++ {
		c := dial(t, s)
		c.write(whole[:cut])
		c.write(whole[cut:])
		c.welcomed()
		for xid := int32(1); xid <= 3; xid++ {
			if r := c.recv(xid); r.Err != zk.OK {
				t.Fatalf("cut at %d: reply %d: %v", cut, xid, r.Err)
			}
		}
		c.must(&wire.CloseSession{})
		c.nc.Close()
	}
	c := dial(t, s)
	for i := range whole { // and everywhere
		c.write(whole[i : i+1])
	}
	c.welcomed()
	for xid := int32(1); xid <= 3; xid++ {
		if r := c.recv(xid); r.Err != zk.OK {
			t.Fatalf("reply %d: %v", xid, r.Err)
		}
	}
}

// A frame of exactly jute.maxbuffer is taken, one byte more closes the connection, before and after the handshake.
func TestLongestFrame(t *testing.T) {
	const most = 300_000 // longer than any buffer
	s := start(t, vfs.NewMem(), func(o *Options) { o.MaxFrame, o.MaxExtra = most, most })
	c := connect(t, s, lasting)
	c.must(create("/l", ""))
	frame := c.request(set("/l", ""))
	frame = c.request(set("/l", strings.Repeat("x", most-(len(frame)-4))))
	if len(frame)-4 != most {
		t.Fatalf("the frame has %d bytes", len(frame)-4)
	}
	for b := range slices.Chunk(frame, 7000) {
		c.write(b)
	}
	if r := c.recv(c.xid); r.Err != zk.OK {
		t.Fatal(r.Err)
	}
	if data, stat := c.data("/l"); len(data) != int(stat.DataLength) || strings.Trim(data, "x") != "" {
		t.Errorf("%d bytes came back", len(data))
	}
	// What is in front of the bad length is answered; the connection then closes without a reply.
	c.write(append(c.request(&wire.Exists{Path: "/l"}), binary.BigEndian.AppendUint32(nil, most+1)...))
	if r, err := c.next(); err == nil && r.Xid != c.xid {
		t.Errorf("reply to %d", r.Xid)
	}
	c.ended()

	early := dial(t, s)
	early.write(binary.BigEndian.AppendUint32(nil, most+1))
	early.ended()
}

// A long frame that comes in small pieces is not copied for each of them: its buffer doubles, up to its length.
func TestLongFrameBuffer(t *testing.T) {
	const least = 10 << 20
	var carry []byte
	buffers := 0
	for len(carry) < least {
		b := bufferFor(carry, least)
		if len(b) != len(carry) || cap(b) == len(b) || cap(b) > least+bufferSize {
			t.Fatalf("%d bytes in a buffer of %d, with %d to keep", len(b), cap(b), len(carry))
		}
		if len(carry) == 0 || &b[:1][0] != &carry[:1][0] {
			buffers++
		}
		carry = append(b, make([]byte, min(1000, cap(b)-len(b)))...)
	}
	if buffers > 12 {
		t.Errorf("%d buffers for one frame", buffers)
	}
}

// Bytes that are no request end the connection without a word, and nothing else: client protocol, section 1.5.
func TestGarbage(t *testing.T) {
	s := start(t, vfs.NewMem())
	other := connect(t, s, lasting)
	for _, c := range []struct {
		name  string
		bytes string
		early bool // instead of the handshake too
	}{
		{"empty frame", "\x00\x00\x00\x00", true},
		{"negative length", "\xff\xff\xff\xff", true},
		{"http", "GET / HTTP/1.1\r\n\r\n", true},
		{"short header", "\x00\x00\x00\x07\x00\x00\x00\x01\x00\x00\x00", false},
		{"short handshake", "\x00\x00\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00", true},
		{"four-letter word after the handshake", "ruok", false},
		{"auth without a body", "\x00\x00\x00\x08\xff\xff\xff\xfc\x00\x00\x00\x64", false},
		{"telnet closes", "\xff\xf4\xff\xfd", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.early {
				d := dial(t, s)
				d.write([]byte(c.bytes))
				d.ended()
			}
			if c.name == "short handshake" {
				return // a request like another
			}
			d := connect(t, s, lasting)
			d.write([]byte(c.bytes))
			d.ended()
			if _, refused := d.resume(s); refused {
				t.Error("the session ended with the connection")
			}
		})
	}
	other.must(create("/alive", ""))
}

// An unknown operation is answered with Unimplemented and zxid -1, then the connection closes; a body that cannot be read is
// answered, and the connection goes on.
func TestBadRequests(t *testing.T) {
	s := start(t, vfs.NewMem())
	c := connect(t, s, lasting)
	raw := func(xid int32, op int32, body string) []byte {
		b, mark := wire.BeginFrame(nil)
		b = wire.Header{Xid: xid, Type: wire.OpCode(op)}.Append(b)
		return wire.EndFrame(append(b, body...), mark)
	}
	c.write(append(raw(1, int32(wire.OpGetData), "\x00\x00\x00\x50/"), raw(2, int32(wire.OpCreate), "??")...))
	for xid := int32(1); xid <= 2; xid++ {
		if r := c.recv(xid); r.Err != zk.MarshallingError || len(r.body) > 0 {
			t.Errorf("reply %d: %v, %d bytes", xid, r.Err, len(r.body))
		}
	}
	c.write(append(raw(3, 13, ""), raw(4, int32(wire.OpExists), "\x00\x00\x00\x01/\x00")...))
	if r := c.recv(3); r.Err != zk.Unimplemented || r.Zxid != -1 {
		t.Errorf("%+v", r)
	}
	c.ended()
}

// The reply that says why reaches the client, however much input stands behind it: a reset would destroy it.
func TestReplyThenClose(t *testing.T) {
	t.Parallel()
	s := start(t, vfs.NewMem())
	for range 20 {
		c := connect(t, s, lasting)
		b := c.request(create("/r", ""))
		b = append(b, wire.AppendRequestFrame(nil, wire.XidAuth, &wire.Auth{Scheme: "nobody"})...)
		for range 4000 {
			b = append(b, c.request(set("/r", "behind"))...)
		}
		c.nc.SetWriteDeadline(time.Now().Add(patience))
		c.nc.Write(b) // may fail at its end: nobody reads that far
		c.recv(1)
		if r, err := c.next(); err != nil || r.Xid != wire.XidAuth || r.Err != zk.AuthFailed {
			t.Fatalf("%+v, %v", r, err)
		}
		c.nc.SetReadDeadline(time.Now().Add(patience))
		if _, err := c.r.ReadByte(); err == nil {
			t.Fatal("more came")
		}
		c.nc.Close()
	}
	c := connect(t, s, lasting)
	if data, _ := c.data("/r"); data != "" {
		t.Error("a request behind the end was carried out")
	}
}
