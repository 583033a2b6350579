package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/zooid-io/zooid/client"
)

// Options are what a shell is told. Server, In, Out and Err must be given, all else has a default.
type Options struct {
	Server  string         // "host:port[,host:port][/chroot]"
	Timeout time.Duration  // of the session; 0 is 30 s
	Client  client.Options // for every connection; Timeout and ReadOnly are set over it

	ReadOnly          bool // go to servers without a quorum too
	WaitForConnection bool // commands wait for the first connection for Timeout, instead of until every server was tried once
	Classic           bool // get and set print the Stat, as zkCli 3.4 did, and set takes a version as its last word
	ExitCodes         bool // tell failures apart by exit code: see ExitNoNode and its kin
	JSON, Table       bool // what reads print, instead of zkCli's text

	In       io.Reader // lines, where there is no Terminal
	Out, Err io.Writer
	Terminal *Terminal // nil is a script: no prompt, no editing
	Version  string    // for the command version

	// FourLetters asks a server, by host and port, a four-letter word; nil leaves the command 4lw out.
	FourLetters func(server, word string) ([]byte, error)
	// Interrupts gives a context that ends when the user interrupts a command; nil is none. stop releases it.
	Interrupts func(context.Context) (ctx context.Context, stop context.CancelFunc)
	// Edit lets the user change text, with an editor; nil leaves the command edit out.
	Edit func(ctx context.Context, text []byte) ([]byte, error)
	// Exec runs a program with the shell's standard streams and returns its exit code; nil leaves the command lock out.
	Exec func(ctx context.Context, argv []string) (int, error)
}

// Shell runs commands. One goroutine uses it.
type Shell struct {
	opt      Options
	out, err io.Writer
	news     io.Writer // where connections and events are told of

	conn    *conn // nil: there is none, by close
	history []string
	last    int  // exit code of the last command
	quit    bool // no further line is read
	piped   bool // lines come from Options.In
	kept    bool // the session made ephemerals that shall outlive a script

	sources []*source

	events sync.WaitGroup // goroutines that print what comes unasked
	mu     sync.Mutex
	silent bool // events are not printed; under mu
}

// New is a shell that has not yet done anything: RunOne and Run connect. Close must be called.
func New(opt Options) *Shell {
	if opt.Timeout == 0 {
		opt.Timeout = 30 * time.Second
	}
	s := &Shell{opt: opt}
	s.out, s.err = &oneWriter{mu: &s.mu, w: opt.Out}, &oneWriter{mu: &s.mu, w: opt.Err}
	if opt.Terminal != nil {
		opt.Terminal.begin(s)
		s.out, s.err = opt.Terminal, opt.Terminal
	}
	s.news = s.out
	if opt.JSON || opt.Table {
		s.news = s.err // programs read s.out
	}
	return s
}

// oneWriter keeps pieces of text from many goroutines whole.
type oneWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (w *oneWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.w.Write(p)
}

// RunOne runs a single command, given as words, and returns the exit code.
func (s *Shell) RunOne(ctx context.Context, ws []string) int {
	s.open(s.opt.Server, "")
	s.history = append(s.history, "null") // as zkCli
	s.run(ctx, ws)
	return s.last
}

// Run reads commands until the input ends or one of them is quit, and returns the exit code of the last.
func (s *Shell) Run(ctx context.Context) int {
	editing := "disabled"
	var read func() (string, error)
	if t := s.opt.Terminal; t != nil {
		editing = "enabled"
		read = t.readLine
	} else {
		read = s.readScript()
	}
	s.open(s.opt.Server, "Welcome to ZooKeeper!\nJLine support is "+editing+"\n")
	if s.opt.Terminal == nil {
		s.client(ctx, "") // so that a script finds the same state each time; the first command tells what is wrong
	}
	for !s.quit && ctx.Err() == nil {
		line, err := read()
		if strings.TrimSpace(line) != "" {
			s.line(ctx, line)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				fmt.Fprintln(s.err, err)
			}
			break
		}
	}
	return s.last
}

// readScript gives lines without an editor. A transaction may go over several: "txn {" to "}".
func (s *Shell) readScript() func() (string, error) {
	s.piped = true
	in := bufio.NewReaderSize(s.opt.In, 64<<10)
	return func() (string, error) {
		var all strings.Builder
		for {
			line, err := in.ReadString('\n')
			all.WriteString(line)
			if err != nil || !openTxn(all.String()) {
				return oneLine(all.String()), err
			}
		}
	}
}

// line runs a line and remembers it.
func (s *Shell) line(ctx context.Context, line string) {
	s.history = append(s.history, line)
	s.run(ctx, words(line))
}

// run runs a command and prints why it failed.
func (s *Shell) run(ctx context.Context, ws []string) {
	if len(ws) == 0 {
		return
	}
	if s.opt.Interrupts != nil {
		var stop context.CancelFunc
		ctx, stop = s.opt.Interrupts(ctx)
		defer stop()
	}
	err := s.command(ctx, ws)
	s.settle()
	if s.quit {
		return // with the code of the command before
	}
	s.last = exitCode(err, s.opt.ExitCodes)
	var code exited
	if errors.As(err, &code) {
		s.last = int(code)
		return
	}
	if s.opt.Terminal == nil && errors.Is(err, context.Canceled) {
		s.last, s.quit = exitInterrupted, true // who stops a script does not mean one of its lines
	}
	if t := s.complaint(err); t != "" {
		fmt.Fprintln(s.err, t)
	}
}

// complaint is the text of an error, with the list of commands before it where the command is not known.
func (s *Shell) complaint(err error) string {
	if err == nil {
		return ""
	}
	var no unknown
	if errors.As(err, &no) {
		return s.listing() + text(err)
	}
	return text(err)
}

// Close ends the session and waits for what belongs to it. After a script that made ephemerals and did not quit, the session is
// left to the server, which ends it after its timeout: zkCli leaves every session so.
func (s *Shell) Close() {
	if s.conn != nil {
		if !s.quit { // zkCli tells of the end only then
			s.setSilent(true)
		}
		s.conn.end(s.kept && !s.quit)
		s.conn = nil
	}
	s.events.Wait()
}
