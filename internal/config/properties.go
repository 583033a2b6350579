package config

import (
	"maps"
	"strings"
)

// Properties are Java's system properties by their full names, for example "zookeeper.snapCount" or "jute.maxbuffer".
type Properties map[string]string

// Environ reads the -D tokens of the variables that Apache's scripts put on Java's command line. JVMFLAGS comes behind
// SERVER_JVMFLAGS there, so it wins.
func Environ(getenv func(string) string) Properties {
	p := Properties{}
	for _, name := range []string{"SERVER_JVMFLAGS", "JVMFLAGS"} {
		maps.Copy(p, ScanFlags(getenv(name)))
	}
	return p
}

// ScanFlags finds -Dname=value and -D name=value among the flags of a Java virtual machine and passes over all others. Quotes
// and backslashes are read as a shell reads them; -Dname alone is an empty value, as in Java.
func ScanFlags(flags string) map[string]string {
	_, p := SplitArgs(words(flags))
	return p
}

// SplitArgs takes -Dname=value and -D name=value out of an argument list. What follows "--" is left alone.
func SplitArgs(args []string) (rest []string, p Properties) {
	p = Properties{}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(rest, args[i+1:]...), p
		}
		def, ok := strings.CutPrefix(arg, "-D")
		if !ok {
			rest = append(rest, arg)
			continue
		}
		if def == "" && i+1 < len(args) {
			i++
			def = args[i]
		}
		if name, value, _ := strings.Cut(def, "="); name != "" {
			p[name] = value
		}
	}
	return rest, p
}

// words splits a line as a shell does, without expanding anything. An open quote ends with the line.
func words(line string) []string {
	var all []string
	var word strings.Builder
	open, in := byte(0), false // the quote we are in; whether a word has begun, be it empty
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && open != '\'' && i+1 < len(line):
			i++
			word.WriteByte(line[i])
			in = true
		case open != 0 && c == open:
			open = 0
		case open == 0 && (c == '"' || c == '\''):
			open, in = c, true
		case open == 0 && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			if in {
				all = append(all, word.String())
				word.Reset()
				in = false
			}
		default:
			word.WriteByte(c)
			in = true
		}
	}
	if in {
		all = append(all, word.String())
	}
	return all
}
