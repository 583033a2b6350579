package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Kind is one of the two servers that the suite compares.
type Kind int

// The kinds.
const (
	Apache Kind = iota
	Zooid
)

// String is the kind as subtests and scripts name it.
func (k Kind) String() string { return [...]string{"apache", "zooid"}[k] }

// Where Debian's package puts Apache's server, and its main class.
const (
	apacheJar  = "/usr/share/java/zookeeper.jar"
	slf4jJar   = "/usr/share/java/slf4j-simple.jar" // without it the server logs nothing
	apacheMain = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
	installing = "apt-get install zookeeper libslf4j-java"
)

// Need skips the test if servers of this kind cannot be started here. With ZOOID_PEERS=required it fails instead.
func Need(t testing.TB, k Kind) {
	t.Helper()
	if k == Zooid {
		zooidBinary(t)
		return
	}
	_, errJava := exec.LookPath("java")
	_, errJar := os.Stat(apacheJar)
	if err := errors.Join(errJava, errJar); err != nil {
		missing(t, fmt.Sprintf("no Apache ZooKeeper here (%s): %v", installing, err))
	}
}

func missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("ZOOID_PEERS") == "required" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// zooid is built once for all tests of the binary; TestMain removes it.
var zooid struct {
	once sync.Once
	dir  string
	bin  string
	err  error
}

// zooidBinary is the path of a zooid built from this tree.
func zooidBinary(t testing.TB) string {
	t.Helper()
	zooid.once.Do(func() {
		if zooid.dir, zooid.err = os.MkdirTemp("", "zooid-interop-"); zooid.err != nil {
			return
		}
		zooid.bin = filepath.Join(zooid.dir, "zooid")
		cmd := exec.Command("go", "build", "-o", zooid.bin, "github.com/zooid-io/zooid/cmd/zooid")
		if out, err := cmd.CombinedOutput(); err != nil {
			zooid.err = fmt.Errorf("%v: %s", err, out)
		}
	})
	if zooid.err != nil {
		t.Fatalf("zooid does not build: %v", zooid.err)
	}
	return zooid.bin
}

// removeZooid removes what zooidBinary built.
func removeZooid() {
	if zooid.dir != "" {
		os.RemoveAll(zooid.dir)
	}
}

// Setup is how a server is started. The zero value is a standalone server with the defaults of its kind, its data in a new
// folder.
type Setup struct {
	Dir   string   // dataDir; empty is a new folder that lives as long as the test
	Conf  []string // further lines of zoo.cfg; dataDir, clientPort and its address are given
	Props []string // system properties, name=value, given as -D
}

// Server is a running server process.
type Server struct {
	Kind Kind
	Dir  string // dataDir

	setup Setup
	at    *place
	port  int
	cfg   string // path of zoo.cfg
	log   logBuffer

	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// place is where a server runs that does not run here; nil is loopback.
type place struct {
	host   string   // its address
	prefix []string // the command that runs another one there
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
}

// logBuffer collects what the process prints.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Start starts a server and returns when it serves. It ends with the test; if the test failed, the end of its log is shown.
func Start(t testing.TB, k Kind, setup Setup) *Server {
	t.Helper()
	Need(t, k)
	s := &Server{Kind: k, Dir: setup.Dir, setup: setup}
	if s.Dir == "" {
		s.Dir = t.TempDir()
	}
	s.cfg = filepath.Join(t.TempDir(), "zoo.cfg")
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("end of the log of %s:\n%s", k, tail(s.log.String(), 4000))
		}
	})
	s.Launch(t)
	s.WaitServing(t)
	return s
}

// tail is at most the last n bytes of s, from the start of a line.
func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = s[len(s)-n:]
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		s = s[i+1:]
	}
	return s
}

// Launch starts the process and does not wait until it serves. The first launch takes a free port, further ones reuse it.
func (s *Server) Launch(t testing.TB) {
	t.Helper()
	if s.port == 0 {
		s.port = freePort(t)
	}
	conf := []string{
		"dataDir=" + s.Dir,
		"clientPort=" + strconv.Itoa(s.port),
		"clientPortAddress=" + s.host(),
		"admin.enableServer=false",
	}
	conf = append(conf, s.setup.Conf...)
	if err := os.WriteFile(s.cfg, []byte(strings.Join(conf, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var args []string
	name := "java"
	if s.Kind == Apache {
		args = []string{"-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx400m",
			"-cp", apacheJar + ":" + slf4jJar}
	} else {
		name, args = zooidBinary(t), []string{"server"}
	}
	for _, p := range s.setup.Props {
		args = append(args, "-D"+p)
	}
	if s.Kind == Apache {
		args = append(args, apacheMain)
	}
	args = append(args, s.cfg)
	if s.at != nil {
		args = append(append(slices.Clone(s.at.prefix), name), args...)
		name, args = args[0], args[1:]
	}
	s.cmd = exec.Command(name, args...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done, cmd := make(chan struct{}), s.cmd
	s.done = done
	go func() { // ends with the process
		cmd.Wait()
		close(done)
	}()
}

// WaitServing returns when the server accepts sessions; the test fails if its process ends first.
func (s *Server) WaitServing(t testing.TB) {
	t.Helper()
	if err := s.Serves(); err != nil {
		t.Fatal(err)
	}
}

// Serves waits until the server accepts sessions. It is an error if its process ends first.
func (s *Server) Serves() error {
	deadline := time.Now().Add(2 * patience)
	for {
		// A connection that comes while Apache starts may get no answer at all: do not wait long for it.
		if out, err := s.fourLetters("srvr", 500*time.Millisecond); err == nil && strings.Contains(out, "Mode: ") {
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("%s ended before it served:\n%s", s.Kind, tail(s.log.String(), 4000))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not serve:\n%s", s.Kind, tail(s.log.String(), 4000))
		}
	}
}

// Addr is where clients connect.
func (s *Server) Addr() string { return net.JoinHostPort(s.host(), strconv.Itoa(s.port)) }

func (s *Server) host() string {
	if s.at == nil {
		return "127.0.0.1"
	}
	return s.at.host
}

// Log is what the process printed so far.
func (s *Server) Log() string { return s.log.String() }

// PID is the id of the running process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Done is closed when the process has ended.
func (s *Server) Done() <-chan struct{} { return s.done }

// Kill ends the process as kill -9 does, and returns when it is gone. Killing a dead one is fine.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Stop ends the process with SIGTERM and returns when it is gone.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

func (s *Server) end(sig syscall.Signal) {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	select {
	case <-s.done:
		return
	default:
	}
	s.cmd.Process.Signal(sig)
	select {
	case <-s.done:
	case <-time.After(20 * time.Second): // a server that does not heed SIGTERM must not hang the suite
		s.cmd.Process.Kill()
		<-s.done
	}
}

// Restart kills the process and starts it again on the same port and data.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Kill()
	s.Launch(t)
	s.WaitServing(t)
}

// FourLetters sends a four-letter word, or any other first bytes, and returns all that is answered.
func (s *Server) FourLetters(word string) (string, error) { return s.fourLetters(word, patience) }

func (s *Server) fourLetters(word string, wait time.Duration) (string, error) {
	dial := (&net.Dialer{}).DialContext
	if s.at != nil {
		dial = s.at.dial
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	c, err := dial(ctx, "tcp", s.Addr())
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(wait))
	if _, err := io.WriteString(c, word); err != nil {
		return "", err
	}
	out, err := io.ReadAll(c)
	return string(out), err
}
