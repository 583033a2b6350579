package client

import (
	"context"
	"errors"
	"sync"

	"github.com/zooid-io/zooid/internal/clientcore"
	"github.com/zooid-io/zooid/internal/wire"
)

// Client is a session with an ensemble. Its methods may be called from many goroutines.
type Client struct {
	opt    Options
	chroot string // "" or "/app"

	mu     sync.Mutex
	status Status
}

// Dial begins a session and returns when a server has opened it. The servers are "host", "host:port" (2181 if not given) or several
// of them with commas between; a chroot may stand at the end, "a:2181,b:2181/app". They are tried in an order of chance, each at all
// addresses of its name, again and again until ctx ends: give it a deadline. opt may be nil.
//
// Errors: bad servers or options at once; zk.AuthFailed; zk.SessionExpired where Options.Session is not known; else the end of
// ctx, with the last server's failure.
func Dial(ctx context.Context, servers []string, opt *Options) (*Client, error) {
	return nil, errors.ErrUnsupported
}

// Close ends the session, and with it its ephemeral znodes and watches. It waits until the server has done so, for a third of the
// session's timeout at most; where no server can be reached the session ends by itself after its timeout. Calls that are under
// way end with ErrClosed. A second Close does nothing.
func (c *Client) Close() error { return errors.ErrUnsupported }

// Detach closes the connection and leaves the session to the servers, for another client to resume within its timeout:
// Options.Session. Its ephemeral znodes live on, watches do not. For this client it is as Close.
func (c *Client) Detach() Session { return Session{} }

func (c *Client) session() Session { return Session{} }

func (c *Client) subscribe(ctx context.Context) <-chan Status { return nil }

// call is one call on its way.
type call struct {
	core clientcore.Call
	path string        // as the caller knows it
	done chan struct{} // closed when err is valid
	err  error
	fill func(error) // of a batch: fills the result
}

// do makes one call: every operation goes through here. A watch is registered with the reply.
func (c *Client) do(ctx context.Context, path string, op wire.Op, reply wire.Reply, w *oneShot) error {
	if w == nil {
		return c.doWatch(ctx, path, op, reply, nil)
	}
	return c.doWatch(ctx, path, op, reply, &w.Watch)
}

func (c *Client) doWatch(ctx context.Context, path string, op wire.Op, reply wire.Reply, w *clientcore.Watch) error {
	if err := checkPath(op, path); err != nil {
		return err
	}
	k := &call{path: path, done: make(chan struct{})}
	k.core.Op, k.core.Reply, k.core.Watch = op, reply, w
	c.submit([]*call{k})
	return c.wait(ctx, k)
}

func (c *Client) submit(calls []*call) {}

func (c *Client) wait(ctx context.Context, k *call) error { return errors.ErrUnsupported }

func (c *Client) closeWatch(ctx context.Context, w *Watch) error { return nil }
