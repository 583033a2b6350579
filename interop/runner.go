package interop

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/script"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// player plays the steps of one case against one server and shows what comes back.
//
// A step names a connection (one lower-case letter; it is opened with a new session when first named) and what to send on
// it. A ping follows each request, so that the end of the answers is known without waiting: a server answers one
// connection in order. Then every other connection is pinged too, which brings out the notices that the step caused.
type player struct {
	t    testing.TB
	srv  *Server
	root string // the case's own znode

	actors map[string]*actor
	names  map[zk.SessionID]string
	marks  map[string]zk.Zxid
	txns   map[zk.Zxid]int // zxids of replies to writes, and the step
	step   int             // from 1
	start  zk.Zxid         // of the creation of root
	newest zk.Zxid         // seen so far
	began  time.Time

	showNoticeZxid bool
	sortACL        bool
	auth           string // credential that a server demands for the clean-up, user:password
}

// actor is a connection of a case.
type actor struct {
	name    string
	c       *Conn
	open    bool
	session zk.SessionID // 0 before a session is established
	pass    [wire.PasswordSize]byte
	ended   bool // the session was closed by the case
	silent  bool // the player sends nothing of its own
	xid     int32
	pending []pending
}

type pending struct {
	xid   int32
	op    wire.OpCode
	shown bool // the step asked for this xid, so it is shown
	drain bool // the player's own ping
}

// sessionTimeout of the connections that a case does not open itself.
const sessionTimeout = 30 * time.Second

// newPlayer makes the case's own znode, over a connection of its own.
func newPlayer(t testing.TB, srv *Server, name string, settings map[string]string) *player {
	p := &player{
		t: t, srv: srv, root: "/" + name, began: time.Now(),
		actors: map[string]*actor{}, names: map[zk.SessionID]string{}, marks: map[string]zk.Zxid{}, txns: map[zk.Zxid]int{},
	}
	_, p.showNoticeZxid = settings["notice-zxid"]
	_, p.sortACL = settings["sort-acl"]
	p.auth = settings["auth"]
	c, err := Connect(srv.Addr(), sessionTimeout)
	if err != nil {
		t.Fatalf("%s: %v", srv.Kind, err)
	}
	defer c.Close()
	if p.auth != "" {
		c.Call(&wire.Auth{Scheme: "digest", Auth: []byte(p.auth)}, nil)
	}
	h, err := c.Call(&wire.Create{Path: p.root, Data: []byte{}, ACL: zk.WorldACL(zk.PermAll)}, nil)
	if err != nil || (h.Err != zk.OK && h.Err != zk.NodeExists) {
		t.Fatalf("%s: create %s: %v %v", srv.Kind, p.root, h.Err, err)
	}
	p.start, p.txns[h.Zxid] = h.Zxid, 0
	if h, err = c.Call(&wire.CloseSession{}, nil); err != nil {
		t.Fatalf("%s: %v", srv.Kind, err)
	}
	p.newest = h.Zxid
	c.awaitClose()
	return p
}

// full is a path of a step with its $ replaced.
func (p *player) full(s string) string {
	if rest, ok := strings.CutPrefix(s, "$"); ok {
		return p.root + rest
	}
	return s
}

// errStep says that a step is not written well, as opposed to answered strangely.
type errStep struct{ err error }

func (e errStep) Error() string { return e.err.Error() }

// play plays one step and returns what it yielded. Its error means that the step cannot be played.
func (p *player) play(s *script.Step) (lines []string, err error) {
	p.step++
	ph, err := phraseOf(s.Text)
	if err != nil {
		return nil, err
	}
	verb, rest := ph.words[0], phrase{ph.words[1:], ph.quoted[1:]}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(errStep)
			if !ok {
				panic(r)
			}
			lines, err = nil, e.err
		}
	}()
	if len(verb) == 1 && verb[0] >= 'a' && verb[0] <= 'z' {
		lines = p.act(verb, rest)
	} else {
		lines = p.direct(verb, rest)
	}
	if len(rest.words) > 0 && rest.words[0] == "await" {
		return lines, nil // that one connection ended says nothing about when the others hear why
	}
	return append(lines, p.drainOthers(verb)...), nil
}

