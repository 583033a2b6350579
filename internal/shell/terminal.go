package shell

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"golang.org/x/term"
)

// Terminal is where a person types. RW must be given; it need not be a terminal in truth, so that tests can type.
type Terminal struct {
	RW          io.ReadWriter
	HistoryFile string                                 // "" is none
	Size        func() (width, height int)             // nil is 80 by 24
	Raw         func() (restore func() error, _ error) // takes single keys from now on; nil where they come so anyway

	s       *Shell
	t       *term.Terminal
	past    *past
	search  search
	pending []byte // keys that were read and not yet handed on
	open    bool   // the line goes on with the next
	dropped bool   // and Ctrl-C has ended it
	w, h    int

	mu        sync.Mutex
	prompting bool // the usual prompt is set, with this number; under mu
	number    int
	server    string
}

// begin is called once, before anything is printed.
func (t *Terminal) begin(s *Shell) {
	t.s = s
	t.t = term.NewTerminal(keys{t}, "")
	t.past = openPast(t.HistoryFile)
	t.t.History = t.past
	t.t.AutoCompleteCallback = t.key
	t.resize()
}

// Write prints, above the line that is being typed if there is one.
func (t *Terminal) Write(p []byte) (int, error) { return t.t.Write(p) }

// refresh puts the session's state into the prompt, if that is what stands there; what is printed next draws it. It is called by the
// goroutine that hears of the session.
func (t *Terminal) refresh(state string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.prompting {
		t.t.SetPrompt(promptText(t.server, state, t.number))
	}
}

// prompt sets the usual prompt, or another while one searches.
func (t *Terminal) prompt(other string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.number, t.server = len(t.s.history), t.s.opt.Server
	t.prompting = other == ""
	switch {
	case t.prompting && t.open:
		t.prompting, other = false, morePrompt
	case t.prompting:
		other = t.s.prompt()
	}
	t.t.SetPrompt(other)
}

// readLine reads a line with editing; a transaction may go over several, "txn {" to "}". Between lines the terminal is as usual: a
// command can be interrupted, and start programs.
func (t *Terminal) readLine() (line string, err error) {
	if t.Raw != nil {
		restore, err := t.Raw()
		if err != nil {
			return "", err
		}
		defer restore()
	}
	t.open, t.dropped = false, false
	for {
		t.search.stop()
		t.prompt("")
		next, err := t.t.ReadLine()
		t.search.stop()
		if errors.Is(err, term.ErrPasteIndicator) {
			err = nil
		}
		if err != nil {
			t.t.Write([]byte("\n"))
		}
		if t.dropped {
			return "", err
		}
		line += next
		if t.open = err == nil && openTxn(line); !t.open {
			return oneLine(line), err
		}
		line += "\n"
	}
}

// morePrompt stands before the further lines of a transaction.
const morePrompt = "> "

// The keys that mean something here.
const (
	keyCtrlC     = 3
	keyBell      = 7 // Ctrl-G
	keyTab       = 9
	keyEnter     = 13
	keyCtrlR     = 18
	keyEscape    = 27
	keyRubout    = 31 // what a backspace becomes during a search
	keyBackspace = 127
)

// keys is the terminal as x/term reads it: one byte at a time, since what a key means may depend on the one before.
type keys struct{ *Terminal }

func (k keys) Write(p []byte) (int, error) { return k.RW.Write(p) }

func (k keys) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(k.pending) == 0 {
		k.resize()
		b := make([]byte, 256)
		n, err := k.RW.Read(b)
		if n == 0 {
			return 0, err
		}
		k.pending = b[:n]
	}
	b := k.pending[0]
	k.pending = k.pending[1:]
	switch {
	case b == keyCtrlC: // to x/term it would be the end of all input: here, of the line
		k.endSearch()
		drop := []byte{21} // Ctrl-U, behind Ctrl-E
		if k.open {
			k.dropped, k.past.part = true, ""
			drop = append(drop, keyEnter)
		}
		k.pending = append(drop, k.pending...)
		b = 5
	case k.search.on && (b == keyBackspace || b == 8):
		b = keyRubout
	case k.search.on && b < ' ' && b != keyCtrlR && b != keyBell && b != keyEnter && b != '\n':
		k.endSearch() // the line that was found is now being edited
	}
	p[0] = b
	return 1, nil
}

// resize tells x/term how wide lines are.
func (t *Terminal) resize() {
	if t.Size == nil {
		return
	}
	if w, h := t.Size(); w > 0 && (w != t.w || h != t.h) {
		t.w, t.h = w, h
		t.t.SetSize(w, h)
	}
}

// key is called by x/term for each key that it does not handle itself.
func (t *Terminal) key(line string, pos int, key rune) (string, int, bool) {
	switch {
	case key == keyCtrlR:
		return t.searchOn(line)
	case t.search.on && key == keyBell:
		old := t.search.before
		t.endSearch()
		return old, len(old), true
	case t.search.on && key == keyRubout:
		return t.searchLess()
	case t.search.on && key >= ' ':
		return t.searchMore(key)
	case key == keyTab:
		return t.complete(line, pos)
	}
	return "", 0, false
}

// completionPatience bounds how long Tab waits for a server.
const completionPatience = 2 * time.Second

func (t *Terminal) complete(line string, pos int) (string, int, bool) {
	ctx, stop := context.WithTimeout(context.Background(), completionPatience)
	defer stop()
	start, candidates := t.s.candidates(ctx, line[:pos])
	if len(candidates) == 0 {
		return line, pos, true
	}
	insert := commonPrefix(candidates)
	if len(candidates) == 1 && candidates[0] == line[start:pos] {
		return line, pos, true
	}
	if insert == line[start:pos] {
		t.t.Write([]byte(columns(candidates, t.w)))
		return line, pos, true
	}
	if len(candidates) == 1 && insert[0] != '/' {
		insert += " "
	}
	return line[:start] + insert + line[pos:], start + len(insert), true
}
