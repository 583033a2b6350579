package interop

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// TestLocalSessions: whichever kind leads, a session over either kind costs no transaction, is unknown to the other members, and
// becomes one of the ensemble with its first ephemeral; where it may not, the ephemeral is refused in the same words.
func TestLocalSessions(t *testing.T) {
	t.Parallel()
	for name, kinds := range map[string][]Kind{"Apache leads": {Zooid, Apache, Apache}, "Zooid leads": {Apache, Apache, Zooid}} {
		for _, upgrading := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, upgrading %v", name, upgrading), func(t *testing.T) {
				e := StartEnsemble(t, kinds, "localSessionsEnabled=true", fmt.Sprintf("localSessionsUpgradingEnabled=%v", upgrading))
				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
				defer cancel()
				must := func(err error) {
					t.Helper()
					if err != nil {
						t.Fatal(err)
					}
				}
				witness := join(t, ctx, e.Addrs()[1])
				_, stat, err := witness.Create(ctx, "/n", nil, zk.Persistent)
				must(err)
				last := stat.Czxid
				for i, addr := range e.Addrs() {
					c := join(t, ctx, addr)
					path := fmt.Sprintf("/n%d", i)
					_, stat, err := c.Create(ctx, path, nil, zk.Persistent)
					must(err)
					if last++; stat.Czxid != last {
						t.Errorf("over %d the session took a zxid: %v, want %v", i+1, stat.Czxid, last)
					}
					last = stat.Czxid
					m := c.Multi()
					m.Create(path+"/m", nil, zk.Ephemeral)
					switch err := m.Commit(ctx); {
					case !upgrading:
						last += 2
						if err == nil {
							t.Errorf("over %d a multi made an ephemeral", i+1)
						}
						if _, _, err := c.Create(ctx, path+"/e", nil, zk.Ephemeral); !errors.Is(err, zk.EphemeralOnLocalSession) {
							t.Errorf("an ephemeral over %d: %v", i+1, err)
						}
						must(c.Close())
						continue
					case err != nil:
						t.Fatalf("a multi with an ephemeral over %d: %v", i+1, err)
					}
					_, stat, err = c.Create(ctx, path+"/e", nil, zk.Ephemeral)
					must(err)
					if last += 3; stat.Czxid != last { // the session, the multi, this
						t.Errorf("over %d the ephemeral is %v, want %v", i+1, stat.Czxid, last)
					}
					// The server may be one that has not applied /e yet: it has to send the session back until it has.
					moved, err := client.Dial(ctx, e.Addrs()[(i+1)%3:(i+1)%3+1], &client.Options{Session: c.Detach()})
					must(err)
					if paths, err := moved.Ephemerals(ctx, "/"); err != nil || len(paths) != 2 {
						t.Errorf("ephemerals of the session that moved: %q, %v", paths, err)
					}
					must(moved.Close())
					last++
					must(witness.Sync(ctx, "/"))
					if children, _, err := witness.Children(ctx, path); err != nil || len(children) != 0 {
						t.Errorf("children of %s: %q, %v", path, children, err)
					}
				}
				lost := join(t, ctx, e.Addrs()[0])
				_, err = client.Dial(ctx, e.Addrs()[2:], &client.Options{Session: lost.Detach()})
				if !errors.Is(err, zk.SessionExpired) {
					t.Errorf("a local session over another member: %v", err)
				}
				sameTrees(t, ctx, []*client.Client{witness, join(t, ctx, e.Addrs()[0]), join(t, ctx, e.Addrs()[2])})
				e.sameDigests(t, Apache, Zooid)
			})
		}
	}
}
