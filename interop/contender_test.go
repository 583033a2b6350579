package interop

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	gozk "github.com/go-zookeeper/zk"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

// contenderVariable, in the environment, makes the test binary one of the contenders of line_test.go instead: a process, that it can
// be killed. Its value is the path of the zooid binary.
const contenderVariable = "ZOOID_CONTENDER"

// contender stands in one line.
type contender struct {
	server, zooid string
	kind, path    string
	rounds        int
	c             *client.Client
	timeout       time.Duration
}

// contend is the main of such a process. Its arguments are as those of the foreign ones.
func contend(args []string, zooid string) int {
	ctx := context.Background()
	ms, err := strconv.Atoi(args[1])
	if err != nil {
		fmt.Println("FAIL", err)
		return 1
	}
	var all []*contender
	for _, spec := range args[2:] {
		parts := strings.Split(spec, ":")
		k := &contender{server: args[0], zooid: zooid, kind: parts[0], path: parts[1], timeout: time.Duration(ms) * time.Millisecond}
		if k.rounds, err = strconv.Atoi(parts[2]); err == nil {
			k.c, err = client.Dial(ctx, []string{k.server}, &client.Options{SessionTimeout: k.timeout})
		}
		if err != nil {
			fmt.Println("FAIL", err)
			return 1
		}
		defer k.c.Close()
		all = append(all, k)
	}
	if len(all) == 1 && all[0].kind == "inside" { // what the shell runs while it holds a lock
		if err := all[0].section(ctx, "x"); err != nil {
			fmt.Println("FAIL inside", all[0].path+":", err)
			return 1
		}
		return 0
	}
	fmt.Println("READY")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	var wg sync.WaitGroup
	for _, k := range all {
		wg.Go(func() {
			for range max(1, k.rounds) {
				if err := k.round(ctx); err != nil {
					fmt.Println("FAIL", k.kind, k.path+":", err)
					return
				}
			}
			fmt.Println("PASS", k.kind, k.path)
		})
	}
	wg.Wait()
	return 0
}

// section is what is done while something is held: nobody may be there who should not, and the counter counts everybody.
func (k *contender) section(ctx context.Context, as string) error {
	folder := "/inside" + k.path
	inside, _, err := k.c.Create(ctx, folder+"/"+as+"-zooid-", nil, zk.EphemeralSequential)
	if err != nil {
		return err
	}
	there, _, err := k.c.Children(ctx, folder)
	if err != nil {
		return err
	}
	for _, name := range there {
		if !strings.HasSuffix(inside, "/"+name) && (as == "x" || name[0] == 'x') || as == "s" && len(there) > semaphoreSize {
			return fmt.Errorf("not the only one: %v", there)
		}
	}
	if as == "x" {
		data, stat, err := k.c.Get(ctx, "/count"+k.path)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(data))
		if err != nil {
			return err
		}
		if _, err := k.c.Set(ctx, "/count"+k.path, []byte(strconv.Itoa(n+1)), stat.Version); err != nil {
			return err
		}
	}
	fmt.Println("IN", k.kind, k.path)
	if k.rounds == 0 {
		select {} // until somebody kills the process
	}
	return k.c.Delete(ctx, inside, -1)
}

// held plays the section, and then what gives up the thing held.
func (k *contender) held(ctx context.Context, as string, h *recipes.Hold, err error) error {
	if err != nil {
		return err
	}
	return errors.Join(k.section(ctx, as), h.Release(ctx))
}

// semaphoreSize is that of every semaphore in the test.
const semaphoreSize = 2

func (k *contender) round(ctx context.Context) error {
	what, layout := k.kind, recipes.Curator
	if i := strings.IndexByte(what, '-'); i > 0 {
		switch what[i:] {
		case "-kazoo":
			layout = recipes.Kazoo
		case "-latch":
			layout = recipes.CuratorLatch
		}
		what = what[:i]
	}
	switch what {
	case "lock":
		l := recipes.NewLock(k.c, k.path)
		l.Layout = layout
		h, err := l.Acquire(ctx)
		return k.held(ctx, "x", h, err)
	case "election":
		e := recipes.NewElection(k.c, k.path, []byte("zooid"))
		e.Layout = layout
		term, err := e.Campaign(ctx)
		return k.held(ctx, "x", term.Hold, err)
	case "shared":
		s := recipes.NewSharedLock(k.c, k.path)
		s.Layout = layout
		h, err := s.Read(ctx)
		if err := k.held(ctx, "r", h, err); err != nil {
			return err
		}
		h, err = s.Write(ctx)
		return k.held(ctx, "x", h, err)
	case "semaphore":
		s := recipes.NewSemaphore(k.c, k.path, semaphoreSize)
		s.Layout = layout
		h, err := s.Acquire(ctx)
		return k.held(ctx, "s", h, err)
	case "gozk":
		return k.roundOfGoZooKeeper(ctx)
	case "shell":
		return k.roundOfShell(ctx)
	}
	return fmt.Errorf("no contender is called %s", k.kind)
}

// roundOfGoZooKeeper holds a lock of github.com/go-zookeeper/zk.
func (k *contender) roundOfGoZooKeeper(ctx context.Context) error {
	conn, events, err := gozk.Connect([]string{k.server}, k.timeout, gozk.WithLogger(silent{}))
	if err != nil {
		return err
	}
	defer conn.Close()
	go func() { // ends with the connection
		for range events {
		}
	}()
	l := gozk.NewLock(conn, k.path, gozk.WorldACL(gozk.PermAll))
	if err := l.Lock(); err != nil {
		return err
	}
	return errors.Join(k.section(ctx, "x"), l.Unlock())
}

// roundOfShell runs the section by the shell's lock command.
func (k *contender) roundOfShell(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, k.zooid, "shell", "-server", k.server, "lock", k.path, "--",
		os.Args[0], k.server, strconv.FormatInt(k.timeout.Milliseconds(), 10), "inside:"+k.path+":1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	fmt.Println("IN", k.kind, k.path)
	return nil
}
