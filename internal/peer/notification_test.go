package peer

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/zab"
)

// unhex reads hex with spaces.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The configuration of the goldens.
const threeText = "server.1=127.0.0.1:22011:22021:participant\nserver.2=127.0.0.1:22012:22022:participant\n" +
	"server.3=127.0.0.1:22013:22023:participant\nversion=0"

func config(t testing.TB, text string) *ensemble.Config {
	t.Helper()
	c, err := ensemble.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Frames captured from Apache 3.8.0 (ensemble protocol, section 13).
func TestNotificationGoldens(t *testing.T) {
	text := hex.EncodeToString([]byte(threeText))
	for name, g := range map[string]struct {
		hex string
		n   zab.Notification
	}{
		"looking": {
			"000000b6 00000000 0000000000000002 0000000000000000 0000000000000001 0000000000000000 00000002 0000008a" + text,
			zab.Notification{State: zab.Looking, Vote: zab.Vote{Leader: 2, Round: 1}},
		},
		"following": {
			"000000b6 00000001 0000000000000002 0000000000000000 0000000000000001 0000000000000001 00000002 0000008a" + text,
			zab.Notification{State: zab.Following, Vote: zab.Vote{Leader: 2, Round: 1, Epoch: 1}},
		},
		"observer": {
			"000000b6 00000000 8000000000000000 8000000000000000 0000000000000001 8000000000000000 00000002 0000008a" + text,
			zab.Notification{State: zab.Looking, Vote: zab.Vote{Leader: ensemble.NoSID, Zxid: -1 << 63, Round: 1, Epoch: -1 << 63}},
		},
	} {
		g.n.Version, g.n.Config = 2, config(t, threeText)
		want := unhex(t, g.hex)
		if got := AppendNotification(nil, g.n); !bytes.Equal(got, want) {
			t.Errorf("%s is written as\n%x\nnot\n%x", name, got, want)
		}
		body, err := readFrame(bufio.NewReader(bytes.NewReader(want)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeNotification(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(g.n, got); d != "" {
			t.Errorf("%s reads as (-want +got)\n%s", name, d)
		}
	}
}

// Section 3.1: what the length of a body means.
func TestNotificationFormats(t *testing.T) {
	const fixed = "00000002 0000000000000002 0000000300000007 0000000000000005"
	vote := zab.Vote{Leader: 2, Zxid: 0x300000007, Round: 5, Epoch: 3}
	nine := vote
	nine.Epoch = 9
	for _, c := range []struct {
		name, hex string
		want      zab.Notification
		err       string // a part of it; empty is none
	}{
		{"27 bytes", fixed[:len(fixed)-2], zab.Notification{}, "too short"},
		{"28 bytes", fixed, zab.Notification{State: zab.Leading, Vote: vote}, ""},
		{"29 bytes", fixed + "00", zab.Notification{}, "ends inside"},
		{"36 bytes", fixed + "0000000000000009", zab.Notification{}, "ends inside"},
		{"40 bytes, 3.4.6", fixed + "0000000000000009 00000001", zab.Notification{State: zab.Leading, Vote: nine}, ""},
		{"40 bytes, version 2", fixed + "0000000000000009 00000002", zab.Notification{State: zab.Leading, Vote: nine}, ""},
		{"41 bytes, version 1", fixed + "0000000000000009 00000001 77", zab.Notification{State: zab.Leading, Vote: nine, Version: 1}, ""},
		{"no length", fixed + "0000000000000009 00000002 0000", zab.Notification{}, "ends inside"},
		{"a length beyond the body", fixed + "0000000000000009 00000002 00000003 3131", zab.Notification{}, "length 3"},
		{"a negative length", fixed + "0000000000000009 00000002 fffffffe 3131", zab.Notification{}, "length -2"},
		{"no text", fixed + "0000000000000009 00000002 00000000", zab.Notification{State: zab.Leading, Vote: nine, Version: 2}, ""},
		{"state 4", "00000004" + fixed[8:], zab.Notification{}, "state 4"},
		{"state -1", "ffffffff" + fixed[8:], zab.Notification{}, "state -1"},
	} {
		got, err := DecodeNotification(unhex(t, c.hex))
		switch {
		case c.err == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: error %v, not %q", c.name, err, c.err)
		case c.err == "":
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s (-want +got)\n%s", c.name, d)
			}
		}
	}
}

// A configuration that nobody understands does not make the vote worthless, as in Apache.
func TestNotificationWithABadConfig(t *testing.T) {
	b := AppendNotification(nil, zab.Notification{State: zab.Following, Vote: zab.Vote{Leader: 3, Round: 8}})
	b = append(jute.AppendInt(b[4:len(b)-4], 5), "x=y\nz"...)
	n, err := DecodeNotification(b)
	var ce *ConfigError
	if !errors.As(err, &ce) || n.Vote.Leader != 3 || n.Vote.Round != 8 || n.State != zab.Following || n.Config != nil {
		t.Errorf("%+v, %v", n, err)
	}
}

func TestFramesAreBounded(t *testing.T) {
	for hex, length := range map[string]int32{"00000000": 0, "ffffffff": -1, "00080001": 512<<10 + 1, "7fffffff": 1<<31 - 1} {
		var fe *FrameError
		if _, err := readFrame(bufio.NewReader(bytes.NewReader(unhex(t, hex)))); !errors.As(err, &fe) || fe.Length != length {
			t.Errorf("%s: %v", hex, err)
		}
	}
	long := append([]byte{0, 8, 0, 0}, make([]byte, 512<<10)...)
	if b, err := readFrame(bufio.NewReader(bytes.NewReader(long))); err != nil || len(b) != 512<<10 {
		t.Errorf("the longest frame: %d bytes, %v", len(b), err)
	}
	for cut, want := range map[int]error{0: io.EOF, 2: io.ErrUnexpectedEOF, 4: io.ErrUnexpectedEOF, 100000: io.ErrUnexpectedEOF} {
		if _, err := readFrame(bufio.NewReader(bytes.NewReader(long[:cut]))); err != want {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
}

// lines are lost where a text that came is not in the canonical form.
var lines = cmpopts.IgnoreFields(ensemble.Member{}, "Line")

func FuzzNotification(f *testing.F) {
	c := config(f, threeText)
	for _, n := range []zab.Notification{{Vote: zab.Vote{Leader: 2, Round: 1}, Config: c}, {State: zab.Observing}} {
		f.Add(AppendNotification(nil, n))
	}
	backwards := []byte("server.1=a:1:2\nversion=-1")
	f.Add(append(jute.AppendInt(nil, fixedNotification+4+int32(len(backwards))), jute.AppendBuffer(append(make([]byte, 40), 0, 0, 0, 2), backwards)...))
	f.Add(append([]byte{0, 0, 0, 28}, make([]byte, 28)...))
	f.Add(append([]byte{0, 0, 0, 40}, make([]byte, 40)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		body, err := readFrame(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			return
		}
		n, err := DecodeNotification(body)
		if err != nil {
			return
		}
		if n.Config != nil && n.Config.Version < 0 {
			return // written with sixteen digits, which Java refuses to read
		}
		again, err := DecodeNotification(AppendNotification(nil, n)[4:])
		if err != nil {
			t.Fatalf("written again it is not read: %v", err)
		}
		n.Version = 2
		if d := cmp.Diff(n, again, lines); d != "" {
			t.Errorf("written and read again (-want +got)\n%s", d)
		}
	})
}

func FuzzGreeting(f *testing.F) {
	f.Add(appendGreeting(nil, 2, "127.0.0.1:22022"))
	f.Add(appendGreeting(nil, 2, "[::1]:22022"))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 7})
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := readGreeting(bufio.NewReader(bytes.NewReader(b)))
		if err != nil || len(g.addrs) == 0 {
			return
		}
		again, err := readGreeting(bufio.NewReader(bytes.NewReader(appendGreeting(nil, g.sid, g.addrs[0]))))
		if err != nil {
			t.Fatalf("written again it is not read: %v", err)
		}
		if all, err := readGreeting(bufio.NewReader(bytes.NewReader(appendGreetingV2(nil, g.sid, g.addrs)))); err != nil || len(all.addrs) == 0 || len(all.addrs) > len(g.addrs) {
			t.Fatalf("%+v, written again in the second version: %+v, %v", g, all, err)
		}
		if again.sid != g.sid || len(again.addrs) != 1 || again.addrs[0] != g.addrs[0] {
			t.Errorf("%+v reads as %+v", g, again)
		}
	})
}

// Section 2.2.
func TestGreetings(t *testing.T) {
	golden := unhex(t, "ffffffffffff0000 0000000000000002 0000000f 3132372e302e302e313a3232303232")
	if got := appendGreeting(nil, 2, "127.0.0.1:22022"); !bytes.Equal(got, golden) {
		t.Errorf("written as %x", got)
	}
	two := func(text string) []byte {
		b := appendGreeting(nil, 5, text)
		b[7] = 1
		return b
	}
	golden2 := unhex(t, "ffffffffffff0001 0000000000000002 00000019 7a6b2d312e6578616d706c653a33383838 7c 5b3a3a315d3a37")
	long := strings.Repeat("a", 1100)
	for _, c := range []struct {
		addrs []string
		want  []byte
	}{
		{[]string{"zk-1.example:3888", "[::1]:7"}, golden2},
		{[]string{"0.0.0.0:1", "zk-1.example:3888", "[::]:1", "[::1]:7"}, golden2},
		{[]string{"b:2"}, two("b:2")},
		{[]string{"0.0.0.0:1", "[::]:2"}, two("0.0.0.0:1")},
		{[]string{long + ":1", "b" + long + ":2", "c:3"}, two(long + ":1|c:3")},
	} {
		sid := ensemble.SID(5)
		if &c.want[0] == &golden2[0] {
			sid = 2
		}
		if got := appendGreetingV2(nil, sid, c.addrs); !bytes.Equal(got, c.want) {
			t.Errorf("%q is written as %x", c.addrs, got)
		}
	}
	for _, c := range []struct {
		name string
		b    []byte
		want greeting
		err  string
	}{
		{"V1", golden, greeting{2, []string{"127.0.0.1:22022"}}, ""},
		{"a name", appendGreeting(nil, 0, "zk-1.example:3888"), greeting{0, []string{"zk-1.example:3888"}}, ""},
		{"IPv6", appendGreeting(nil, 2, "[fd00::1]:3888"), greeting{2, []string{"[fd00::1]:3888"}}, ""},
		{"IPv6 without brackets", appendGreeting(nil, 2, "fd00::1:3888"), greeting{}, "too many colons"},
		{"before 3.5", []byte{0, 0, 0, 0, 0, 0, 1, 2, 9}, greeting{sid: 0x102}, ""},
		{"V2", two("a:1|b:2"), greeting{5, []string{"a:1", "b:2"}}, ""},
		{"V2 of its own", golden2, greeting{2, []string{"zk-1.example:3888", "[::1]:7"}}, ""},
		{"V1 with two", appendGreeting(nil, 5, "a:1|b:2"), greeting{}, "too many colons"},
		{"wildcards", two("0.0.0.0:1|b:2|[::]:3"), greeting{5, []string{"b:2"}}, ""},
		{"nothing but wildcards", appendGreeting(nil, 5, "0.0.0.0:1"), greeting{sid: 5}, ""},
		{"another version", two("a:1")[1:], greeting{}, "version"},
		{"a negative id", appendGreeting(nil, -3, "a:1"), greeting{}, "server -3"},
		{"nobody's id", appendGreeting(nil, 1<<63-1, "a:1"), greeting{}, "server 9223372036854775807"},
		{"no text", appendGreeting(nil, 5, ""), greeting{}, "0 bytes"},
		{"too long", appendGreeting(nil, 5, strings.Repeat("a", 2047)+":1"), greeting{}, "2049 bytes"},
		{"no port", appendGreeting(nil, 5, "a"), greeting{}, "missing port"},
		{"no number", appendGreeting(nil, 5, "a:b"), greeting{}, "no address"},
		{"port 0", appendGreeting(nil, 5, "a:0"), greeting{}, "no address"},
		{"cut", golden[:30], greeting{}, "unexpected EOF"},
		{"empty", nil, greeting{}, "EOF"},
	} {
		got, err := readGreeting(bufio.NewReader(bytes.NewReader(c.b)))
		switch {
		case c.err == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: error %v, not %q", c.name, err, c.err)
		case c.err == "" && (got.sid != c.want.sid || cmp.Diff(got.addrs, c.want.addrs) != ""):
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
