package admin

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// maxAnswer bounds what Run4lw keeps of an answer, bytes. wchp of a busy server is tens of megabytes.
const maxAnswer = 1 << 30

// Run4lw sends a command to a ZooKeeper server and returns all that it answers until it closes the connection. timeout bounds
// connecting and, again from there, everything else; Apache's client takes 5 s. A word may be longer than four letters: it is
// sent as it is.
func Run4lw(host string, port int, word string, timeout time.Duration) ([]byte, error) {
	c, err := net.DialTimeout("tcp", net.JoinHostPort(host, strconv.Itoa(port)), timeout)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(timeout)); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(c, word); err != nil {
		return nil, fmt.Errorf("sending %q: %w", word, err)
	}
	// As nc does: some servers answer only then.
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		if err := half.CloseWrite(); err != nil {
			return nil, fmt.Errorf("sending %q: %w", word, err)
		}
	}
	b, err := io.ReadAll(io.LimitReader(c, maxAnswer))
	if err != nil {
		return b, fmt.Errorf("the answer of %q: %w", word, err)
	}
	return b, nil
}
