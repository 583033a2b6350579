package client

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/zooid-io/zooid/internal/clientcore"
)

// steady is how long a connection must have lasted for its end to be a new beginning: one that breaks at once counts as a failed
// attempt, so that a server that opens sessions and hangs up is not asked without pause.
const steady = time.Second

// connect is the goroutine conn: one connection after the other, until the session has ended.
func (c *Client) connect(r *round) {
	defer close(c.gone)
	for c.life.Err() == nil {
		c.mu.Lock()
		if c.prefer != "" {
			r.prefer(c.prefer)
			c.prefer = ""
		}
		c.mu.Unlock()
		s, pause := r.next(c.opt.MaxBackoff)
		if pause > 0 {
			switch c.pause(pause) {
			case ended:
				return
			case hurried:
				r.served()
			}
		}
		if c.try(s, r) >= steady {
			r.served()
		}
	}
}

// rested is how a pause has ended.
type rested int

const (
	whole   rested = iota
	hurried        // Close waits for a connection
	ended          // with the session
)

// pause waits.
func (c *Client) pause(d time.Duration) rested {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return whole
	case <-c.hurry:
		return hurried
	case <-c.life.Done():
		return ended
	}
}

// try goes through the addresses of a server's name until one has served, and tells for how long that did.
func (c *Client) try(s server, r *round) time.Duration {
	ctx, cancel := context.WithTimeout(c.life, c.opt.ConnectTimeout)
	addrs, err := c.addresses(ctx, s)
	cancel()
	if err != nil {
		c.failed(s.String(), fmt.Errorf("resolving %s: %w", s.host, err))
		return 0
	}
	r.rand.Shuffle(len(addrs), func(i, j int) { addrs[i], addrs[j] = addrs[j], addrs[i] })
	for _, addr := range addrs {
		if c.life.Err() != nil {
			return 0
		}
		conn, raw, err := c.dial(c.life, s, addr)
		if err != nil {
			c.failed(addr, err)
			continue
		}
		if lasted := c.serve(conn, raw, s, addr); lasted > 0 {
			return lasted
		}
	}
	return 0
}

// failed notes an attempt that came to nothing.
func (c *Client) failed(addr string, err error) {
	c.opt.Logger.Debug("connecting failed", "server", addr, "err", err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cause = err
}

// dial opens a connection; raw is the one below TLS.
func (c *Client) dial(ctx context.Context, s server, addr string) (conn, raw net.Conn, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.opt.ConnectTimeout)
	defer cancel()
	if raw, err = c.opt.Dialer(ctx, "tcp", addr); err != nil {
		return nil, nil, err
	}
	if c.opt.TLSConfig == nil {
		return raw, raw, nil
	}
	cfg := c.opt.TLSConfig
	if cfg.ServerName == "" {
		cfg = cfg.Clone()
		cfg.ServerName = s.host
	}
	t := tls.Client(raw, cfg)
	if err = t.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, nil, fmt.Errorf("TLS with %s: %w", addr, err)
	}
	return t, raw, nil
}

// serve carries one connection from its handshake to its end, and tells for how long it served the session: 0 if it never did.
func (c *Client) serve(conn, raw net.Conn, s server, addr string) time.Duration {
	c.mu.Lock()
	if c.core.State().Ended() {
		c.mu.Unlock()
		raw.Close()
		return 0
	}
	c.sock, c.server, c.hangup = raw, addr, nil
	c.core.Connected(c.now())
	c.perform()
	c.mu.Unlock()

	l := &line{c: c, conn: conn, host: s.host}
	ctx, cancel := context.WithCancel(c.life)
	var halves sync.WaitGroup
	halves.Go(func() { c.write(ctx, conn) })
	err := l.read(func() { halves.Go(func() { c.seek(ctx) }) })
	raw.Close()
	cancel()
	halves.Wait()

	c.mu.Lock()
	defer c.mu.Unlock()
	c.sock = nil
	if c.cause = err; c.hangup != nil {
		c.cause = c.hangup
	}
	c.cause = fmt.Errorf("server %s: %w", addr, c.cause)
	c.opt.Logger.Debug("connection ended", "server", addr, "err", c.cause)
	c.core.Disconnected()
	c.perform()
	if l.since.IsZero() {
		return 0
	}
	return max(time.Since(l.since), 1)
}

