package interop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// siege is an ensemble of processes on a network of their own, with clients that write and read while things happen to it.
//
// Citizens are sessions that may go to every server: they must live through everything. A guard has one server, and a new session
// whenever it needs one: it finds the server that answers what is not so any more.
type siege struct {
	*land
	servers   []*Server
	voters    int
	ctx       context.Context
	registers []*register
	acked     atomic.Int64 // writes of citizens
	citizens  []*client.Client
	stop      chan struct{}
	busy      sync.WaitGroup
}

const siegeRegisters = 4

func registerPath(i int) string { return fmt.Sprintf("/register-%d", i) }

// besiege starts servers on a land and clients of them. The last servers are observers. conf is added to each zoo.cfg.
func besiege(t *testing.T, servers, observers int, conf ...string) *siege {
	Need(t, Zooid)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(cancel)
	s := &siege{land: newLand(t, servers), voters: servers - observers, ctx: ctx, stop: make(chan struct{})}
	conf = append([]string{"tickTime=200", "initLimit=15", "syncLimit=5", "maxSessionTimeout=60000", "4lw.commands.whitelist=*"}, conf...)
	for i := 1; i <= servers; i++ {
		line := fmt.Sprintf("server.%d=%s:2888:3888", i, s.addr(i))
		if i > s.voters {
			line += ":observer"
		}
		conf = append(conf, line)
	}
	for i := 1; i <= servers; i++ {
		srv := &Server{
			Kind: Zooid, Dir: t.TempDir(), cfg: filepath.Join(t.TempDir(), "zoo.cfg"), at: s.place(i), port: 2181,
			setup: Setup{Conf: conf, Props: []string{"zookeeper.preAllocSize=64"}},
		}
		s.servers = append(s.servers, srv)
		t.Cleanup(func() {
			srv.Kill()
			if t.Failed() {
				t.Logf("end of the log of server %d:\n%s", i, tail(srv.log.String(), 3000))
			}
		})
	}
	return s
}

// raise starts the servers, and lets the clients begin.
func (s *siege) raise(t *testing.T) {
	t.Helper()
	for i, srv := range s.servers {
		if err := os.WriteFile(filepath.Join(srv.Dir, "myid"), []byte(strconv.Itoa(i+1)), 0o600); err != nil {
			t.Fatal(err)
		}
		srv.Launch(t)
	}
	for _, srv := range s.servers {
		srv.WaitServing(t)
	}
	c := s.enter(t, s.addrs()...)
	for i := range siegeRegisters {
		s.makes(t, c, registerPath(i), zk.Persistent)
		s.registers = append(s.registers, &register{began: time.Now()})
	}
	for i := range 4 {
		c := s.enter(t, s.addrs()...)
		s.makes(t, c, fmt.Sprintf("/citizen-%d", i), zk.Ephemeral)
		s.citizens = append(s.citizens, c)
		s.busy.Go(func() { s.live(t, c, i) })
	}
	for i := range s.servers {
		s.busy.Go(func() { s.watch(i) })
	}
}

func (s *siege) addrs() (all []string) {
	for _, srv := range s.servers {
		all = append(all, srv.Addr())
	}
	return all
}

// options: whose server is frozen notices after two thirds of the timeout, and then has to find one that answers before the session ends.
func (s *siege) options() *client.Options {
	return &client.Options{SessionTimeout: 30 * time.Second, ConnectTimeout: 4 * time.Second, MaxBackoff: 100 * time.Millisecond, Dialer: s.dial}
}

