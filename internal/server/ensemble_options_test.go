package server

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
)

// logs are the log files on a server's disk.
func (w *crowd) files(i int, prefix string) (list []string) {
	w.t.Helper()
	entries, err := w.disks[i].ReadDir("data/version-2")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			list = append(list, e.Name())
		}
	}
	return list
}

// With syncEnabled=false an observer serves as any does and logs nothing; what it has missed since its last snapshot it is sent when it
// starts anew.
func TestEnsembleObserverWithoutLog(t *testing.T) {
	w := gather(t, 4, 1, func(o *Options) { o.Ensemble.SyncEnabled = false })
	leader := w.serving()
	c := connect(t, w.all[3], lasting)
	c.must(ephemeral("/mine"))
	c.fill("/n", 30)
	w.stop(leader)
	w.serving()
	w.same()
	for range 2 {
		d, refused := c.resume(w.all[3])
		if refused || !d.exists("/mine") || d.all("/n", 30) != 30 {
			t.Error("something is gone")
		}
		c = d
		w.stop(3)
		w.start(3)
		w.serving()
		w.same()
	}
	if l := w.files(3, "log."); len(l) != 0 {
		t.Errorf("it has logged: %q", l)
	}
	if l := w.files(w.followers()[0], "log."); len(l) == 0 {
		t.Error("and so has nobody")
	}
}

// An observer that has logged nothing and becomes a voter has everything on disk before it votes.
func TestEnsembleObserverWithoutLogVotes(t *testing.T) {
	w := dynamically(t, 3, 0, func(o *Options) { o.Ensemble.SyncEnabled = false })
	leader := w.serving()
	w.agreed(3, 0)
	c := connect(t, w.all[leader], lasting)
	i, line := w.newcomer("observer")
	w.start(i)
	c.reconfig(line, "")
	w.agreed(3, 1)
	eventually(t, "it observes", func() bool { r := w.all[i].role(); return r.State == zab.Observing && r.Serving })
	c.fill("/n", 30)
	w.same()
	installed := w.logs[i].with("Installed snapshot")
	c.reconfig(strings.Replace(line, "observer", "participant", 1), "")
	w.kept(w.agreed(4, 0))
	eventually(t, "it follows", func() bool { r := w.all[i].role(); return r.State == zab.Following && r.Serving })
	w.logs[i].more(t, installed, "Installed snapshot") // it does not vote for what is in memory alone
	w.serving()
	c.fill("/more", 30)
	w.same()
	s := w.all[i]
	s.mu.RLock()
	last := s.rep.Tree().LastZxid()
	s.mu.RUnlock()
	eventually(t, "its disk has everything, too", func() bool { // the others' have: that is enough for the clients
		q := &s.member.disk
		q.mu.Lock()
		defer q.mu.Unlock()
		return len(q.ops) == 0 && !q.running
	})
	w.blackout(dice(6), i)
	w.start(i)
	w.logs[i].wait(t, "highest zxid is "+last.String())
	w.serving()
	w.same()
}

// With leaderServes=no clients are served by everybody but who leads.
func TestEnsembleLeaderServesNot(t *testing.T) {
	w := gather(t, 3, 0, func(o *Options) { o.Ensemble.LeaderServes = false })
	leader := w.serving()
	refused := func(s *Server) {
		t.Helper()
		d := dial(t, s)
		d.write(hello(&wire.ConnectRequest{TimeOut: lastingMs}))
		d.ended()
	}
	refused(w.all[leader])
	if !strings.Contains(word(t, w.all[leader], "srvr"), "Mode: leader") {
		t.Error("operators are not told who leads")
	}
	c := connect(t, w.all[w.followers()[0]], lasting)
	c.must(ephemeral("/mine"))
	c.fill("/n", 20)
	w.stop(leader)
	next := w.serving()
	refused(w.all[next])
	w.start(leader)
	w.serving()
	d, gone := c.resume(w.all[leader])
	if gone || !d.exists("/mine") || d.all("/n", 20) != 20 {
		t.Error("something is gone")
	}
}

