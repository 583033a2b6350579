package masterworker_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/recipes/masterworker"
	"github.com/zooid-io/zooid/zk"
	"github.com/zooid-io/zooid/zktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var deaths = flag.Int("deaths", 40, "how many masters and workers die")

func patient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func shout(_ context.Context, task masterworker.Task) ([]byte, error) {
	if string(task.Data) == "bad" {
		return nil, errors.New("cannot do this")
	}
	return append(task.Data, '!'), nil
}

func TestTasksAreDone(t *testing.T) {
	srv := zktest.Start(t)
	ctx, stop := context.WithCancel(patient(t))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for _, name := range []string{"m1", "m2"} {
		s := masterworker.New(srv.Client(t), "/mw")
		wg.Go(func() { _ = s.Lead(ctx, name) })
	}
	for _, name := range []string{"w1", "w2"} {
		s := masterworker.New(srv.Client(t), "/mw")
		wg.Go(func() { _ = s.Work(ctx, name, shout) })
	}
	s := masterworker.New(srv.Client(t), "/mw")
	for _, c := range []struct{ data, want, err string }{{"a", "a!", ""}, {"", "!", ""}, {"bad", "", "cannot do this"}} {
		task, err := s.Submit(ctx, []byte(c.data))
		must(t, err)
		r, err := s.Wait(ctx, task)
		must(t, err)
		if string(r.Data) != c.want || r.Error != c.err || r.Attempt != 1 || r.Worker == "" {
			t.Errorf("%+v: %+v", c, r)
		}
		must(t, s.Forget(ctx, task))
	}
}

// A worker dies in a task and comes back under its name before a master has noticed. What it finds it may have begun: that is another attempt,
// with a later token.
func TestWorkerComesBackToItsTasks(t *testing.T) {
	srv := zktest.Start(t)
	ctx := patient(t)
	submitter := masterworker.New(srv.Client(t), "/mw")
	task, err := submitter.Submit(ctx, []byte("x"))
	must(t, err)
	lead, abdicate := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _ = masterworker.New(srv.Client(t), "/mw").Lead(lead, "m") })
	first := make(chan masterworker.Task)
	c := srv.Client(t)
	wg.Go(func() {
		_ = masterworker.New(c, "/mw").Work(ctx, "w", func(ctx context.Context, task masterworker.Task) ([]byte, error) {
			first <- task
			<-ctx.Done()
			return nil, ctx.Err()
		})
	})
	begun := <-first
	abdicate()
	srv.Expire(c.Session().ID)
	done, stop := context.WithCancel(ctx)
	again := make(chan masterworker.Task, 1)
	wg.Go(func() {
		_ = masterworker.New(srv.Client(t), "/mw").Work(done, "w", func(_ context.Context, task masterworker.Task) ([]byte, error) {
			again <- task
			return []byte("done"), nil
		})
	})
	r, err := submitter.Wait(ctx, task)
	stop()
	must(t, err)
	if a := <-again; a.Attempt != 2 || a.Token <= begun.Token || begun.Attempt != 1 || r.Attempt != 2 {
		t.Errorf("begun as %+v, then as %+v, finished as %+v", begun, a, r)
	}
}

// realm is where masters and workers live: a server, or an ensemble, which has mishaps of its own.
type realm interface {
	Client(testing.TB, ...func(*client.Options)) *client.Client
	Drop(...zk.SessionID) int
	TryExpire(zk.SessionID) bool
}

// Masters, workers and submitters die in the middle of everything; every task that was handed in is finished once, and what was begun
// twice says so.
func TestAnybodyMayDie(t *testing.T) {
	anybodyDies(t, zktest.Start(t), 30*time.Millisecond, func() {}, func() {})
}

// The same on three servers, which end, come back, and are cut off from each other and from everybody.
func TestServersMayDieToo(t *testing.T) {
	e := zktest.StartEnsemble(t, 3, func(o *zktest.Options) { o.Tick, o.SyncLimit = 50*time.Millisecond, 10 })
	var ill sync.WaitGroup
	free := make(chan struct{}, 1)
	count := map[string]int{} // guarded by free
	anybodyDies(t, e, 80*time.Millisecond, func() {
		select {
		case free <- struct{}{}:
		default:
			return // one trouble at a time
		}
		i := rand.IntN(e.Len())
		kind := []string{"kill", "partition", "isolate", "one way"}[rand.IntN(4)]
		count[kind]++
		ill.Go(func() {
			end := e.Heal
			most := 2 * time.Second
			switch kind {
			case "kill":
				most, end = most/4, func() { e.Restart(i) }
				e.Stop(i)
			case "partition":
				e.Partition(i)
			case "isolate":
				e.Isolate(i)
			case "one way":
				e.CutWay(i, (i+1)%e.Len())
			}
			<-time.After(rand.N(most))
			end()
			<-free
		})
	}, func() {
		ill.Wait()
		e.Settle()
		t.Logf("servers: %v", count)
	})
}

