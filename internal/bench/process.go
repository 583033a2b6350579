package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
)

// process is a server that the bench has started.
type process struct {
	cmd  *exec.Cmd
	addr string
	place
	born   time.Time
	exited chan struct{} // closed when the process is gone
}

// place is where a server that is started has its folder and its client port.
type place struct {
	dir, port string
	ensemble  []string // lines of its zoo.cfg that make it a member; none where it stands alone
}

// places are those of a single server, or of the members of an ensemble: each has a folder of its own below dir, with its myid in it.
func places(dir string, members int) ([]place, error) {
	if members < 2 {
		ports, err := freePorts(1)
		if err != nil {
			return nil, err
		}
		return []place{{dir: dir, port: ports[0]}}, os.MkdirAll(filepath.Join(dir, "data"), 0o755)
	}
	ports, err := freePorts(3 * members)
	if err != nil {
		return nil, err
	}
	var ps []place
	var lines []string
	for i := range members {
		p := place{dir: filepath.Join(dir, strconv.Itoa(i+1)), port: ports[3*i]}
		if err := p.empty(); err != nil {
			return nil, err
		}
		ps = append(ps, p)
		lines = append(lines, fmt.Sprintf("server.%d=127.0.0.1:%s:%s", i+1, ports[3*i+1], ports[3*i+2]))
	}
	for i := range ps {
		ps[i].ensemble = lines
	}
	return ps, nil
}

// empty makes a member's data folder one that holds nothing but its myid, unless it has one.
func (p *place) empty() error {
	data := filepath.Join(p.dir, "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(data, "myid"), []byte(filepath.Base(p.dir)+"\n"), 0o644)
}

// configLines are the zoo.cfg of a server that is started: what every ZooKeeper server understands, and no limit of
// connections, no admin server.
func configLines(at place, extra []string) []string {
	lines := []string{
		"tickTime=2000", "initLimit=10", "syncLimit=5",
		"dataDir=" + filepath.Join(at.dir, "data"),
		"clientPort=" + at.port, "clientPortAddress=127.0.0.1",
		"maxClientCnxns=0", "admin.enableServer=false", "4lw.commands.whitelist=*",
	}
	for _, e := range extra { // a later line replaces an earlier one
		name, _, _ := strings.Cut(e, "=")
		lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, name+"=") })
		lines = append(lines, e)
	}
	return append(lines, at.ensemble...)
}

// startProcess writes zoo.cfg and runs command with {port} and {dir} put in. Its output goes to server.log.
func startProcess(command string, at place, extra []string) (*process, error) {
	cfg := strings.Join(configLines(at, extra), "\n") + "\n"
	if err := os.WriteFile(filepath.Join(at.dir, "zoo.cfg"), []byte(cfg), 0o644); err != nil {
		return nil, err
	}
	args, err := splitCommand(command)
	if err != nil {
		return nil, err
	}
	for i := range args {
		args[i] = strings.NewReplacer("{port}", at.port, "{dir}", at.dir).Replace(args[i])
	}
	log, err := os.OpenFile(filepath.Join(at.dir, "server.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own
	p := &process{cmd: exec.Command(args[0], args[1:]...), addr: net.JoinHostPort("127.0.0.1", at.port), place: at, exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.born = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// freePorts asks the system for ports that nobody listens on now.
func freePorts(n int) (ports []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	return ports, nil
}

// startPatience is how long a server may take from exec until it serves.
const startPatience = 5 * time.Minute

// serving waits until a session can be opened and a read is answered, and tells how long that took from exec.
//
// A server may accept a connection while it starts and then never answer on it (Apache 3.8.0 does, now and then). So a probe
// that gets no answer soon is joined by another one, and the first to be answered counts.
func (p *process) serving(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	answered := make(chan time.Duration, 1)
	for {
		refused := make(chan struct{})
		go func() {
			if probe(ctx, p.addr, 2*time.Second) != nil {
				time.Sleep(time.Millisecond)
				close(refused)
				return
			}
			select {
			case answered <- time.Since(p.born):
			default: // another one was first
			}
		}()
		select {
		case took := <-answered:
			return took, nil
		case <-refused:
		case <-time.After(max(10*time.Millisecond, time.Since(p.born)/50)):
		case <-p.exited:
			return 0, fmt.Errorf("ended before it served:\n%s", p.lastLines())
		case <-ctx.Done():
			return 0, fmt.Errorf("does not serve: %w:\n%s", ctx.Err(), p.lastLines())
		}
	}
}

// probe opens a session and asks for the root.
func probe(ctx context.Context, addr string, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	s, err := dial(ctx, addr, 512)
	if err != nil {
		return err
	}
	_, err = s.call(&wire.Exists{Path: "/"})
	go s.end() // the end of the session is no part of the time to serving
	return err
}

// lastLines is the end of the server's output.
func (p *process) lastLines() string {
	b, _ := os.ReadFile(filepath.Join(p.dir, "server.log"))
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}

// kill ends the process at once, as a crash does.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.exited
	return nil
}

// end asks the process to stop, and kills it if it does not.
func (p *process) end() error {
	if p.cmd.Process.Signal(syscall.SIGTERM) == nil {
		select {
		case <-p.exited:
			return nil
		case <-time.After(20 * time.Second):
		}
	}
	return p.kill()
}