// playText plays a step that stands in no file.
func (p *player) playText(text string) ([]string, error) { return p.play(&script.Step{Text: text}) }

// direct plays a step that belongs to no connection.
func (p *player) direct(verb string, ph phrase) []string {
	switch verb {
	case "mark": // remembers the newest zxid
		p.marks[ph.words[0]] = p.newest
		return nil
	case "4lw":
		out, err := p.srv.FourLetters(ph.words[0])
		if err != nil && out == "" {
			return []string{"closed"}
		}
		return showFourLetters(strings.TrimSpace(ph.words[0]), out, p)
	case "mntr": // the values of the keys named
		out, err := p.srv.FourLetters("mntr")
		if err != nil {
			return []string{err.Error()}
		}
		var lines []string
		for _, key := range ph.words {
			lines = append(lines, key+" "+monitorValue(out, key))
		}
		return lines
	case "server": // whether the process lives
		if p.alive() {
			return []string{"serving"}
		}
		select {
		case <-p.srv.Done():
			return []string{"ended"}
		case <-time.After(patience):
			return []string{"neither serving nor ended"}
		}
	case "restart":
		p.srv.Kill()
		p.srv.Launch(p.t)
		for _, a := range p.actors {
			if a.open {
				a.c.Close()
			}
			a.open = false
		}
		if p.srv.Serves() != nil {
			return []string{"does not start"}
		}
		p.observe()
		return []string{"serving"}
	}
	panic(errStep{fmt.Errorf("no such step: %s", verb)})
}

// alive tells whether the server takes a session and answers in it. It leaves none behind.
func (p *player) alive() bool {
	c, err := Connect(p.srv.Addr(), sessionTimeout)
	if err != nil {
		return false
	}
	defer c.Close()
	h, err := c.Call(&wire.CloseSession{}, nil)
	p.newest = max(p.newest, h.Zxid)
	if err == nil {
		c.awaitClose()
	}
	return err == nil
}

// observe learns the server's newest zxid.
func (p *player) observe() {
	if !p.alive() {
		p.t.Fatalf("%s does not answer", p.srv.Kind)
	}
}

// act plays a step on a connection.
func (p *player) act(name string, ph phrase) []string {
	if len(ph.words) == 0 {
		panic(errStep{errors.New("the step has no verb")})
	}
	verb := ph.words[0]
	args := p.argsOf(ph.words[1:], ph.quoted[1:])
	switch verb {
	case "dial":
		if p.dial(name) == nil {
			return []string{"no server"}
		}
		return nil
	case "connect":
		return p.connect(name, ph)
	}
	a := p.actors[name]
	if a == nil {
		p.connect(name, phrase{[]string{verb}, []bool{false}})
		if a = p.actors[name]; a == nil {
			return []string{"no server"}
		}
	}
	if a.c == nil {
		return []string{"closed"}
	}
	switch verb {
	case "drop": // the client's side goes away without a word
		a.c.Close()
		a.open = false
		return nil
	case "silent":
		a.silent = true
		return nil
	case "await": // until the server closes
		return p.read(a, func() bool { return false })
	case "bytes":
		raw, err := hex.DecodeString(strings.Join(args.pos, ""))
		if err != nil {
			panic(errStep{err})
		}
		a.c.Write(raw)
		return p.drain(a)
	case "send": // raw bytes, to which no answer is expected yet
		raw, err := hex.DecodeString(strings.Join(args.pos, ""))
		if err != nil {
			panic(errStep{err})
		}
		a.c.Write(raw)
		return nil
	case "frame":
		b := args.fields(args.pos)
		if args.err != nil {
			panic(errStep{args.err})
		}
		a.c.Write(Frame(b))
		return p.drain(a)
	case "until": // repeats a request until its answer has this code
		return p.until(a, ph)
	}
	last := verb == "last" || verb == "close" // the connection ends with these requests
	if verb == "last" {
		ph = phrase{ph.words[1:], ph.quoted[1:]}
	}
	var out []byte // several requests, with semicolons between them, go in one write
	for _, part := range split(ph.words, ph.quoted, ";") {
		out = append(out, p.frame(a, part)...)
	}
	a.c.Write(out)
	if last {
		return p.read(a, func() bool { return false })
	}
	return p.drain(a)
}

