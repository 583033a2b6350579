package config

import (
	"strconv"
	"strings"
)

// Error says why a configuration cannot be used. Its text holds Apache's own message (Reason, for what Apache refuses too),
// so that whoever greps for it finds it, and names the place.
type Error struct {
	File   string // as it was given; CommandLine for a -D or an argument
	Line   int    // from 1; 0 is "the file as a whole"
	Key    string // as it is spelled there; may be empty
	Reason string
	Exit   int // the process's exit code; 0 stands for 2
}

// CommandLine stands for a file's name in an Error or a Warning about an argument, a -D or SERVER_JVMFLAGS.
const CommandLine = "command line"

// Error reads "Error processing conf/zoo.cfg:7: tickTime: For input string: "abc"".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("Error processing ")
	b.WriteString(e.File)
	if e.Line > 0 {
		b.WriteString(":" + strconv.Itoa(e.Line))
	}
	if e.Key != "" {
		b.WriteString(": " + e.Key)
	}
	return b.String() + ": " + e.Reason
}

// ExitCode is what the process must end with: 2, invalid invocation, but for the few faults where Apache gets further and
// ends with 1.
func (e *Error) ExitCode() int {
	if e.Exit == 0 {
		return exitInvalid
	}
	return e.Exit
}

const (
	exitUnexpected = 1
	exitInvalid    = 2
)

// Warning is something that is worth a line in the log and no reason to stop.
type Warning struct {
	File string
	Line int    // from 1; 0 is "the file as a whole"
	Key  string // as it is spelled there; may be empty
	Text string
}

// String reads "conf/zoo.cfg:7: snapCount: text".
func (w Warning) String() string {
	s := w.File
	if w.Line > 0 {
		s += ":" + strconv.Itoa(w.Line)
	}
	if w.Key != "" {
		s += ": " + w.Key
	}
	return s + ": " + w.Text
}
