package masterworker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

// System is a handle of a system of masters, workers and tasks below a path.
type System struct {
	c    *client.Client
	base string
}

// New is a handle of the system at path.
func New(c *client.Client, path string) *System { return &System{c: c, base: path} }

// Task is a task as its worker gets it.
type Task struct {
	Name    string
	Data    []byte
	Attempt int     // 1 at first; more where workers died, or left, with it
	Token   zk.Zxid // of this attempt: each later one's is higher
}

// Result is what has become of a task.
type Result struct {
	Data    []byte `json:"data,omitempty"`
	Error   string `json:"error,omitempty"` // what the worker's function said; "" is success
	Worker  string `json:"worker"`
	Attempt int    `json:"attempt"`
}

// parcel is a task in the tree.
type parcel struct {
	Data    []byte `json:"data,omitempty"`
	Attempt int    `json:"attempt"` // how often it was assigned so far
}

func (s *System) path(parts ...string) string {
	p := s.base
	for _, part := range parts {
		p = zk.JoinPath(p, part)
	}
	return p
}

// prepare makes the folders.
func (s *System) prepare(ctx context.Context) error {
	for _, f := range []string{"workers", "tasks", "assign", "status"} {
		if err := recipes.MakeFolder(ctx, s.c, s.path(f), zk.Persistent); err != nil {
			return err
		}
	}
	return nil
}

// Submit hands in a task, once, and gives its name. After an error it may have been handed in under the name given, unless that is "".
func (s *System) Submit(ctx context.Context, data []byte) (task string, err error) {
	if err := s.prepare(ctx); err != nil {
		return "", err
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	task = "task-" + hex.EncodeToString(b[:])
	p, err := json.Marshal(parcel{Data: data})
	if err != nil {
		return "", err
	}
	tried := false
	err = recipes.Insist(ctx, func() error {
		if tried { // it may be anywhere by now
			if there, err := s.known(ctx, task); there || err != nil {
				return err
			}
		}
		tried = true
		_, _, err := s.c.Create(ctx, s.path("tasks", task), p, zk.Persistent)
		return err
	})
	return task, err
}

// known tells whether a task is anywhere.
func (s *System) known(ctx context.Context, task string) (bool, error) {
	if err := s.c.Sync(ctx, s.base); err != nil {
		return false, err
	}
	all, err := recipes.ReadTree(ctx, s.c, s.base)
	for path := range all {
		if _, name, _ := zk.SplitPath(path); name == task {
			return true, err
		}
	}
	return false, err
}

// Wait waits until a task is finished. The result stays until Forget.
func (s *System) Wait(ctx context.Context, task string) (r Result, err error) {
	path := s.path("status", task)
	for {
		var data []byte
		err := recipes.Insist(ctx, func() (err error) { data, _, err = s.c.Get(ctx, path); return err })
		if err == nil {
			if err := json.Unmarshal(data, &r); err != nil {
				return r, fmt.Errorf("%s: %w", path, err)
			}
			return r, nil
		}
		if !errors.Is(err, zk.NoNode) {
			return r, err
		}
		var there bool
		var changed <-chan zk.Event
		err = recipes.Insist(ctx, func() (err error) { there, _, changed, err = s.c.ExistsW(ctx, path); return err })
		if err != nil {
			return r, err
		}
		if there {
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return r, context.Cause(ctx)
		}
	}
}

// Forget removes the result of a task.
func (s *System) Forget(ctx context.Context, task string) error {
	err := recipes.Insist(ctx, func() error { return s.c.Delete(ctx, s.path("status", task), -1) })
	if errors.Is(err, zk.NoNode) {
		return nil
	}
	return err
}

// stale tells that a transaction was refused because the tree is not what it was thought to be.
func stale(err error) bool {
	return errors.Is(err, zk.NoNode) || errors.Is(err, zk.NodeExists) || errors.Is(err, zk.NotEmpty)
}

// broken tells that it is unknown whether a transaction was carried out.
func broken(err error) bool {
	return errors.Is(err, zk.ConnectionLoss) || errors.Is(err, zk.SessionMoved)
}