func (p *player) dial(name string) *actor {
	conn, err := Dial(p.srv.Addr())
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) {
			return nil // nobody listens: the server is gone
		}
		p.actors[name] = &actor{name: name} // it was accepted and reset before we could speak
		return p.actors[name]
	}
	p.t.Cleanup(func() { conn.Close() })
	a := &actor{name: name, c: conn, open: true}
	p.actors[name] = a
	return a
}

// connect opens a connection unless a dialled one is there, and shakes hands.
//
//	timeout=MS zxid=NUMBER|now|now+1 session=NAME|NUMBER pass=HEX|bad|~ ro=1 old=1 proto=N junk=HEX
//
// Requests that follow, each behind a semicolon, are sent in the same write as the handshake.
func (p *player) connect(name string, ph phrase) []string {
	parts := split(ph.words, ph.quoted, ";")
	args := p.argsOf(parts[0].words[1:], parts[0].quoted[1:])
	a := p.actors[name]
	var before *actor
	if a == nil || !a.open || a.session != 0 {
		before = a
		if a = p.dial(name); a == nil {
			return []string{"no server"}
		}
		if !a.open {
			return []string{"closed"}
		}
	}
	req := NewSession(sessionTimeout)
	req.TimeOut = int32(args.int("timeout", int64(req.TimeOut)))
	req.ProtocolVersion = int32(args.int("proto", 0))
	req.ReadOnly = args.int("ro", 0) == 1
	req.HasReadOnly = args.int("old", 0) == 0
	if z, ok := args.named["zxid"]; ok {
		req.LastZxidSeen = args.zxid(z)
	}
	if s, ok := args.named["session"]; ok {
		other := p.actors[s]
		if s == name {
			other = before
		}
		if other != nil {
			req.SessionID, req.Password = other.session, other.pass[:]
		} else {
			req.SessionID = zk.SessionID(args.number(s, 64))
		}
	}
	switch pass := args.named["pass"]; pass {
	case "":
	case "bad":
		req.Password = make([]byte, wire.PasswordSize)
	case "~":
		req.Password = nil
	default:
		b, err := hex.DecodeString(pass)
		if err != nil {
			args.fail("pass: %v", err)
		}
		req.Password = b
	}
	if args.err != nil {
		panic(errStep{args.err})
	}
	hello := req.Append(nil)
	if junk, ok := args.named["junk"]; ok {
		b, err := hex.DecodeString(junk)
		if err != nil {
			panic(errStep{err})
		}
		hello = append(hello, b...)
	}
	out := Frame(hello)
	for _, part := range parts[1:] {
		out = append(out, p.frame(a, part)...)
	}
	a.c.Write(out)
	return p.drain(a)
}

// accepted shows the answer to a handshake.
func (p *player) accepted(a *actor, b []byte) string {
	var resp wire.ConnectResponse
	if err := resp.Decode(b); err != nil {
		return fmt.Sprintf("undecodable=%x", b)
	}
	if again := resp.Append(nil); string(again) != string(b) {
		return fmt.Sprintf("encodes as %x, came as %x", again, b)
	}
	word := "connected"
	if resp.SessionID == 0 {
		word = "refused"
	}
	line := fmt.Sprintf("%s timeout=%d readonly=%v bytes=%d", word, resp.TimeOut, resp.ReadOnly, len(b))
	if resp.SessionID != 0 {
		if known, ok := p.names[resp.SessionID]; ok {
			line += " session=" + known
		} else {
			p.names[resp.SessionID] = a.name
			line += " session=new"
		}
		if resp.SessionID>>56 != 1 {
			line += fmt.Sprintf(" server=%d", resp.SessionID>>56)
		}
	}
	if resp.Password != sessionPassword(resp.SessionID) && (resp.SessionID != 0 || resp.Password != [wire.PasswordSize]byte{}) {
		line += " password=" + hex.EncodeToString(resp.Password[:])
	}
	if resp.ProtocolVersion != 0 {
		line += fmt.Sprintf(" protocol=%d", resp.ProtocolVersion)
	}
	a.session, a.pass = resp.SessionID, resp.Password
	if p.auth != "" {
		a.silent = true // a ping would be refused until the connection has shown who it is
	}
	return line
}

