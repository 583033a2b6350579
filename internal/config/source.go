package config

import (
	"strings"

	"github.com/magiconair/properties"
)

// entry is one key with its value, both unescaped and trimmed, and the line on which it begins.
type entry struct {
	key, value string
	line       int
}

// parse reads Java's Properties format. The library knows the format but not where a key stood, so parse cuts the text into
// Java's logical lines itself and gives the library one at a time. (Joining continued lines here also mends the library's
// one difference to Java: a continuation before CRLF, or inside a key.)
//
// A key that is empty, "=value", is legal in Java and means nothing to ZooKeeper: it is left out.
func parse(file, text string) ([]entry, error) {
	loader := properties.Loader{Encoding: properties.ISO_8859_1, DisableExpansion: true}
	var all []entry
	for _, l := range logicalLines(text) {
		if l.text == "" || l.text[0] == '=' || l.text[0] == ':' {
			continue
		}
		p, err := loader.LoadBytes([]byte(l.text))
		if err != nil {
			// The only thing that Java refuses; of this text the library refuses nothing else.
			return nil, &Error{File: file, Line: l.number, Reason: `Malformed \uxxxx encoding.`}
		}
		for _, k := range p.Keys() {
			v, _ := p.Get(k)
			all = append(all, entry{trim(k), trim(v), l.number})
		}
	}
	return all, nil
}

type logicalLine struct {
	text   string
	number int // of its first line, from 1
}

// logicalLines drops comments and blank lines and joins what a backslash before the line's end continues, the way of
// java.util.Properties: leading white space of the continuing line goes, a comment is never continued, and a backslash before
// the text's end continues nothing and goes.
func logicalLines(text string) []logicalLine {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	var all []logicalLine
	physical := strings.Split(text, "\n")
	for i := 0; i < len(physical); i++ {
		l := logicalLine{strings.TrimLeft(physical[i], " \t\f"), i + 1}
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
			all = append(all, l)
		}
	}
	return all
}

// continued tells whether the line ends with an odd number of backslashes.
func continued(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

// trim is String.trim of Java: it takes off everything up to and including the space.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}