// anybodyDies has deaths, each after a while of work; trouble is called at some of them, and calmDown behind the last.
func anybodyDies(t *testing.T, srv realm, work time.Duration, trouble, calmDown func()) {
	t.Parallel() // it is mostly waiting
	ctx, end := context.WithCancel(context.Background())
	t.Cleanup(end)
	storm, over := context.WithCancel(ctx)
	var mu sync.Mutex
	living := map[zk.SessionID]*zktest.Line{}
	begun := map[string]int{}      // task to attempts that were begun
	tokens := map[string]zk.Zxid{} // task to the last token
	var handed []string

	// live runs somebody again and again, each time with a session of its own, until the storm is over.
	var wg sync.WaitGroup
	live := func(run func(ctx context.Context, s *masterworker.System) error) {
		wg.Go(func() {
			for storm.Err() == nil {
				line := &zktest.Line{}
				c := srv.Client(t, func(o *client.Options) { o.Dialer, o.SessionTimeout = line.Dial, 3*time.Second })
				id := c.Session().ID
				mu.Lock()
				living[id] = line
				mu.Unlock()
				err := run(storm, masterworker.New(c, "/mw"))
				if err != nil && storm.Err() == nil && !errors.Is(err, recipes.ErrLost) && !errors.Is(err, zk.SessionExpired) {
					t.Error(err)
				}
				mu.Lock()
				delete(living, id)
				mu.Unlock()
				c.Detach()
				if !c.State().Ended() {
					t.Error("a client goes on")
				}
			}
		})
	}
	do := func(ctx context.Context, task masterworker.Task) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		if task.Token < tokens[task.Name] { // a worker that does not know yet that it is taken for dead
			return nil, errors.New("the outside world refuses a stale token")
		}
		begun[task.Name] = max(begun[task.Name], task.Attempt)
		tokens[task.Name] = max(tokens[task.Name], task.Token)
		return fmt.Appendf(nil, "%s done", task.Data), nil
	}
	for i := range 2 {
		live(func(ctx context.Context, s *masterworker.System) error { return s.Lead(ctx, fmt.Sprint("m", i)) })
	}
	for i := range 3 {
		live(func(ctx context.Context, s *masterworker.System) error { return s.Work(ctx, fmt.Sprint("w", i), do) })
	}
	live(func(ctx context.Context, s *masterworker.System) error {
		for {
			mu.Lock()
			n := len(handed)
			mu.Unlock()
			task, err := s.Submit(ctx, fmt.Append(nil, n))
			if err != nil {
				return err
			}
			mu.Lock()
			handed = append(handed, task)
			mu.Unlock()
			if n%5 == 0 {
				if _, err := s.Wait(ctx, task); err != nil {
					return err
				}
			}
		}
	})
	var frozen sync.WaitGroup
	for range *deaths {
		<-time.After(rand.N(work)) // let them work
		mu.Lock()
		var id zk.SessionID
		var line *zktest.Line
		for id, line = range living {
			break
		}
		mu.Unlock()
		if line == nil {
			continue
		}
		switch rand.IntN(8) {
		case 0:
			srv.Drop()
		case 1, 2:
			line.LoseReply()
		case 3: // it stands still, is taken for dead, and wakes up
			line.Freeze()
			srv.TryExpire(id)
			frozen.Go(func() {
				<-time.After(rand.N(300 * time.Millisecond))
				line.Mend()
			})
		case 4:
			trouble()
		default:
			srv.Drop(id)
			srv.TryExpire(id)
		}
	}
	frozen.Wait()
	calmDown()
	over()
	wg.Wait()

	calm, stop := context.WithCancel(ctx)
	defer wg.Wait()
	defer stop()
	m, w := masterworker.New(srv.Client(t), "/mw"), masterworker.New(srv.Client(t), "/mw")
	wg.Go(func() { _ = m.Lead(calm, "last") })
	wg.Go(func() { _ = w.Work(calm, "last", do) })
	s := masterworker.New(srv.Client(t), "/mw")
	again := 0
	for _, task := range handed {
		r, err := s.Wait(ctx, task)
		must(t, err)
		if r.Attempt > 1 {
			again++
		}
		mu.Lock()
		if r.Error != "" || r.Attempt != begun[task] {
			t.Errorf("%s: %+v, begun %d times", task, r, begun[task])
		}
		mu.Unlock()
	}
	c, patient := srv.Client(t), patient(t)
	for _, folder := range []string{"/mw/tasks", "/mw/assign/last"} {
		for { // a task whose submitter ended in the middle of it may be the last that is done
			names, _, err := c.Children(patient, folder)
			if errors.Is(err, zk.NoNode) || err == nil && len(names) == 0 {
				break
			}
			if err != nil && !errors.Is(err, zk.ConnectionLoss) {
				t.Fatalf("%s: %v, %v", folder, names, err)
			}
			<-time.After(time.Millisecond)
		}
	}
	t.Logf("%d tasks, %d of them begun more than once", len(handed), again)
	if len(handed) == 0 {
		t.Error("nothing was done")
	}
}
