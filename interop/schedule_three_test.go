package interop

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// TestSchedulesOfAnEnsemble: all servers are real.
func TestSchedulesOfAnEnsemble(t *testing.T) {
	t.Parallel()
	// writes makes a znode over a server, and tells what is wrong with that.
	writes := func(t *testing.T, ctx context.Context, s *Server, path string) string {
		c := join(t, ctx, s.Addr())
		defer c.Close()
		if _, _, err := c.Create(ctx, path, nil, zk.Persistent); err != nil {
			return fmt.Sprintf("%s: %v", path, err)
		}
		return ""
	}
	playSchedules(t, []schedule{
		// Three become five, without reconfig: the new ones start first, then each of the others is restarted with the new list.
		{id: "3829 a longer list of servers", long: true, play: func(t *testing.T, k Kind) string {
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
			defer cancel()
			e := StartEnsemble(t, []Kind{k, k, k})
			for id := 4; id <= 5; id++ {
				e.conf = append(e.conf, fmt.Sprintf("server.%d=127.0.0.1:%d:%d", id, freePort(t), freePort(t)))
			}
			for range 2 {
				e.add(t, k).Launch(t)
			}
			for i, s := range e.Servers[:3] { // 3 leads
				s.setup.Conf = e.conf
				s.Restart(t)
				if wrong := writes(t, ctx, s, fmt.Sprintf("/restarted-%d", i+1)); wrong != "" {
					return wrong
				}
			}
			for i, s := range e.Servers {
				s.WaitServing(t)
				if wrong := writes(t, ctx, s, fmt.Sprintf("/after-%d", i+1)); wrong != "" {
					return wrong
				}
			}
			return ""
		}},
		{id: "88058 a server is added, and restarted", long: true, play: func(t *testing.T, k Kind) string {
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
			defer cancel()
			e := StartEnsemble(t, []Kind{k, k, k}, "reconfigEnabled=true", "skipACL=yes")
			line := e.Join(t, k)
			reconfigure(t, e.Servers[0], wire.Reconfig{Joining: line})
			sameConfigs(t, ctx, 4, e.Servers...)
			added := e.Servers[3]
			for i := range 2 {
				added.Restart(t)
				if wrong := writes(t, ctx, added, fmt.Sprintf("/n%d", i)); wrong != "" {
					return wrong
				}
			}
			return ""
		}},
		// Everybody is killed, and comes back.
		{id: "1367 a restart of all", long: true, play: func(t *testing.T, k Kind) string {
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
			defer cancel()
			e := StartEnsemble(t, []Kind{k, k, k})
			stays, goes := join(t, ctx, e.Servers[0].Addr()), join(t, ctx, e.Servers[1].Addr())
			for path, c := range map[string]*client.Client{"/stays": stays, "/goes": goes} {
				if _, _, err := c.Create(ctx, path, nil, zk.Ephemeral); err != nil {
					t.Fatal(err)
				}
			}
			if err := goes.Close(); err != nil {
				t.Fatal(err)
			}
			for _, s := range e.Servers {
				s.Kill()
			}
			for _, s := range e.Servers {
				s.Launch(t)
			}
			for _, s := range e.Servers {
				s.WaitServing(t)
				if got := children(t, s); !slices.Equal(got, []string{"/stays"}) {
					return strings.Join(got, " ")
				}
			}
			return ""
		}},
	})
}