// sessionPassword is the password of a session (client protocol, section 2.7): java.util.Random seeded with its id.
func sessionPassword(id zk.SessionID) (pass [wire.PasswordSize]byte) {
	const mask = 1<<48 - 1
	seed := (uint64(id) ^ 0xB3415C00 ^ 0x5DEECE66D) & mask
	for i := 0; i < len(pass); i += 4 {
		seed = (seed*0x5DEECE66D + 0xB) & mask
		v := uint32(seed >> 16)
		pass[i], pass[i+1], pass[i+2], pass[i+3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
	}
	return pass
}

// frame is the request of a phrase as a frame; it becomes pending.
func (p *player) frame(a *actor, ph phrase) []byte {
	op, body, args, err := p.request(ph.words, ph.quoted)
	if err != nil {
		panic(errStep{err})
	}
	a.xid++
	pe := pending{xid: a.xid, op: op}
	if v, ok := args.named["xid"]; ok {
		pe.xid, pe.shown = int32(args.number(v, 64)), true
	}
	a.pending = append(a.pending, pe)
	return Frame(append(wire.Header{Xid: pe.xid, Type: op}.Append(nil), body...))
}

func (p *player) until(a *actor, ph phrase) []string {
	want := ph.words[1]
	req := phrase{ph.words[2:], ph.quoted[2:]}
	deadline := time.Now().Add(patience)
	before := p.newest
	var notices []string
	for {
		a.c.Write(p.frame(a, req))
		lines := p.drain(a)
		// What happened meanwhile is nobody's step: its notices count, the moment of its txns does not.
		lines = slices.DeleteFunc(lines, func(l string) bool {
			if strings.HasPrefix(l, "notice ") {
				notices = append(notices, l)
				return true
			}
			return strings.HasPrefix(l, "then zxid ")
		})
		i := slices.IndexFunc(lines, func(l string) bool {
			return strings.HasPrefix(l, want) || strings.Contains(l, "("+want+")") || l == "closed"
		})
		if i >= 0 || time.Now().After(deadline) {
			for j, l := range lines {
				lines[j], _, _ = strings.Cut(l, " +")
			}
			if p.newest != before {
				p.txns[p.newest] = p.step
			}
			return append(notices, lines...)
		}
		time.Sleep(20 * time.Millisecond) // between polls
	}
}

// drain shows what comes: up to the answer to a ping of the player's own; or, on a silent connection, up to the last answer
// that is due. On a connection without a session the answer to a handshake comes first, or its end.
func (p *player) drain(a *actor) []string {
	switch {
	case !a.open:
		return []string{"closed"}
	case a.session == 0:
		b, err := a.c.ReadFrame(patience)
		if err != nil {
			return []string{p.lost(a, err)}
		}
		line := p.accepted(a, b)
		if a.session == 0 {
			return append([]string{line}, p.read(a, func() bool { return false })...)
		}
		return append([]string{line}, p.drain(a)...)
	case a.silent:
		if len(a.pending) == 0 {
			return nil
		}
		return p.read(a, func() bool { return len(a.pending) == 0 })
	}
	a.c.Write(wire.AppendRequestFrame(nil, wire.XidPing, &wire.Ping{}))
	a.pending = append(a.pending, pending{xid: wire.XidPing, op: wire.OpPing, drain: true})
	return p.read(a, func() bool { return false })
}

// read shows what comes until done, or the connection ends.
func (p *player) read(a *actor, done func() bool) (lines []string) {
	for {
		b, err := a.c.ReadFrame(patience)
		if err != nil {
			return append(lines, p.lost(a, err))
		}
		more, drained := p.show(a, b)
		lines = append(lines, more...)
		if drained || done() {
			return lines
		}
	}
}

// lost ends a connection after a failed read.
func (p *player) lost(a *actor, err error) string {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		p.t.Errorf("%s: nothing came on connection %s within %v", p.srv.Kind, a.name, patience)
		return "nothing came"
	}
	a.c.Close()
	a.open, a.pending = false, nil
	return "closed"
}