func (s *siege) enter(t *testing.T, addrs ...string) *client.Client {
	t.Helper()
	c, err := client.Dial(s.ctx, addrs, s.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// insists does it again while the connection is lost: with these limits a second in which a server gets no time costs it its
// connections.
func (s *siege) insists(do func() error) error {
	for {
		if err := do(); !errors.Is(err, zk.ConnectionLoss) || s.ctx.Err() != nil {
			return err
		}
	}
}

// makes makes a znode that nobody else makes.
func (s *siege) makes(t *testing.T, c *client.Client, path string, mode zk.Mode) {
	t.Helper()
	lost := false
	err := s.insists(func() error {
		_, _, err := c.Create(s.ctx, path, nil, mode)
		if lost && errors.Is(err, zk.NodeExists) {
			return nil // it was made after all
		}
		lost = errors.Is(err, zk.ConnectionLoss)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func (s *siege) ended() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// pace is how long a citizen or a guard rests between two steps: there are other tests.
const pace = 2 * time.Millisecond

// live is what a citizen does: it writes one register after the other, and reads the next one.
func (s *siege) live(t *testing.T, c *client.Client, id int) {
	for n := 0; !s.ended(); n++ {
		time.Sleep(pace)
		r := s.registers[n%siegeRegisters]
		op := registerOp{who: fmt.Sprintf("citizen %d", id), write: true, value: fmt.Sprintf("%d of %d", n, id), from: r.now()}
		stat, err := c.Set(s.ctx, registerPath(n%siegeRegisters), []byte(op.value), -1)
		switch {
		case err == nil:
			op.version = stat.Version
			s.acked.Add(1)
		case errors.Is(err, zk.ConnectionLoss):
			op.version = -1
		default:
			t.Errorf("citizen %d, a set: %v", id, err)
			return
		}
		r.add(op)
		if err := s.read(c, op.who, (n+1)%siegeRegisters); err != nil && !errors.Is(err, zk.ConnectionLoss) {
			t.Errorf("citizen %d, a read: %v", id, err)
			return
		}
	}
}

// read is one synced read.
func (s *siege) read(c *client.Client, who string, i int) error {
	r := s.registers[i]
	op := registerOp{who: who, from: r.now()}
	if err := c.Sync(s.ctx, registerPath(i)); err != nil {
		return err
	}
	data, stat, err := c.Get(s.ctx, registerPath(i))
	if err != nil {
		return err
	}
	op.value, op.version = string(data), stat.Version
	r.add(op)
	return nil
}

// watch is what a guard does.
func (s *siege) watch(i int) {
	for !s.ended() {
		ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
		c, err := client.Dial(ctx, []string{s.servers[i].Addr()}, s.options())
		cancel()
		for n := 0; err == nil && !s.ended(); n++ {
			time.Sleep(pace)
			err = s.read(c, fmt.Sprintf("guard of server %d", i+1), n%siegeRegisters)
		}
		if c != nil {
			go c.Close() // which may take its time, with a server that is not there
		}
	}
}

// progress waits until citizens have had so many more writes acknowledged.
func (s *siege) progress(t *testing.T, writes int64) {
	t.Helper()
	goal := s.acked.Load() + writes
	s.until(t, fmt.Sprintf("%d more writes are acknowledged", writes), func() bool { return s.acked.Load() >= goal })
}

// until waits for a condition.
func (s *siege) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !holds() {
		if time.Now().After(deadline) || s.ctx.Err() != nil {
			t.Fatalf("it does not come about that %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// role is what a server says of itself, "" if nothing.
func (s *siege) role(i int) string {
	out, err := s.servers[i].fourLetters("srvr", 2*time.Second)
	if m := regexp.MustCompile(`Mode: (\S+)`).FindStringSubmatch(out); err == nil && m != nil {
		return m[1]
	}
	return ""
}

// leader is the index of a server that says it leads, and is not one of those that do not count; -1 is nobody.
func (s *siege) leader(but ...int) int {
next:
	for i := range s.servers {
		for _, b := range but {
			if b == i {
				continue next
			}
		}
		if s.role(i) == "leader" {
			return i
		}
	}
	return -1
}

// learners is how many a leader says are in step with it.
func (s *siege) learners(leader int) int {
	out, _ := s.servers[leader].fourLetters("mntr", 2*time.Second)
	m := regexp.MustCompile(`zk_synced_followers\s+(\d+)`).FindStringSubmatch(out)
	if m == nil {
		return -1
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// settled waits until everybody serves again, one of them as the leader with all voters in step.
func (s *siege) settled(t *testing.T) (leader int) {
	t.Helper()
	s.until(t, "everybody serves", func() bool {
		leader = s.leader()
		if leader < 0 || s.learners(leader) != s.voters-1 {
			return false
		}
		for i := range s.servers {
			if s.role(i) == "" {
				return false
			}
		}
		return true
	})
	return leader
}

// without lets the others notice that they are without some servers: one of them leads, with so many learners at most.
func (s *siege) without(t *testing.T, some ...int) {
	t.Helper()
	s.until(t, fmt.Sprintf("the others notice that the servers at %v are away", some), func() bool {
		l := s.leader(some...)
		return l >= 0 && s.learners(l) <= s.voters-1-len(some)
	})
}

// end stops the clients and looks at what they have seen.
func (s *siege) end(t *testing.T) {
	t.Helper()
	s.settled(t)
	s.progress(t, 20)
	close(s.stop)
	s.busy.Wait()
	for i, c := range s.citizens {
		var ok bool
		var stat zk.Stat
		err := s.insists(func() (err error) {
			ok, stat, err = c.Exists(s.ctx, fmt.Sprintf("/citizen-%d", i))
			return err
		})
		if err != nil || !ok || zk.SessionID(stat.EphemeralOwner) != c.Session().ID {
			t.Errorf("citizen %d and its ephemeral: %v %+v %v", i, ok, stat, err)
		}
	}
	answered, open := 0, 0
	for i, r := range s.registers {
		for n, srv := range s.servers { // over each of them: what was acknowledged is everywhere
			c := s.enter(t, srv.Addr())
			if err := s.insists(func() error { return s.read(c, fmt.Sprintf("the end, over server %d", n+1), i) }); err != nil {
				t.Error(err)
			}
			c.Close()
		}
		if err := r.check(); err != nil {
			t.Errorf("%s: %v", registerPath(i), err)
		}
		for _, op := range r.ops {
			if op.version < 0 {
				open++
			} else {
				answered++
			}
		}
	}
	t.Logf("%d operations were answered, %d writes are of unknown outcome", answered, open)
}

// signal sends a signal to a server's process.
func (s *siege) signal(t *testing.T, i int, sig syscall.Signal) {
	t.Helper()
	if err := s.servers[i].cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

func (s *siege) follower(leader int) int { return (leader + 1) % s.voters }

// TestSiegeOfThree does to three servers what can be done to one of them. Each time the other two have to go on, and then all three.
func TestSiegeOfThree(t *testing.T) {
	t.Parallel()
	s := besiege(t, 3, 0)
	small := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(small, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("zooid", small, "tmpfs", 0, "size=64m"); err != nil {
		missing(t, fmt.Sprintf("no file system can be mounted here: %v", err))
	}
	t.Cleanup(func() {
		s.servers[0].Kill()
		if err := unix.Unmount(small, 0); err != nil {
			t.Error(err)
		}
	})
	s.servers[0].Dir = small
	s.raise(t)
	all := func(do func(i int)) {
		for i := range s.servers {
			do(i)
		}
	}
	for _, step := range []struct {
		name string
		do   func(leader int)
	}{
		{"kill -9 of each", func(int) {
			all(func(i int) {
				s.servers[i].Kill()
				s.without(t, i)
				s.progress(t, 20)
				s.servers[i].Launch(t)
				s.settled(t)
			})
		}},
		{"rolling restart", func(int) {
			all(func(i int) {
				s.servers[i].Stop()
				s.servers[i].Launch(t)
				s.settled(t)
			})
		}},
		{"the leader is frozen", func(l int) {
			s.signal(t, l, syscall.SIGSTOP)
			s.without(t, l)
			s.progress(t, 20)
			s.signal(t, l, syscall.SIGCONT)
		}},
		{"a follower is frozen", func(l int) {
			f := s.follower(l)
			s.signal(t, f, syscall.SIGSTOP)
			s.without(t, f)
			s.progress(t, 20)
			s.signal(t, f, syscall.SIGCONT)
		}},
		{"a follower is cut off", func(l int) {
			f := s.follower(l)
			all(func(i int) {
				if i != f {
					s.cut(t, i+1, f+1)
					s.cut(t, f+1, i+1)
				}
			})
			s.without(t, f)
			s.progress(t, 20)
		}},
		{"the leader is cut off from all but its clients", func(l int) {
			all(func(i int) {
				if i != l {
					s.cut(t, i+1, l+1)
					s.cut(t, l+1, i+1)
				}
			})
			s.without(t, l)
			s.progress(t, 20)
		}},
		{"the leader does not reach its followers, which reach it", func(l int) {
			all(func(i int) {
				if i != l {
					s.cut(t, l+1, i+1)
				}
			})
			s.without(t, l)
			s.progress(t, 20)
		}},
		{"a follower does not reach the leader, which reaches it", func(l int) {
			s.cut(t, s.follower(l)+1, l+1)
			s.progress(t, 20)
		}},
		{"a full disk", func(int) {
			ballast := filepath.Join(small, "ballast")
			f, err := os.Create(ballast)
			if err != nil {
				t.Fatal(err)
			}
			for piece := make([]byte, 4<<10); err == nil; {
				_, err = f.Write(piece)
			}
			if f.Close(); !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			s.until(t, "server 1 notices", func() bool { return strings.Contains(s.servers[0].Log(), "no space left on device") })
			s.progress(t, 50)
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		leader := s.settled(t)
		began := time.Now()
		step.do(leader)
		s.mend(t)
		s.settled(t)
		s.progress(t, 20)
		t.Logf("%s: %v", step.name, time.Since(began).Round(time.Millisecond))
	}
	s.end(t)
}

// TestSiegeOfFive: five voters and an observer do without two voters, whatever becomes of those.
func TestSiegeOfFive(t *testing.T) {
	t.Parallel()
	s := besiege(t, 6, 1)
	s.raise(t)
	l := s.settled(t)
	a, b := l, s.follower(l) // the leader, and one more
	s.servers[a].Kill()
	s.servers[b].Kill()
	s.without(t, a, b)
	s.progress(t, 20)
	s.servers[a].Launch(t)
	s.servers[b].Launch(t)

	l = s.settled(t)
	a, b = l, s.follower(l)
	for i := range s.servers { // a minority with the leader in it
		if i != a && i != b {
			s.cut(t, a+1, i+1)
			s.cut(t, i+1, a+1)
			s.cut(t, b+1, i+1)
			s.cut(t, i+1, b+1)
		}
	}
	s.without(t, a, b)
	s.progress(t, 20)
	s.mend(t)

	l = s.settled(t)
	a, b = l, s.follower(l)
	s.signal(t, a, syscall.SIGSTOP)
	s.signal(t, b, syscall.SIGSTOP)
	s.without(t, a, b)
	s.progress(t, 20)
	s.signal(t, a, syscall.SIGCONT)
	s.signal(t, b, syscall.SIGCONT)

	s.settled(t)
	s.servers[5].Restart(t) // the observer
	for i := range s.voters {
		s.servers[i].Stop()
		s.servers[i].Launch(t)
		s.settled(t)
	}
	s.end(t)
}

// TestSiegeOfGroups: three groups, in two of which there has to be a majority of the weights. Two servers of five can be that, and three
// can be too few.
func TestSiegeOfGroups(t *testing.T) {
	t.Parallel()
	s := besiege(t, 5, 0, "group.1=1:2", "group.2=3:4", "group.3=5",
		"weight.1=2", "weight.2=1", "weight.3=1", "weight.4=1", "weight.5=1")
	s.raise(t)
	s.settled(t)
	for _, i := range []int{1, 2, 3} {
		s.servers[i].Kill()
	}
	s.without(t, 1, 2, 3)
	s.progress(t, 20)
	for _, i := range []int{1, 2, 3} {
		s.servers[i].Launch(t)
	}
	s.settled(t)
	s.servers[0].Kill()
	s.servers[4].Kill()
	s.until(t, "nobody serves", func() bool { return s.role(1) == "" && s.role(2) == "" && s.role(3) == "" })
	s.servers[4].Launch(t) // with servers 3 and 4, two groups
	s.without(t, 0)
	s.progress(t, 20)
	s.servers[0].Launch(t)
	s.end(t)
}
