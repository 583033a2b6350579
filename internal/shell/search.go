package shell

import (
	"strings"
	"unicode/utf8"
)

// search is a search backwards through the past, while the user types what to look for (Ctrl-R).
type search struct {
	on      bool
	pattern string
	at      int    // of the match, as past.At counts; -1 before the first
	before  string // the line as it was
}

func (s *search) stop() { *s = search{} }

// searchOn begins, or goes on to the next older match.
func (t *Terminal) searchOn(line string) (string, int, bool) {
	if !t.search.on {
		t.search = search{on: true, at: -1, before: line}
		return t.draw(line, true)
	}
	return t.find(t.search.at + 1)
}

func (t *Terminal) searchMore(key rune) (string, int, bool) {
	t.search.pattern += string(key)
	return t.find(max(t.search.at, 0))
}

func (t *Terminal) searchLess() (string, int, bool) {
	_, n := utf8.DecodeLastRuneInString(t.search.pattern)
	t.search.pattern = t.search.pattern[:len(t.search.pattern)-n]
	t.search.at = -1
	if t.search.pattern == "" {
		return t.draw(t.search.before, true)
	}
	return t.find(0)
}

// find looks from an entry on into the past; where nothing is found, the last match stays.
func (t *Terminal) find(from int) (string, int, bool) {
	if t.search.pattern != "" {
		for i := from; i < t.past.Len(); i++ {
			if strings.Contains(t.past.At(i), t.search.pattern) {
				t.search.at = i
				return t.draw(t.past.At(i), true)
			}
		}
	}
	line := t.search.before
	if t.search.at >= 0 {
		line = t.past.At(t.search.at)
	}
	return t.draw(line, false)
}

func (t *Terminal) draw(line string, found bool) (string, int, bool) {
	failed := ""
	if !found {
		failed = "failed "
	}
	t.prompt("(" + failed + "reverse-i-search)`" + t.search.pattern + "': ")
	t.t.Write(nil)
	return line, len(line), true
}

// endSearch gives the usual prompt back; the line stays.
func (t *Terminal) endSearch() {
	if t.search.on {
		t.search.stop()
		t.prompt("")
		t.t.Write(nil)
	}
}
