package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/zooid-io/zooid/zk"
)

// server is an entry of the list of servers: a name that is resolved anew for every attempt.
type server struct{ host, port string }

func (s server) String() string { return net.JoinHostPort(s.host, s.port) }

// defaultPort is where a server is whose entry has no port.
const defaultPort = "2181"

// parseServers reads the list of servers and the chroot behind it.
func parseServers(list []string) (servers []server, chroot string, err error) {
	for _, text := range list {
		text, root := strings.TrimSpace(text), ""
		if i := strings.IndexByte(text, '/'); i >= 0 {
			text, root = text[:i], text[i:]
		}
		if root != "" {
			if chroot, err = settleChroot(chroot, root); err != nil {
				return nil, "", err
			}
		}
		for entry := range strings.SplitSeq(text, ",") {
			if entry = strings.TrimSpace(entry); entry == "" {
				return nil, "", fmt.Errorf("client: an empty entry in the list of servers %q", list)
			}
			s, err := parseServer(entry)
			if err != nil {
				return nil, "", err
			}
			servers = append(servers, s)
		}
	}
	if len(servers) == 0 {
		return nil, "", errors.New("client: no servers")
	}
	return servers, chroot, nil
}

func parseServer(entry string) (server, error) {
	if net.ParseIP(strings.Trim(entry, "[]")) != nil { // an address without a port, of either family
		return server{strings.Trim(entry, "[]"), defaultPort}, nil
	}
	if !strings.Contains(entry, ":") {
		return server{entry, defaultPort}, nil
	}
	host, port, err := net.SplitHostPort(entry)
	if err == nil && (host == "" || port == "") {
		err = errors.New("host or port is empty")
	}
	if err != nil {
		return server{}, fmt.Errorf("client: server %q: %w", entry, err)
	}
	return server{host, port}, nil
}

// settleChroot makes one chroot of two: "" and "/" are none, "/app/" is "/app".
func settleChroot(a, b string) (string, error) {
	for _, root := range []*string{&a, &b} {
		*root = strings.TrimSuffix(*root, "/")
		if *root == "" {
			continue
		}
		if err := zk.ValidatePath(*root); err != nil {
			return "", fmt.Errorf("client: chroot: %w", err)
		}
	}
	if a != "" && b != "" && a != b {
		return "", fmt.Errorf("client: two chroots, %s and %s", a, b)
	}
	return max(a, b), nil
}

// round goes through the servers, in an order of chance, and says how long to pause between rounds. One goroutine uses it.
type round struct {
	servers []server
	at      int // the next
	tried   int // in this round
	rounds  int // without a connection
	rand    *rand.Rand
}

func newRound(servers []server, source rand.Source) *round {
	r := &round{servers: append([]server(nil), servers...), rand: rand.New(source)}
	r.rand.Shuffle(len(r.servers), func(i, j int) { r.servers[i], r.servers[j] = r.servers[j], r.servers[i] })
	return r
}

// next is the server to try now. Where it is the first of a further round, there is a pause before it.
func (r *round) next(maxPause time.Duration) (server, time.Duration) {
	var pause time.Duration
	if r.tried == len(r.servers) {
		pause = r.pause(maxPause)
		r.tried = 0
		r.rounds++
	}
	s := r.servers[r.at]
	r.at = (r.at + 1) % len(r.servers)
	r.tried++
	return s, pause
}

// firstPause is the longest that the first pause can be.
const firstPause = 50 * time.Millisecond

// pause is between half of and the whole of what is twice as long each time.
func (r *round) pause(longest time.Duration) time.Duration {
	p := longest
	if r.rounds < 20 {
		p = min(firstPause<<r.rounds, longest)
	}
	return p/2 + time.Duration(r.rand.Int64N(int64(p/2)+1))
}

// served says that the last server was a good one: the next round begins behind it, without a pause.
func (r *round) served() { r.tried, r.rounds = 0, 0 }

// prefer makes a server the next one.
func (r *round) prefer(s string) {
	for i := range r.servers {
		if r.servers[i].String() == s {
			r.at, r.tried = i, 0
		}
	}
}

// addresses resolves a server's name. An address stays what it is.
func (c *Client) addresses(ctx context.Context, s server) ([]string, error) {
	if net.ParseIP(s.host) != nil || strings.Contains(s.host, "%") {
		return []string{s.String()}, nil
	}
	ips, err := c.opt.Resolve(ctx, s.host)
	if err != nil {
		return nil, err
	}
	var addrs []string
	for _, ip := range ips {
		addrs = append(addrs, net.JoinHostPort(ip, s.port))
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("%s has no address", s.host)
	}
	return addrs, nil
}
