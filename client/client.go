package client

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/zooid-io/zooid/internal/clientcore"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Client is a session with an ensemble. Its methods may be called from many goroutines.
type Client struct {
	opt     Options
	chroot  string // "" or "/app"
	epoch   time.Time
	servers []server

	life  context.Context // ends with the session
	stop  context.CancelFunc
	gone  chan struct{} // closed when the goroutine conn has ended
	first chan struct{} // closed when the session was opened
	wake  chan struct{} // the writer has something to write; one is enough
	hurry chan struct{} // the pause between two rounds shall end; one is enough

	// lone has calls that are over, for the next ones. Those that were given up are not among them: the core may know them still. It is this
	// client's alone, because a channel made in a bubble of testing/synctest is of no use outside.
	lone sync.Pool

	mu      sync.Mutex
	core    *clientcore.Core
	closing bool // Close was called
	status  Status
	cause   error // why the last connection, or the last attempt, failed
	hangup  error // why this side closes the socket
	sock    sock  // the present connection
	server  string
	timer   *time.Timer
	armed   int64 // when the timer fires, ms since epoch
	subs    map[*subscription]bool
	prefer  string // the server to try next, found by the seeker
}

// sock is the part of a connection that may be used under the lock: closing it does not wait.
type sock interface{ Close() error }

const coreClosed = clientcore.Closed

// Dial begins a session and returns when a server has opened it. The servers are "host", "host:port" (2181 if not given) or several
// of them with commas between; a chroot may stand at the end, "a:2181,b:2181/app". They are tried in an order of chance, each at all
// addresses of its name, again and again until ctx ends: give it a deadline. opt may be nil.
//
// Errors: bad servers or options at once; zk.AuthFailed; zk.SessionExpired where Options.Session is not known; else the end of
// ctx, with the last server's failure.
func Dial(ctx context.Context, servers []string, opt *Options) (*Client, error) {
	hosts, chroot, err := parseServers(servers)
	if err != nil {
		return nil, err
	}
	o, err := opt.settle(len(hosts))
	if err != nil {
		return nil, err
	}
	if chroot, err = settleChroot(chroot, o.Chroot); err != nil {
		return nil, err
	}
	c := &Client{
		opt: o, chroot: chroot, epoch: time.Now(), servers: hosts,
		gone: make(chan struct{}), first: make(chan struct{}), wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
		armed: never, subs: map[*subscription]bool{},
	}
	c.life, c.stop = context.WithCancel(context.Background())
	cfg := clientcore.Config{
		Timeout: int32(o.SessionTimeout.Milliseconds()), Handshake: max(o.ConnectTimeout.Milliseconds(), 1),
		ReadOnly: o.ReadOnly, Login: o.SASL != nil, MaxRequest: o.MaxRequest,
		SessionID: o.Session.ID, Password: append([]byte(nil), o.Session.Password...), Seen: o.Session.Seen,
	}
	for _, a := range o.Auth {
		cfg.Auth = append(cfg.Auth, clientcore.Credential{Scheme: a.Scheme, Auth: append([]byte{}, a.Auth...)})
	}
	c.core = clientcore.New(cfg)
	c.status = Status{Since: c.epoch, Suspended: c.epoch, Session: o.Session.ID, Timeout: o.SessionTimeout}
	go c.connect(newRound(hosts, o.Rand))
	select {
	case <-c.first:
		if len(o.Auth) > 0 { // the answers to the credentials come no later than that to a request behind them
			c.do(ctx, "/", &wire.Exists{Path: "/"}, &wire.StatReply{}, nil)
			if s := c.Status(); s.State == AuthFailed {
				<-c.gone
				return nil, &zk.Error{Op: "dial", Code: zk.AuthFailed}
			}
		}
		return c, nil
	case <-c.life.Done():
		<-c.gone
		return nil, &zk.Error{Op: "dial", Code: zk.CodeOf(c.Status().Err), Err: c.lastCause()}
	case <-ctx.Done():
		c.Detach()
		return nil, &zk.Error{Op: "dial", Code: zk.ConnectionLoss, Err: because(ctx.Err(), c.lastCause())}
	}
}

func (c *Client) lastCause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Close ends the session, and with it its ephemeral znodes and watches. Calls that were sent before get their replies, and none are
// taken any more. It waits until a server has closed the session, for a third of the session's timeout at most. While there is no
// connection it looks for one, for as long as Options.CloseTimeout says.
//
// The error says that no server has confirmed it: then the session, unless it is over already, ends by itself after its timeout, and
// its ephemeral znodes with it. For this client it is over in any case. A second Close waits for the first.
func (c *Client) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	states := c.States(ctx)
	c.mu.Lock()
	c.closing = true
	c.core.Close(c.now())
	c.perform()
	patience := time.Duration(c.core.Timeout()) * time.Millisecond / 3
	c.mu.Unlock()
	end := time.NewTimer(patience)
	defer end.Stop()
	var lonely <-chan time.Time // fires after too long without a connection
	for {
		select {
		case s, ok := <-states:
			switch {
			case !ok:
				states = nil // life ends, too
			case s.State.Ended():
			case s.State.IsConnected():
				lonely = nil
			case lonely == nil:
				lonely = time.After(max(c.opt.CloseTimeout, 0))
				select {
				case c.hurry <- struct{}{}:
				default:
				}
			}
			continue
		case <-c.life.Done():
			c.Detach()
			return nil
		case <-lonely:
		case <-end.C:
		}
		cause := c.lastCause()
		c.Detach()
		return &zk.Error{Op: "closeSession", Code: zk.ConnectionLoss, Err: cause}
	}
}

