package bench

import (
	"context"
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
	proc   *process // nil where the bench did not start it
	filled int      // keys that exist
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

// launch starts a server on dir, or on an empty folder of its own where dir is "", and waits until it serves.
func (r *runner) launch(ctx context.Context, t *Target, dir string, extra ...string) (in *instance, took time.Duration, err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp(r.opt.Dir, "zooid-bench-"+t.Name+"-"); err != nil {
			return nil, 0, err
		}
		r.dirs = append(r.dirs, dir)
	}
	p, err := startProcess(t.Command, dir, append(r.opt.Config[:len(r.opt.Config):len(r.opt.Config)], extra...))
	if err != nil {
		return nil, 0, err
	}
	in = &instance{Target: t, addrs: []string{p.addr}, pids: []int{p.cmd.Process.Pid}, proc: p}
	if took, err = p.serving(ctx); err != nil {
		p.kill()
		return nil, 0, err
	}
	r.noteVersion(in)
	return in, took, nil
}

// discard ends a server that was launched, and removes its folder.
func (r *runner) discard(in *instance) {
	in.proc.end()
	if !r.opt.Keep {
		os.RemoveAll(in.proc.dir)
	}
}

// version asks a server for the first line of srvr: "Zookeeper version: ...". It is empty if the server does not say.
func version(addr string) string {
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
	line, _, _ := strings.Cut(string(b), "\n")
	v, ok := strings.CutPrefix(line, "Zookeeper version: ")
	if !ok {
		return ""
	}
	return v
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
