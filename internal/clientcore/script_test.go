package clientcore

import (
	"encoding/hex"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/script"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

var update = flag.Bool("update", false, "rewrite the results in testdata with what is seen")

// Each file of testdata is a list of cases; a case is a conversation with a session. What the words mean is in stage.do.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := script.Parse(string(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, c := range f.Cases {
			t.Run(strings.TrimSuffix(filepath.Base(name), ".txt")+"/"+c.Name, func(t *testing.T) {
				s := newStage(c.Settings)
				for _, step := range c.Steps {
					got := s.do(t, step.Text)
					if *update {
						step.Want = got
					} else if !slices.Equal(got, step.Want) {
						t.Errorf("%s:%d: %s\n got  %s\n want %s", name, step.Line, step.Text, strings.Join(got, "\n      "), strings.Join(step.Want, "\n      "))
					}
				}
			})
		}
		if *update {
			if err := os.WriteFile(name, []byte(f.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// stage is a session and what the script calls its calls and watches.
type stage struct {
	c       *Core
	now     int64
	calls   map[string]*Call
	watches map[string]*Watch
	state   State
}

func newStage(set map[string]string) *stage {
	num := func(name string, otherwise int64) int64 {
		if v, ok := set[name]; ok {
			n, err := strconv.ParseInt(v, 0, 64)
			if err != nil {
				panic(err)
			}
			return n
		}
		return otherwise
	}
	cfg := Config{Timeout: int32(num("timeout", 9000)), Handshake: num("handshake", 4000), MaxRequest: int(num("max", 0xfffff)),
		ReadOnly: set["readonly"] != "", Login: set["login"] != "", SessionID: zk.SessionID(num("session", 0))}
	if cfg.SessionID != 0 {
		cfg.Password = make([]byte, wire.PasswordSize)
	}
	if a, ok := set["auth"]; ok {
		cfg.Auth = []Credential{{"digest", []byte(a)}}
	}
	return &stage{c: New(cfg), calls: map[string]*Call{}, watches: map[string]*Watch{}}
}

// do takes one step and shows what came of it: bytes to send (>), watches (*), calls (=), state, and what else is wanted. The time
// stands first, in ms, where it moves on.
func (s *stage) do(t *testing.T, text string) []string {
	words, _, err := script.Words(text)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := strconv.ParseInt(words[0], 10, 64); err == nil {
		s.now, words = n, words[1:]
	}
	arg := map[string]string{}
	var plain []string
	for _, w := range words[1:] {
		if k, v, ok := strings.Cut(w, "="); ok && !strings.HasPrefix(w, "/") {
			arg[k] = v
		} else {
			plain = append(plain, w)
		}
	}
	num := func(name string, otherwise int64) int64 {
		v, ok := arg[name]
		if !ok {
			return otherwise
		}
		n, err := strconv.ParseInt(v, 0, 64)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return n
	}
	var broken error
	switch words[0] {
	case "connected":
		s.c.Connected(s.now)
	case "disconnected":
		s.c.Disconnected()
	case "tick":
		s.c.Tick(s.now)
	case "welcome": // the server takes the handshake
		r := wire.ConnectResponse{TimeOut: int32(num("timeout", 9000)), SessionID: zk.SessionID(num("session", 0x77)), HasReadOnly: true, ReadOnly: arg["readonly"] != ""}
		broken = s.c.Received(s.now, r.Append(nil))
	case "refuse":
		r := wire.ConnectResponse{HasReadOnly: true}
		broken = s.c.Received(s.now, r.Append(nil))
	case "call": // call name op /path [watch=name]
		s.call(t, plain, arg)
	case "cancel":
		s.show(t, nil) // nothing may be left over
		if !s.c.Cancel(s.calls[plain[0]]) {
			return []string{"done already"}
		}
	case "forget":
		if s.c.Forget(s.watches[plain[0]]) {
			return []string{"last"}
		}
	case "unwatch": // unwatch /path type=n
		if !s.c.Unwatch(plain[0], zk.WatcherType(num("type", 3))) {
			return []string{"none"}
		}
	case "reply": // reply xid [zxid=] [err=] [body=hex]
		xid, err := strconv.Atoi(plain[0])
		if err != nil {
			t.Fatal(err)
		}
		b := wire.ReplyHeader{Xid: int32(xid), Zxid: zk.Zxid(num("zxid", 0)), Err: zk.Code(num("err", 0))}.Append(nil)
		switch body := arg["body"]; body {
		case "":
		case "stat":
			b = jute.AppendStat(b, &zk.Stat{Version: 3})
		case "data":
			b = (&wire.DataReply{Data: []byte("x")}).Append(b)
		case "children":
			b = (&wire.Children2Reply{Children: []string{"c"}}).Append(b)
		case "null":
			b = jute.AppendInt(b, -1)
		case "zero":
			b = jute.AppendInt(b, 0)
		default:
			b = jute.AppendBuffer(b, []byte(body))
		}
		broken = s.c.Received(s.now, b)
	case "notice": // notice type /path
		types := map[string]zk.EventType{"created": 1, "deleted": 2, "changed": 3, "children": 4}
		b := wire.AppendNoticeFrame(nil, zk.Zxid(num("zxid", 9)), types[plain[0]], plain[1])
		broken = s.c.Received(s.now, b[4:])
	case "bytes":
		b, err := hex.DecodeString(strings.Join(plain, ""))
		if err != nil {
			t.Fatal(err)
		}
		broken = s.c.Received(s.now, b)
	case "token":
		var token []byte
		if len(plain) > 0 {
			token = []byte(plain[0])
		}
		s.c.LoginToken(s.now, token, arg["last"] != "", nil)
	case "give-up":
		s.c.LoginToken(s.now, nil, false, fmt.Errorf("no"))
	case "close":
		s.c.Close(s.now)
	case "detach":
		s.c.Detach()
	case "deadline":
		if d := s.c.Deadline(); d != math.MaxInt64 {
			return []string{strconv.FormatInt(d, 10)}
		}
		return []string{"never"}
	default:
		t.Fatalf("what is %s?", words[0])
	}
	return s.show(t, broken)
}

func (s *stage) call(t *testing.T, plain []string, arg map[string]string) {
	k := &Call{Owner: plain[0]}
	path := ""
	if len(plain) > 2 {
		path = plain[2]
	}
	w, watched := arg["watch"]
	kind := Data
	switch plain[1] {
	case "get":
		k.Op, k.Reply = &wire.GetData{Path: path, Watch: watched}, &wire.DataReply{}
	case "exists":
		k.Op, k.Reply, kind = &wire.Exists{Path: path, Watch: watched}, &wire.StatReply{}, Exist
	case "children":
		k.Op, k.Reply, kind = &wire.GetChildren{Path: path, Watch: watched, WithStat: true}, &wire.Children2Reply{}, Child
	case "set":
		k.Op, k.Reply = &wire.SetData{Path: path, Data: []byte(arg["data"]), Version: -1}, &wire.StatReply{}
	case "delete":
		k.Op = &wire.Delete{Path: path, Version: -1}
	case "persistent":
		k.Op, k.Reply, kind = &wire.AddWatch{Path: path}, &wire.NumberReply{}, Persistent
	case "recursive":
		k.Op, k.Reply, kind = &wire.AddWatch{Path: path, Mode: zk.WatchPersistentRecursive}, &wire.NumberReply{}, Recursive
	case "remove":
		n, err := strconv.Atoi(arg["type"])
		if err != nil {
			t.Fatal(err)
		}
		k.Op = &wire.WatchQuery{Remove: true, Path: path, Type: zk.WatcherType(n)}
	case "auth":
		k.Op = &wire.Auth{Scheme: "digest", Auth: []byte(arg["user"])}
	default:
		t.Fatalf("what is %s?", plain[1])
	}
	if watched {
		k.Watch = &Watch{Kind: kind, Owner: w}
		s.watches[w] = k.Watch
	}
	s.calls[plain[0]] = k
	s.c.Submit(s.now, k)
}

func (s *stage) show(t *testing.T, broken error) (lines []string) {
	e := s.c.Effects()
	for b := s.c.Bytes(nil); len(b) > 0; {
		n := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		lines = append(lines, "> "+showRequest(t, b[4:4+n], s.c.Phase() == Greeting))
		b = b[4+n:]
	}
	types := map[zk.EventType]string{-1: "none", 1: "created", 2: "deleted", 3: "changed", 4: "children", 5: "data-removed", 6: "child-removed", 7: "persistent-removed"}
	for _, f := range e.Fired {
		line := fmt.Sprintf("* %s %s %s", f.Watch.Owner, types[f.Event.Type], f.Event.Path)
		if f.Event.State != zk.StateSyncConnected {
			line += fmt.Sprintf(" state=%d", f.Event.State)
		}
		if f.Gap {
			line += " gap"
		}
		if f.Last {
			line += " last"
		}
		lines = append(lines, line)
	}
	for _, k := range e.Done {
		line := fmt.Sprintf("= %s %s", k.Owner, k.Code)
		if !k.Sent {
			line += " unsent"
		}
		lines = append(lines, line)
	}
	if now := s.c.State(); now != s.state {
		s.state = now
		names := []string{"Connecting", "Connected", "ConnectedReadOnly", "Lapsed", "Expired", "AuthFailed", "Closed"}
		lines = append(lines, "state "+names[now])
	}
	if e.Login != nil {
		lines = append(lines, fmt.Sprintf("login first=%v challenge=%q", e.Login.First, e.Login.Challenge))
	}
	if e.Hangup != nil {
		lines = append(lines, "hang up: "+e.Hangup.Error())
	}
	if broken != nil {
		lines = append(lines, "broken: "+broken.Error())
	}
	return lines
}

func showRequest(t *testing.T, frame []byte, greeting bool) string {
	if greeting {
		var r wire.ConnectRequest
		if err := r.Decode(frame); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("hello zxid=%v timeout=%d session=%v password=%d readonly=%v", r.LastZxidSeen, r.TimeOut, r.SessionID, len(r.Password), r.ReadOnly)
	}
	var d wire.Decoder
	h, body, err := d.Header(frame)
	if err != nil {
		t.Fatal(err)
	}
	op, err := d.Body(h.Type, body)
	if err != nil {
		t.Fatal(err)
	}
	s := fmt.Sprintf("%d %s", h.Xid, h.Type)
	switch op := op.(type) {
	case *wire.GetData:
		return fmt.Sprintf("%s %s watch=%v", s, op.Path, op.Watch)
	case *wire.Exists:
		return fmt.Sprintf("%s %s watch=%v", s, op.Path, op.Watch)
	case *wire.GetChildren:
		return fmt.Sprintf("%s %s watch=%v", s, op.Path, op.Watch)
	case *wire.SetData:
		return fmt.Sprintf("%s %s", s, op.Path)
	case *wire.Delete:
		return fmt.Sprintf("%s %s", s, op.Path)
	case *wire.AddWatch:
		return fmt.Sprintf("%s %s mode=%d", s, op.Path, op.Mode)
	case *wire.WatchQuery:
		return fmt.Sprintf("%s %s type=%d", s, op.Path, op.Type)
	case *wire.Auth:
		return fmt.Sprintf("%s %s %s", s, op.Scheme, op.Auth)
	case *wire.Sasl:
		return fmt.Sprintf("%s %q", s, op.Token)
	case *wire.SetWatches:
		return fmt.Sprintf("%s since %v data=%v exist=%v child=%v persistent=%v recursive=%v", s, op.RelativeZxid, op.Data, op.Exist, op.Child, op.Persistent, op.Recursive)
	}
	return s
}
