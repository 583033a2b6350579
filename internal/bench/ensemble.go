package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
)

// The writes under which a leader goes: a few of each survivor's clients', each on its own, one after the other.
const (
	tricklers    = 3 // of each survivor
	tricklePause = 2 * time.Millisecond
	// trickleTry is how long an attempt to come back may take: a server that is about to give up its part may take a connection
	// and not answer on it.
	trickleTry = 300 * time.Millisecond
	// joinRate is how many writes a second go on while a member joins.
	joinRate = 1000
)

// failover ends leaders and looks how long nobody's write is answered.
func (r *runner) failover(ctx context.Context, t *Target, fs *figures, _ *Result) error {
	in, leave, err := r.stage(ctx, t)
	if err != nil {
		return err
	}
	defer leave()
	for _, way := range []struct {
		name   string
		signal os.Signal
	}{{"without an answer after kill -9", os.Kill}, {"without an answer after SIGTERM", syscall.SIGTERM}} {
		leader, err := in.leader(ctx)
		if err != nil {
			return err
		}
		r.say("%s", way.name)
		gap, err := in.trickle(ctx, leader, func() error { return in.procs[leader].cmd.Process.Signal(way.signal) })
		if err != nil {
			return err
		}
		fs.add(way.name, "ms", less, ms(int64(gap)))
		<-in.procs[leader].exited
		if in.procs[leader], err = r.start(t, in.procs[leader].place); err != nil {
			return err
		}
		in.look()
		if _, err := in.procs[leader].serving(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// leader waits until there is one.
func (in *instance) leader(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		for i, p := range in.procs {
			if m := mode(p.addr); m == "leader" {
				return i, nil
			}
		}
		select {
		case <-ctx.Done():
			return 0, errors.New("no server says that it leads")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// trickle lets clients of all but one server write, does something to that server, and gives the longest time without an answer
// until every client has come back.
func (in *instance) trickle(ctx context.Context, but int, do func() error) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var (
		mu      sync.Mutex
		last    time.Time
		longest time.Duration
		begun   atomic.Bool
		wg      sync.WaitGroup
		ready   = make(chan struct{}, tricklers*len(in.procs))
		back    = make(chan struct{}, tricklers*len(in.procs))
	)
	answered := func() {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if begun.Load() {
			longest = max(longest, now.Sub(last))
		}
		last = now
	}
	clients := 0
	for i, p := range in.procs {
		if i == but {
			continue
		}
		for range tricklers {
			clients++
			wg.Go(func() { trickler(ctx, p.addr, answered, ready, back) })
		}
	}
	defer func() {
		cancel()
		wg.Wait()
	}()
	await := func(c chan struct{}) error {
		for range clients {
			select {
			case <-c:
			case <-ctx.Done():
				return fmt.Errorf("writes do not go on: %w", ctx.Err())
			}
		}
		return nil
	}
	if err := await(ready); err != nil {
		return 0, err
	}
	mu.Lock()
	last = time.Now()
	begun.Store(true)
	mu.Unlock()
	if err := do(); err != nil {
		return 0, err
	}
	if err := await(back); err != nil {
		return 0, err
	}
	mu.Lock()
	defer mu.Unlock()
	return longest, nil
}

// trickler writes one value after the other, and comes back at once when its connection ends. It says when it has written for the first
// time, and when it has again after its connection ended.
func trickler(ctx context.Context, addr string, answered func(), ready, back chan<- struct{}) {
	told := 0
	for ctx.Err() == nil {
		try, cancel := context.WithTimeout(ctx, trickleTry)
		s, err := dial(try, addr, 4096)
		cancel()
		for err == nil {
			stop := context.AfterFunc(ctx, func() { s.c.Close() })
			_, err = s.call(&wire.SetData{Path: dataRoot, Data: []byte("x"), Version: -1})
			stop()
			if err == nil {
				answered()
				switch told {
				case 0:
					told = 1
					ready <- struct{}{}
				case 2:
					told = 3
					back <- struct{}{}
				}
				pause(ctx, tricklePause)
			}
		}
		if s != nil {
			s.c.Close()
		}
		if told == 1 {
			told = 2
		}
		pause(ctx, time.Millisecond)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// join empties a member's folder and lets it join a large tree while others write.
func (r *runner) join(ctx context.Context, t *Target, fs *figures, _ *Result) error {
	in, leave, err := r.stage(ctx, t)
	if err != nil {
		return err
	}
	defer func() { leave() }()
	n := r.opt.Joined
	if _, _, _, err := r.populate(ctx, in, n); err != nil {
		return err
	}
	leader, err := in.leader(ctx)
	if err != nil {
		return err
	}
	who := (leader + 1) % len(in.procs)
	if err := in.procs[who].kill(); err != nil {
		return err
	}
	at := in.procs[who].place
	if err := os.RemoveAll(filepath.Join(at.dir, "data")); err != nil {
		return err
	}
	if err := at.empty(); err != nil {
		return err
	}
	var others []string
	for i, p := range in.procs {
		if i != who {
			others = append(others, p.addr)
		}
	}
	ss, err := openSessions(ctx, others, 2*len(others), 16<<10)
	if err != nil {
		return err
	}
	defer func() { closeSessions(ss) }()
	w := Work{Kind: "set", Conns: len(ss), Rate: joinRate}
	c := newCrew(ss, 1, func(i int) (source, uint64) { return r.newSource(w, i, 1), noLimit })
	interval := time.Duration(len(ss)) * time.Second / joinRate
	for i, wk := range c.workers {
		wk.schedule = schedule{interval * time.Duration(i) / time.Duration(len(ss)), interval}
	}
	ended := make(chan error, 1)
	c.m.begin()
	go func() { ended <- c.run(ctx, (*worker).open) }()
	r.say("joining")
	took, err := r.rejoin(ctx, in, who, at)
	from := time.Duration(c.m.now())
	written := c.ops()
	c.m.phase.Store(stopping)
	if err = errors.Join(err, <-ended); err != nil {
		return err
	}
	fs.add("joined", "ms", less, ms(int64(took)))
	fs.add("writes meanwhile", "ops/s", more, float64(written)/from.Seconds())
	fs.add("slowest write meanwhile", "ms", less, ms(c.m.total.Max()))
	if err := firstCode(c.m.codes); err != nil {
		return err
	}
	// What it has joined, it has.
	joined := &instance{Target: t, addrs: []string{in.procs[who].addr}}
	return joined.checkFilled(ctx, n, r.value)
}

// rejoin starts a member again and waits until it serves.
func (r *runner) rejoin(ctx context.Context, in *instance, who int, at place) (time.Duration, error) {
	p, err := r.start(in.Target, at)
	if err != nil {
		return 0, err
	}
	in.procs[who] = p
	in.look()
	return p.serving(ctx)
}
