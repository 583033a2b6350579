package script

import (
	"fmt"
	"strconv"
	"strings"
)

// Words splits a step at its spaces. A word, or the value of name=value, may be a quoted Go string; then Words removes
// the quotes. quoted tells which words began with a quote, so that a step can tell null, written ~, from "~".
func Words(line string) (words []string, quoted []bool, err error) {
	for line = strings.TrimLeft(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		var w strings.Builder
		q := line[0] == '"'
		for line != "" && line[0] != ' ' {
			if line[0] != '"' {
				w.WriteByte(line[0])
				line = line[1:]
				continue
			}
			lit, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %v", line, err)
			}
			s, err := strconv.Unquote(lit)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %v", lit, err)
			}
			w.WriteString(s)
			line = line[len(lit):]
		}
		words, quoted = append(words, w.String()), append(quoted, q)
	}
	return words, quoted, nil
}
