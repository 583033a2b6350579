package interop

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// startWithMasters is StartEnsemble with the last servers as observers, whose masters are followers: each voter has an address of its own,
// because the port for observers is the same for all.
func startWithMasters(t *testing.T, kinds []Kind, observers int) *Ensemble {
	t.Helper()
	e := &Ensemble{conf: []string{"tickTime=1000", "initLimit=20", "syncLimit=10", "4lw.commands.whitelist=*",
		fmt.Sprintf("observerMasterPort=%d", freePort(t))}}
	for i := range kinds {
		line := fmt.Sprintf("server.%d=127.0.0.%d:%d:%d", i+1, i+2, freePort(t), freePort(t))
		if i >= len(kinds)-observers {
			line += ":observer"
		}
		e.conf = append(e.conf, line)
	}
	for _, k := range kinds {
		e.add(t, k)
	}
	for i, s := range e.Servers {
		s.Launch(t)
		if i == len(kinds)-observers-1 { // so that there are followers when observers look for them
			for _, s := range e.Servers[:i+1] {
				s.WaitServing(t)
			}
		}
	}
	for _, s := range e.Servers {
		s.WaitServing(t)
	}
	return e
}

// Observers of either make have followers of either make for masters: they see every write, their clients write, sync and resume sessions
// over them, and when the master goes they find another.
func TestObserverMasters(t *testing.T) {
	t.Parallel()
	for name, kinds := range map[string][]Kind{
		"Apache observes Zooid": {Zooid, Zooid, Zooid, Apache},
		"Zooid observes Apache": {Apache, Apache, Apache, Zooid},
	} {
		t.Run(name, func(t *testing.T) {
			e := startWithMasters(t, kinds, 1)
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			// master finds the follower that has the observer, and makes sure that the leader has not.
			master := func() int {
				t.Helper()
				for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
					has := -1
					for i, s := range e.Servers[:3] {
						out, err := s.FourLetters("mntr")
						if err == nil && strings.Contains(out, "zk_synced_observers\t1\n") {
							has = i
							if strings.Contains(out, "zk_server_state\tleader\n") {
								t.Fatal("the observer is the leader's")
							}
						}
					}
					if has >= 0 {
						return has
					}
					if time.Now().After(end) {
						t.Fatal("no follower has the observer")
					}
				}
			}
			first := master()
			over, voter := join(t, ctx, e.Servers[3].Addr()), join(t, ctx, e.Servers[first].Addr())
			for round := range 2 {
				_, _, err := voter.Create(ctx, fmt.Sprintf("/v%d", round), []byte("x"), zk.Persistent)
				must(err)
				must(over.Sync(ctx, "/"))
				data, _, changed, err := over.GetW(ctx, fmt.Sprintf("/v%d", round))
				if must(err); string(data) != "x" {
					t.Errorf("%q", data)
				}
				_, err = voter.Set(ctx, fmt.Sprintf("/v%d", round), []byte("y"), 0)
				must(err)
				select {
				case <-changed:
				case <-ctx.Done():
					t.Fatal("no notice")
				}
				path, _, err := over.Create(ctx, "/o-", nil, zk.EphemeralSequential)
				must(err)
				if _, _, err := over.Create(ctx, fmt.Sprintf("/v%d", round), nil, zk.Persistent); err == nil {
					t.Error("it is made twice")
				}
				m := over.Multi()
				m.Create(fmt.Sprintf("/m%d", round), nil, zk.Persistent)
				m.Set(fmt.Sprintf("/v%d", round), []byte("z"), 1)
				must(m.Commit(ctx))
				must(voter.Sync(ctx, "/"))
				if ok, _, err := voter.Exists(ctx, path); err != nil || !ok {
					t.Errorf("%s: %v", path, err)
				}
				// The session goes to the master, and back.
				for _, to := range []int{first, 3} {
					over, err = client.Dial(ctx, []string{e.Servers[to].Addr()}, &client.Options{Session: over.Detach()})
					must(err)
					if paths, err := over.Ephemerals(ctx, "/"); err != nil || !slices.Contains(paths, path) {
						t.Errorf("ephemerals over %d: %q, %v", to+1, paths, err)
					}
				}
				sameTrees(t, ctx, []*client.Client{voter, over})
				if round == 0 {
					second := 3 - first
					for _, i := range []int{0, 1, 2} {
						if out, err := e.Servers[i].FourLetters("srvr"); i != first && err == nil && strings.Contains(out, "Mode: follower") {
							second = i
						}
					}
					e.Servers[first].Stop()
					voter.Close()
					if first = master(); first != second {
						t.Errorf("the observer is with %d, not %d", first+1, second+1)
					}
					e.Servers[3].WaitServing(t)
					voter = join(t, ctx, e.Servers[first].Addr())
				}
			}
			must(over.Close())
		})
	}
}