// write is the goroutine writer: it sends what the core has, until ctx ends or the connection breaks.
func (c *Client) write(ctx context.Context, conn net.Conn) {
	var spare []byte
	for {
		c.mu.Lock()
		b := c.core.Bytes(spare)
		c.mu.Unlock()
		if len(b) == 0 {
			spare = b
			select {
			case <-c.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		if _, err := conn.Write(b); err != nil {
			c.mu.Lock()
			if c.sock != nil {
				c.sock.Close() // the reader ends with it
			}
			c.mu.Unlock()
			return
		}
		if spare = b; cap(spare) > maxSpare {
			spare = nil
		}
	}
}

// maxSpare is the longest buffer that is kept for later.
const maxSpare = 1 << 20

// line is the reading half of a connection.
type line struct {
	c      *Client
	conn   net.Conn
	host   string
	since  time.Time // when it began to serve the session
	in     *bufio.Reader
	frames [][]byte
	heads  [maxFrames][16]byte // replies that are only a header, of one batch
	login  SASLExchange
}

// maxFrames is how many frames are handed to the core at once.
const maxFrames = 64

// read feeds the core until the connection is broken. readOnly is called once, on a server that is.
func (l *line) read(readOnly func()) error {
	c := l.c
	l.in = bufio.NewReaderSize(l.conn, 64<<10)
	for {
		if err := l.batch(); err != nil {
			if err == io.EOF {
				return fmt.Errorf("the server closed the connection: %w", err)
			}
			return err
		}
		c.mu.Lock()
		now := c.now()
		var err error
		for _, frame := range l.frames {
			if err = c.core.Received(now, frame); err != nil {
				break
			}
		}
		login := c.perform()
		phase, state := c.core.Phase(), c.core.State()
		c.mu.Unlock()
		if err != nil {
			return err
		}
		if login != nil {
			l.step(login)
			continue
		}
		if phase == clientcore.Live && l.since.IsZero() {
			l.since = time.Now()
			if state == clientcore.ConnectedReadOnly {
				readOnly()
			}
		}
	}
}

// batch reads a frame, waiting for it, and those behind it that are there already.
func (l *line) batch() error {
	clear(l.frames)
	l.frames = l.frames[:0]
	for {
		var length [4]byte
		if _, err := io.ReadFull(l.in, length[:]); err != nil {
			return err
		}
		n := int(int32(binary.BigEndian.Uint32(length[:])))
		if n < 0 || n > l.c.opt.MaxReply {
			return fmt.Errorf("a frame of %d bytes; Options.MaxReply is %d", n, l.c.opt.MaxReply)
		}
		frame, err := l.frame(n)
		if err != nil {
			return err
		}
		l.frames = append(l.frames, frame)
		if len(l.frames) == maxFrames || l.in.Buffered() < 4 {
			return nil
		}
		head, err := l.in.Peek(4)
		if err != nil || uint64(binary.BigEndian.Uint32(head))+4 > uint64(l.in.Buffered()) {
			return nil
		}
	}
}

// frame reads n bytes. The core keeps what it gets, for replies alias it, but for those that are only a header.
func (l *line) frame(n int) ([]byte, error) {
	if n > 1<<20 { // do not believe the length before the bytes are there
		var b bytes.Buffer
		if _, err := io.CopyN(&b, l.in, int64(n)); err != nil {
			return nil, err
		}
		return b.Bytes(), nil
	}
	b := l.heads[len(l.frames)][:]
	if n != len(b) {
		b = make([]byte, n)
	}
	_, err := io.ReadFull(l.in, b)
	return b, err
}

// step takes the next step of a SASL login.
func (l *line) step(want *clientcore.Login) {
	c := l.c
	token, done, err := l.token(want)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.cause = fmt.Errorf("SASL: %w", err)
	}
	c.core.LoginToken(c.now(), token, done, err)
	c.perform()
}

func (l *line) token(want *clientcore.Login) ([]byte, bool, error) {
	if want.First {
		x, err := l.c.opt.SASL.Begin(l.host)
		if err != nil {
			return nil, false, err
		}
		l.login = x
	}
	return l.login.Step(want.Challenge)
}
