package script

import (
	"fmt"
	"regexp"
	"strings"
)

// File is one file of cases.
type File struct {
	Head  []string // comment and blank lines before the first case
	Cases []*Case
	Tail  []string // comment and blank lines after the last step
}

// Case is a list of steps.
type Case struct {
	Name     string
	Settings map[string]string // of the case line
	Steps    []*Step
	Line     int // in the file, from 1

	lead []string // comment and blank lines before it
	text string   // the case line
}

// Step is one line and its result.
type Step struct {
	Text   string
	Want   []string // the recorded result, line by line
	Others []Other  // results of other implementations
	Line   int

	lead []string
}

// Other is a line of the result of another implementation.
type Other struct {
	Who string // the implementation
	ID  string // why it differs
	Got string // its line, which may be ""
}

// For is the result that is expected of who: its own if it has one, else the recorded one. own tells which.
func (s *Step) For(who string) (want []string, own bool) {
	for _, o := range s.Others {
		if o.Who == who {
			want, own = append(want, o.Got), true
		}
	}
	if own {
		return want, true
	}
	return s.Want, false
}

var otherLine = regexp.MustCompile(`^([a-z]+)\[([a-z0-9-]+)\]:(?: (.*))?$`)

// Parse reads a file.
func Parse(text string) (*File, error) {
	f := &File{}
	var lead []string
	var c *Case
	var s *Step
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		n := i + 1
		switch {
		case line == "" || line[0] == '#':
			lead = append(lead, line)
		case strings.HasPrefix(line, "  "):
			if s == nil || len(lead) > 0 {
				return nil, fmt.Errorf("line %d: a result without a step", n)
			}
			if m := otherLine.FindStringSubmatch(line[2:]); m != nil {
				s.Others = append(s.Others, Other{m[1], m[2], m[3]})
			} else if len(s.Others) > 0 {
				return nil, fmt.Errorf("line %d: the recorded result must come first", n)
			} else {
				s.Want = append(s.Want, line[2:])
			}
		case strings.HasPrefix(line, "case "):
			if f.Cases == nil {
				// A comment that touches the case line belongs to the case; what is above the last blank line is the file's.
				for j := len(lead) - 1; j >= 0; j-- {
					if lead[j] == "" {
						f.Head, lead = lead[:j+1], lead[j+1:]
						break
					}
				}
			}
			words := strings.Fields(line)[1:]
			if len(words) == 0 {
				return nil, fmt.Errorf("line %d: a case without a name", n)
			}
			c = &Case{Name: words[0], Settings: map[string]string{}, Line: n, lead: lead, text: line}
			for _, w := range words[1:] {
				k, v, _ := strings.Cut(w, "=")
				c.Settings[k] = v
			}
			f.Cases, lead, s = append(f.Cases, c), nil, nil
		case line[0] == ' ' || line[0] == '\t':
			return nil, fmt.Errorf("line %d: results are indented by two spaces", n)
		default:
			if c == nil {
				return nil, fmt.Errorf("line %d: a step without a case", n)
			}
			s = &Step{Text: line, Line: n, lead: lead}
			c.Steps, lead = append(c.Steps, s), nil
		}
	}
	f.Tail = lead
	return f, nil
}

// String is the file as text: Parse of it gives the same again.
func (f *File) String() string {
	var b strings.Builder
	put := func(lines ...string) {
		for _, l := range lines {
			b.WriteString(l)
			b.WriteByte('\n')
		}
	}
	put(f.Head...)
	for _, c := range f.Cases {
		put(c.lead...)
		put(c.text)
		for _, s := range c.Steps {
			put(s.lead...)
			put(s.Text)
			for _, w := range s.Want {
				put("  " + w)
			}
			for _, o := range s.Others {
				put(strings.TrimRight(fmt.Sprintf("  %s[%s]: %s", o.Who, o.ID, o.Got), " "))
			}
		}
	}
	put(f.Tail...)
	return b.String()
}
