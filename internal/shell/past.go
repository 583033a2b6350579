package shell

import (
	"os"
	"strings"
)

// pastLines is how many lines are kept.
const pastLines = 1000

// past are the lines that were typed, in this shell and the ones before, the last one at the end. It is x/term's History.
type past struct {
	lines []string
	file  string
	part  string // the lines so far of a transaction that goes on
}

// openPast reads a history file. One that cannot be read is as good as none: nobody wants a shell to fail for that.
func openPast(file string) *past {
	p := &past{file: file}
	if file == "" {
		return p
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return p
	}
	for line := range strings.Lines(string(text)) {
		p.keep(strings.TrimRight(line, "\r\n"))
	}
	if len(p.lines) == pastLines && strings.Count(string(text), "\n") > 2*pastLines {
		os.WriteFile(file, []byte(strings.Join(p.lines, "\n")+"\n"), 0o600)
	}
	return p
}

func (p *past) keep(line string) bool {
	if strings.TrimSpace(line) == "" || len(p.lines) > 0 && p.lines[len(p.lines)-1] == line {
		return false
	}
	p.lines = append(p.lines, line)
	p.lines = p.lines[max(0, len(p.lines)-pastLines):]
	return true
}

// Add remembers a line; the lines of a transaction, as one. Passwords are not written down.
func (p *past) Add(line string) {
	if p.part += line; openTxn(p.part) {
		p.part += "\n"
		return
	}
	line, p.part = oneLine(p.part), ""
	if !p.keep(line) || p.file == "" || strings.HasPrefix(strings.TrimSpace(line), "addauth") {
		return
	}
	f, err := os.OpenFile(p.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	f.WriteString(line + "\n")
}

// Len is how many there are.
func (p *past) Len() int { return len(p.lines) }

// At counts from the last.
func (p *past) At(i int) string { return p.lines[len(p.lines)-1-i] }
