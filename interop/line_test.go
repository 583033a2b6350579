package interop

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

var lineRounds = flag.Int("line-rounds", 8, "how often each contender of TestLines holds what it waits for")

// lines are folders in which contenders of several libraries stand, and which of them. docs/other-libraries.md says why these. The word for
// a contender is its kind in Contender.java, contender.py or contender_test.go.
var lines = []struct {
	path   string
	java   []string
	python []string
	zooid  []string
	killed []party // each dies while it holds, one after the other, before the rest is let go
}{
	// Curator's names, as Curator, go-zookeeper and our default have them; kazoo takes them.
	{path: "/curator", java: []string{"mutex", "selector"}, python: []string{"lock-named", "election-named"},
		zooid: []string{"lock", "election", "gozk", "shell"}, killed: []party{{java, "mutex"}, {ours, "lock"}}},
	// Each has its own names, and everybody knows everybody's: Curator by a driver that sorts by numbers, kazoo by a pattern.
	{path: "/each", java: []string{"mutex-by-number"}, python: []string{"lock-patterns", "election-patterns"},
		zooid: []string{"lock", "lock-kazoo", "election-kazoo", "gozk"}},
	// kazoo as it is, and ours with its names.
	{path: "/kazoo", python: []string{"lock", "election"}, zooid: []string{"lock-kazoo", "election-kazoo"},
		killed: []party{{python, "election"}, {ours, "election-kazoo"}}},
	// LeaderLatch has names of its own.
	{path: "/latch", java: []string{"latch", "latch"}, python: []string{"latch-named"}, zooid: []string{"election-latch"}},
	{path: "/shared", java: []string{"readwrite"}, python: []string{"readwrite-named"}, zooid: []string{"shared"}},
	{path: "/shared-kazoo", python: []string{"readwrite"}, zooid: []string{"shared-kazoo"}},
	{path: "/semaphore", java: []string{"semaphore", "semaphore"}, zooid: []string{"semaphore", "semaphore"}},
	{path: "/semaphore-kazoo", python: []string{"semaphore", "semaphore"}, zooid: []string{"semaphore-kazoo", "semaphore-kazoo"}},
}

// Whose program a contender is of.
type language int

const (
	java language = iota
	python
	ours
)

// party is one contender.
type party struct {
	of   language
	kind string
}

// TestLines lets contenders of Curator, kazoo, go-zookeeper and Zooid stand in the same lines, for locks, offices, shares and leases,
// on Zooid's server. Whoever holds something looks that nobody else does who should not, and counts by a versioned set. In some lines
// the first holders are killed, one foreign and one of ours, when all the others have come.
//
// A contenders' program is given the server's address, a session timeout in ms, and for each of its contenders kind:path:rounds; none
// is one that holds until it is killed. It prints READY, begins when a line comes on its standard input, and then prints
//
//	IN <kind> <path>          a holder looked around, and is alone
//	PASS <kind> <path>        the contender's last round is over
//	FAIL <what>
func TestLines(t *testing.T) {
	t.Parallel()
	commands := contenders(t)
	t.Run("neighbours", func(t *testing.T) { playNeighbours(t, commands) })
	t.Run("strangers", func(t *testing.T) { playStrangers(t, commands) })
}

