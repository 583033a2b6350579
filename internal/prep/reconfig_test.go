package prep_test

import (
	"testing"

	"github.com/zooid-io/zooid/internal/auth"
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/session"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// parliament is an ensemble whose new voters are in sync, or are not.
type parliament struct {
	committed, seen *ensemble.Config
	synced          bool
}

func (p *parliament) Views() (committed, seen *ensemble.Config) { return p.committed, p.seen }
func (p *parliament) HasQuorum(*ensemble.Config) bool           { return p.synced }

// What is refused for several reasons is refused for the first of them: section 3.4.13.
func TestReconfigRefusals(t *testing.T) {
	config := func(v zk.Zxid) *ensemble.Config {
		c, err := ensemble.Parse("server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2")
		if err != nil {
			t.Fatal(err)
		}
		return c.At(v)
	}
	alone := &wire.Reconfig{Leaving: "1,2", MembersNull: true, CurConfigID: -1}
	fewer := &wire.Reconfig{Leaving: "3", MembersNull: true, CurConfigID: 7}
	for _, tt := range []struct {
		what    string
		off     bool
		e       *parliament
		session zk.SessionID
		super   bool
		op      *wire.Reconfig
		want    zk.Code
	}{
		{"off", true, nil, 9, false, alone, zk.ReconfigDisabled},
		{"a session that is gone", false, nil, 9, false, alone, zk.SessionExpired},
		{"a server that stands alone", false, nil, 1, false, alone, zk.Unimplemented},
		{"one in flight", false, &parliament{config(7), config(8), false}, 1, false, alone, zk.ReconfigInProgress},
		{"a wrong version", false, &parliament{config(8), config(8), false}, 1, false, fewer, zk.BadVersion},
		{"too few voters", false, &parliament{config(7), config(7), false}, 1, false, alone, zk.BadArguments},
		{"no quorum", false, &parliament{config(7), config(7), false}, 1, false, fewer, zk.NewConfigNoQuorum},
		{"no permission", false, &parliament{config(7), config(7), true}, 1, false, fewer, zk.NoAuth},
		{"nothing", false, &parliament{config(7), config(7), true}, 1, true, fewer, zk.OK},
	} {
		rules, err := auth.New(auth.Config{SkipACL: tt.super})
		if err != nil {
			t.Fatal(err)
		}
		c := prep.Config{Rules: rules, ReconfigEnabled: !tt.off, EnsembleRules: ensemble.Rules{Standalone: true}, Digest: true, MaxTxn: 1 << 20}
		if tt.e != nil {
			c.Ensemble = tt.e
		}
		sessions := session.New(2000)
		sessions.Add(1, 10000, 0)
		own := tree.New(tree.Options{Seed: 3})
		p := prep.New(c, own, sessions)
		x := p.Prepare(&prep.Request{Session: tt.session, Xid: 1, Op: tt.op, Now: 1000})
		if got := code(x); got != tt.want {
			t.Errorf("%s: %v, not %v", tt.what, got, tt.want)
		}
		if tt.want != zk.OK {
			continue
		}
		const text = "server.1=a:1:2:participant\nserver.2=b:1:2:participant\nversion=1"
		s, ok := x.Body.(*txn.SetData)
		if !ok || x.Type != txn.TypeReconfig || s.Path != "/zookeeper/config" || string(s.Data) != text || s.Version != -1 {
			t.Fatalf("the txn is %v %+v", x.Type, x.Body)
		}
		res, changes := own.Apply(x, nil)
		p.Applied(x.Zxid)
		if string(res.Data) != text || res.Stat.Mzxid != x.Zxid || res.Stat.Version != -1 || len(changes) != 1 || changes[0].Kind != txn.NodeDataChanged {
			t.Errorf("applied it gives %+v and %+v", res, changes)
		}
	}
}
