package recipes

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// Pauses between attempts while there is no connection. Calls wait for one by themselves until the session has lapsed, so that these
// matter only then, and where connections break again and again.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = 500 * time.Millisecond
)

// Insist makes a call that may be made twice until its connection holds. It ends with the call, with ctx, or with the session.
func Insist(ctx context.Context, call func() error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := call()
		if !broken(err) {
			return err
		}
		if !rest(ctx, pause) {
			return gaveUp(ctx, err)
		}
	}
}

// gaveUp is the error of a call that was to be made again when ctx ended.
func gaveUp(ctx context.Context, err error) error {
	return fmt.Errorf("%w, after %w", context.Cause(ctx), err)
}

// broken tells that the connection failed a call, and with it the knowledge whether the call was carried out.
func broken(err error) bool {
	return errors.Is(err, zk.ConnectionLoss) || errors.Is(err, zk.SessionMoved)
}

// unsent tells that a call was certainly not carried out.
func unsent(err error) bool { return errors.Is(err, client.ErrNotSent) }

// rest waits, and tells whether ctx goes on.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// MakeFolder makes a znode and what is missing above it. What exists stays as it is.
func MakeFolder(ctx context.Context, c *client.Client, path string, mode zk.Mode) error {
	if path == "/" {
		return nil
	}
	err := Insist(ctx, func() error { _, _, err := c.Create(ctx, path, nil, mode); return err })
	if errors.Is(err, zk.NodeExists) {
		return nil
	}
	if !errors.Is(err, zk.NoNode) {
		return err
	}
	parent, _, ok := zk.SplitPath(path)
	if !ok {
		return err
	}
	if err := MakeFolder(ctx, c, parent, zk.Persistent); err != nil {
		return err
	}
	return MakeFolder(ctx, c, path, mode)
}

// inFolder makes a call and, where its folder was missing, the folder and the call again: a container goes when it is empty, at any
// time.
func inFolder(ctx context.Context, c *client.Client, folder string, call func() error) error {
	for {
		err := Insist(ctx, call)
		if !errors.Is(err, zk.NoNode) {
			return err
		}
		if err := MakeFolder(ctx, c, folder, zk.Container); err != nil {
			return err
		}
	}
}

// remove deletes a znode that may be gone already, and whose name nobody uses again: see removeMine for others.
func remove(ctx context.Context, c *client.Client, path string) error {
	err := Insist(ctx, func() error { return c.Delete(ctx, path, -1) })
	if errors.Is(err, zk.NoNode) {
		return nil
	}
	return err
}

// watchChildren lists a folder and watches it; a missing folder is made, for only a znode that is there can be watched so.
func watchChildren(ctx context.Context, c *client.Client, folder string) (names []string, changed <-chan zk.Event, err error) {
	err = inFolder(ctx, c, folder, func() (err error) {
		names, _, changed, err = c.ChildrenW(ctx, folder)
		return err
	})
	return names, changed, err
}

// newGUID is a name that nobody else draws, in the form of a UUID.
func newGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
