package interop

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

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