func playNeighbours(t *testing.T, commands map[language][]string) {
	t.Helper()
	// Sessions may get short, or the killed would be waited for: see expireSoon.
	server := Start(t, Zooid, Setup{Conf: []string{"tickTime=200", "maxSessionTimeout=120000", "extendedTypesEnabled=true"}})
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	c, err := client.Dial(ctx, []string{server.Addr()}, &client.Options{SessionTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	specs := map[language][]string{}
	for _, l := range lines {
		layOut(t, ctx, c, l.path)
		for of, kinds := range map[language][]string{java: l.java, python: l.python, ours: l.zooid} {
			for _, kind := range kinds {
				specs[of] = append(specs[of], fmt.Sprintf("%s:%s:%d", kind, l.path, *lineRounds))
			}
		}
	}

	// All programs start at once, as a JVM takes its time.
	rest := map[language]*crowd{}
	for of, s := range specs {
		rest[of] = gather(t, commands[of], server.Addr(), time.Minute, s...)
	}
	type victim struct {
		*crowd
		path string
		party
	}
	var doomed [][]victim
	for _, l := range lines {
		var row []victim
		for _, p := range l.killed {
			row = append(row, victim{gather(t, commands[p.of], server.Addr(), time.Minute, p.kind+":"+l.path+":0"), l.path, p})
		}
		doomed = append(doomed, row)
	}
	waiting := func(path string, n int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d contenders in %s", n, path), func() bool {
			names, _, err := c.Children(ctx, path)
			return err == nil && len(names) >= n
		})
	}
	for _, row := range doomed { // each holder is in before the next one comes
		for i, v := range row {
			v.begin()
			if i == 0 {
				v.says("IN")
			} else {
				waiting(v.path, i+1)
			}
		}
	}
	for _, r := range rest {
		r.begin()
	}
	var dying sync.WaitGroup
	for i, row := range doomed {
		if len(row) == 0 {
			continue
		}
		l := lines[i]
		waiting(l.path, len(row)+len(l.java)+len(l.python)+len(l.zooid))
		dying.Go(func() {
			for i, v := range row {
				if i > 0 {
					v.says("IN")
				}
				v.kill()
				names, _, err := c.Children(ctx, "/inside"+v.path)
				if err != nil || len(names) != 1 {
					t.Errorf("inside %s, where one was killed: %v, %v", v.path, names, err)
					return
				}
				expireSoon(t, server.Addr(), "/inside"+v.path+"/"+names[0])
			}
		})
	}
	dying.Wait()
	said := map[string]int{}
	for _, r := range rest {
		for _, line := range r.ends() {
			if strings.HasPrefix(line, "FAIL") {
				t.Error(line)
			}
			said[line]++
		}
	}
	for _, l := range lines {
		t.Run(strings.TrimPrefix(l.path, "/"), func(t *testing.T) {
			all := slices.Concat(l.java, l.python, l.zooid)
			for _, kind := range all {
				same := 0
				for _, k := range all {
					if k == kind {
						same++
					}
				}
				if n := said["PASS "+kind+" "+l.path]; n != same {
					t.Errorf("%d of %d %s came to their ends", n, same, kind)
				}
			}
			data, _, err := c.Get(ctx, "/count"+l.path)
			if err != nil {
				t.Fatal(err)
			}
			held, alone := 0, len(l.killed) // how often anything was held; and how often by one alone
			for line, n := range said {
				kind, found := strings.CutSuffix(strings.TrimPrefix(line, "IN "), " "+l.path)
				if !found || !strings.HasPrefix(line, "IN ") {
					continue
				}
				held += n
				switch what, _, _ := strings.Cut(kind, "-"); what {
				case "semaphore":
				case "shared": // a round is of two
					alone += n / 2
				case "readwrite": // they begin with a read
					alone += n / 2
				default:
					alone += n
				}
			}
			if got, _ := strconv.Atoi(string(data)); got != alone {
				t.Errorf("the counter counts %d holders, and there were %d", got, alone)
			}
			t.Logf("held %d times by %d contenders", held, len(all))
			names, _, err := c.Children(ctx, "/inside"+l.path)
			if err != nil || len(names) > 0 {
				t.Errorf("still inside: %v, %v", names, err)
			}
		})
	}
}

// layOut makes the znodes of a line.
func layOut(t *testing.T, ctx context.Context, c *client.Client, path string) {
	t.Helper()
	if err := recipes.MakeFolder(ctx, c, "/inside"+path, zk.Persistent); err != nil {
		t.Fatal(err)
	}
	if err := recipes.MakeFolder(ctx, c, "/count", zk.Persistent); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Create(ctx, "/count"+path, []byte("0"), zk.Persistent); err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(path, "kazoo") {
		return // all who are in that line make their folders so that they stay
	}
	// kazoo makes a lock's folder once, and fails when it is gone; those that others make go when they are empty.
	if _, _, err := c.Create(ctx, path, nil, zk.Persistent); err != nil {
		t.Fatal(err)
	}
}