// show shows one frame. drained tells that it answers the player's own ping.
func (p *player) show(a *actor, b []byte) (lines []string, drained bool) {
	d := jute.NewDecoder(b)
	var h wire.ReplyHeader
	h.Decode(d)
	if d.Err() != nil {
		return []string{fmt.Sprintf("frame=%x", b)}, false
	}
	if h.Xid == wire.XidNotice && (len(a.pending) == 0 || a.pending[0].xid != wire.XidNotice) {
		e := wire.DecodeNotice(d, h.Zxid)
		line := p.notice(e)
		if d.Err() != nil || d.Left() > 0 || h.Err != 0 {
			line += fmt.Sprintf(" frame=%x", b)
		}
		return []string{line}, false
	}
	i := slices.IndexFunc(a.pending, func(q pending) bool {
		return q.xid == h.Xid || q.op == wire.OpPing && h.Xid == wire.XidPing
	})
	if i < 0 {
		return []string{fmt.Sprintf("a frame of %d bytes that answers nothing", len(b))}, false
	}
	q := a.pending[i]
	if q.drain {
		// Requests before the ping that got no answer will get none: one connection is answered in order.
		for _, u := range a.pending[:i] {
			lines = append(lines, "no answer to "+u.op.String())
		}
		a.pending = a.pending[i+1:]
		if h.Err != zk.OK {
			lines = append(lines, "ping: "+code(h.Err))
		}
		if h.Zxid > p.newest {
			lines = append(lines, fmt.Sprintf("then zxid +%d", h.Zxid-p.newest))
			p.newest = h.Zxid
		}
		return lines, true
	}
	a.pending = slices.Delete(a.pending, i, i+1)
	line := code(h.Err)
	if i > 0 {
		line = "early: " + line
	}
	if q.op == wire.OpPing && !q.shown {
		q.shown = true
	}
	if q.shown {
		line = fmt.Sprintf("xid=%d ", h.Xid) + line
	}
	switch {
	case h.Zxid > p.newest:
		line += fmt.Sprintf(" +%d", h.Zxid-p.newest)
		p.newest, p.txns[h.Zxid] = h.Zxid, p.step
	case h.Zxid <= 0:
		line += fmt.Sprintf(" zxid=%d", h.Zxid)
	case q.op.IsWrite() || h.Zxid < p.newest:
		line += fmt.Sprintf(" +0 zxid=%s", p.zxid(h.Zxid))
	}
	if h.Err != zk.OK {
		if d.Left() > 0 {
			line += fmt.Sprintf(" extra=%x", d.Rest())
		}
		return []string{line}, false
	}
	if q.op == wire.OpCloseSession {
		a.ended = true
	}
	first, more := p.body(q.op, d)
	if first != "" {
		line += " " + first
	}
	return append([]string{line}, more...), false
}

// drainOthers pings the connections that the step did not name and shows what comes, with their names in front.
func (p *player) drainOthers(but string) (lines []string) {
	var names []string
	for n, a := range p.actors {
		if n != but && a.open && a.session != 0 && !a.silent {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		for _, l := range p.drain(p.actors[n]) {
			lines = append(lines, n+": "+l)
		}
	}
	return lines
}

// finish ends the sessions of the case, so that none expires during a later one and takes a zxid there.
func (p *player) finish() {
	for _, a := range p.actors {
		if a.session == 0 || a.ended {
			continue
		}
		c := a.c
		if !a.open {
			var err error
			if c, err = Dial(p.srv.Addr()); err != nil {
				return // the server is gone
			}
			req := NewSession(sessionTimeout)
			req.SessionID, req.Password = a.session, a.pass[:]
			if resp, err := c.Handshake(req); err != nil || resp.SessionID == 0 {
				c.Close()
				continue
			}
		}
		if p.auth != "" {
			c.Call(&wire.Auth{Scheme: "digest", Auth: []byte(p.auth)}, nil)
		}
		c.xid = 1 << 20
		c.Call(&wire.CloseSession{}, nil)
		c.awaitClose()
		c.Close()
	}
}

// monitorValue is the value of a key in what mntr prints.
func monitorValue(out, key string) string {
	for _, l := range strings.Split(out, "\n") {
		if k, v, ok := strings.Cut(l, "\t"); ok && k == key {
			return v
		}
	}
	return "absent"
}
