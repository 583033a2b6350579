package shell

import "strings"

// words cuts a line as zkCli does: at white space, but a word that begins with a quote goes to the next such quote, and loses
// both. There are no escapes; a quote without its fellow is skipped.
func words(line string) []string {
	var ws []string
	for {
		line = strings.TrimLeft(line, " \t\r\n")
		if line == "" {
			return ws
		}
		if q := line[0]; q == '"' || q == '\'' {
			if end := strings.IndexByte(line[1:], q); end >= 0 {
				ws = append(ws, line[1:1+end])
				line = line[2+end:]
			} else {
				line = line[1:]
			}
			continue
		}
		end := strings.IndexAny(line, " \t\r\n")
		if end < 0 {
			end = len(line)
		}
		ws = append(ws, line[:end])
		line = line[end:]
	}
}

// quote makes a word that words reads back, where there is one: nothing can be done about both kinds of quotes in one word.
func quote(word string) string {
	switch {
	case word != "" && !strings.ContainsAny(word, " \t") && word[0] != '"' && word[0] != '\'':
		return word
	case !strings.Contains(word, `"`):
		return `"` + word + `"`
	}
	return "'" + word + "'"
}