// A disk that fails when the leader's tree is to be put on it costs another attempt, and not the process.
func TestEnsembleInstallFails(t *testing.T) {
	for _, op := range []vfs.Op{vfs.OpCreate, vfs.OpWrite, vfs.OpSync, vfs.OpRename} {
		t.Run(string(op), func(t *testing.T) {
			w := gather(t, 3, 0)
			leader := w.serving()
			away := w.followers()[0]
			w.stop(away)
			c := connect(t, w.all[leader], lasting)
			c.must(ephemeral("/mine"))
			c.fill("/n", 600)
			w.faults[away].Add(vfs.Fault{Op: op, Name: "snapshot.", Times: 1})
			w.start(away)
			w.logs[away].wait(t, "ERROR the history cannot be exchanged")
			w.serving()
			w.same()
			select {
			case err := <-w.all[away].Fatal():
				t.Error(err)
			default:
			}
			w.blackout(dice(4), away)
			w.start(away)
			w.serving()
			w.same()
		})
	}
}

// A tail that has to be cut off, and whose place no snapshot leads to, costs a whole tree, and not the process.
func TestEnsembleTailWithoutBase(t *testing.T) {
	w, old, c := tail(t, set("/a", "not committed"), sequential("/never", 10))
	compact(t, w.disks[old])
	w.start(old)
	w.serving()
	w.same()
	w.logs[old].wait(t, "ERROR the history cannot be exchanged") // it was not cut
	select {
	case err := <-w.all[old].Fatal():
		t.Error(err)
	default:
	}
	for range 2 {
		d, refused := c.resume(w.all[old])
		if refused {
			t.Fatal("the session has ended")
		}
		if data, _ := d.data("/a"); data != "committed" || !d.exists("/after") || d.exists("/never") {
			t.Errorf("/a is %q", data)
		}
		c = d
		w.blackout(dice(5), old)
		w.start(old)
		w.serving()
		w.same()
	}
}

// compact writes a snapshot of all that is in a folder, and removes those before.
func compact(t *testing.T, disk vfs.FS) {
	t.Helper()
	o := Default()
	s, err := store.Open(disk, "data", "data", store.Options{MaxRecord: o.maxRecord(), Logger: slog.New(slog.DiscardHandler), Now: time.Now,
		Rand: func(int) int { return 0 }, Digest: true, LastZxid: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	res, err := s.Restore(func() *tree.Tree { return tree.New(tree.Options{Seed: 1}) })
	if err != nil {
		t.Fatal(err)
	}
	view := res.Tree.Freeze()
	defer view.Close()
	sn := store.Snapshot{Zxid: res.LastZxid, ACLs: view.ACLs(), Digest: view.Digest(), HasDigest: true, Next: view.Next}
	for id, timeout := range res.Sessions {
		sn.Sessions = append(sn.Sessions, store.Session{ID: id, Timeout: timeout})
	}
	if _, _, err := s.WriteSnapshot(sn); err != nil {
		t.Fatal(err)
	}
	if err := disk.Remove("data/version-2/snapshot.0"); err != nil {
		t.Fatal(err)
	}
}

// A leader counts what its learners ask about sessions, and what waits for each of them.
func TestEnsembleLearnersAreMeasured(t *testing.T) {
	w := gather(t, 3, 0)
	leader := w.serving()
	f := w.followers()
	c := connect(t, w.all[f[0]], lasting)
	c.fill("/n", 20)
	if _, refused := c.resume(w.all[f[1]]); refused {
		t.Fatal("the session has ended")
	}
	v := values(word(t, w.all[leader], "mntr"))
	if n := v["zk_revalidate_count"]; n != "1" {
		t.Errorf("the leader was asked %q times", n)
	}
	for _, i := range f {
		for _, name := range []string{"size", "time_ms"} {
			if n := v[fmt.Sprintf("zk_cnt_%d_learner_handler_qp_%s", i+1, name)]; n == "" || n == "0" {
				t.Errorf("%q packets of server %d were looked at for %s", n, i+1, name)
			}
		}
	}
}
