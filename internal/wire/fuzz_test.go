package wire_test

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// recorded gives the payloads of one kind from the frames of a real server.
func recorded(f *testing.F, kind string) (payloads [][]byte) {
	b, err := os.ReadFile("testdata/apache-3.8.0.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		if part := strings.Split(line, " | "); part[1] == kind {
			payloads = append(payloads, unhex(f, part[2])[4:])
		}
	}
	return payloads
}

// bounded fails if make allocates out of proportion to the input: a length that lies must not cost memory.
func bounded(t *testing.T, input int, do func()) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	// The widest blow-up is a list of empty strings: 4 bytes on the wire, 16 in memory, at most doubled while it grows.
	if used, most := after.TotalAlloc-before.TotalAlloc, uint64(64*input+64<<10); used > most {
		t.Errorf("%d bytes allocated for %d bytes of input", used, input)
	}
}

// Whatever a client sends is read, or refused, without a panic; what was read can be written, and then reads as the same again.
func FuzzRequest(f *testing.F) {
	for _, p := range recorded(f, "request") {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		var d wire.Decoder
		h, body, err := d.Header(frame)
		if err != nil {
			if !errors.Is(err, wire.ErrHeader) || len(frame) >= 8 {
				t.Fatalf("%d bytes: %v", len(frame), err)
			}
			return
		}
		var op wire.Op
		bounded(t, len(frame), func() { op, err = d.Body(h.Type, body) })
		if err != nil {
			var be *wire.BodyError
			if op != nil || h.Type.FromClient() != errors.As(err, &be) {
				t.Fatalf("%s: %v with %v", h.Type, op, err)
			}
			return
		}
		if op.OpCode() != h.Type {
			t.Fatalf("%s was read as %s", h.Type, op.OpCode())
		}
		written := op.Append(nil)
		var d2 wire.Decoder
		again, err := d2.Body(h.Type, written)
		if err != nil {
			t.Fatalf("%+v is written as %x, which does not read: %v", op, written, err)
		}
		// A character above U+FFFF is written as two surrogates, as Java does, and neither we nor Java read those back.
		if bytes.IndexByte(written, 0xED) >= 0 {
			return
		}
		if second := again.Append(nil); !bytes.Equal(second, written) {
			t.Fatalf("%+v reads again as %+v", op, again)
		}
	})
}

func FuzzConnect(f *testing.F) {
	for _, p := range append(recorded(f, "connect"), recorded(f, "connected")...) {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		var req, req2 wire.ConnectRequest
		var resp, resp2 wire.ConnectResponse
		bounded(t, len(frame), func() {
			if req.Decode(frame) == nil {
				if err := req2.Decode(req.Append(nil)); err != nil || !reflect.DeepEqual(req, req2) {
					t.Fatalf("%+v reads again as %+v, %v", req, req2, err)
				}
			}
			if resp.Decode(frame) == nil {
				if err := resp2.Decode(resp.Append(nil)); err != nil || resp != resp2 {
					t.Fatalf("%+v reads again as %+v, %v", resp, resp2, err)
				}
			}
		})
	})
}

// What a server sends, as a client of ours would read it.
func FuzzReplies(f *testing.F) {
	for _, p := range append(recorded(f, "reply"), recorded(f, "notice")...) {
		for _, op := range []wire.OpCode{
			wire.OpCreate, wire.OpCreate2, wire.OpExists, wire.OpGetData, wire.OpGetACL, wire.OpGetChildren, wire.OpGetChildren2,
			wire.OpMulti, wire.OpSasl, wire.OpAddWatch, wire.OpWhoAmI,
		} {
			f.Add(int32(op), p)
		}
	}
	f.Fuzz(func(t *testing.T, op int32, frame []byte) {
		d := jute.NewDecoder(frame)
		var h wire.ReplyHeader
		h.Decode(d)
		if d.Err() != nil {
			return
		}
		start := d.Offset()
		if h.Xid == wire.XidNotice {
			e := wire.DecodeNotice(d, h.Zxid)
			if d.Err() == nil && e.State == zk.StateSyncConnected {
				b := wire.AppendNoticeFrame(nil, e.Zxid, e.Type, e.Path)
				d2 := jute.NewDecoder(b[20:])
				if e2 := wire.DecodeNotice(d2, e.Zxid); d2.Err() != nil || e2 != e && bytes.IndexByte(b, 0xED) < 0 {
					t.Fatalf("%+v reads again as %+v", e, e2)
				}
			}
			d.Reset(frame[start:])
		}
		r, r2 := newReply(wire.OpCode(op)), newReply(wire.OpCode(op))
		if r == nil {
			return
		}
		bounded(t, len(frame), func() { r.Decode(d) })
		if d.Err() != nil {
			return
		}
		written := r.Append(nil)
		d2 := jute.NewDecoder(written)
		r2.Decode(d2)
		if d2.Err() != nil || d2.Left() > 0 || !bytes.Equal(written, r2.Append(nil)) && bytes.IndexByte(written, 0xED) < 0 {
			t.Fatalf("%+v reads again as %+v, %v", r, r2, d2.Err())
		}
	})
}
