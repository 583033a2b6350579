package shell

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/zk"
)

// follow tells of changes in their order, with what is there now, until it is interrupted; that is no failure.
func TestFollow(t *testing.T) {
	addr := serverOn(t)
	c, ctx := dial(t, addr)
	if _, _, err := c.Create(ctx, "/a", nil, zk.Persistent); err != nil {
		t.Fatal(err)
	}
	y := &typist{t: t, more: make(chan struct{}, 1)}
	interrupt, stop := context.WithCancel(ctx)
	defer stop()
	s := New(Options{Server: addr, In: strings.NewReader(""), Out: y, Err: y,
		Interrupts: func(context.Context) (context.Context, context.CancelFunc) { return interrupt, func() {} }})
	defer s.Close()
	code := make(chan int, 1)
	go func() { code <- s.RunOne(ctx, []string{"follow", "/a"}) }()
	y.sees("following /a\n")
	if _, _, err := c.Create(ctx, "/a/b", []byte("x"), zk.Persistent); err != nil {
		t.Fatal(err)
	}
	y.sees("+ /a/b v0 x\n")
	if _, err := c.Set(ctx, "/a/b", []byte("y"), -1); err != nil {
		t.Fatal(err)
	}
	y.sees("= /a/b v1 y\n")
	if _, _, err := c.Create(ctx, "/elsewhere", nil, zk.Persistent); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(ctx, "/a/b", -1); err != nil {
		t.Fatal(err)
	}
	if before := y.sees("- /a/b\n"); before != "" {
		t.Errorf("told of %q, too", before)
	}
	stop()
	if got := <-code; got != 0 {
		t.Error("exit code", got)
	}
}

// An interrupt ends a script, not a line of it.
func TestInterruptedScript(t *testing.T) {
	addr := serverOn(t)
	interrupt, stop := context.WithCancel(context.Background())
	y := &typist{t: t, more: make(chan struct{}, 1)}
	s := New(Options{Server: addr, In: strings.NewReader("printwatches off\nwait-for /never\nversion\n"), Out: y, Err: y,
		Interrupts: func(context.Context) (context.Context, context.CancelFunc) { return interrupt, func() {} }})
	defer s.Close()
	code := make(chan int, 1)
	go func() { code <- s.Run(context.Background()) }()
	y.sees("SyncConnected")
	stop()
	if got := <-code; got != exitInterrupted {
		t.Error("exit code", got)
	}
	io.WriteString(y, "END")
	if rest := y.sees("END"); strings.Contains(rest, "CLI version") || !strings.Contains(rest, "interrupted") {
		t.Errorf("shown: %q", rest)
	}
}

// An import that fails half-way leaves nothing behind.
func TestImportIsUndone(t *testing.T) {
	addr := serverOn(t)
	c, ctx := dial(t, addr)
	m := &image{Format: imageFormat, Nodes: []imageZnode{{ACL: []string{"world:anyone:cdrwa"}}}}
	for range txnOps + 10 {
		m.Nodes = append(m.Nodes, imageZnode{Path: "/n", ACL: []string{"world:anyone:cdrwa"}})
		m.Nodes[len(m.Nodes)-1].Path += time.Duration(len(m.Nodes)).String()
	}
	if err := m.put(ctx, c, "/whole"); err != nil {
		t.Fatal(err)
	}
	if n, err := c.AllChildrenNumber(ctx, "/whole"); err != nil || n != txnOps+10 {
		t.Errorf("%d znodes below it, %v", n, err)
	}
	m.Nodes[len(m.Nodes)-1].Path = "/missing/parent"
	if err := m.put(ctx, c, "/half"); zk.CodeOf(err) != zk.NoNode {
		t.Errorf("the last znode has no parent, but put says %v", err)
	}
	if found, _, err := c.Exists(ctx, "/half"); err != nil || found {
		t.Errorf("something is left: %v %v", found, err)
	}
}

func TestWords(t *testing.T) {
	for line, want := range map[string]string{
		"":                       "",
		"  ls   / ":              "ls|/",
		`set /a "b c" 'd "e"' f`: `set|/a|b c|d "e"|f`,
		`set /a b"c d"`:          `set|/a|b"c|d"`,
		`set /a ""`:              "set|/a|",
		`ls "/a`:                 "ls|/a",
		"ls\t/a\r":               "ls|/a",
	} {
		if got := strings.Join(words(line), "|"); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestFlags(t *testing.T) {
	f := flags{"s", "R", "v:", "add:", "dry-run"}
	for _, c := range []struct{ line, rest, set, err string }{
		{"x -sR /a", "x|/a", "R= s=", ""},
		{"x /a -v 3 -s", "x|/a", "s= v=3", ""},
		{"x -v -1 /a", "x|/a", "v=-1", ""},
		{"x -v3 /a", "x|/a", "v=3", ""},
		{"x -sv 3 /a", "x|/a", "s= v=3", ""},
		{"x -add a -add b --dry-run", "x", "add=a,b dry-run=", ""},
		{"x /a -5", "x|/a|-5", "", ""},
		{"x - -- -s", "x|-|-s", "", ""},
		{"x -q", "", "", commonsCLI + "UnrecognizedOptionException: Unrecognized option: -q"},
		{"x -sq", "", "", commonsCLI + "UnrecognizedOptionException: Unrecognized option: -sq"},
		{"x -v", "", "", commonsCLI + "MissingArgumentException: Missing argument for option: v"},
		{"x -v -s", "", "", commonsCLI + "MissingArgumentException: Missing argument for option: v"},
	} {
		a, err := f.parse(words(c.line))
		if err != nil || c.err != "" {
			if err == nil || err.Error() != c.err {
				t.Errorf("%q: error %v, want %q", c.line, err, c.err)
			}
			continue
		}
		var set []string
		for _, name := range []string{"R", "add", "dry-run", "s", "v"} {
			if a.has(name) {
				set = append(set, name+"="+a.value(name))
			}
		}
		if got := strings.Join(a.rest, "|"); got != c.rest || strings.Join(set, " ") != c.set {
			t.Errorf("%q: %q and %q", c.line, got, set)
		}
	}
}
