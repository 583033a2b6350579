package interop

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/script"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// args are the words of a step behind its verb: positional ones and name=value.
type args struct {
	p     *player
	pos   []string
	null  []bool // the positional word is an unquoted ~
	named map[string]string
	err   error
}

// argsOf sorts words into positional and named ones.
func (p *player) argsOf(words []string, quoted []bool) *args {
	a := &args{p: p, named: map[string]string{}}
	for i, w := range words {
		if k, v, ok := strings.Cut(w, "="); ok && !quoted[i] && isName(k) {
			a.named[k] = v
			continue
		}
		a.pos, a.null = append(a.pos, w), append(a.null, w == "~" && !quoted[i])
	}
	return a
}

func isName(s string) bool {
	for _, r := range s {
		if r < 'a' || r > 'z' {
			return false
		}
	}
	return s != ""
}

func (a *args) fail(format string, v ...any) {
	if a.err == nil {
		a.err = fmt.Errorf(format, v...)
	}
}

// path is positional word i as a path: a leading $ is the case's own znode. null tells that it is written ~.
func (a *args) path(i int) (path string, null bool) {
	if i >= len(a.pos) {
		a.fail("a path is missing")
		return "", false
	}
	if a.null[i] {
		return "", true
	}
	return a.p.full(a.pos[i]), false
}

// data is positional word i as data; where there is none it is empty. zeros*N stands for N zero bytes.
func (a *args) data(i int) []byte {
	if i >= len(a.pos) {
		return []byte{}
	}
	if a.null[i] {
		return nil
	}
	if n, ok := strings.CutPrefix(a.pos[i], "zeros*"); ok {
		size, err := strconv.Atoi(n)
		if err != nil {
			a.fail("%q: %v", a.pos[i], err)
		}
		return make([]byte, size)
	}
	return []byte(a.pos[i])
}

func (a *args) number(text string, bits int) int64 {
	n, err := strconv.ParseInt(text, 0, bits)
	if err != nil {
		a.fail("%v", err)
	}
	return n
}

// int is name=value as a number, or otherwise.
func (a *args) int(name string, otherwise int64) int64 {
	if v, ok := a.named[name]; ok {
		return a.number(v, 64)
	}
	return otherwise
}

// watch tells whether the word "watch" stands anywhere behind the path.
func (a *args) watch() bool {
	for _, w := range a.pos {
		if w == "watch" {
			return true
		}
	}
	return false
}

// paths is name=path,path as a list: ~ is null, nothing is the empty list.
func (a *args) paths(name string) []string {
	v := a.named[name]
	switch v {
	case "":
		return []string{}
	case "~":
		return nil
	}
	list := strings.Split(v, ",")
	for i := range list {
		list[i] = a.p.full(list[i])
	}
	return list
}

// zxid is a number, or a mark, or "now" for the newest zxid that the player has seen; now+1 is ahead of it.
func (a *args) zxid(text string) zk.Zxid {
	if off, ok := strings.CutPrefix(text, "now"); ok {
		if off == "" {
			return a.p.newest
		}
		return a.p.newest + zk.Zxid(a.number(off, 64))
	}
	if z, ok := a.p.marks[text]; ok {
		return z
	}
	return zk.Zxid(a.number(text, 64))
}

// acl reads scheme:id:perms entries with | between them; ~ is null, [] is empty. {user:password} in an id becomes its
// digest.
func (a *args) acl(text string) []zk.ACL {
	switch text {
	case "~":
		return nil
	case "[]":
		return []zk.ACL{}
	}
	var acl []zk.ACL
	for _, e := range strings.Split(text, "|") {
		scheme, rest, _ := strings.Cut(e, ":")
		i := strings.LastIndexByte(rest, ':')
		if i < 0 {
			a.fail("acl entry %q is not scheme:id:perms", e)
			return nil
		}
		id := rest[:i]
		if len(id) > 2 && id[0] == '{' {
			id = digestID(id[1 : len(id)-1])
		}
		acl = append(acl, zk.ACL{Perms: zk.Perm(a.number(rest[i+1:], 32)), ID: zk.ID{Scheme: scheme, ID: id}})
	}
	return acl
}

