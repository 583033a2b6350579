package interop

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// land is a network of its own: a namespace for each host, and one more with the bridge between them, where clients are.
type land struct {
	name  string
	hosts int
}

var lands atomic.Int32

// newLand needs root. Where there is none the test is skipped, or fails with ZOOID_PEERS=required.
func newLand(t *testing.T, hosts int) *land {
	t.Helper()
	l := &land{name: fmt.Sprintf("zooid%d-%d", os.Getpid(), lands.Add(1)), hosts: hosts}
	if err := ip("netns add " + l.ns(0)); err != nil {
		missing(t, fmt.Sprintf("no network namespaces here (they need root, and apt-get install iproute2): %v", err))
	}
	t.Cleanup(func() { l.must(t, "netns del "+l.ns(0)) })
	l.must(t, "-n "+l.ns(0)+" link add bridge type bridge", "-n "+l.ns(0)+" addr add "+l.addr(0)+"/24 dev bridge",
		"-n "+l.ns(0)+" link set bridge address "+mac(0)+" up")
	for i := 1; i <= hosts; i++ {
		ns, port := l.ns(i), fmt.Sprintf("port%d", i)
		l.must(t, "netns add "+ns)
		t.Cleanup(func() { l.must(t, "netns del "+ns) })
		l.must(t,
			"link add "+port+" netns "+l.ns(0)+" type veth peer name eth0 address "+mac(i)+" netns "+ns,
			"-n "+l.ns(0)+" link set "+port+" master bridge up",
			"-n "+ns+" addr add "+l.addr(i)+"/24 dev eth0", "-n "+ns+" link set eth0 up", "-n "+ns+" link set lo up")
	}
	l.mend(t)
	return l
}

// ns is the name of a host's namespace; host 0 is the clients.
func (l *land) ns(host int) string { return fmt.Sprintf("%s-%d", l.name, host) }

func (l *land) addr(host int) string { return fmt.Sprintf("10.83.0.%d", host+1) }

func mac(host int) string { return fmt.Sprintf("02:00:00:00:00:%02x", host+1) }

// cut loses, silently, all that a host sends to another: it goes to an address on the wire that nobody has.
func (l *land) cut(t *testing.T, from, to int) {
	t.Helper()
	l.must(t, "-n "+l.ns(from)+" neigh replace "+l.addr(to)+" lladdr 02:00:00:00:00:ff dev eth0 nud permanent")
}

// mend lets everybody reach everybody.
func (l *land) mend(t *testing.T) {
	t.Helper()
	for from := 1; from <= l.hosts; from++ {
		var lines []string
		for to := 0; to <= l.hosts; to++ {
			if to != from {
				lines = append(lines, "neigh replace "+l.addr(to)+" lladdr "+mac(to)+" dev eth0 nud permanent")
			}
		}
		cmd := exec.Command("ip", "-n", l.ns(from), "-batch", "-")
		cmd.Stdin = strings.NewReader(strings.Join(lines, "\n"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("ip -batch: %v: %s", err, out)
		}
	}
}

func (l *land) must(t *testing.T, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if err := ip(line); err != nil {
			t.Fatal(err)
		}
	}
}

func ip(line string) error {
	if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", line, err, out)
	}
	return nil
}

// place is where the server of a host runs.
func (l *land) place(host int) *place {
	return &place{host: l.addr(host), prefix: []string{"ip", "netns", "exec", l.ns(host)}, dial: l.dial}
}

// dial connects from where the clients are. A socket belongs to the namespace of the thread that made it.
func (l *land) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	runtime.LockOSThread()
	here, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
	if err != nil {
		return nil, err
	}
	defer here.Close()
	there, err := os.Open("/var/run/netns/" + l.ns(0))
	if err != nil {
		return nil, err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr) // of one address: by this goroutine
	if e := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); e != nil {
		return nil, fmt.Errorf("a thread is lost in %s: %w", l.ns(0), e) // it stays locked, and ends with the goroutine
	}
	runtime.UnlockOSThread()
	return c, err
}