// playStrangers holds up what docs/other-libraries.md says of those that do not know each other: whoever comes second to such a line goes in
// although somebody is there.
func playStrangers(t *testing.T, commands map[language][]string) {
	t.Helper()
	server := Start(t, Zooid, Setup{Conf: []string{"extendedTypesEnabled=true"}})
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	c, err := client.Dial(ctx, []string{server.Addr()}, &client.Options{SessionTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cases := []struct {
		path          string
		holder, comer party
	}{
		{"/1", party{python, "lock"}, party{java, "mutex"}},
		{"/2", party{ours, "lock"}, party{python, "lock"}},
		{"/3", party{ours, "lock-kazoo"}, party{java, "mutex"}},
		{"/4", party{ours, "election"}, party{java, "latch"}},
		{"/5", party{ours, "election-latch"}, party{java, "selector"}},
		{"/6", party{ours, "lock"}, party{java, "readwrite"}},
	}
	holders, comers := map[language][]string{}, map[language][]string{}
	for _, k := range cases {
		layOut(t, ctx, c, k.path)
		holders[k.holder.of] = append(holders[k.holder.of], k.holder.kind+":"+k.path+":0")
		comers[k.comer.of] = append(comers[k.comer.of], k.comer.kind+":"+k.path+":1")
	}
	var here, coming []*crowd
	for of, s := range holders {
		here = append(here, gather(t, commands[of], server.Addr(), time.Minute, s...))
	}
	for of, s := range comers {
		coming = append(coming, gather(t, commands[of], server.Addr(), time.Minute, s...))
	}
	for _, w := range here {
		w.begin()
	}
	for _, k := range cases {
		eventually(t, fmt.Sprintf("%v holds %s", k.holder, k.path), func() bool {
			names, _, err := c.Children(ctx, "/inside"+k.path)
			return err == nil && len(names) == 1
		})
	}
	var said []string
	for _, w := range coming {
		w.begin()
		said = append(said, w.ends()...)
	}
	for _, k := range cases {
		if !slices.ContainsFunc(said, func(line string) bool {
			return strings.HasPrefix(line, "FAIL "+k.comer.kind+" "+k.path+":") && strings.Contains(line, "not the only one")
		}) {
			t.Errorf("%v waits for %v", k.comer, k.holder)
		}
	}
}

// expireSoon lets the session that owns a znode, and whose client was killed, expire as soon as the server allows. The session need not
// be short for that as long as its client lives, and may stall: what counts is the timeout that the last one who resumed it asked for
// (client protocol, section 2.5).
func expireSoon(t *testing.T, addr, path string) {
	t.Helper()
	c, err := Connect(addr, sessionTimeout)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	var owned wire.StatReply
	h, err := c.Call(&wire.Exists{Path: path}, &owned)
	if err != nil || h.Err != zk.OK || owned.Stat.EphemeralOwner == 0 {
		t.Errorf("the owner of %s: %#x, %v, %v", path, owned.Stat.EphemeralOwner, h.Err, err)
		return
	}
	if _, err := c.Call(&wire.CloseSession{}, nil); err != nil {
		t.Error(err)
	}
	last, err := Dial(addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer last.Close()
	last.Session, last.Password = owned.Stat.EphemeralOwner, sessionPassword(owned.Stat.EphemeralOwner)
	if resp, err := last.Handshake(last.Resume(time.Millisecond)); err != nil || resp.SessionID != owned.Stat.EphemeralOwner {
		t.Errorf("the session that owns %s is not resumed: %+v, %v", path, resp, err)
	}
}

// contenders builds the programs, and gives the commands that start them.
func contenders(t *testing.T) map[language][]string {
	t.Helper()
	jars := append(slices.Clone(curator), javaClient...)
	need(t, onPath("javac") && exists(jars...), "Curator", "apt-get install libcurator-recipes-java libzookeeper-java default-jdk-headless")
	const interpreter = "/usr/bin/python3"
	need(t, exists(interpreter) && exec.Command(interpreter, "-c", "import kazoo").Run() == nil, "kazoo", "apt-get install python3-kazoo")
	classpath, dir := strings.Join(jars, ":"), t.TempDir()
	build(t, "javac", "-encoding", "UTF-8", "-J-XX:TieredStopAtLevel=1", "-nowarn", "-cp", classpath, "-d", dir, scenario(t, "java", "Contender.java"))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return map[language][]string{
		java: {"java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
			"-cp", dir + ":" + classpath, "Contender"},
		python: {interpreter, "-B", scenario(t, "python", "contender.py")},
		ours:   {self},
	}
}

// crowd is a running program of contenders.
type crowd struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string // what it says; closed at its end
	err   logBuffer
}

// gather starts a program, which waits for begin. It ends with the test.
func gather(t *testing.T, command []string, addr string, timeout time.Duration, specs ...string) *crowd {
	t.Helper()
	w := &crowd{t: t, lines: make(chan string, 10_000)}
	args := append(append(slices.Clone(command[1:]), addr, strconv.FormatInt(timeout.Milliseconds(), 10)), specs...)
	w.cmd = exec.Command(command[0], args...)
	w.cmd.Env = append(os.Environ(), contenderVariable+"="+zooidBinary(t))
	w.cmd.Stderr = &w.err
	out, err := w.cmd.StdoutPipe()
	if err == nil {
		w.in, err = w.cmd.StdinPipe()
	}
	if err == nil {
		err = w.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the program
		defer close(w.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			w.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		w.kill()
		if t.Failed() {
			t.Logf("standard error of %s:\n%s", command[0], tail(w.err.String(), 4000))
		}
	})
	return w
}

// begin lets the contenders go.
func (w *crowd) begin() {
	w.t.Helper()
	w.says("READY")
	if _, err := io.WriteString(w.in, "\n"); err != nil {
		w.t.Fatal(err)
	}
}

// says waits for a line that begins so.
func (w *crowd) says(word string) {
	w.t.Helper()
	late := time.After(hang)
	for {
		select {
		case line, ok := <-w.lines:
			if !ok || strings.HasPrefix(line, "FAIL") {
				w.t.Errorf("%v: %q instead of %s", w.cmd.Args, line, word)
				return
			}
			if strings.HasPrefix(line, word) {
				return
			}
		case <-late:
			w.t.Errorf("%v does not say %s", w.cmd.Args, word)
			return
		}
	}
}

// ends waits for the end of the program, and gives all it said.
func (w *crowd) ends() (all []string) {
	w.t.Helper()
	late := time.After(hang)
	for {
		select {
		case line, ok := <-w.lines:
			if !ok {
				return all
			}
			all = append(all, line)
		case <-late:
			w.t.Errorf("%v does not end", w.cmd.Args)
			return all
		}
	}
}

// kill ends the program as kill -9 does. Killing a dead one is fine.
func (w *crowd) kill() {
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
}

// eventually waits for what no event announces.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for late := time.Now().Add(hang); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("never: %s", what)
		}
	}
}
