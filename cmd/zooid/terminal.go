package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/zooid-io/zooid/internal/shell"
)

// terminal is the process's own, for a shell.
func terminal(stdin, stdout int) *shell.Terminal {
	history := ""
	if home, err := os.UserHomeDir(); err == nil {
		history = filepath.Join(home, ".zooid_history")
	}
	return &shell.Terminal{
		RW: struct {
			io.Reader
			io.Writer
		}{os.Stdin, os.Stdout},
		HistoryFile: history,
		Size: func() (int, int) {
			w, h, err := term.GetSize(stdout)
			if err != nil {
				return 0, 0
			}
			return w, h
		},
		Raw: func() (func() error, error) {
			old, err := term.MakeRaw(stdin)
			if err != nil {
				return nil, err
			}
			return func() error { return term.Restore(stdin, old) }, nil
		},
	}
}

// edit lets the user change text with $VISUAL or $EDITOR, or vi.
func edit(ctx context.Context, text []byte) ([]byte, error) {
	editor := strings.Fields(os.Getenv("VISUAL"))
	if len(editor) == 0 {
		editor = strings.Fields(os.Getenv("EDITOR"))
	}
	if len(editor) == 0 {
		editor = []string{"vi"}
	}
	f, err := os.CreateTemp("", "zooid-edit-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(text); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	switch code, err := execute(ctx, append(editor, f.Name())); {
	case err != nil:
		return nil, err
	case code != 0:
		return nil, errors.New("the editor failed: nothing is changed")
	}
	return os.ReadFile(f.Name())
}

// stopPatience is how long a program may take to end when it is told to.
const stopPatience = 5 * time.Second

// execute runs a program with our standard streams. Ctrl-C reaches it too: its own end counts then.
func execute(ctx context.Context, argv []string) (int, error) {
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.WaitDelay = stopPatience
	c.Cancel = func() error {
		if c.Process.Signal(os.Interrupt) != nil { // not on Windows
			return c.Process.Kill()
		}
		return nil
	}
	err := c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}
