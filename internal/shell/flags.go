package shell

import (
	"slices"
	"strings"
)

// flags are the options of a command, as words: "s" is a switch, "v:" takes a value. Those of one letter may be written together
// (-sR). Longer ones may have one dash or two. They may stand anywhere, until "--".
type flags []string

func (f flags) takesValue(name string) bool { return slices.Contains(f, name+":") }
func (f flags) has(name string) bool        { return slices.Contains(f, name) || f.takesValue(name) }

// args are the words of a command: its options, and the rest, which begins with the command's name.
type args struct {
	of   *command
	set  map[string]string
	rest []string
}

func (a *args) has(name string) bool     { _, ok := a.set[name]; return ok }
func (a *args) value(name string) string { return a.set[name] }
func (a *args) n() int                   { return len(a.rest) - 1 }
func (a *args) command() *command        { return a.of }

// at is the i-th argument, from 1, or "".
func (a *args) at(i int) string {
	if i < len(a.rest) {
		return a.rest[i]
	}
	return ""
}

const commonsCLI = "org.apache.commons.cli."

// parse sorts words into options and the rest. The errors are those of the library that Apache's commands use, with the names of
// its Java classes: scripts know them.
func (f flags) parse(ws []string) (*args, error) {
	a := &args{set: map[string]string{}}
	for i := 0; i < len(ws); i++ {
		w := ws[i]
		if w == "--" {
			a.rest = append(a.rest, ws[i+1:]...)
			break
		}
		if len(w) < 2 || w[0] != '-' || isNumber(w[1:]) && !f.has(w[1:2]) {
			a.rest = append(a.rest, w)
			continue
		}
		name, value, given := strings.Cut(strings.TrimLeft(w, "-"), "=")
		if !f.has(name) {
			letters := w[1:]
			for j := range letters {
				l := letters[j : j+1]
				switch {
				case !f.has(l):
					return nil, refusal(commonsCLI + "UnrecognizedOptionException: Unrecognized option: " + w)
				case f.takesValue(l) && j+1 < len(letters):
					a.set[l], letters = letters[j+1:], ""
				case f.takesValue(l):
					name, value, given = l, "", false
				default:
					a.set[l] = ""
				}
				if letters == "" {
					break
				}
			}
			if !f.takesValue(name) {
				continue
			}
		}
		if f.takesValue(name) && !given {
			if i+1 == len(ws) || len(ws[i+1]) > 1 && ws[i+1][0] == '-' && f.has(strings.TrimLeft(ws[i+1], "-")) {
				return nil, refusal(commonsCLI + "MissingArgumentException: Missing argument for option: " + name)
			}
			i++
			value = ws[i]
		}
		if old, twice := a.set[name]; twice && f.takesValue(name) && len(name) > 1 {
			value = old + "," + value // reconfig -add a -add b
		}
		a.set[name] = value
	}
	return a, nil
}

func isNumber(s string) bool {
	for _, c := range s {
		if (c < '0' || c > '9') && c != '.' {
			return false
		}
	}
	return s != ""
}
