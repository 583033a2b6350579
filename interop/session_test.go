package interop

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zooid-io/zooid/internal/script"
)

// TestSession plays testdata/session: several shells at once, which read from pipes what several people type. What they print was
// recorded from Apache's shells on Apache's server: with -update it is recorded anew. Ours print the same, on either server, and
// Apache's do on ours.
func TestSession(t *testing.T) {
	t.Parallel()
	file := filepath.Join("testdata", "session", "masterworker.txt")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := script.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	type pair struct{ server, shells Kind }
	pairs := []pair{{Zooid, Zooid}, {Apache, Zooid}, {Zooid, Apache}}
	if *update {
		pairs = []pair{{Apache, Apache}}
	}
	for _, p := range pairs {
		t.Run(p.shells.String()+" shells on "+p.server.String(), func(t *testing.T) {
			if !*update {
				t.Parallel()
			}
			if p.shells == Apache {
				need(t, onPath("java") && exists(apacheShell...), "Apache's shell", "apt-get install libzookeeper-java libcommons-cli-java default-jre-headless")
			}
			for _, c := range f.Cases {
				playSession(t, c, Start(t, p.server, Setup{Conf: []string{"tickTime=100", "maxSessionTimeout=60000"}}), p.shells)
			}
		})
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(file, []byte(f.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func playSession(t *testing.T, c *script.Case, server *Server, shells Kind) {
	people := map[string]*seat{}
	for _, step := range c.Steps {
		who, what, _ := strings.Cut(step.Text, " ")
		verb, rest, _ := strings.Cut(what, " ")
		s := people[who]
		if s == nil && verb != "arrives" {
			t.Fatalf("%d: %s is not here", step.Line, who)
		}
		var got string
		switch {
		case verb == "arrives":
			people[who] = sitDown(t, server.Addr(), shells, strings.Fields(rest)...)
		case what == "hears":
			got = s.prints(sessionEvent)
		case what == "dies":
			s.cmd.Process.Kill()
			s.prints(sessionEnd)
			expireSoon(t, server.Addr(), "/"+who)
			delete(people, who)
		case what == "quit":
			s.types("quit")
			got = sessionClosed.ReplaceAllString(s.prints(sessionEnd), "") // Java's process may end before it tells
			delete(people, who)
		default:
			s.types(what)
			s.types("printwatches") // its answer tells that what was typed before is done
			got = strings.TrimSuffix(s.prints(sessionFence), "printwatches is on\n")
		}
		lines := sessionLines(got)
		if *update {
			step.Want = lines
			continue
		}
		want, _ := step.For(shells.String())
		if d := cmp.Diff(want, lines); d != "" {
			t.Errorf("%d: %s: - recorded, + printed:\n%s", step.Line, step.Text, d)
		}
	}
}

// What a shell has printed when there is nothing more to wait for.
var (
	sessionFence = regexp.MustCompile(`(?m)^printwatches is on\n`)
	sessionEvent = regexp.MustCompile(`(?m)^WatchedEvent .*\n`)
	sessionStart = regexp.MustCompile(`(?m)^WatchedEvent state:(SyncConnected|ConnectedReadOnly) type:None.*\n`)
	sessionEnd   = regexp.MustCompile(`\z`)

	sessionClosed = regexp.MustCompile(`\n*WATCHER::\n\nWatchedEvent state:Closed .*\n`)
)

// sessionLines are the lines printed, without what is another one each time.
func sessionLines(text string) (lines []string) {
	text = regexp.MustCompile(` zxid: -?\d+\n`).ReplaceAllString(text, "\n") // 3.9's events have one
	text = regexp.MustCompile(`(?m)^(cZxid|mZxid|pZxid|ephemeralOwner) = 0x[0-9a-f]+$`).ReplaceAllString(text, "$1 = ...")
	text = regexp.MustCompile(`(?m)^([cm]time) = .*$`).ReplaceAllString(text, "$1 = ...")
	text = regexp.MustCompile(`(?m)^\[[^\n]*\] (ERROR|WARN|INFO) .*\n`).ReplaceAllString(text, "") // Java's log
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// seat is a shell in which somebody types.
type seat struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.Writer

	printed logBuffer
	seen    int           // of printed
	ended   chan struct{} // closed when the process has ended and all is printed
}

// sitDown starts a shell and waits until it is connected.
func sitDown(t *testing.T, addr string, kind Kind, options ...string) *seat {
	t.Helper()
	s := &seat{t: t, ended: make(chan struct{})}
	if kind == Apache {
		s.cmd = apacheShellCommand(addr, options...)
	} else {
		s.cmd = exec.Command(zooidBinary(t), append([]string{"shell", "-server", addr}, options...)...)
	}
	s.cmd.Stdout, s.cmd.Stderr = &s.printed, &s.printed
	in, err := s.cmd.StdinPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	s.in = in
	go func() { // ends with the process
		s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		<-s.ended
	})
	s.prints(sessionStart)
	s.types("printwatches")
	s.prints(sessionFence)
	return s
}

func (s *seat) types(line string) {
	s.t.Helper()
	if _, err := io.WriteString(s.in, line+"\n"); err != nil {
		s.t.Fatalf("%q cannot be typed: %v", line, err)
	}
}

// prints waits for a text, and gives all that was printed since what it gave before, up to its end.
func (s *seat) prints(what *regexp.Regexp) string {
	s.t.Helper()
	for late := time.Now().Add(hang); ; {
		over := false
		select {
		case <-s.ended:
			over = true
		case <-time.After(5 * time.Millisecond):
		}
		text := s.printed.String()[s.seen:]
		if at := what.FindStringIndex(text); at != nil && (over || what != sessionEnd) {
			s.seen += at[1]
			return text[:at[1]]
		}
		if over || time.Now().After(late) {
			s.t.Fatalf("no %v, but %q", what, text)
		}
	}
}
