package tree_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// model is the tree as one would first write it: a map from path to znode, everything else found by looking at all of it.
// The root is "".
type model map[string]mnode

type mnode struct {
	meta tree.Meta
	data string
	null bool
	acl  []zk.ACL
}

var (
	openList = zk.WorldACL(zk.PermAll)
	readList = zk.WorldACL(zk.PermRead)
)

func newModel() model {
	return model{
		"": {acl: openList}, "/zookeeper": {acl: openList}, "/zookeeper/quota": {acl: openList},
		"/zookeeper/config": {acl: readList, meta: tree.Meta{AVersion: -1}},
	}
}

func (m model) children(path string) []string {
	var names []string
	for p := range m {
		if rest, ok := strings.CutPrefix(p, path+"/"); ok && !strings.Contains(rest, "/") {
			names = append(names, rest)
		}
	}
	slices.Sort(names)
	return names
}

func (m model) clone() model { return maps.Clone(m) }

func (m model) digest() int64 {
	var sum int64
	for p, n := range m {
		if tree.CountsInDigest(p) {
			sum += tree.NodeDigest(p, []byte(n.data), &n.meta)
		}
	}
	return sum
}

func (m model) ephemerals(s zk.SessionID) []string {
	var paths []string
	for p, n := range m {
		if n.meta.Owner == int64(s) {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	return paths
}

func parentOf(path string) string { return path[:strings.LastIndexByte(path, '/')] }

// usage is the count and bytes of a subtree.
func (m model) usage(prefix string) (count, bytes int64) {
	for p, n := range m {
		if p == prefix || strings.HasPrefix(p, prefix+"/") {
			count++
			bytes += int64(len(n.data))
		}
	}
	return count, bytes
}

func (m model) setStats(prefix string, count, bytes int64) {
	stats := "/zookeeper/quota" + prefix + "/zookeeper_stats"
	if n, ok := m[stats]; ok {
		n.data, n.null = fmt.Sprintf("count=%d,bytes=%d", count, bytes), false
		m[stats] = n
	}
}

// moved is the bookkeeping of quotas after a change at path. In this model nobody writes stats but as "count=N,bytes=N" or
// as something that cannot be read.
func (m model) moved(path string, count, bytes int64) {
	for p := path; p != ""; p = parentOf(p) {
		if _, ok := m["/zookeeper/quota"+p+"/zookeeper_limits"]; !ok {
			continue
		}
		var c, b int64
		stats := m["/zookeeper/quota"+p+"/zookeeper_stats"]
		if _, err := fmt.Sscanf(stats.data, "count=%d,bytes=%d", &c, &b); err == nil {
			m.setStats(p, c+count, b+bytes)
		} else if stats.data == "" && !stats.null {
			m.setStats(p, -1+count, -1+bytes)
		} else {
			c, b = m.usage(p)
			m.setStats(p, c, b)
		}
		return
	}
}

// recounted is what a load makes of the model.
func (m model) recounted() model {
	m = maps.Clone(m)
	for p := range m {
		if rest, ok := strings.CutPrefix(p, "/zookeeper/quota/"); ok && strings.HasSuffix(rest, "/zookeeper_limits") {
			prefix := "/" + strings.TrimSuffix(rest, "/zookeeper_limits")
			c, b := m.usage(prefix)
			m.setStats(prefix, c, b)
		}
	}
	return m
}

// apply is for txns that fit.
func (m model) apply(h *txn.Header, body txn.Body) {
	switch b := body.(type) {
	case *txn.Create:
		n := mnode{data: string(b.Data), null: b.Data == nil, acl: b.ACL, meta: tree.Meta{Czxid: h.Zxid, Mzxid: h.Zxid, Pzxid: h.Zxid, Ctime: h.Time, Mtime: h.Time}}
		switch {
		case b.Type == txn.TypeCreateContainer:
			n.meta.Owner = -1 << 63
		case b.Type == txn.TypeCreateTTL:
			n.meta.Owner = -1<<56 + b.TTL
		case b.Ephemeral:
			n.meta.Owner = int64(h.Session)
		}
		p := m[parentOf(b.Path)]
		p.meta.CVersion, p.meta.Pzxid = b.ParentCVersion, h.Zxid
		m[parentOf(b.Path)] = p
		m[b.Path] = n
		if rest, ok := strings.CutPrefix(b.Path, "/zookeeper/quota/"); ok && strings.HasSuffix(rest, "/zookeeper_stats") {
			prefix := "/" + strings.TrimSuffix(rest, "/zookeeper_stats")
			c, by := m.usage(prefix)
			m.setStats(prefix, c, by)
		}
		m.moved(b.Path, 1, int64(len(b.Data)))
	case *txn.Delete:
		p := m[parentOf(b.Path)]
		p.meta.Pzxid = h.Zxid
		m[parentOf(b.Path)] = p
		size := len(m[b.Path].data)
		delete(m, b.Path)
		m.moved(b.Path, -1, -int64(size))
	case *txn.SetData:
		n := m[strings.TrimSuffix(b.Path, "/")]
		grown := len(b.Data) - len(n.data)
		n.data, n.null = string(b.Data), b.Data == nil
		n.meta.Version, n.meta.Mzxid, n.meta.Mtime = b.Version, h.Zxid, h.Time
		m[strings.TrimSuffix(b.Path, "/")] = n
		m.moved(strings.TrimSuffix(b.Path, "/"), 0, int64(grown))
	case *txn.SetACL:
		n := m[strings.TrimSuffix(b.Path, "/")]
		n.acl, n.meta.AVersion = b.ACL, b.AVersion
		m[strings.TrimSuffix(b.Path, "/")] = n
	case *txn.CloseSession:
		for _, p := range m.ephemerals(h.Session) {
			m.apply(h, &txn.Delete{Path: p})
		}
	case *txn.Multi:
		if !b.Failed() {
			for _, s := range b.Subs {
				m.apply(h, s.Body)
			}
		}
	}
}

// same compares everything that a tree says with the model.
func (m model) same(t *testing.T, tr *tree.Tree) {
	t.Helper()
	if err := tr.Check(); err != nil {
		t.Fatal(err)
	}
	if tr.NodeCount() != len(m) {
		t.Fatalf("%d znodes, want %d", tr.NodeCount(), len(m))
	}
	if tr.Digest() != m.digest() {
		t.Fatalf("digest %d, want %d", tr.Digest(), m.digest())
	}
	size := int64(1)
	owners := map[zk.SessionID]bool{}
	for p, want := range m {
		size += int64(len(p) + len(want.data))
		n := tr.Find(p)
		if n == 0 {
			t.Fatalf("%s is missing", p)
		}
		names := m.children(p)
		got := mnode{tr.Meta(n), string(tr.Data(n)), tr.Data(n) == nil, tr.ACL(n)}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s is\n%+v, want\n%+v", p, got, want)
		}
		stat := zk.Stat{
			Czxid: want.meta.Czxid, Mzxid: want.meta.Mzxid, Pzxid: want.meta.Pzxid, Ctime: want.meta.Ctime, Mtime: want.meta.Mtime,
			Version: want.meta.Version, CVersion: 2*want.meta.CVersion - int32(len(names)), AVersion: want.meta.AVersion,
			DataLength: int32(len(want.data)), NumChildren: int32(len(names)),
		}
		if want.meta.Owner > 0 {
			stat.EphemeralOwner = zk.SessionID(want.meta.Owner)
			owners[stat.EphemeralOwner] = true
		}
		if got := tr.Stat(n); got != stat {
			t.Fatalf("%s has %+v, want %+v", p, got, stat)
		}
		var have []string
		for name, c := range tr.Children(n) {
			if tr.Parent(c) != n || tr.Path(c) != p+"/"+name {
				t.Fatalf("child %s of %s has path %s", name, p, tr.Path(c))
			}
			have = append(have, name)
		}
		slices.Sort(have)
		if !slices.Equal(have, names) || tr.NumChildren(n) != len(names) {
			t.Fatalf("children of %s are %v, want %v", p, have, names)
		}
		below, _ := m.usage(p)
		if p == "" {
			below = int64(len(m))
		}
		if got := tr.Descendants(n); got != int(below)-1 {
			t.Fatalf("%s has %d descendants, want %d", p, got, below-1)
		}
	}
	if tr.DataSize() != size {
		t.Fatalf("data size %d, want %d", tr.DataSize(), size)
	}
	ids := slices.Sorted(maps.Keys(owners))
	if got := tr.EphemeralOwners(); !slices.Equal(got, ids) {
		t.Fatalf("owners %v, want %v", got, ids)
	}
	total := 0
	for _, id := range ids {
		if got, want := tr.Ephemerals(id), m.ephemerals(id); !slices.Equal(got, want) {
			t.Fatalf("%v owns %v, want %v", id, got, want)
		}
		total += len(m.ephemerals(id))
	}
	if tr.EphemeralCount() != total {
		t.Fatalf("%d ephemerals, want %d", tr.EphemeralCount(), total)
	}
}

// author writes random txns that fit the model, as prep would, and applies them to it.
type author struct {
	r    *rand.Rand
	m    model
	zxid zk.Zxid
}

var lists = [][]zk.ACL{
	openList, openList, readList,
	{{Perms: zk.PermAll, ID: zk.ID{Scheme: "digest", ID: "u:h"}}},
	{{Perms: zk.PermRead | zk.PermWrite, ID: zk.ID{Scheme: "ip", ID: "10.0.0.0/8"}}, {Perms: zk.PermAdmin, ID: zk.ID{Scheme: "sasl", ID: "b"}}},
}

func (a *author) acl() []zk.ACL { return lists[a.r.IntN(len(lists))] }

func (a *author) data() []byte {
	switch a.r.IntN(8) {
	case 0:
		return nil
	case 1:
		return []byte{}
	case 2:
		return bytes.Repeat([]byte{byte(a.r.Int())}, a.r.IntN(2000))
	}
	return []byte(fmt.Sprint(a.r.IntN(1 << 30)))[:1+a.r.IntN(5)%5]
}

// pick is a znode of the model for which ok holds, "" for want of one.
func (a *author) pick(ok func(path string, n mnode) bool) string {
	var paths []string
	for p, n := range a.m {
		if p != "" && ok(p, n) {
			paths = append(paths, p)
		}
	}
	if len(paths) == 0 {
		return ""
	}
	slices.Sort(paths)
	return paths[a.r.IntN(len(paths))]
}

// one is a body that fits and the type of its txn.
func (a *author) one(inMulti bool) (txn.Type, txn.Body) {
	for {
		switch k := a.r.IntN(16); {
		case k < 8:
			parent := a.pick(func(p string, n mnode) bool {
				return n.meta.Owner <= 0 && strings.Count(p, "/") < 5 && p != "/zookeeper/config"
			})
			if a.r.IntN(6) == 0 {
				parent = ""
			}
			name := string(rune('a' + a.r.IntN(5)))
			if strings.HasPrefix(parent, "/zookeeper/quota/") && a.r.IntN(2) == 0 {
				name = []string{"zookeeper_limits", "zookeeper_stats"}[a.r.IntN(2)]
			} else if a.r.IntN(30) == 0 {
				name = strings.Repeat("long", 30+a.r.IntN(20))
			}
			if _, ok := a.m[parent+"/"+name]; ok {
				continue
			}
			c := &txn.Create{Path: parent + "/" + name, Data: a.data(), ACL: a.acl(), ParentCVersion: a.m[parent].meta.CVersion + 1}
			c.Type = []txn.Type{txn.TypeCreate, txn.TypeCreate, txn.TypeCreate2, txn.TypeCreateContainer, txn.TypeCreateTTL}[a.r.IntN(5)]
			if c.Type == txn.TypeCreateTTL {
				c.TTL = 1 + a.r.Int64N(zk.MaxTTL)
			}
			c.Ephemeral = (c.Type == txn.TypeCreate || c.Type == txn.TypeCreate2) && a.r.IntN(3) == 0
			return c.Type, c
		case k < 11:
			if p := a.pick(func(p string, n mnode) bool {
				return len(a.m.children(p)) == 0 && p != "/zookeeper/quota" && p != "/zookeeper/config"
			}); p != "" {
				return txn.TypeDelete, &txn.Delete{Path: p}
			}
		case k < 13:
			p := a.pick(func(string, mnode) bool { return true })
			if a.r.IntN(10) == 0 {
				p = "/"
			}
			data := a.data()
			if strings.HasSuffix(p, "/zookeeper_stats") && len(data) > 0 {
				data = []byte("garbage")
			}
			return txn.TypeSetData, &txn.SetData{Path: p, Data: data, Version: a.m[strings.TrimSuffix(p, "/")].meta.Version + 1}
		case k < 14 && !inMulti:
			p := a.pick(func(string, mnode) bool { return true })
			return txn.TypeSetACL, &txn.SetACL{Path: p, ACL: a.acl(), AVersion: a.m[p].meta.AVersion + 1}
		case k < 15:
			return txn.TypeCheck, &txn.Check{Path: "/", Version: -1}
		case !inMulti:
			return txn.TypeError, &txn.Error{Code: zk.NoAuth}
		}
	}
}

func (a *author) next() *txn.Txn {
	a.zxid++
	x := &txn.Txn{Header: txn.Header{Session: zk.SessionID(1 + a.r.IntN(4)), Zxid: a.zxid, Time: 1000 + int64(a.zxid)*7}, HasDigest: true}
	switch a.r.IntN(20) {
	case 0:
		x.Type = txn.TypeCloseSession
		c := &txn.CloseSession{HasPaths: a.r.IntN(3) > 0}
		if c.HasPaths {
			c.Paths = a.m.ephemerals(x.Session)
		}
		x.Body = c
		a.m.apply(&x.Header, c)
	case 1, 2:
		x.Type = txn.TypeMulti
		multi := &txn.Multi{}
		before := maps.Clone(a.m)
		for range a.r.IntN(5) {
			typ, body := a.one(true)
			multi.Subs = append(multi.Subs, txn.Sub{Type: typ, Body: body})
			a.m.apply(&x.Header, body)
		}
		if a.r.IntN(4) == 0 {
			multi.Subs = append(multi.Subs, txn.Sub{Type: txn.TypeError, Body: &txn.Error{Code: zk.BadVersion}})
			a.m = before
		}
		x.Body = multi
	default:
		x.Type, x.Body = a.one(false)
		a.m.apply(&x.Header, x.Body)
	}
	if c, ok := x.Body.(*txn.CloseSession); ok && !c.HasPaths {
		x.HasDigest = false // the bytes of that age have none
		return x
	}
	x.Digest = a.m.digest()
	return x
}

func newAuthor(seed uint64) *author {
	return &author{r: rand.New(rand.NewPCG(seed, 1)), m: newModel()}
}

// Random txns, read from bytes that are overwritten after each Apply: the tree must own what it keeps.
func TestTreeAgainstModel(t *testing.T) {
	for seed := range uint64(6) {
		a := newAuthor(seed)
		applied, replayed := tree.New(tree.Options{Seed: seed, ExtendedTypes: true}), tree.New(tree.Options{Seed: ^seed, ExtendedTypes: true})
		var buf []byte
		for step := range 600 {
			x := a.next()
			buf = x.Append(buf[:0])
			y, err := txn.Decode(buf)
			if err != nil {
				t.Fatal(err)
			}
			res, _ := applied.Apply(y, nil)
			replayed.Replay(y)
			checkResult(t, a.m, x, res)
			for i := range buf {
				buf[i] = 0xAA
			}
			if step%40 == 0 {
				a.m.same(t, applied)
			}
		}
		a.m.same(t, applied)
		a.m.same(t, replayed)
		if applied.DigestMismatches() != 0 {
			t.Fatal(applied.FirstDigestMismatch())
		}
	}
}

// checkResult compares the parts of a result that the model knows.
func checkResult(t *testing.T, m model, x *txn.Txn, res txn.Result) {
	t.Helper()
	if multi, ok := x.Body.(*txn.Multi); ok {
		if len(res.Subs) != len(multi.Subs) || res.Code != zk.OK {
			t.Fatalf("%+v gave %+v", multi, res)
		}
		return
	}
	want := txn.Result{Type: x.Type}
	stat := func(path string) zk.Stat {
		n := m[strings.TrimSuffix(path, "/")]
		names := m.children(strings.TrimSuffix(path, "/"))
		return zk.Stat{
			Czxid: n.meta.Czxid, Mzxid: n.meta.Mzxid, Pzxid: n.meta.Pzxid, Ctime: n.meta.Ctime, Mtime: n.meta.Mtime,
			Version: n.meta.Version, CVersion: 2*n.meta.CVersion - int32(len(names)), AVersion: n.meta.AVersion,
			EphemeralOwner: zk.SessionID(max(n.meta.Owner, 0)), DataLength: int32(len(n.data)), NumChildren: int32(len(names)),
		}
	}
	switch b := x.Body.(type) {
	case *txn.Create:
		want.Path = b.Path
		want.Stat = stat(b.Path)
	case *txn.SetData:
		want.Stat = stat(b.Path)
	case *txn.SetACL:
		want.Stat = stat(b.Path)
	case *txn.Error:
		want = txn.Result{Type: txn.TypeError, Code: b.Code}
	}
	if !reflect.DeepEqual(res, want) {
		t.Fatalf("%+v gave\n%+v, want\n%+v", x, res, want)
	}
}
