package zktest

import (
	"context"
	"io"
	"net"
	"sync"
)

// way is the direction of bytes from one party to another: servers by their numbers, or Clients.
type way struct{ from, to int }

// ways are the ways between the parties of an ensemble, each of which may be cut. Bytes on a way that is cut do not arrive, and nobody
// is told: connections stay, and those that are being made come to nothing. When the way is mended, what was sent meanwhile arrives,
// as it does with TCP, if both ends have kept the connection.
//
// Each connection goes through a pipe in this process: the dialler gets one end of a pair of sockets, and two goroutines carry bytes
// between the other end and the server, as long as the way is free. They end with the connection.
type ways struct {
	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu      sync.Mutex
	cut     map[way]bool
	changed chan struct{} // closed at the next change of cut
}

func newWays() *ways {
	w := &ways{cut: map[way]bool{}, changed: make(chan struct{})}
	w.ctx, w.stop = context.WithCancel(context.Background())
	return w
}

// close ends all connections.
func (w *ways) close() {
	w.mu.Lock()
	w.stop()
	w.mu.Unlock()
	w.wg.Wait()
}

// change changes what is cut.
func (w *ways) change(f func(cut map[way]bool)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(w.cut)
	close(w.changed)
	w.changed = make(chan struct{})
}

// free waits until ways are free. The error is that of ctx.
func (w *ways) free(ctx context.Context, list ...way) error {
	for {
		w.mu.Lock()
		cut, changed := false, w.changed
		for _, one := range list {
			cut = cut || w.cut[one]
		}
		w.mu.Unlock()
		if !cut {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// dialer is one for a party; server tells who has an address.
func (w *ways) dialer(from int, server func(addr string) int, dial dialer) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		to := server(addr)
		out, in := way{from, to}, way{to, from}
		if err := w.free(ctx, out, in); err != nil {
			return nil, err
		}
		far, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		near, end, err := pair()
		if err == nil && !w.begin() {
			near.Close()
			end.Close()
			err = context.Canceled
		}
		if err != nil {
			far.Close()
			return nil, err
		}
		go func() {
			defer w.wg.Done()
			life, over := context.WithCancel(w.ctx)
			context.AfterFunc(life, func() {
				far.Close()
				end.Close()
			})
			var other sync.WaitGroup
			other.Go(func() { w.carry(life, over, far, end, out) })
			w.carry(life, over, end, far, in)
			other.Wait()
			over()
		}()
		return near, nil
	}
}

// begin counts one more connection, unless all is over.
func (w *ways) begin() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx.Err() != nil {
		return false
	}
	w.wg.Add(1)
	return true
}

// carry carries bytes until no more come or go.
func (w *ways) carry(life context.Context, over func(), to, from net.Conn, by way) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if w.free(life, by) != nil {
			return
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				over()
				return
			}
		}
		switch half, ok := to.(interface{ CloseWrite() error }); {
		case err == io.EOF && ok && half.CloseWrite() == nil:
			return // the other direction goes on
		case err != nil:
			over()
			return
		}
	}
}

// pair is two ends of a connection within this process.
func pair() (a, b net.Conn, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
		return nil, nil, err
	}
	for {
		if b, err = l.Accept(); err != nil {
			a.Close()
			return nil, nil, err
		}
		if b.RemoteAddr().String() == a.LocalAddr().String() {
			return a, b, nil
		}
		b.Close() // somebody else's
	}
}
