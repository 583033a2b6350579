package shell

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// runLock runs a program while this session holds the lock at a path: an ephemeral sequential child, and the smallest has it. Each
// waits for the one before it, so that the end of a holder wakes one and not all. If the session is lost, the program is stopped:
// somebody else has the lock then.
func runLock(ctx context.Context, s *Shell, a *args) error {
	i := slices.Index(a.rest, "--")
	if i < 0 || i+1 == len(a.rest) {
		return usage{a.command()}
	}
	own, err := flags{"timeout:"}.parse(a.rest[:i])
	if err != nil {
		return err
	}
	own.of = a.of
	argv := a.rest[i+1:]
	c, path, err := s.at(ctx, own, 1)
	if err != nil {
		return err
	}
	wait, stop, err := timeout(ctx, own)
	if err != nil {
		return err
	}
	defer stop()
	if err := ensure(wait, c, path); err != nil {
		return err
	}
	// The name is ours even if the reply to create is lost, and one that Curator and package recipes know for a contender's.
	prefix := "_c_" + rand.Text() + "-lock-"
	mine, _, err := c.Create(wait, zk.JoinPath(path, prefix), nil, zk.EphemeralSequential)
	if errors.Is(err, zk.ConnectionLoss) {
		mine, err = findOwn(wait, c, path, prefix, err)
	}
	if err != nil {
		return err
	}
	defer func() {
		end, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer stop()
		if err := c.Delete(end, mine, -1); err != nil && !errors.Is(err, zk.NoNode) {
			fmt.Fprintf(s.err, "the lock goes with the session: %s\n", text(err))
		}
	}()
	if err := turn(wait, c, path, mine); err != nil {
		return err
	}
	return s.holding(ctx, c, argv)
}

// findOwn looks for a znode whose creation was not answered.
func findOwn(ctx context.Context, c *client.Client, path, prefix string, lost error) (string, error) {
	names, _, err := c.Children(ctx, path)
	if err != nil {
		return "", err
	}
	for _, n := range names {
		if strings.HasPrefix(n, prefix) {
			return zk.JoinPath(path, n), nil
		}
	}
	return "", lost
}

// turn returns when no child of path has a smaller number than mine.
func turn(ctx context.Context, c *client.Client, path, mine string) error {
	number := func(name string) string { return name[max(0, len(name)-10):] }
	for {
		names, _, err := c.Children(ctx, path)
		if err != nil {
			return err
		}
		before := ""
		for _, n := range names {
			if number(n) < number(mine) && (before == "" || number(n) > number(before)) {
				before = n
			}
		}
		if before == "" {
			return nil
		}
		found, _, gone, err := c.ExistsW(ctx, zk.JoinPath(path, before))
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		select {
		case e := <-gone:
			if e.Type == zk.EventNone {
				return &zk.Error{Op: "lock", Path: path, Code: zk.SessionExpired}
			}
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return &zk.Error{Op: "lock", Path: path, Code: zk.OperationTimeout, Err: ctx.Err()}
			}
			return ctx.Err()
		}
	}
}

// holding runs the program, and stops it when the session is as good as lost.
func (s *Shell) holding(ctx context.Context, c *client.Client, argv []string) error {
	run, stop := context.WithCancelCause(ctx)
	states := c.States(run)
	watching := make(chan struct{})
	go func() { // ends with run, and is waited for
		defer close(watching)
		for st := range states {
			if st.State == client.Lapsed || st.State.Ended() {
				stop(&zk.Error{Op: "lock", Code: zk.SessionExpired})
			}
		}
	}()
	code, err := s.opt.Exec(run, argv)
	cause := context.Cause(run)
	stop(nil)
	<-watching
	switch {
	case cause != nil && ctx.Err() == nil:
		return cause
	case err != nil:
		return err
	case code != 0:
		return exited(code)
	}
	return nil
}
