package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// instance is a target that runs.
type instance struct {
	*Target
	addrs  []string
	pids   []int
	dir    string     // where the bench has started it, else empty
	procs  []*process // that the bench has started: one, or the members of an ensemble
	filled int        // keys that exist
}

// attach uses a server that runs already.
func attach(ctx context.Context, t *Target) (*instance, error) {
	in := &instance{Target: t, addrs: t.Addrs, pids: t.PIDs}
	for _, a := range in.addrs {
		if err := probe(ctx, a, patience); err != nil {
			return nil, err
		}
	}
	if _, ok := memoryOf(in.pids); len(in.pids) > 0 && !ok {
		return nil, fmt.Errorf("no figures for the processes %v", in.pids)
	}
	return in, nil
}

// launch starts a server, or the members of an ensemble, on dir, or on an empty folder where dir is "", and waits until all serve.
func (r *runner) launch(ctx context.Context, t *Target, dir string, extra ...string) (in *instance, took time.Duration, err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp(r.opt.Dir, "zooid-bench-"+t.Name+"-"); err != nil {
			return nil, 0, err
		}
		r.dirs = append(r.dirs, dir)
	}
	at, err := places(dir, r.opt.Members)
	if err != nil {
		return nil, 0, err
	}
	in = &instance{Target: t, dir: dir, procs: make([]*process, len(at))}
	for i := range at {
		if in.procs[i], err = r.start(t, at[i], extra...); err != nil {
			in.kill()
			return nil, 0, err
		}
	}
	in.look()
	for _, p := range in.procs {
		one, err := p.serving(ctx)
		if err != nil {
			in.kill()
			return nil, 0, err
		}
		took = max(took, one)
	}
	r.noteVersion(in)
	return in, took, nil
}

// start starts one server.
func (r *runner) start(t *Target, at place, extra ...string) (*process, error) {
	return startProcess(t.Command, at, append(r.opt.Config[:len(r.opt.Config):len(r.opt.Config)], extra...))
}

// look notes where the processes are: some may have been started anew.
func (in *instance) look() {
	in.addrs, in.pids = nil, nil
	for _, p := range in.procs {
		in.addrs, in.pids = append(in.addrs, p.addr), append(in.pids, p.cmd.Process.Pid)
	}
}

// kill ends all processes at once, as a crash does.
func (in *instance) kill() (err error) {
	for _, p := range in.procs {
		if p != nil {
			err = errors.Join(err, p.kill())
		}
	}
	return err
}

// end asks all processes to stop.
func (in *instance) end() error {
	return inParallel(len(in.procs), len(in.procs), func(i int) error { return in.procs[i].end() })
}

// discard ends a server that was launched, and removes its folder.
func (r *runner) discard(in *instance) {
	in.end()
	if !r.opt.Keep {
		os.RemoveAll(in.dir)
	}
}

// version is what a server says in the first line of srvr: "Zookeeper version: ...". It is empty if the server does not say.
func version(addr string) string { return srvr(addr, "Zookeeper version: ") }

// mode is what a server says it is: leader, follower. It is empty if the server does not say.
func mode(addr string) string { return srvr(addr, "Mode: ") }

// srvr asks a server for a line of srvr.
func srvr(addr, name string) string {
	c, err := net.DialTimeout("tcp", addr, 2*time.Second)
	if err != nil {
		return ""
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := io.WriteString(c, "srvr"); err != nil {
		return ""
	}
	b, _ := io.ReadAll(io.LimitReader(c, 4096))
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// A server's memory has settled when it has not changed much for settled; that is waited for no longer than patientSettle. What
// is weighed is the state, not the burst that led to it: servers tidy up when they are left alone.
const (
	settleStep    = 500 * time.Millisecond
	settled       = 6 * time.Second
	patientSettle = 15 * time.Second
)

// settle waits until the memory of the server has settled, and gives it.
func (in *instance) settle(ctx context.Context) (bytes int64, ok bool) {
	last, ok := memoryOf(in.pids)
	if !ok {
		return 0, false
	}
	still := time.Duration(0)
	step := def(in.settleStep, settleStep)
	faster := settleStep / step
	for waited := time.Duration(0); waited < patientSettle/faster && still < settled/faster; waited += step {
		select {
		case <-ctx.Done():
			return last, ok
		case <-time.After(step):
		}
		now, _ := memoryOf(in.pids)
		if change := now - last; change < last/200 && -change < last/200 {
			still += step
			continue // compared with where the stillness began, so that a slow drift is seen
		}
		last, still = now, 0
	}
	now, _ := memoryOf(in.pids)
	return now, ok
}
