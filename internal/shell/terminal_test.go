package shell

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/server"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serverOn starts a server that ends with the test and returns its address.
func serverOn(t *testing.T) string {
	t.Helper()
	o := server.Default()
	o.ClientAddr, o.DataDir = "127.0.0.1:0", "data"
	o.PreAllocSize, o.TickTime, o.MaxSessionTimeout = 64<<10, 50*time.Millisecond, time.Minute
	o.Logger = slog.New(slog.DiscardHandler)
	s, err := server.Start(o, vfs.NewMem())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.Addr().String()
}

// typist is a terminal without a screen: what is typed goes down a pipe, what is shown is kept.
type typist struct {
	t     *testing.T
	keys  *io.PipeWriter
	in    *io.PipeReader
	ended chan int

	mu    sync.Mutex
	shown strings.Builder
	more  chan struct{} // has room for one: something was shown
}

func (y *typist) Read(p []byte) (int, error) { return y.in.Read(p) }

func (y *typist) Write(p []byte) (int, error) {
	y.mu.Lock()
	y.shown.Write(p)
	y.mu.Unlock()
	select {
	case y.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

const patience = 30 * time.Second

// sees waits until text is shown, and forgets all up to it.
func (y *typist) sees(text string) string {
	y.t.Helper()
	late := time.After(patience)
	for {
		y.mu.Lock()
		all := y.shown.String()
		if i := strings.Index(all, text); i >= 0 {
			y.shown.Reset()
			y.shown.WriteString(all[i+len(text):])
			y.mu.Unlock()
			return all[:i]
		}
		y.mu.Unlock()
		select {
		case <-y.more:
		case <-late:
			y.t.Fatalf("%q was not shown, but %q", text, all)
		}
	}
}

func (y *typist) types(keys string) {
	y.t.Helper()
	if _, err := io.WriteString(y.keys, keys); err != nil {
		y.t.Fatal(err)
	}
}

// sit starts a shell at a terminal.
func sit(t *testing.T, addr, history string) *typist {
	t.Helper()
	y := &typist{t: t, ended: make(chan int, 1), more: make(chan struct{}, 1)}
	y.in, y.keys = io.Pipe()
	s := New(Options{
		Server:   addr,
		Terminal: &Terminal{RW: y, HistoryFile: history, Size: func() (int, int) { return 200, 50 }},
	})
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		y.ended <- s.Run(context.Background())
		s.Close()
		y.in.Close()
	}()
	t.Cleanup(func() { // before the server ends
		y.keys.Close()
		<-gone
	})
	y.sees("JLine support is enabled")
	return y
}

func (y *typist) leaves() int {
	y.t.Helper()
	y.types("quit\r")
	select {
	case code := <-y.ended:
		return code
	case <-time.After(patience):
		y.t.Fatal("quit does not end the shell")
		return 0
	}
}

func dial(t *testing.T, addr string) (*client.Client, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	c, err := client.Dial(ctx, []string{addr}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, ctx
}

func TestPrompt(t *testing.T) {
	addr := serverOn(t)
	y := sit(t, addr, "")
	y.sees("[zk: " + addr + "(CONNECTED) 0] ")
	y.types("create /a x\r")
	y.sees("Created /a\r\n")
	y.sees("[zk: " + addr + "(CONNECTED) 1] ")
	y.types("\r") // a blank line does not count
	y.sees("(CONNECTED) 1] ")
	y.types("get /nope\r")
	y.sees("Node does not exist: /nope\r\n")
	y.sees("(CONNECTED) 2] ")
	y.types("close\r")
	y.sees("(CLOSED) 3] ")
	y.types("connect\r")
	y.sees("(CONNECTED) 4] ")
	if code := y.leaves(); code != 0 {
		t.Error("exit code", code)
	}
}

// An event that comes while a line is typed stands above it, and the line goes on.
func TestEventWhileTyping(t *testing.T) {
	addr := serverOn(t)
	c, ctx := dial(t, addr)
	if _, _, err := c.Create(ctx, "/a", []byte("1"), zk.Persistent); err != nil {
		t.Fatal(err)
	}
	y := sit(t, addr, "")
	y.sees("(CONNECTED) 0] ")
	y.types("get -w /a\r")
	y.sees("(CONNECTED) 1] ")
	y.types("get /")
	y.sees("/")
	if _, err := c.Set(ctx, "/a", []byte("2"), -1); err != nil {
		t.Fatal(err)
	}
	y.sees("WatchedEvent state:SyncConnected type:NodeDataChanged path:/a zxid: ")
	y.sees("(CONNECTED) 1] get /") // drawn again
	y.types("a\r")
	y.sees("2\r\n")
	y.leaves()
}

func TestCompletion(t *testing.T) {
	addr := serverOn(t)
	c, ctx := dial(t, addr)
	for _, p := range []string{"/config", "/config/one", "/config/only", "/other"} {
		if _, _, err := c.Create(ctx, p, nil, zk.Persistent); err != nil {
			t.Fatal(err)
		}
	}
	y := sit(t, addr, "")
	y.sees("(CONNECTED) 0] ")
	y.types("getA\t")
	y.types("\t") // two begin so
	y.sees("getAcl")
	y.sees("getAllChildrenNumber")
	y.types("l\t/co\t\t") // the name, and then, since it is whole and has children, the slash
	y.sees("getAllChildrenNumber /config/")
	y.types("o\t\t") // "on", then the two
	y.sees("/config/one   /config/only")
	y.types("e\r")
	y.sees("0\r\n")
	y.types("ls -\t")
	y.sees("-R  -s  -w")
	y.types("R /ot\t\r")
	y.sees("/other\r\n")
	y.leaves()
}

func TestCandidates(t *testing.T) {
	s := &Shell{}
	for line, want := range map[string]string{
		"wh":           "whoami",
		"help wh":      "whoami",
		"reconfig -a":  "-add",
		"wait-for --t": "--timeout",
		"get":          "get getAcl getAllChildrenNumber getEphemerals",
		"nosuch -":     "",
		"lock":         "", // nothing was given to run programs with
		"ls ":          "/",
	} {
		_, all := s.candidates(context.Background(), line)
		if got := strings.Join(all, " "); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestSearchInHistory(t *testing.T) {
	addr := serverOn(t)
	file := filepath.Join(t.TempDir(), "history")
	if err := os.WriteFile(file, []byte("version\ncreate /old x\nget /old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	y := sit(t, addr, file)
	y.sees("(CONNECTED) 0] ")

	y.types("\x12old")
	y.sees("(reverse-i-search)`old': ")
	y.types("\x12") // the one before
	y.sees("create /old x")
	y.types("\r")
	y.sees("Created /old\r\n")

	y.types("\x12versx")
	y.sees("(failed reverse-i-search)`versx': ")
	y.types("\x7f") // back to what is there
	y.sees("(reverse-i-search)`vers': ")
	y.types("\r")
	y.sees("ZooKeeper CLI version: ")

	y.types("get /o\x12zzz\x07ld\r") // Ctrl-G gives the line back
	y.sees("\r\nx\r\n")

	y.types("nonsense\x03whoami\r") // Ctrl-C drops the line
	y.sees("Auth scheme: User\r\n")

	y.types("\x1b[A\x1b[A\r") // the last but one
	y.sees("\r\nx\r\n")

	y.types("addauth digest me:secret\r")
	y.sees(") 6] ")
	y.leaves()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := "version\ncreate /old x\nget /old\ncreate /old x\nversion\nget /old\nwhoami\nget /old\nquit\n"
	if string(text) != want {
		t.Errorf("the history file is %q, want %q", text, want)
	}
}

// The end of input ends the shell, as quit does.
func TestCtrlD(t *testing.T) {
	addr := serverOn(t)
	y := sit(t, addr, "")
	y.sees("(CONNECTED) 0] ")
	y.types("get /nope\r")
	y.sees("(CONNECTED) 1] ")
	y.types("\x04")
	select {
	case code := <-y.ended:
		if code != 1 {
			t.Error("exit code", code)
		}
	case <-time.After(patience):
		t.Fatal("Ctrl-D does not end the shell")
	}
}

// A transaction may be typed over several lines. It is one line to redo, and in the past; Ctrl-C drops all of it.
func TestTransactionOverSeveralLines(t *testing.T) {
	addr := serverOn(t)
	file := filepath.Join(t.TempDir(), "history")
	y := sit(t, addr, file)
	y.sees("(CONNECTED) 0] ")
	y.types("txn {\r")
	y.sees("\r\n> ")
	y.types("create /a 1\r")
	y.sees("\r\n> ")
	y.types("create /a/b 2; set /a \"x y\" -v 0\r")
	y.sees("\r\n> ")
	y.types("}\r")
	y.sees("Created /a\r\nCreated /a/b\r\n")
	y.sees("(CONNECTED) 1] ")
	y.types("get /a\r")
	y.sees("x y\r\n")
	y.sees("(CONNECTED) 2] ")

	y.types("txn {\r")
	y.sees("\r\n> ")
	y.types("delete /a/b\r")
	y.sees("\r\n> ")
	y.types("del\x03") // not this
	y.sees("(CONNECTED) 2] ")
	y.types("get /a/b\r")
	y.sees("2\r\n")
	y.types("redo 0\r")
	y.sees("Node already exists: /a")
	y.leaves()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := "txn { ; create /a 1 ; create /a/b 2; set /a \"x y\" -v 0 ; }\nget /a\nget /a/b\nredo 0\nquit\n"
	if string(text) != want {
		t.Errorf("the history file is %q, want %q", text, want)
	}
}
