package server

import (
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

const zooCfg = "# ours\ntickTime=500\nserver.1=somewhere\npeerType=participant\nclientPort=2181\n"

// dynamically is an ensemble that may be reconfigured, by anybody.
func dynamically(t testing.TB, n, observers int, change ...func(*Options)) *crowd {
	return gather(t, n, observers, append([]func(*Options){func(o *Options) {
		o.ReconfigEnabled, o.SkipACL = true, true
		o.Ensemble.ReconfigEnabled, o.Ensemble.StaticFile = true, "conf/zoo.cfg"
	}}, change...)...)
}

func (w *crowd) put(i int, path, text string) {
	w.t.Helper()
	d := w.disks[i]
	if err := d.MkdirAll(filepath.Dir(path)); err != nil {
		w.t.Fatal(err)
	}
	f, err := d.Create(path)
	if err == nil {
		_, err = io.WriteString(f, text)
		f.Close()
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// file is the text of a file, "" if there is none.
func file(d *vfs.Mem, path string) string {
	f, err := d.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, _ := io.ReadAll(f)
	return string(b)
}

// newcomer makes room for a server that is in nobody's configuration, and gives its line.
func (w *crowd) newcomer(role string) (i int, line string) {
	w.t.Helper()
	host, ports := freePorts(w.t, 3)
	i = len(w.all)
	w.room()
	w.t.Cleanup(func() { w.stop(i) })
	line = name("server.%d=%s:%d:%d:%s;%s:%d", i+1, host, ports[0], ports[1], role, host, ports[2])
	g, err := ensemble.Parse(w.config.String() + "\n" + line)
	if err != nil {
		w.t.Fatal(err)
	}
	w.own[i] = func(e *EnsembleOptions) { e.Config = g.At(0) }
	return i, line
}

func (s *Server) configs() zab.Configs {
	s.mu.RLock()
	defer s.mu.RUnlock()
	st, _ := s.rep.Status()
	return st.Configs
}

// config waits until all that run have the same configuration committed, with this many voters and observers.
func (w *crowd) agreed(voters, observers int) *ensemble.Config {
	w.t.Helper()
	var g *ensemble.Config
	eventually(w.t, name("a configuration of %d voters and %d observers", voters, observers), func() bool {
		g = nil
		for _, s := range w.all {
			if s == nil {
				continue
			}
			c := s.configs().Committed
			if v, o := c.Count(); v != voters || o != observers || g != nil && g.Version != c.Version {
				return false
			}
			g = c
		}
		return true
	})
	return g
}

// reconfig changes the configuration; it is refused while the new voters are not in sync.
func (c *client) reconfig(joining, leaving string) string {
	c.t.Helper()
	var d wire.DataReply
	eventually(c.t, "the new ones are in sync", func() bool {
		r := c.call(&wire.Reconfig{Joining: joining, Leaving: leaving, MembersNull: true, CurConfigID: -1})
		if r.Err == zk.NewConfigNoQuorum {
			return false
		}
		r.into(c.t, &d)
		return true
	})
	return string(d.Data)
}

// A server joins, is made an observer, and is removed. Clients that watch the configuration are told.
func TestReconfig(t *testing.T) {
	w := dynamically(t, 3, 0)
	leader := w.serving()
	w.agreed(3, 0)
	c := connect(t, w.all[(leader+1)%3], lasting)
	i, line := w.newcomer("participant")
	w.start(i)
	w.serving() // the newcomer follows already, and has no vote

	text, stat := c.data("/zookeeper/config")
	if want := w.config.At(stat.Mzxid).String(); text != want || stat.Version != -1 || stat.Mzxid != 1<<32 {
		t.Errorf("the configuration is %q as of %v, not %q", text, stat.Mzxid, want)
	}
	eventually(t, "a follower without a vote", func() bool {
		return values(word(t, w.all[leader], "mntr"))["zk_synced_non_voting_followers"] == "1"
	})
	c.must(&wire.GetData{Path: "/zookeeper/config", Watch: true})
	text = c.reconfig(line, "")
	if !strings.Contains(text, line) {
		t.Errorf("the reply is %q", text)
	}
	g := w.agreed(4, 0)
	if text != g.String() {
		t.Errorf("the reply is %q, and the configuration %q", text, g)
	}
	c.must(&wire.Sync{Path: "/"})
	if now, stat := c.data("/zookeeper/config"); now != text || stat.Mzxid != g.Version {
		t.Errorf("the znode shows %q as of %v", now, stat.Mzxid)
	}
	if len(c.notices) != 1 || c.notices[0].Path != "/zookeeper/config" || c.notices[0].Type != zk.EventNodeDataChanged {
		t.Errorf("notices: %v", c.notices)
	}

	// It votes: with one of the others gone, three of four are left, and after the newcomer, two of four, which is too few.
	n := connect(t, w.all[i], lasting)
	n.must(create("/by-newcomer", ""))
	if !strings.Contains(word(t, w.all[i], "srvr"), "Mode: follower") {
		t.Error("the newcomer does not follow")
	}

	// A voter becomes an observer, and then nothing.
	c.reconfig(strings.Replace(line, "participant", "observer", 1), "")
	w.agreed(3, 1)
	eventually(t, "the newcomer observes", func() bool { r := w.all[i].role(); return r.State == zab.Observing && r.Serving })
	n, refused := n.resume(w.all[i])
	if refused {
		t.Fatal("the session of the newcomer's client is gone")
	}
	n.must(create("/by-observer", ""))
	c.reconfig(line, "")
	w.agreed(4, 0)
	eventually(t, "the newcomer follows", func() bool { r := w.all[i].role(); return r.State == zab.Following && r.Serving })
	c.reconfig("", name("%d", i+1))
	w.kept(w.agreed(3, 0))
	eventually(t, "one without a vote follows on", func() bool {
		return values(word(t, w.all[leader], "mntr"))["zk_synced_non_voting_followers"] == "1"
	})
	c.must(create("/after", ""))
	w.same()
}

// kept waits until a configuration is in the files of all that run, and lets those that start anew begin with it.
func (w *crowd) kept(g *ensemble.Config) {
	w.t.Helper()
	for i, s := range w.all {
		if s == nil {
			continue
		}
		eventually(w.t, name("the files of server %d", i+1), func() bool {
			return strings.HasSuffix(file(w.disks[i], "conf/zoo.cfg"), naming(w.t, ensemble.FileName("conf/zoo.cfg", g.Version))) &&
				file(w.disks[i], ensemble.NextFileName("conf/zoo.cfg")) == ""
		})
		text := file(w.disks[i], ensemble.FileName("conf/zoo.cfg", g.Version))
		c, err := ensemble.Parse(text)
		if err != nil || c.File() != g.File() {
			w.t.Fatalf("the dynamic file of server %d is %q: %v", i+1, text, err)
		}
		w.own[i] = func(e *EnsembleOptions) {
			e.Config, e.DynamicFile = c.At(g.Version), ensemble.FileName("conf/zoo.cfg", g.Version)
		}
	}
}

// The only voter leads on where its quorum port has moved to: there is nobody else who could. Who comes finds it there.
func TestTheQuorumPortOfTheOnlyVoterMoves(t *testing.T) {
	w := dynamically(t, 2, 1, func(o *Options) { o.Ensemble.StandaloneEnabled = false })
	w.serving()
	w.agreed(1, 1)
	host, ports := freePorts(t, 2)
	self := w.config.Members[0]
	self.Peers = []ensemble.Addr{{Host: self.Peers[0].Host, QuorumPort: ports[0], ElectionPort: self.Peers[0].ElectionPort}}
	self.ClientAddr = name("%s:%d", host, ports[1])
	connect(t, w.all[0], lasting).reconfig(name("server.%d=%v", self.ID, self), "")
	w.kept(w.agreed(1, 1))
	w.stop(1)
	w.start(1)
	eventually(t, "the observer is there again", func() bool { r := w.all[1].role(); return r.State == zab.Observing && r.Serving })
	w.same()
}

// Where the voters are lost for ever that a quorum needs, an operator changes the newest list of the others in place, under the version that it
// has (docs/ensemble.md): the change in their logs is no newer than that, and keeps nobody waiting for who is gone.
func TestListWrittenByHand(t *testing.T) {
	w := dynamically(t, 5, 0, func(o *Options) { o.Ensemble.StandaloneEnabled = false })
	leader := w.serving()
	w.agreed(5, 0)
	c := connect(t, w.all[leader], lasting)
	c.must(create("/before", ""))
	c.reconfig("", name("%d", (leader+1)%5+1))
	w.stop((leader + 1) % 5)
	g := w.agreed(4, 0)
	c.must(create("/behind", ""))
	w.same()
	var left []string
	for i := range w.all {
		w.stop(i)
	}
	rest := []int{leader, (leader + 2) % 5}
	for _, i := range rest {
		m, _ := g.Member(ensemble.SID(i + 1))
		left = append(left, name("server.%d=%v", m.ID, m))
	}
	byHand, err := ensemble.Parse(strings.Join(left, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range rest {
		w.own[i] = func(e *EnsembleOptions) { e.Config = byHand.At(g.Version) }
		w.start(i)
	}
	w.serving()
	for _, i := range rest {
		d := connect(t, w.all[i], lasting)
		if !d.exists("/before") || !d.exists("/behind") {
			t.Errorf("something is gone over %d", i+1)
		}
		d.must(create(name("/n%d", i), ""))
	}
	w.same()
}

// Ports move with the configuration, without an election; and an ensemble that starts anew goes on with its last configuration.
func TestPortsMove(t *testing.T) {
	w := dynamically(t, 3, 0)
	leader := w.serving()
	w.kept(w.agreed(3, 0))
	i := (leader + 1) % 3
	mover := w.all[i]
	old, epoch := mover.Addr().String(), mover.role().Epoch
	there := connect(t, mover, lasting)
	host, ports := freePorts(t, 2)
	c := connect(t, w.all[leader], lasting)
	self := w.config.Members[i]
	self.Peers = []ensemble.Addr{{Host: self.Peers[0].Host, QuorumPort: self.Peers[0].QuorumPort, ElectionPort: ports[0]}}
	self.ClientAddr = name("%s:%d", host, ports[1])
	if lines := c.reconfig(name("server.%d=%v", self.ID, self), ""); !strings.Contains(lines, self.ClientAddr) {
		t.Errorf("the configuration is %q", lines)
	}
	eventually(t, "the client port moves", func() bool { return mover.Addr().String() == self.ClientAddr })
	there.must(create("/over-the-old", "")) // whoever is connected stays
	connect(t, mover, lasting).must(create("/over-the-new", ""))
	if nc, err := net.Dial("tcp", old); err == nil {
		nc.Close()
		t.Errorf("%s is still open", old)
	}
	eventually(t, "the election port moves", func() bool {
		nc, err := net.Dial("tcp", self.ElectionAddrs()[0])
		if err == nil {
			nc.Close()
		}
		return err == nil
	})
	g := w.agreed(3, 0)
	w.kept(g)
	if !strings.Contains(word(t, mover, "conf"), name("\nelectionPort=%d\n", ports[0])) {
		t.Error("conf has the old port")
	}
	if e := w.all[leader].role().Epoch; e != epoch {
		t.Errorf("epoch %d is epoch %d", epoch, e)
	}

	for i := range w.all {
		w.stop(i)
	}
	for i := range w.all {
		w.start(i)
	}
	w.serving()
	if now := w.agreed(3, 0); now.String() != g.String() {
		t.Errorf("the configuration is %q, and was %q", now, g)
	}
	connect(t, w.all[leader], lasting).must(create("/anew", ""))
	w.same()
}

// A client port that somebody else has leaves a server where it was.
func TestPortTaken(t *testing.T) {
	w := dynamically(t, 3, 0)
	leader := w.serving()
	w.agreed(3, 0)
	i := (leader + 1) % 3
	before := w.all[i].Addr().String()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	self := w.config.Members[i]
	self.ClientAddr = taken.Addr().String()
	connect(t, w.all[leader], lasting).reconfig(name("server.%d=%v", self.ID, self), "")
	w.logs[i].wait(t, "ERROR the client port cannot be moved", "to="+self.ClientAddr)
	if now := w.all[i].Addr().String(); now != before {
		t.Errorf("it listens at %s, and was at %s", now, before)
	}
	connect(t, w.all[i], lasting).must(create("/still", ""))
}

// The leader is removed: another leads on, without an election, and nothing is lost.
func TestLeaderRemoved(t *testing.T) {
	w := dynamically(t, 3, 0)
	leader := w.serving()
	w.agreed(3, 0)
	c := connect(t, w.all[(leader+1)%3], lasting)
	c.must(create("/before", ""))
	c.send(&wire.Reconfig{Leaving: name("%d", leader+1), MembersNull: true, CurConfigID: -1})
	w.agreed(2, 0)
	eventually(t, "another leads", func() bool { return w.serving() != leader })
	for i, s := range w.all {
		d := connect(t, s, lasting)
		d.must(&wire.Sync{Path: "/"})
		if !d.exists("/before") {
			t.Errorf("/before is gone over %d", i+1)
		}
		d.must(create(name("/n%d", i), ""))
	}
	w.same()
}

// What is refused, in the order of client protocol, section 3.4.13.
func TestReconfigRefused(t *testing.T) {
	w := gather(t, 3, 0, func(o *Options) {
		o.ReconfigEnabled, o.Ensemble.ReconfigEnabled = true, true
	})
	leader := w.serving()
	w.agreed(3, 0)
	_, line := w.newcomer("participant")
	_, other := w.newcomer("participant")
	_, third := w.newcomer("participant")
	for _, s := range []*Server{w.all[leader], w.all[(leader+1)%3]} {
		c := connect(t, s, lasting)
		for _, x := range []struct {
			what string
			op   wire.Reconfig
			want zk.Code
		}{
			{"another version", wire.Reconfig{CurConfigID: 7, Joining: "nonsense", MembersNull: true}, zk.BadVersion},
			{"no line", wire.Reconfig{CurConfigID: -1, Joining: "nonsense", MembersNull: true}, zk.BadArguments},
			{"no client address", wire.Reconfig{CurConfigID: -1, Joining: line[:strings.IndexByte(line, ';')], MembersNull: true}, zk.BadArguments},
			{"no id", wire.Reconfig{CurConfigID: -1, Leaving: "one", MembersNull: true}, zk.MarshallingError},
			{"one voter", wire.Reconfig{CurConfigID: -1, Leaving: "1,2", MembersNull: true}, zk.BadArguments},
			{"an empty whole", wire.Reconfig{CurConfigID: -1}, zk.BadArguments},
			{"voters that are not there", wire.Reconfig{CurConfigID: -1, Joining: line + "," + other + "," + third, MembersNull: true}, zk.NewConfigNoQuorum},
			{"no permission", wire.Reconfig{CurConfigID: 1 << 32, Leaving: "3", MembersNull: true}, zk.NoAuth},
		} {
			if r := c.call(&x.op); r.Err != x.want {
				t.Errorf("%s: %v, not %v", x.what, r.Err, x.want)
			}
		}
	}
	if v := w.agreed(3, 0).Version; v != 1<<32 {
		t.Errorf("the configuration has version %v", v)
	}

	off := gather(t, 3, 0)
	if c := connect(t, off.all[off.serving()], lasting); c.call(&wire.Reconfig{CurConfigID: 7}).Err != zk.ReconfigDisabled {
		t.Error("not refused where it is disabled")
	}
}

// seen are the configurations that the tests of files go through: a server's own, one that is activated, and one with its client port.
func seen(t *testing.T) (one, two, three *ensemble.Config) {
	line := func(n int) string { return name("server.%d=h%d:1:2:participant", n, n) }
	g := func(v zk.Zxid, text ...string) *ensemble.Config {
		c, err := ensemble.Parse(strings.Join(text, "\n"))
		if err != nil {
			t.Fatal(err)
		}
		return c.At(v)
	}
	return g(0, line(1)), g(0x100000000, line(1), line(2)), g(0x100000007, line(1)+";h1:2181", line(3))
}

// naming is the line that names a dynamic file.
func naming(t testing.TB, file string) string {
	abs, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	return "dynamicConfigFile=" + abs + "\n"
}

// What zoo.cfg becomes.
const (
	zooCfgTwo   = "# ours\ntickTime=500\nclientPort=2181\n"
	zooCfgThree = "# ours\ntickTime=500\n"
)

// The dynamic files, at the first activation, and behind a reconfiguration; what was proposed and is committed is forgotten.
func TestDynamicFiles(t *testing.T) {
	w := &crowd{t: t, disks: []*vfs.Mem{vfs.NewMem()}}
	d := w.disks[0]
	w.put(0, "conf/zoo.cfg", zooCfg)
	k := dynamic{fs: d, static: "conf/zoo.cfg", self: 1}
	one, two, three := seen(t)
	for _, x := range []struct {
		what                 string
		committed, seen      *ensemble.Config
		static, backup, next string
	}{
		{"nothing new", one, one, zooCfg, "", ""},
		{"seen", one, two, zooCfg, "", two.NextFile()},
		{"committed", two, two, zooCfgTwo + naming(t, "conf/zoo.cfg.dynamic.100000000"), zooCfg, ""},
		{"seen again", two, three, zooCfgTwo + naming(t, "conf/zoo.cfg.dynamic.100000000"), zooCfg, three.NextFile()},
		{"taken back", two, two, zooCfgTwo + naming(t, "conf/zoo.cfg.dynamic.100000000"), zooCfg, ""},
		{"with a client port", three, three, zooCfgThree + naming(t, "conf/zoo.cfg.dynamic.100000007"), zooCfg, ""},
	} {
		if err := k.write(&zab.Configs{Committed: x.committed, LastSeen: x.seen}); err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]string{"conf/zoo.cfg": x.static, "conf/zoo.cfg.bak": x.backup, "conf/zoo.cfg.dynamic.next": x.next} {
			if got := file(d, path); got != want {
				t.Errorf("%s: %s is %q, not %q", x.what, path, got, want)
			}
		}
		if _, err := d.Stat("conf/zoo.cfg.tmp"); err == nil {
			t.Errorf("%s: something is left over", x.what)
		}
	}
	for _, g := range []*ensemble.Config{two, three} {
		if got := file(d, ensemble.FileName("conf/zoo.cfg", g.Version)); got != g.File() {
			t.Errorf("the dynamic file is %q", got)
		}
	}
}

// Wherever a crash comes, zoo.cfg is whole and names a file that is whole, of a configuration not older than what was written.
func TestDynamicFilesCrash(t *testing.T) {
	one, two, three := seen(t)
	stages := map[string]*ensemble.Config{
		zooCfg: one, zooCfgTwo + naming(t, "conf/zoo.cfg.dynamic.100000000"): two, zooCfgThree + naming(t, "conf/zoo.cfg.dynamic.100000007"): three,
	}
	for n, crashed := 0, true; crashed; n++ {
		for seed := range uint64(8) {
			w := &crowd{t: t, disks: []*vfs.Mem{vfs.NewMem()}}
			w.put(0, "conf/zoo.cfg", zooCfg)
			d := w.disks[0]
			if f, err := d.OpenFile("conf/zoo.cfg", os.O_RDWR); err != nil || f.Sync() != nil || d.SyncDir("conf") != nil || d.SyncDir(".") != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(seed, uint64(n)))
			faulty := vfs.NewFaulty(d)
			faulty.CrashAfter(n, rng)
			k := dynamic{fs: faulty, static: "conf/zoo.cfg", self: 1}
			written := one
			for _, c := range []zab.Configs{{Committed: one, LastSeen: two}, {Committed: two, LastSeen: two}, {Committed: two, LastSeen: three}, {Committed: three, LastSeen: three}} {
				if k.write(&c) != nil {
					break
				}
				written = c.Committed
			}
			crashed = faulty.Crashed()
			d = d.Crash(rng)
			g := stages[file(d, "conf/zoo.cfg")]
			if g == nil || g.Version < written.Version {
				t.Fatalf("crash after %d, seed %d: zoo.cfg is %q, and %v was written", n, seed, file(d, "conf/zoo.cfg"), written.Version)
			}
			if got := file(d, ensemble.FileName("conf/zoo.cfg", g.Version)); g != one && got != g.File() {
				t.Fatalf("crash after %d, seed %d: the dynamic file is %q", n, seed, got)
			}
			if next := file(d, "conf/zoo.cfg.dynamic.next"); next != "" && next != two.NextFile() && next != three.NextFile() {
				t.Fatalf("crash after %d, seed %d: the next one is %q", n, seed, next)
			}
			if !crashed && g != three {
				t.Errorf("without a crash it is %q", file(d, "conf/zoo.cfg"))
			}
		}
	}
}
