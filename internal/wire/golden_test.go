package wire_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var anyone = zk.WorldACL(zk.PermAll)

// Appendix B of the client protocol: frames as they went over a socket, and what they mean. Each is read, and written.
func TestAppendixB(t *testing.T) {
	frame := func(append func([]byte) []byte) []byte {
		b, mark := wire.BeginFrame(nil)
		return wire.EndFrame(append(b), mark)
	}

	t.Run("ConnectRequest", func(t *testing.T) {
		golden := unhex(t, `0000002d 00000000 00000000 00000000 00002710 00000000 00000000 00000010
			00000000 00000000 00000000 00000000 00`)
		want := wire.ConnectRequest{TimeOut: 10000, Password: make([]byte, 16), HasReadOnly: true}
		var got wire.ConnectRequest
		if err := got.Decode(golden[4:]); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("read as %+v, %v", got, err)
		}
		if b := frame(want.Append); !bytes.Equal(b, golden) {
			t.Errorf("written as %x", b)
		}
	})

	t.Run("ConnectResponse", func(t *testing.T) {
		golden := unhex(t, `00000025 00000000 00001388 0100001e 888a0001 00000010 f7c62774 41f71e32 57c822e2 26a8bc9c 01`)
		want := wire.ConnectResponse{TimeOut: 5000, SessionID: 0x0100001e888a0001, ReadOnly: true, HasReadOnly: true}
		copy(want.Password[:], unhex(t, "f7c6277441f71e3257c822e226a8bc9c"))
		var got wire.ConnectResponse
		if err := got.Decode(golden[4:]); err != nil || got != want {
			t.Errorf("read as %+v, %v", got, err)
		}
		if b := frame(want.Append); !bytes.Equal(b, golden) {
			t.Errorf("written as %x", b)
		}
	})

	requests := []struct {
		name, golden string
		xid          int32
		op           wire.Op
	}{
		{"create", `00000032 00000001 00000001 00000002 2f610000 00017800 00000100 00001f00
			00000577 6f726c64 00000006 616e796f 6e650000 0000`,
			1, &wire.Create{Type: wire.OpCreate, Path: "/a", Data: []byte("x"), ACL: anyone, TTL: -1}},
		{"ping", `00000008 fffffffe 0000000b`, wire.XidPing, &wire.Ping{}},
		{"multi", `00000059 0000000c 0000000e 00000001 00ffffff ff000000 022f6600 00000000
			00000100 00001f00 00000577 6f726c64 00000006 616e796f 6e650000 00000000
			000d00ff ffffff00 0000052f 6e6f7065 00000001 ffffffff 01ffffff ff`,
			12, &wire.Multi{Type: wire.OpMulti, Ops: []wire.Op{
				&wire.Create{Type: wire.OpCreate, Path: "/f", Data: []byte{}, ACL: anyone, TTL: -1},
				&wire.Check{Path: "/nope", Version: 1},
			}}},
	}
	for _, c := range requests {
		t.Run(c.name, func(t *testing.T) {
			golden := unhex(t, c.golden)
			var d wire.Decoder
			h, body, err := d.Header(golden[4:])
			if err != nil || h.Xid != c.xid || h.Type != c.op.OpCode() {
				t.Fatalf("header reads as %+v, %v", h, err)
			}
			if got, err := d.Body(h.Type, body); err != nil || !reflect.DeepEqual(got, c.op) {
				t.Errorf("read as %+v, %v", got, err)
			}
			if b := wire.AppendRequestFrame(nil, c.xid, c.op); !bytes.Equal(b, golden) {
				t.Errorf("written as %x", b)
			}
		})
	}

	replies := []struct {
		name, golden string
		head         wire.ReplyHeader
		body         wire.Reply // nil where the header is all
	}{
		{"create", `00000016 00000001 00000000 00000003 00000000 00000002 2f61`,
			wire.ReplyHeader{Xid: 1, Zxid: 3}, &wire.PathReply{Path: "/a"}},
		{"error", `00000010 00000013 00000000 00000005 fffffff8`, wire.ReplyHeader{Xid: 19, Zxid: 5, Err: zk.BadArguments}, nil},
		{"ping", `00000010 fffffffe 00000000 00000044 00000000`, wire.ReplyHeader{Xid: wire.XidPing, Zxid: 68}, nil},
		{"failed multi", `00000033 0000000c 00000000 00000053 00000000 ffffffff 00000000 00000000
			00ffffff ff00ffff ff9bffff ff9bffff ffff01ff ffffff`,
			wire.ReplyHeader{Xid: 12, Zxid: 83}, &wire.MultiReply{Results: []wire.MultiResult{
				{Type: wire.OpError}, {Type: wire.OpError, Err: zk.NoNode},
			}}},
	}
	for _, c := range replies {
		t.Run(c.name+" reply", func(t *testing.T) {
			golden := unhex(t, c.golden)
			d := jute.NewDecoder(golden[4:])
			var h wire.ReplyHeader
			if h.Decode(d); h != c.head {
				t.Errorf("header reads as %+v", h)
			}
			var b []byte
			if c.head.Err != zk.OK {
				b = wire.AppendErrorFrame(nil, h.Xid, h.Zxid, h.Err)
			} else {
				b = wire.AppendReplyFrame(nil, c.head.Xid, c.head.Zxid, c.body)
			}
			if !bytes.Equal(b, golden) {
				t.Errorf("written as %x", b)
			}
			if c.body != nil {
				got := reflect.New(reflect.TypeOf(c.body).Elem()).Interface().(wire.Reply)
				if got.Decode(d); !reflect.DeepEqual(got, c.body) {
					t.Errorf("body reads as %+v", got)
				}
			}
			if d.Err() != nil || d.Left() != 0 {
				t.Errorf("%v, %d bytes left", d.Err(), d.Left())
			}
		})
	}

	t.Run("notice", func(t *testing.T) {
		golden := unhex(t, `00000021 ffffffff 00000000 00000094 00000000 00000001 00000003 00000005 2f74342f 6e`)
		if b := wire.AppendNoticeFrame(nil, 148, zk.EventNodeCreated, "/t4/n"); !bytes.Equal(b, golden) {
			t.Errorf("written as %x", b)
		}
		d := jute.NewDecoder(golden[4:])
		var h wire.ReplyHeader
		h.Decode(d)
		want := zk.Event{Type: zk.EventNodeCreated, State: zk.StateSyncConnected, Path: "/t4/n", Zxid: 148}
		if got := wire.DecodeNotice(d, h.Zxid); got != want || h.Xid != wire.XidNotice || d.Err() != nil {
			t.Errorf("read as %+v below %+v", got, h)
		}
	})
}

