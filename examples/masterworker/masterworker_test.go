// Package masterworker_test runs the three programs as a reader would, in terminals of their own, and kills some of them.
package masterworker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
	"github.com/zooid-io/zooid/zktest"
)

const base = "/examples/masterworker"

// terminal is one of the programs, running.
type terminal struct {
	cmd  *exec.Cmd
	done chan error

	mu  sync.Mutex
	out bytes.Buffer
}

func (p *terminal) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *terminal) said(what string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Contains(p.out.String(), what)
}

func (p *terminal) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
	p.done <- errors.New("killed")
}

// The master is killed, and a worker in the middle of a task; all tasks are done, and one of them says that it was begun twice.
func TestMasterAndWorkerAreKilled(t *testing.T) {
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin+string(filepath.Separator), "./master", "./worker", "./submit").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	srv := zktest.Start(t)
	run := func(program string, args ...string) *terminal {
		p := &terminal{done: make(chan error, 1)}
		p.cmd = exec.Command(filepath.Join(bin, program), append([]string{"-servers", srv.Addr()}, args...)...)
		p.cmd.Stdout, p.cmd.Stderr = p, p
		if err := p.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { p.done <- p.cmd.Wait() }()
		t.Cleanup(func() {
			_ = p.cmd.Process.Signal(syscall.SIGTERM)
			<-p.done
			if t.Failed() {
				t.Logf("%s %q:\n%s", program, args, p.out.String())
			}
		})
		return p
	}
	c := srv.Client(t)
	eventually := func(what string, ok func() bool) {
		t.Helper()
		for !ok() {
			if ctx.Err() != nil {
				t.Fatalf("waited in vain for: %s", what)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	// lost ends the session of a process that was killed; its timeout would do the same.
	lost := func(path string) {
		t.Helper()
		_, stat, err := c.Get(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		srv.Expire(stat.EphemeralOwner)
	}
	masters := map[string]*terminal{"alice": run("master", "-name", "alice"), "bob": run("master", "-name", "bob")}
	w1 := run("worker", "-name", "w1", "-work", "1h") // it is in the middle of a task whenever it is killed
	run("worker", "-name", "w2", "-work", "20ms")
	leader := func() string {
		data, _, err := c.Get(ctx, base+"/master")
		if err != nil && !errors.Is(err, zk.NoNode) {
			t.Fatal(err)
		}
		return string(data)
	}
	eventually("somebody leads", func() bool { return masters[leader()] != nil })
	eventually("both workers are there", func() bool { return len(children(t, ctx, c, base+"/workers")) == 2 }) // or one may do all
	var words []string
	for i := range 40 {
		words = append(words, fmt.Sprintf("word-%d", i))
	}
	submit := run("submit", words...)

	eventually("w1 works", func() bool { return w1.said("attempt 1") })
	was := leader()
	masters[was].kill()
	lost(base + "/master")
	eventually("the other one leads", func() bool { now := leader(); return now != was && masters[now] != nil })
	if len(children(t, ctx, c, base+"/assign/w1")) == 0 {
		t.Error("w1 has lost its task with the master")
	}
	w1.kill()
	lost(base + "/workers/w1")

	if err := <-submit.done; err != nil {
		t.Errorf("submit: %v", err)
	}
	submit.done <- nil
	for _, w := range words {
		if !submit.said(": " + strings.ToUpper(w) + "  (by w") {
			t.Errorf("%s was not done", w)
		}
	}
	if !submit.said("attempt 2") {
		t.Error("nothing was begun twice")
	}
}

func children(t *testing.T, ctx context.Context, c *client.Client, path string) []string {
	t.Helper()
	names, _, err := c.Children(ctx, path)
	if err != nil && !errors.Is(err, zk.NoNode) {
		t.Fatal(err)
	}
	return names
}
