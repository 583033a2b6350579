package prep_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/zooid-io/zooid/internal/auth"
	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/session"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// leader is a prep with its tree, and the txns that are prepared and not applied.
type leader struct {
	t        *testing.T
	p        *prep.Prep
	tree     *tree.Tree
	follower *tree.Tree // gets the txns as bytes: without what prep knows
	sessions *session.Table
	pending  []*txn.Txn
}

func newLeader(t *testing.T) *leader {
	t.Helper()
	rules, err := auth.New(auth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	l := &leader{t: t, sessions: session.New(2000)}
	l.tree, l.follower = tree.New(tree.Options{Seed: 3, ExtendedTypes: true}), tree.New(tree.Options{Seed: 4, ExtendedTypes: true})
	l.p = prep.New(prep.Config{Rules: rules, ExtendedTypes: true, CloseSessionPaths: true, Digest: true, MaxTxn: 2 << 20}, l.tree, l.sessions)
	return l
}

func (l *leader) do(s zk.SessionID, op wire.Op) *txn.Txn {
	x := l.p.Prepare(&prep.Request{Session: s, Xid: 1, Op: op, Now: 1000})
	if x.Type == txn.TypeCloseSession {
		l.sessions.SetClosing(s)
	}
	l.pending = append(l.pending, x)
	return x
}

// apply applies the n oldest txns. Prep itself asserts, when nothing is outstanding, that the digest is the predicted one.
func (l *leader) apply(n int) {
	l.t.Helper()
	for _, x := range l.pending[:n] {
		there, err := txn.Decode(x.Append(nil))
		if err != nil {
			l.t.Fatalf("%v does not decode: %v", x.Zxid, err)
		}
		l.follower.Apply(there, nil)
		res, _ := l.tree.Apply(x, nil)
		if m, isMulti := x.Body.(*txn.Multi); x.Type != txn.TypeError && res.Code != zk.OK && !(isMulti && m.Failed()) {
			l.t.Fatalf("%v was prepared and then failed: %v", x.Zxid, res.Code)
		}
		if x.HasDigest && x.Digest != l.tree.Digest() {
			l.t.Fatalf("%v %T: digest predicted %d, is %d", x.Zxid, x.Body, x.Digest, l.tree.Digest())
		}
		if x.HasDigest && x.Digest != l.follower.Digest() {
			l.t.Fatalf("%v %T: digest predicted %d, a follower has %d", x.Zxid, x.Body, x.Digest, l.follower.Digest())
		}
		switch b := x.Body.(type) {
		case *txn.CreateSession:
			l.sessions.Add(x.Session, b.TimeOut, 0)
		case *txn.CloseSession:
			l.sessions.Remove(x.Session)
			if left := l.tree.Ephemerals(x.Session); len(left) > 0 {
				l.t.Fatalf("session %v left %v", x.Session, left)
			}
		}
		l.p.Applied(x.Zxid)
	}
	l.pending = l.pending[n:]
}

func code(x *txn.Txn) zk.Code {
	if e, ok := x.Body.(*txn.Error); ok {
		return e.Code
	}
	return zk.OK
}

// The checks of section 3.4 in their order, each answered before anything is applied: they see what is outstanding.
func TestRefusals(t *testing.T) {
	all := zk.WorldACL(zk.PermAll)
	mk := func(path string, m zk.Mode) wire.Op { return &wire.Create{Path: path, ACL: all, Mode: m} }
	l := newLeader(t)
	l.do(1, &prep.CreateSession{TimeOut: 5000})
	for i, c := range []struct {
		op   wire.Op
		code zk.Code
	}{
		{mk("/a", 0), zk.OK},
		{mk("/a", 0), zk.NodeExists},
		{mk("/a", 7), zk.BadArguments},
		{mk("/t", zk.PersistentTTL), zk.BadArguments}, // TTL only by createTTL
		{&wire.Create{Type: wire.OpCreateTTL, Path: "/t", ACL: all, Mode: zk.PersistentTTL, TTL: -1}, zk.BadArguments},
		{&wire.Create{Type: wire.OpCreateTTL, Path: "/t", ACL: all, Mode: zk.Persistent, TTL: -1}, zk.BadArguments},
		{&wire.Create{Type: wire.OpCreateTTL, Path: "/t", ACL: all, Mode: zk.PersistentTTL, TTL: zk.MaxTTL}, zk.OK},
		{mk("a", 0), zk.BadArguments},
		{mk("a/b", 0), zk.NoNode},
		{mk("//b", 0), zk.BadArguments},
		{mk("/a//b", 0), zk.NoNode},
		{mk("/a/", 0), zk.BadArguments},
		{mk("/a/", zk.PersistentSequential), zk.OK},
		{mk("/", 0), zk.NodeExists},
		{&wire.Create{PathNull: true, ACL: all}, zk.MarshallingError},
		{&wire.Create{Path: "/no/x", ACL: []zk.ACL{}}, zk.InvalidACL}, // before the parent is looked for
		{mk("/e", zk.Ephemeral), zk.OK},
		{mk("/e/x", 0), zk.NoChildrenForEphemerals},
		{mk("/zookeeper/config/x", 0), zk.NoAuth},
		{&wire.Delete{Path: "/zookeeper", Version: -1}, zk.BadArguments},
		{&wire.Delete{Path: "/no/x", Version: -1}, zk.NoNode},
		{&wire.Delete{Path: "/a", Version: 4}, zk.BadVersion}, // before NotEmpty
		{&wire.Delete{Path: "/a", Version: 0}, zk.NotEmpty},
		{&wire.SetData{Path: "/a", Version: 1}, zk.BadVersion},
		{&wire.SetData{Path: "/a", Version: 0}, zk.OK},
		{&wire.SetData{Path: "/a", Version: 1}, zk.OK},
		{&wire.SetData{Path: "/no", Version: -1}, zk.NoNode},
		{&wire.SetData{Path: "/a/", Version: -1}, zk.BadArguments},
		{&wire.SetACL{Path: "/a", ACL: nil, Version: -1}, zk.InvalidACL},
		{&wire.SetACL{Path: "/a", ACL: zk.WorldACL(zk.PermRead), Version: 2}, zk.BadVersion},
		{&wire.SetACL{Path: "/a", ACL: zk.WorldACL(zk.PermRead), Version: 0}, zk.OK},
		{mk("/a/k", 0), zk.NoAuth},
		{&wire.SetData{Path: "/a", Version: -1}, zk.NoAuth},
		{&wire.SetACL{Path: "/a", ACL: all, Version: -1}, zk.NoAuth},
		{&prep.DeleteContainer{Path: "/e"}, zk.BadVersion},
		{&prep.DeleteContainer{Path: "/a"}, zk.NotEmpty},
		{&wire.Reconfig{}, zk.ReconfigDisabled},
		{&wire.CloseSession{}, zk.OK},
		{mk("/late", 0), zk.SessionExpired},
	} {
		if x := l.do(1, c.op); code(x) != c.code {
			t.Errorf("step %d: %+v gave %v, want %v", i, c.op, code(x), c.code)
		}
	}
	l.apply(len(l.pending))
}

// Section 3.7: names count the creates of the parent, whatever became of them; what failed or was undone does not count.
func TestSequence(t *testing.T) {
	l := newLeader(t)
	all := zk.WorldACL(zk.PermAll)
	l.do(1, &prep.CreateSession{TimeOut: 5000})
	seq := func() string {
		x := l.do(1, &wire.Create{Path: "/n-", ACL: all, Mode: zk.PersistentSequential})
		return x.Body.(*txn.Create).Path
	}
	got := []string{seq(), seq()}
	l.do(1, &wire.Delete{Path: "/n-0000000001", Version: -1})
	l.do(1, &wire.Multi{Ops: []wire.Op{
		&wire.Create{Path: "/n-", ACL: all, Mode: zk.PersistentSequential}, &wire.Check{Path: "/nope", Version: -1},
	}})
	got = append(got, seq())
	l.do(1, &wire.Create{Path: "/plain", ACL: all})
	got = append(got, seq())
	if fmt.Sprint(got) != "[/n-0000000000 /n-0000000001 /n-0000000002 /n-0000000004]" {
		t.Fatal(got)
	}
	l.apply(len(l.pending))
}

// Section 3.5: a failed multi lists 0, the code, then -2; and leaves nothing behind in what later requests see.
func TestFailedMulti(t *testing.T) {
	l := newLeader(t)
	all := zk.WorldACL(zk.PermAll)
	l.do(1, &prep.CreateSession{TimeOut: 5000})
	l.do(1, &wire.Create{Path: "/a", ACL: all})
	x := l.do(1, &wire.Multi{Ops: []wire.Op{
		&wire.SetData{Path: "/a", Data: []byte("1"), Version: 0}, &wire.SetData{Path: "/a", Data: []byte("2"), Version: 1},
		&wire.Create{Path: "/a/b", ACL: all, Mode: zk.Ephemeral}, &wire.Delete{Path: "/a", Version: -1}, &wire.Delete{Path: "/a/b", Version: -1},
	}})
	var codes []zk.Code
	for _, s := range x.Body.(*txn.Multi).Subs {
		if e, ok := s.Body.(*txn.Error); ok {
			codes = append(codes, e.Code)
		} else {
			codes = append(codes, 0)
		}
	}
	if fmt.Sprint(codes) != fmt.Sprint([]zk.Code{0, 0, 0, zk.NotEmpty, zk.RuntimeInconsistency}) {
		t.Fatal(codes)
	}
	if c := code(l.do(1, &wire.SetData{Path: "/a", Version: 0})); c != zk.OK {
		t.Fatal("the undone set still counts:", c)
	}
	if c := code(l.do(1, &wire.Delete{Path: "/a", Version: 1})); c != zk.OK {
		t.Fatal("the undone child still counts:", c)
	}
	close := l.do(1, &wire.CloseSession{}).Body.(*txn.CloseSession)
	if len(close.Paths) != 0 {
		t.Fatal("the undone ephemeral is still the session's:", close.Paths)
	}
	l.apply(len(l.pending))
}

// A session's list of ephemerals that no reader of the log would take is left out (ZOOKEEPER-4306).
func TestCloseOfTwoHundredThousandEphemerals(t *testing.T) {
	l := newLeader(t)
	all := zk.WorldACL(zk.PermAll)
	l.do(1, &prep.CreateSession{TimeOut: 5000})
	for i := range 200000 {
		l.do(1, &wire.Create{Path: fmt.Sprintf("/ephemeral-%07d", i), ACL: all, Mode: zk.Ephemeral})
	}
	x := l.do(1, &wire.CloseSession{})
	if n := len(x.Append(nil)); n > 2<<20 {
		t.Fatalf("the record is %d bytes", n)
	}
	l.apply(len(l.pending))
	if n := l.tree.NodeCount(); n != 4 {
		t.Fatalf("%d znodes are left", n)
	}
}

// Any mix of operations, applied with any delay: what was prepared applies as predicted, digest by digest.
func TestPredictionHolds(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		l := newLeader(t)
		path := func() string {
			p := fmt.Sprintf("/n%d", rng.IntN(4))
			for range rng.IntN(3) {
				p += fmt.Sprintf("/k%d", rng.IntN(3))
			}
			return p
		}
		var one func(depth int) wire.Op
		one = func(depth int) wire.Op {
			v := int32(rng.IntN(4) - 1)
			data := make([]byte, rng.IntN(20))
			switch k := rng.IntN(10); {
			case k < 4:
				return &wire.Create{Path: path(), Data: data, ACL: zk.WorldACL(zk.PermAll), Mode: zk.Mode(rng.IntN(4))}
			case k < 6:
				return &wire.Delete{Path: path(), Version: v}
			case k < 8:
				return &wire.SetData{Path: path(), Data: data, Version: v}
			case k < 9 || depth > 0:
				if depth > 0 {
					return &wire.Check{Path: path(), Version: v}
				}
				return &wire.SetACL{Path: path(), ACL: zk.WorldACL(zk.PermAll), Version: v}
			}
			m := &wire.Multi{}
			for range 1 + rng.IntN(4) {
				m.Ops = append(m.Ops, one(depth+1))
			}
			return m
		}
		live := zk.SessionID(1)
		l.do(live, &prep.CreateSession{TimeOut: 5000})
		for range 400 {
			switch k := rng.IntN(60); {
			case k == 0:
				l.do(live, &wire.CloseSession{})
				live++
				l.do(live, &prep.CreateSession{TimeOut: 5000})
			case k < 20:
				l.apply(rng.IntN(len(l.pending) + 1))
			default:
				l.do(live, one(0))
			}
		}
		l.apply(len(l.pending))
		if err := l.tree.Check(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if n := l.p.Outstanding(); n != 0 {
			t.Fatalf("seed %d: %d records are left outstanding", seed, n)
		}
	}
}
