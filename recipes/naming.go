package recipes

import (
	"context"
	"errors"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// Names is a directory: names, with slashes where wanted, that stand for something. Groups and services have names that go with their
// owners; these stay until they are removed.
type Names struct {
	c    *client.Client
	path string
}

// NewNames is a handle of the directory at path.
func NewNames(c *client.Client, path string) *Names { return &Names{c, path} }

// Bind gives a name a meaning if it has none yet. Errors: zk.NodeExists.
func (n *Names) Bind(ctx context.Context, name string, what []byte) error {
	path := zk.JoinPath(n.path, name)
	parent, _, _ := zk.SplitPath(path)
	if err := MakeFolder(ctx, n.c, parent, zk.Persistent); err != nil {
		return err
	}
	tried := false
	return Insist(ctx, func() error {
		_, _, err := n.c.Create(ctx, path, what, zk.Persistent)
		if tried && errors.Is(err, zk.NodeExists) { // by the lost attempt, if it means the same
			data, _, err2 := n.c.Get(ctx, path)
			if err2 != nil {
				return err2
			}
			if string(data) == string(what) {
				return nil
			}
		}
		tried = true
		return err
	})
}

// Rebind gives a name a meaning, whatever it meant. Where a reply is lost it may do so twice, also over another's Rebind in between.
func (n *Names) Rebind(ctx context.Context, name string, what []byte) error {
	path := zk.JoinPath(n.path, name)
	for {
		err := Insist(ctx, func() error { _, err := n.c.Set(ctx, path, what, -1); return err })
		if !errors.Is(err, zk.NoNode) {
			return err
		}
		if err := n.Bind(ctx, name, what); !errors.Is(err, zk.NodeExists) {
			return err
		}
	}
}

// Lookup is what a name means. Errors: zk.NoNode.
func (n *Names) Lookup(ctx context.Context, name string) (what []byte, err error) {
	err = Insist(ctx, func() (err error) { what, _, err = n.c.Get(ctx, zk.JoinPath(n.path, name)); return err })
	return what, err
}

// List lists the names one level below a name; "" is the directory itself.
func (n *Names) List(ctx context.Context, name string) (names []string, err error) {
	path := n.path
	if name != "" {
		path = zk.JoinPath(path, name)
	}
	err = Insist(ctx, func() (err error) { names, _, err = n.c.Children(ctx, path); return err })
	return names, err
}

// Unbind removes a name. One that is not there is no error; one that has others below it is: zk.NotEmpty.
func (n *Names) Unbind(ctx context.Context, name string) error {
	return removeThis(ctx, n.c, zk.JoinPath(n.path, name))
}