// Detach closes the connection and leaves the session to the servers, for another client to resume within its timeout:
// Options.Session. Its ephemeral znodes live on, watches do not. For this client it is as Close.
func (c *Client) Detach() Session {
	c.mu.Lock()
	c.closing = true
	c.core.Detach()
	c.perform()
	s := c.session()
	c.mu.Unlock()
	<-c.gone
	return s
}

func (c *Client) session() Session {
	id, password := c.core.Session()
	return Session{ID: id, Password: append([]byte(nil), password...), Seen: c.core.LastZxid()}
}

// now is the core's clock: monotonic, ms.
func (c *Client) now() int64 { return time.Since(c.epoch).Milliseconds() }

// call is one call on its way.
type call struct {
	core clientcore.Call
	path string        // as the caller knows it
	done chan struct{} // closed when err is valid; of a lone call it has capacity 1 and gets a value
	lone bool          // of no batch: it is used again
	err  error
	fill func(error) error // of a batch: fills the result and gives its error
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
	if err := ctx.Err(); err != nil {
		return &zk.Error{Op: opName(op), Path: path, Code: zk.OperationTimeout, Err: because(err, ErrNotSent)}
	}
	k, again := c.lone.Get().(*call)
	if !again {
		k = &call{done: make(chan struct{}, 1), lone: true}
	}
	k.path = path
	k.core.Op, k.core.Reply, k.core.Watch = op, reply, w
	c.submit(k)
	return c.wait(ctx, k)
}

// submit hands calls to the core, one behind the other.
func (c *Client) submit(calls ...*call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for _, k := range calls {
		if k.err != nil { // of a batch: it could not be made
			close(k.done)
			continue
		}
		k.core.Owner = k
		c.core.Submit(now, &k.core)
	}
	c.perform()
}

// over says that the caller may go on.
func (k *call) over() {
	if k.lone {
		k.done <- struct{}{}
	} else {
		close(k.done)
	}
}

// result is the error of a call that is done. A lone one is used again.
func (c *Client) result(k *call) error {
	err := k.err
	if !k.lone {
		return err
	}
	*k = call{done: k.done, lone: true}
	c.lone.Put(k)
	return err
}

// wait returns when the call is done, or its context is. The late reply of a call that was given up is dropped.
func (c *Client) wait(ctx context.Context, k *call) error {
	select {
	case <-k.done:
		return c.result(k)
	case <-ctx.Done():
	}
	c.mu.Lock()
	cancelled := c.core.Cancel(&k.core)
	c.mu.Unlock()
	if !cancelled { // its reply came first
		<-k.done
		return c.result(k)
	}
	var unsent error
	if !k.core.Sent {
		unsent = ErrNotSent
	}
	return &zk.Error{Op: opName(k.core.Op), Path: k.path, Code: zk.OperationTimeout, Err: because(ctx.Err(), unsent)}
}

// never is a deadline that does not come.
const never = 1<<63 - 1

// perform does what the core wants. The caller holds mu; nothing here waits.
func (c *Client) perform() (login *clientcore.Login) {
	e := c.core.Effects()
	for _, f := range e.Fired {
		switch w := f.Watch.Owner.(type) {
		case *oneShot:
			w.fire(c, f.Event)
		case *Watch:
			w.take(f)
		}
	}
	if e.Hangup != nil && c.hangup == nil {
		c.hangup = e.Hangup
		if c.sock != nil {
			c.sock.Close()
		}
	}
	c.tell()
	for i, k := range e.Done {
		k := k.Owner.(*call)
		k.err = c.failure(k)
		k.over()
		e.Done[i] = nil
	}
	if c.core.HasBytes() {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
	c.arm()
	return e.Login
}

// arm sets the timer to the core's deadline. A deadline that moved away is left: the timer then fires early and looks again.
func (c *Client) arm() {
	d := c.core.Deadline()
	if d >= c.armed {
		return
	}
	c.armed = d
	wait := time.Duration(max(d-c.now(), 0)) * time.Millisecond
	if c.timer == nil {
		c.timer = time.AfterFunc(wait, c.tick)
	} else {
		c.timer.Reset(wait)
	}
}

func (c *Client) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed = never
	c.core.Tick(c.now())
	c.perform()
}

// String names the session, for logs.
func (c *Client) String() string {
	s := c.Status()
	return fmt.Sprintf("zookeeper session %v, %v", s.Session, s.State)
}