// digestID is the identity of user:password in scheme digest (client protocol, section 6.5).
func digestID(credential string) string {
	user, _, _ := strings.Cut(credential, ":")
	sum := sha1.Sum([]byte(credential))
	return user + ":" + base64.StdEncoding.EncodeToString(sum[:])
}

// request turns the words of a step, verb first, into an operation. It is given as opcode and record, because a case may
// want a record that no operation has.
func (p *player) request(words []string, quoted []bool) (wire.OpCode, []byte, *args, error) {
	a := p.argsOf(words[1:], quoted[1:])
	var code wire.OpCode
	var body []byte
	if words[0] == "op" {
		code, body = a.raw()
	} else if op := p.operation(words[0], a, words[1:], quoted[1:]); op != nil {
		code, body = op.OpCode(), op.Append(nil)
	}
	if n := int(a.int("trunc", 0)); n > 0 && n <= len(body) {
		body = body[:len(body)-n]
	}
	if junk, ok := a.named["junk"]; ok {
		b, err := hex.DecodeString(junk)
		if err != nil {
			a.fail("junk: %v", err)
		}
		body = append(body, b...)
	}
	if v, ok := a.named["as"]; ok { // the record of one operation under the number of another
		code = wire.OpCode(a.number(v, 32))
	}
	return code, body, a, a.err
}

func (p *player) operation(verb string, a *args, words []string, quoted []bool) wire.Op {
	switch verb {
	case "create":
		c := &wire.Create{Type: wire.OpCode(a.int("op", 1)), Data: a.data(1), Mode: zk.Mode(a.int("flags", 0)), TTL: a.int("ttl", 0)}
		c.Path, c.PathNull = a.path(0)
		c.ACL = zk.WorldACL(zk.PermAll)
		if v, ok := a.named["acl"]; ok {
			c.ACL = a.acl(v)
		}
		return c
	case "delete":
		v := &wire.Delete{Version: int32(a.int("v", -1))}
		v.Path, v.PathNull = a.path(0)
		return v
	case "exists":
		v := &wire.Exists{Watch: a.watch()}
		v.Path, v.PathNull = a.path(0)
		return v
	case "get":
		v := &wire.GetData{Watch: a.watch()}
		v.Path, v.PathNull = a.path(0)
		return v
	case "set":
		v := &wire.SetData{Data: a.data(1), Version: int32(a.int("v", -1))}
		v.Path, v.PathNull = a.path(0)
		return v
	case "getacl":
		v := &wire.GetACL{}
		v.Path, v.PathNull = a.path(0)
		return v
	case "setacl":
		v := &wire.SetACL{Version: int32(a.int("v", -1))}
		v.Path, v.PathNull = a.path(0)
		if len(a.pos) < 2 {
			a.fail("the acl is missing")
			return nil
		}
		v.ACL = a.acl(a.pos[1])
		return v
	case "ls", "ls2":
		v := &wire.GetChildren{Watch: a.watch(), WithStat: verb == "ls2"}
		v.Path, v.PathNull = a.path(0)
		return v
	case "sync":
		v := &wire.Sync{}
		v.Path, v.PathNull = a.path(0)
		return v
	case "ping":
		return &wire.Ping{}
	case "close":
		return &wire.CloseSession{}
	case "whoami":
		return &wire.WhoAmI{}
	case "check":
		v := &wire.Check{Version: int32(a.int("v", -1))}
		v.Path, v.PathNull = a.path(0)
		return v
	case "multi", "multiread":
		v := &wire.Multi{Type: wire.OpMulti}
		if verb == "multiread" {
			v.Type = wire.OpMultiRead
		}
		for _, part := range split(words, quoted, ",") {
			if len(part.words) == 0 {
				continue
			}
			sub := p.argsOf(part.words[1:], part.quoted[1:])
			op := p.operation(part.words[0], sub, part.words[1:], part.quoted[1:])
			if sub.err != nil || op == nil {
				a.fail("%v: %v", part.words, sub.err)
				return nil
			}
			v.Ops = append(v.Ops, op)
		}
		a.named = trailing(a.named, "trunc", "junk", "xid", "as")
		return v
	case "reconfig":
		v := &wire.Reconfig{CurConfigID: a.int("id", -1)}
		get := func(name string) (string, bool) { s, ok := a.named[name]; return s, !ok }
		v.Joining, v.JoiningNull = get("join")
		v.Leaving, v.LeavingNull = get("leave")
		v.Members, v.MembersNull = get("members")
		return v
	case "checkwatches", "removewatches":
		v := &wire.WatchQuery{Remove: verb == "removewatches"}
		v.Path, v.PathNull = a.path(0)
		v.Type = zk.WatcherType(a.int("type", 3))
		return v
	case "addwatch":
		v := &wire.AddWatch{Mode: zk.AddWatchMode(a.int("mode", 0))}
		v.Path, v.PathNull = a.path(0)
		return v
	case "setwatches":
		v := &wire.SetWatches{Type: wire.OpSetWatches, RelativeZxid: a.zxid(a.named["zxid"])}
		v.Data, v.Exist, v.Child = a.paths("data"), a.paths("exist"), a.paths("child")
		v.Persistent, v.Recursive = a.paths("persistent"), a.paths("recursive")
		if _, ok := a.named["persistent"]; ok {
			v.Type = wire.OpSetWatches2
		}
		if _, ok := a.named["recursive"]; ok {
			v.Type = wire.OpSetWatches2
		}
		return v
	case "auth":
		v := &wire.Auth{Auth: a.data(1)}
		v.Scheme, v.SchemeNull = a.path(0)
		return v
	case "sasl":
		return &wire.Sasl{Token: a.data(0)}
	case "ephemerals":
		// The prefix may be null, which wire never sends.
		prefix, null := a.path(0)
		if null {
			a.named["as"] = strconv.Itoa(int(wire.OpGetEphemerals))
			return &wire.Sync{PathNull: true}
		}
		return &wire.GetEphemerals{Prefix: prefix}
	case "count":
		v := &wire.GetAllChildrenNumber{}
		v.Path, v.PathNull = a.path(0)
		return v
	}
	a.fail("no such step: %s", verb)
	return nil
}

