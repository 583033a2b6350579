package interop

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A stage is where one client plays its scenario: a server of its own with an empty data folder, and a proxy in front of it.
//
// A scenario is a program (or, for Go, a function) that is given two addresses of the same server: "proxied", where the client
// under test connects, and "direct", where a second session looks on and changes things while the first one is away. It prints
//
//	OK <check>        something was as it has to be
//	FAIL <what>       something was not; the program ends
//	DO <word>         the stage shall do this, and answer "DONE <word>" on the program's standard input
//	PASS <n> checks   the end
//
// and the words are those of stage.do.
type stage struct {
	server *Server
	proxy  *proxy
	door   *proxy // for the onlooker, with Apache's server; nil otherwise
}

// direct is where the onlooker connects.
func (s *stage) direct() string {
	if s.door != nil {
		return s.door.Addr
	}
	return s.server.Addr()
}

// away shuts every way to the server while it is down, and opens them when it serves again. Only Apache's server gets this help:
// a session that reaches it in the middle of its start is now and then accepted and never answered, and its client then waits for
// a whole session timeout.
func (s *stage) away(down bool) {
	if s.door == nil {
		return
	}
	for _, p := range []*proxy{s.proxy, s.door} {
		if down {
			p.Cut()
		} else {
			p.Mend()
		}
	}
}

// do performs one of a scenario's wishes.
func (s *stage) do(t *testing.T, word string) {
	t.Helper()
	switch word {
	case "drop": // close the connection; the next one is served
		s.proxy.Drop()
	case "cut": // close the connection and refuse new ones
		s.proxy.Cut()
	case "mend":
		s.proxy.Mend()
	case "freeze": // keep the connection, deliver nothing
		s.proxy.Freeze()
	case "thaw":
		s.proxy.Thaw()
	case "kill":
		s.away(true)
		s.server.Kill()
	case "stop":
		s.away(true)
		s.server.Stop()
	case "start": // the same port and data folder
		s.server.Launch(t)
		s.server.WaitServing(t)
		s.away(false)
	default:
		t.Fatalf("a scenario asked for %q", word)
	}
}

// hang is how long one scenario may take on a busy machine before it counts as hanging.
const hang = 2 * time.Minute

// onEveryServer plays a scenario against Apache's server, which proves the scenario, against ours, and against a follower of three.
func onEveryServer(t *testing.T, play func(t *testing.T, s *stage)) {
	for name, start := range map[string]func(testing.TB, Kind, Setup) *Server{"apache": Start, "zooid": Start, "zooid, one of three": startTrio} {
		t.Run(name, func(t *testing.T) {
			kind := Zooid
			if name == Apache.String() {
				kind = Apache
			}
			server := start(t, kind, Setup{Conf: []string{"extendedTypesEnabled=true", "4lw.commands.whitelist=*"}})
			s := &stage{server: server, proxy: newProxy(t, server.Addr())}
			if kind == Apache {
				s.door = newProxy(t, server.Addr())
			}
			play(t, s)
		})
	}
}

// program plays the scenario of another language's client: a command that is given the two addresses as its last arguments.
func (s *stage) program(t *testing.T, command ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], append(command[1:], s.proxy.Addr, s.direct())...)
	cmd.WaitDelay = 5 * time.Second
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { // when listen ends the test
		if cmd.ProcessState == nil {
			cancel()
			cmd.Wait()
		}
	}()
	checks, last := s.listen(t, in, out)
	err = cmd.Wait()
	if last != checks || checks == 0 || err != nil {
		t.Errorf("the scenario ended after %d checks and counts %d: %v\nits standard error:\n%s", checks, last, err, tail(complaints.String(), 4000))
	}
	t.Logf("%d checks", checks)
}

// listen follows a program to its end. It returns the checks that it heard of, and those that the program says it made: -1 when
// it never came to its last line.
func (s *stage) listen(t *testing.T, in io.Writer, out io.Reader) (checks, claimed int) {
	claimed = -1
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		verb, rest, _ := strings.Cut(lines.Text(), " ")
		switch verb {
		case "OK":
			checks++
			if testing.Verbose() {
				t.Logf("ok %s", rest)
			}
		case "FAIL":
			t.Errorf("%s", rest)
		case "DO":
			s.do(t, rest)
			fmt.Fprintf(in, "DONE %s\n", rest)
		case "PASS":
			n, err := strconv.Atoi(strings.TrimSuffix(rest, " checks"))
			if err != nil {
				t.Errorf("cannot read %q", lines.Text())
			}
			claimed = n
		default:
			t.Logf("%s", lines.Text())
		}
	}
	return checks, claimed
}

// need skips the test, or fails it in CI, when a peer is not installed.
func need(t testing.TB, present bool, what, install string) {
	t.Helper()
	if !present {
		missing(t, fmt.Sprintf("no %s here (%s)", what, install))
	}
}

func onPath(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

func exists(paths ...string) bool {
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return false
		}
	}
	return true
}

// scenario is the absolute path of a file under interop/clients.
func scenario(t testing.TB, elem ...string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(append([]string{"clients"}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// build runs a compiler.
func build(t testing.TB, command ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
}
