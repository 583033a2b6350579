package java

import (
	"strings"

	"github.com/magiconair/properties"
)

// Entry is one key with its value, both unescaped and trimmed, and the line on which it begins, from 1.
type Entry struct {
	Key, Value string
	Line       int
}

// EscapeError is what Java refuses in a file of properties: an escape that is cut short or is not hexadecimal.
type EscapeError struct {
	Line int // of the entry, from 1
}

// Error is Java's message.
func (e *EscapeError) Error() string { return `Malformed \uxxxx encoding.` }

// Properties reads Java's Properties format. Of equal keys all entries are given, in order; to Java the last one counts. Its
// errors are *EscapeError.
//
// The library knows the format but not where a key stood, so Properties cuts the text into Java's logical lines itself and gives
// the library one at a time. (Joining continued lines here also mends the library's one difference to Java: a continuation before
// CRLF, or inside a key.)
//
// A key that is empty, "=value", is legal in Java and means nothing to ZooKeeper: it is left out.
func Properties(text string) ([]Entry, error) {
	loader := properties.Loader{Encoding: properties.ISO_8859_1, DisableExpansion: true}
	var all []Entry
	for _, l := range logicalLines(text) {
		if l.text == "" || l.text[0] == '=' || l.text[0] == ':' {
			continue
		}
		p, err := loader.LoadBytes([]byte(l.text))
		if err != nil {
			return nil, &EscapeError{l.number} // the only thing that Java refuses; of this text the library refuses nothing else
		}
		for _, k := range p.Keys() {
			v, _ := p.Get(k)
			all = append(all, Entry{Trim(k), Trim(v), l.number})
		}
	}
	return all, nil
}

// Without is the text without the entries whose key drop takes. All other lines stay as they are, comments too, but that lines end
// with LF; so do the lines of what Properties refuses.
func Without(text string, drop func(key string) bool) string {
	gone := map[int]bool{}
	for _, l := range logicalLines(text) {
		entries, err := Properties(l.text)
		if err != nil || len(entries) == 0 || !drop(entries[0].Key) {
			continue
		}
		for n := l.number; n <= l.last; n++ {
			gone[n] = true
		}
	}
	var kept []string
	for i, line := range physicalLines(text) {
		if !gone[i+1] {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// Last leaves the last entry of each key, in the order of what is left, and gives the others to passed, with the one that counts.
func Last(entries []Entry, passed func(e, counts Entry)) []Entry {
	last := map[string]int{}
	for i, e := range entries {
		last[e.Key] = i
	}
	var kept []Entry
	for i, e := range entries {
		switch at := last[e.Key]; {
		case at == i:
			kept = append(kept, e)
		case passed != nil:
			passed(e, entries[at])
		}
	}
	return kept
}

type logicalLine struct {
	text   string
	number int // of its first line, from 1
	last   int // the number of the last line that it takes
}

// logicalLines drops comments and blank lines and joins what a backslash before the line's end continues, the way of
// java.util.Properties: leading white space of the continuing line goes, a comment is never continued, and a backslash before
// the text's end continues nothing and goes.
func logicalLines(text string) []logicalLine {
	var all []logicalLine
	physical := physicalLines(text)
	for i := 0; i < len(physical); i++ {
		l := logicalLine{text: strings.TrimLeft(physical[i], " \t\f"), number: i + 1}
		if l.text == "" || l.text[0] == '#' || l.text[0] == '!' {
			continue
		}
		for continued(l.text) {
			l.text = l.text[:len(l.text)-1]
			if l.text == "" {
				break // nothing to continue: what follows may be a comment
			}
			if i++; i == len(physical) {
				break
			}
			l.text += strings.TrimLeft(physical[i], " \t\f")
		}
		if l.text != "" {
			l.last = min(i+1, len(physical))
			all = append(all, l)
		}
	}
	return all
}

func physicalLines(text string) []string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Split(strings.ReplaceAll(text, "\r", "\n"), "\n")
}

// continued tells whether the line ends with an odd number of backslashes.
func continued(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}
