package interop

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// reconfigure changes the configuration over one server, and waits while the new voters are not in sync. lost tells that the
// connection ended before the answer, as it does where the leader changes.
func reconfigure(t *testing.T, s *Server, op wire.Reconfig) (text string, lost bool) {
	t.Helper()
	op.MembersNull, op.CurConfigID = true, -1
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		c, err := Connect(s.Addr(), sessionTimeout)
		if err != nil {
			t.Fatal(err)
		}
		var r wire.DataReply
		h, err := c.Call(&op, &r)
		c.Close()
		switch {
		case err != nil:
			return "", true
		case h.Err == zk.OK:
			return string(r.Data), false
		case h.Err != zk.NewConfigNoQuorum || time.Now().After(end):
			t.Fatalf("reconfig: %v", h.Err)
		}
	}
}

// sameConfigs waits until these servers show one configuration with so many members, and gives it.
func sameConfigs(t *testing.T, ctx context.Context, members int, servers ...*Server) *ensemble.Config {
	t.Helper()
	var all []*ensemble.Config
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		all = nil
		for _, s := range servers {
			c, err := client.Dial(ctx, []string{s.Addr()}, nil)
			if err != nil {
				t.Fatal(err)
			}
			text, _, err := c.Get(ctx, "/zookeeper/config")
			c.Close()
			if err != nil {
				continue // it is changing its role
			}
			g, err := ensemble.Parse(string(text))
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			all = append(all, g)
		}
		if len(all) == len(servers) && len(all[0].Members) == members && !slices.ContainsFunc(all, func(g *ensemble.Config) bool {
			return g.Version != all[0].Version || g.String() != all[0].String()
		}) {
			return all[0]
		}
		if time.Now().After(end) {
			t.Fatalf("the configurations are %v", all)
		}
	}
}

// Ensembles of both makes are reconfigured, whoever leads: a server joins, and the leader is removed.
func TestMixedReconfig(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		kinds []Kind
		joins Kind
	}{
		"Apache leads": {[]Kind{Zooid, Apache, Apache}, Zooid},
		"Zooid leads":  {[]Kind{Apache, Zooid, Zooid}, Apache},
	} {
		t.Run(name, func(t *testing.T) {
			e := StartEnsemble(t, x.kinds, "reconfigEnabled=true", "skipACL=yes")
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
			defer cancel()
			w := startWriter(t, ctx, "w", e.Addrs()[:2])
			first := sameConfigs(t, ctx, 3, e.Servers...)
			line := e.Join(t, x.joins)
			text, _ := reconfigure(t, e.Servers[0], wire.Reconfig{Joining: line})
			if !strings.Contains(text, line) {
				t.Errorf("the answer is %q", text)
			}
			g := sameConfigs(t, ctx, 4, e.Servers...)
			if g.Version <= first.Version {
				t.Errorf("version %v behind %v", g.Version, first.Version)
			}
			c := join(t, ctx, e.Servers[3].Addr())
			if _, _, err := c.Create(ctx, "/by-newcomer", nil, zk.Persistent); err != nil {
				t.Error(err)
			}
			for i, s := range e.Servers {
				for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
					zoo, err := os.ReadFile(s.cfg)
					if err == nil && strings.Contains(string(zoo), fmt.Sprintf("zoo.cfg.dynamic.%x", uint64(g.Version))) && !strings.Contains(string(zoo), "server.") {
						break
					}
					if time.Now().After(end) {
						t.Fatalf("zoo.cfg of server %d is %q, %v", i+1, zoo, err)
					}
				}
			}

			// Server 3 has led.
			reconfigure(t, e.Servers[0], wire.Reconfig{Leaving: "3"})
			left := []*Server{e.Servers[0], e.Servers[1], e.Servers[3]}
			sameConfigs(t, ctx, 3, left...)
			e.Servers[2].Stop()
			e.Servers = left
			w.end(t, ctx, e)
			var all []*client.Client
			for _, s := range left {
				all = append(all, join(t, ctx, s.Addr()))
			}
			sameTrees(t, ctx, all)
			e.sameDigests(t, Zooid)
		})
	}
}
