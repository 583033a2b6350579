package interop_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var serverKinds = []struct {
	name  string
	start func(t *testing.T) peerServer
}{
	{"apache", startApache},
	{"zooid", startZooid},
}

type process struct {
	addr    string
	command []string
	log     lockedBuffer
	cmd     *exec.Cmd
	ended   chan error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func startApache(t *testing.T) peerServer {
	need(t, exists("/usr/share/java/zookeeper.jar") && onPath("java"), "Apache ZooKeeper", "apt-get install zookeeper")
	return startProcess(t, "java", "-Xmx256m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dzookeeper.admin.enableServer=false", "-Dzookeeper.extendedTypesEnabled=true", "-cp",
		"/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar", "org.apache.zookeeper.server.ZooKeeperServerMain")
}

func startZooid(t *testing.T) peerServer {
	need(t, os.Getenv("ZOOID") != "", "zooid", "set ZOOID")
	return startProcess(t, os.Getenv("ZOOID"), "server")
}

func startProcess(t *testing.T, command ...string) peerServer {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	l.Close()
	dir := t.TempDir()
	cfg := filepath.Join(dir, "zoo.cfg")
	os.WriteFile(cfg, []byte(fmt.Sprintf("tickTime=2000\ndataDir=%s/data\nclientPort=%s\nclientPortAddress=127.0.0.1\nextendedTypesEnabled=true\nadmin.enableServer=false\n4lw.commands.whitelist=*\n", dir, port)), 0o644)
	p := &process{addr: addr, command: append(command, cfg)}
	t.Cleanup(func() { p.Kill() })
	if err := p.Start(); err != nil {
		t.Fatal(err, p.Log())
	}
	return p
}

func (p *process) Addr() string { return p.addr }
func (p *process) Log() string  { return p.log.String() }

func (p *process) Start() error {
	p.cmd = exec.Command(p.command[0], p.command[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.ended = make(chan error, 1)
	go func() { p.ended <- p.cmd.Wait() }()
	for range 600 {
		select {
		case err := <-p.ended:
			p.cmd = nil
			return fmt.Errorf("server ended: %v", err)
		default:
		}
		if conn, err := net.Dial("tcp", p.addr); err == nil {
			conn.SetDeadline(time.Now().Add(5 * time.Second))
			conn.Write([]byte("srvr"))
			b, _ := io.ReadAll(conn)
			conn.Close()
			if strings.Contains(string(b), "Mode: standalone") {
				return nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("server does not serve")
}

func (p *process) Kill() error { return p.end(syscall.SIGKILL) }
func (p *process) Stop() error { return p.end(syscall.SIGTERM) }
func (p *process) end(s syscall.Signal) error {
	if p.cmd == nil {
		return nil
	}
	p.cmd.Process.Signal(s)
	<-p.ended
	p.cmd = nil
	return nil
}
