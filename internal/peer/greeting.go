package peer

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/jute"
)

// What a greeting begins with (ensemble protocol, section 2.2). A number of 0 or more is the sid of a server before 3.5 and all
// that it says.
const (
	greetingV1 = -65536 // one address
	greetingV2 = -65535 // one or more, between bars

	maxGreeting = 2048 // bytes of addresses
)

// greeting is what a dialler says first: who it is, and where it can be called back.
type greeting struct {
	sid   ensemble.SID
	addrs []string // host:port; empty if none of them is of use
}

// appendGreeting appends a greeting of the first version, which every server since 3.5 understands. It has to leave in one write:
// Apache reads the text with one read (section 12, trap 3).
func appendGreeting(b []byte, sid ensemble.SID, addr string) []byte {
	return appendGreetingText(b, greetingV1, sid, addr)
}

// appendGreetingV2 is appendGreeting of the second version, with one address or more, which servers since 3.6 understand. A wildcard
// would be dropped by who reads it, and is left out, unless there is nothing else; and so is what there is no room for.
func appendGreetingV2(b []byte, sid ensemble.SID, addrs []string) []byte {
	var text []byte
	for _, a := range addrs {
		host, _, err := net.SplitHostPort(a)
		if err != nil || unspecified(host) || len(text)+1+len(a) > maxGreeting {
			continue
		}
		if len(text) > 0 {
			text = append(text, '|')
		}
		text = append(text, a...)
	}
	if len(text) == 0 {
		text = []byte(addrs[0])
	}
	return appendGreetingText(b, greetingV2, sid, string(text))
}

func appendGreetingText(b []byte, version int64, sid ensemble.SID, text string) []byte {
	b = jute.AppendLong(b, version)
	b = jute.AppendLong(b, int64(sid))
	return jute.AppendBuffer(b, []byte(text)) // plain UTF-8, no ustring
}

// readGreeting reads a greeting and nothing behind it.
func readGreeting(r *bufio.Reader) (greeting, error) {
	var g greeting
	b, err := r.Peek(8)
	if err != nil {
		return g, unexpected(err, len(b) > 0)
	}
	version := int64(binary.BigEndian.Uint64(b))
	if version >= 0 {
		_, _ = r.Discard(8) // they are there
		g.sid = ensemble.SID(version)
		return g, g.check()
	}
	if version != greetingV1 && version != greetingV2 {
		return g, fmt.Errorf("peer: greeting of unknown version %d", version)
	}
	if b, err = r.Peek(20); err != nil {
		return g, unexpected(err, true)
	}
	d := jute.NewDecoder(b[8:])
	g.sid = ensemble.SID(d.Long())
	n := d.Int()
	if err := g.check(); err != nil {
		return g, err
	}
	if n < 1 || n > maxGreeting {
		return g, fmt.Errorf("peer: greeting with an address of %d bytes, not 1 to %d", n, maxGreeting)
	}
	_, _ = r.Discard(20) // they are there
	if b, err = readBytes(r, int(n)); err != nil {
		return g, err
	}
	list := []string{string(b)}
	if version == greetingV2 {
		list = strings.Split(string(b), "|")
	}
	for _, s := range list {
		host, port, err := splitAddr(s)
		if err != nil {
			return g, fmt.Errorf("peer: greeting of server %d: %w", g.sid, err)
		}
		if strings.Contains(host, "|") { // two addresses where the first version has one
			return g, fmt.Errorf("peer: greeting of server %d: %q is no host", g.sid, host)
		}
		if unspecified(host) {
			continue // the address of a listener, not of a server
		}
		g.addrs = append(g.addrs, net.JoinHostPort(host, port))
	}
	return g, nil
}

// check refuses ids that no server has. The largest stood for an observer without a name, long ago.
func (g *greeting) check() error {
	if g.sid < 0 || g.sid == math.MaxInt64 {
		return fmt.Errorf("peer: greeting of server %d", g.sid)
	}
	return nil
}

func unspecified(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsUnspecified()
}

func splitAddr(s string) (host, port string, err error) {
	if host, port, err = net.SplitHostPort(s); err != nil {
		return "", "", err
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || host == "" {
		return "", "", fmt.Errorf("%q is no address", s)
	}
	return host, port, nil
}