// trailing keeps only the settings of names: those of a multi's own operations are theirs.
func trailing(m map[string]string, names ...string) map[string]string {
	kept := map[string]string{}
	for _, n := range names {
		if v, ok := m[n]; ok {
			kept[n] = v
		}
	}
	return kept
}

// raw is the step "op NUMBER field...": a record put together by hand. A field is str:, buf:, int:, long:, bool: or hex:
// with a value, or null.
func (a *args) raw() (wire.OpCode, []byte) {
	if len(a.pos) == 0 {
		a.fail("the number of the operation is missing")
		return 0, nil
	}
	return wire.OpCode(a.number(a.pos[0], 32)), a.fields(a.pos[1:])
}

func (a *args) fields(words []string) (b []byte) {
	for _, w := range words {
		kind, v, _ := strings.Cut(w, ":")
		switch kind {
		case "null":
			b = jute.AppendInt(b, -1)
		case "str":
			b = jute.AppendBuffer(b, []byte(a.p.full(v)))
		case "buf":
			b = jute.AppendBuffer(b, []byte(v))
		case "int":
			b = jute.AppendInt(b, int32(a.number(v, 33)))
		case "long":
			b = jute.AppendLong(b, a.number(v, 64))
		case "bool":
			b = append(b, byte(a.number(v, 16)))
		case "hex":
			h, err := hex.DecodeString(v)
			if err != nil {
				a.fail("%q: %v", w, err)
			}
			b = append(b, h...)
		case "open": // an acl of everything for everybody
			b = jute.AppendACL(b, zk.WorldACL(zk.PermAll))
		default:
			a.fail("no such field: %q", w)
		}
	}
	return b
}

// phrase is a part of a step.
type phrase struct {
	words  []string
	quoted []bool
}

// split cuts words at each unquoted sep.
func split(words []string, quoted []bool, sep string) []phrase {
	parts := []phrase{{}}
	for i, w := range words {
		if w == sep && !quoted[i] {
			parts = append(parts, phrase{})
			continue
		}
		last := &parts[len(parts)-1]
		last.words, last.quoted = append(last.words, w), append(last.quoted, quoted[i])
	}
	return parts
}

// phraseOf cuts a line into words.
func phraseOf(line string) (phrase, error) {
	w, q, err := script.Words(line)
	return phrase{w, q}, err
}
