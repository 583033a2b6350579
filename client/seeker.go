package client

import (
	"context"
	"io"
	"time"
)

// seek is the goroutine seeker: on a read-only server it asks the others, one after the other, whether they are read-write (the
// four-letter word isro), and when one is, takes the connection away, so that it is tried next. The pauses grow to a minute, as in
// Apache's client.
func (c *Client) seek(ctx context.Context) {
	pause := 100 * time.Millisecond
	for i := 0; ; i++ {
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
		pause = min(2*pause, time.Minute)
		s := c.servers[i%len(c.servers)]
		addrs, err := c.addresses(ctx, s)
		if err != nil {
			continue
		}
		for _, addr := range addrs {
			if !c.isReadWrite(ctx, s, addr) {
				continue
			}
			c.mu.Lock()
			c.prefer = s.String()
			if c.sock != nil {
				c.sock.Close()
			}
			c.mu.Unlock()
			return
		}
	}
}

// isReadWrite asks a server.
func (c *Client) isReadWrite(ctx context.Context, s server, addr string) bool {
	conn, raw, err := c.dial(ctx, s, addr)
	if err != nil {
		return false
	}
	defer raw.Close()
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	conn.SetDeadline(time.Now().Add(c.opt.ConnectTimeout))
	if _, err := io.WriteString(conn, "isro"); err != nil {
		return false
	}
	b := make([]byte, 2)
	_, err = io.ReadFull(conn, b)
	return err == nil && string(b) == "rw"
}