// newReply is an empty record of the kind that answers op, or nil where a successful header is all.
func newReply(op wire.OpCode) wire.Reply {
	switch op {
	case wire.OpCreate, wire.OpSync:
		return &wire.PathReply{}
	case wire.OpCreate2, wire.OpCreateContainer, wire.OpCreateTTL:
		return &wire.Create2Reply{}
	case wire.OpExists, wire.OpSetData, wire.OpSetACL:
		return &wire.StatReply{}
	case wire.OpGetData, wire.OpReconfig:
		return &wire.DataReply{}
	case wire.OpGetACL:
		return &wire.ACLReply{}
	case wire.OpGetChildren, wire.OpGetEphemerals:
		return &wire.ChildrenReply{}
	case wire.OpGetChildren2:
		return &wire.Children2Reply{}
	case wire.OpMulti, wire.OpMultiRead:
		return &wire.MultiReply{}
	case wire.OpSasl:
		return &wire.SaslReply{}
	case wire.OpGetAllChildrenNumber, wire.OpAddWatch:
		return &wire.NumberReply{}
	case wire.OpWhoAmI:
		return &wire.WhoAmIReply{}
	}
	return nil
}

// What a real Apache 3.8.0 took and sent, recorded by the interop tests: all of it is read, and what was read is written
// as the same bytes.
func TestApacheFrames(t *testing.T) {
	recorded, err := os.ReadFile("testdata/apache-3.8.0.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[wire.OpCode]bool{}
	var op wire.OpCode // of the request that is being answered
	for _, line := range strings.Split(strings.TrimSpace(string(recorded)), "\n") {
		part := strings.Split(line, " | ")
		name, kind, golden := part[0], part[1], unhex(t, part[2])
		var again []byte
		switch kind {
		case "connect":
			var r wire.ConnectRequest
			if err := r.Decode(golden[4:]); err != nil {
				t.Fatal(err)
			}
			b, mark := wire.BeginFrame(nil)
			again = wire.EndFrame(r.Append(b), mark)
		case "connected":
			var r wire.ConnectResponse
			if err := r.Decode(golden[4:]); err != nil {
				t.Fatal(err)
			}
			b, mark := wire.BeginFrame(nil)
			again = wire.EndFrame(r.Append(b), mark)
		case "request":
			var d wire.Decoder
			h, body, err := d.Header(golden[4:])
			if err != nil {
				t.Fatal(err)
			}
			v, err := d.Body(h.Type, body)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			op = h.Type
			seen[op] = true
			again = wire.AppendRequestFrame(nil, h.Xid, v)
		case "notice":
			d := jute.NewDecoder(golden[4:])
			var h wire.ReplyHeader
			h.Decode(d)
			e := wire.DecodeNotice(d, h.Zxid)
			if d.Err() != nil || e.State != zk.StateSyncConnected {
				t.Errorf("%s: %+v, %v", name, e, d.Err())
			}
			again = wire.AppendNoticeFrame(nil, e.Zxid, e.Type, e.Path)
		case "reply":
			d := jute.NewDecoder(golden[4:])
			var h wire.ReplyHeader
			h.Decode(d)
			if h.Err != zk.OK {
				again = wire.AppendErrorFrame(nil, h.Xid, h.Zxid, h.Err)
				break
			}
			r := newReply(op)
			if r != nil {
				r.Decode(d)
			}
			if d.Err() != nil || d.Left() > 0 {
				t.Errorf("%s: %v, %d bytes left", name, d.Err(), d.Left())
			}
			again = wire.AppendReplyFrame(nil, h.Xid, h.Zxid, r)
		default:
			t.Fatalf("unknown kind %q", kind)
		}
		if !bytes.Equal(again, golden) {
			t.Errorf("%s: %s\n     came as %x\n  written as %x", name, kind, golden, again)
		}
	}
	for op := range wire.OpWhoAmI + 1 {
		if op.FromClient() && !seen[op] {
			t.Errorf("no recording of %s", op)
		}
	}
	if !seen[wire.OpCloseSession] {
		t.Error("no recording of closeSession")
	}
}
