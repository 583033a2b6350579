package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/zooid-io/zooid/internal/server"
	"github.com/zooid-io/zooid/internal/shell"
	"github.com/zooid-io/zooid/internal/vfs"
)

// checked is a run of the tests that leaves no goroutine behind.
type checked struct{ m *testing.M }

func (c checked) Run() int {
	code := c.m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// The scripts call this test binary under the name zooid.
func TestMain(m *testing.M) { testscript.Main(checked{m}, map[string]func(){"zooid": main}) }

// TestShell plays testdata/shell: each script has a server of its own at $ADDR. Its commands beside testscript's:
//
//	zk [<file] arguments   zooid shell -server $ADDR arguments, with the file to read; ! before it where it must fail
//	code n arguments       as zk, and it ends with exit code n
func TestShell(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/shell",
		Setup: func(env *testscript.Env) error {
			o := server.Default()
			o.ClientAddr, o.DataDir = "127.0.0.1:0", "data"
			o.MaxClientCnxns, o.PreAllocSize, o.TickTime, o.MaxSessionTimeout = 0, 64<<10, 50*time.Millisecond, time.Minute
			o.ExtendedTypes = true
			o.FourLetterWords = []string{"*"}
			o.Logger = slog.New(slog.DiscardHandler)
			s, err := server.Start(o, vfs.NewMem())
			if err != nil {
				return err
			}
			env.Defer(func() { s.Close() })
			env.Setenv("ADDR", s.Addr().String())
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"zk": func(ts *testscript.TestScript, neg bool, args []string) {
				if code := runShellOf(ts, args); (code != 0) != neg {
					ts.Fatalf("exit code %d", code)
				}
			},
			"code": func(ts *testscript.TestScript, neg bool, args []string) {
				want, err := strconv.Atoi(args[0])
				if err != nil || neg {
					ts.Fatalf("code n arguments")
				}
				if got := runShellOf(ts, args[1:]); got != want {
					ts.Fatalf("exit code %d, want %d", got, want)
				}
			},
		},
		UpdateScripts: *update,
	})
}

var update = flag.Bool("update", false, "write what the shell prints into testdata/shell")

// runShellOf runs a shell for a script. In what it prints, ADDR stands for the server's address.
func runShellOf(ts *testscript.TestScript, args []string) int {
	addr := ts.Getenv("ADDR")
	c := exec.Command("zooid", "shell", "-server", addr)
	c.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "EDITOR", "ADDR", "TMPDIR"} {
		c.Env = append(c.Env, name+"="+ts.Getenv(name))
	}
	for _, a := range args {
		if file, ok := strings.CutPrefix(a, "<"); ok {
			c.Stdin = strings.NewReader(ts.ReadFile(file))
		} else {
			c.Args = append(c.Args, a)
		}
	}
	var out, err bytes.Buffer
	c.Stdout, c.Stderr = &out, &err
	var exit *exec.ExitError
	if e := c.Run(); e != nil && !errors.As(e, &exit) {
		ts.Fatalf("%v", e)
	}
	io.WriteString(ts.Stdout(), strings.ReplaceAll(out.String(), addr, "ADDR"))
	io.WriteString(ts.Stderr(), strings.ReplaceAll(err.String(), addr, "ADDR"))
	return c.ProcessState.ExitCode()
}

func TestShellArguments(t *testing.T) {
	for _, c := range []struct {
		args    []string
		want    shell.Options
		command []string
		config  string
		err     string
	}{
		{nil, shell.Options{}, nil, "", ""},
		{[]string{"-server", "h:1/c", "-timeout", "5000", "-r", "-waitforconnection", "ls", "-R", "/"},
			shell.Options{Server: "h:1/c", Timeout: 5 * time.Second, ReadOnly: true, WaitForConnection: true}, []string{"ls", "-R", "/"}, "", ""},
		{[]string{"-unknown", "-classic", "-exit-codes", "-o", "table", "-client-configuration", "f"},
			shell.Options{Classic: true, ExitCodes: true, Table: true}, nil, "f", ""},
		{[]string{"-server"}, shell.Options{}, nil, "", "Error: no argument found for option -server"},
		{[]string{"-timeout", "soon"}, shell.Options{}, nil, "", `-timeout "soon" is not a number of milliseconds`},
		{[]string{"-o", "yaml"}, shell.Options{}, nil, "", `-o is json or table, not "yaml"`},
	} {
		var got shell.Options
		command, config, err := shellArgs(c.args, &got)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != c.err {
			t.Errorf("%q: error %q, want %q", c.args, text, c.err)
		}
		if err != nil {
			continue
		}
		plain := func(o shell.Options) []any {
			return []any{o.Server, o.Timeout, o.ReadOnly, o.WaitForConnection, o.Classic, o.ExitCodes, o.JSON, o.Table}
		}
		if d := cmp.Diff(plain(c.want), plain(got)); d != "" || !slices.Equal(command, c.command) || config != c.config {
			t.Errorf("%q: %s command %q, configuration %q", c.args, d, command, config)
		}
	}
}
