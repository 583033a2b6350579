package interop

import (
	"encoding/hex"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

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
//	timeout=MS zxid=NUMBER|now|now+1 session=NAME|NUMBER pass=HEX|bad|~ ro=1 old=1 proto=N junk=HEX silent=1
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
	a.silent = args.int("silent", 0) == 1
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
