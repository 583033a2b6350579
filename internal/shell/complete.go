package shell

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zooid-io/zooid/zk"
)

// candidates are what the last word of a line can become, sorted, and where that word begins: a command, an option, or a path.
func (s *Shell) candidates(ctx context.Context, line string) (start int, all []string) {
	start = strings.LastIndexAny(line, " \t") + 1
	word := line[start:]
	before := words(line[:start])
	switch {
	case len(before) == 0, before[0] == "help" && len(before) == 1:
		for _, c := range s.table() {
			all = append(all, c.name)
		}
	case strings.HasPrefix(word, "-"):
		if c := s.find(before[0]); c != nil {
			for _, f := range c.flags {
				f = strings.TrimSuffix(f, ":")
				dash := "-"
				if len(f) > 1 && c.name != "reconfig" {
					dash = "--"
				}
				all = append(all, dash+f)
			}
		}
	case strings.HasPrefix(word, "/"):
		return start, s.childrenOf(ctx, word)
	case word == "":
		return start, []string{"/"}
	}
	all = slices.DeleteFunc(all, func(c string) bool { return !strings.HasPrefix(c, word) })
	slices.Sort(all)
	return start, slices.Compact(all)
}

// childrenOf are the paths that begin with word. One that is complete and has children goes on with a slash.
func (s *Shell) childrenOf(ctx context.Context, word string) []string {
	c, err := s.client(ctx, word)
	if err != nil {
		return nil
	}
	parent, prefix, _ := zk.SplitPath(word)
	names, _, err := c.Children(ctx, parent)
	if err != nil {
		return nil
	}
	var all []string
	for _, n := range names {
		if strings.HasPrefix(n, prefix) && !strings.ContainsAny(n, " \t") {
			all = append(all, zk.JoinPath(parent, n))
		}
	}
	slices.Sort(all)
	if len(all) == 1 && all[0] == word {
		if found, st, err := c.Exists(ctx, word); err == nil && found && st.NumChildren > 0 {
			return []string{word + "/"}
		}
	}
	return all
}

// commonPrefix is what all begin with, in whole letters.
func commonPrefix(all []string) string {
	p := all[0]
	for _, c := range all[1:] {
		n := 0
		for n < len(p) && n < len(c) && p[n] == c[n] {
			n++
		}
		for n > 0 && n < len(p) && !utf8.RuneStart(p[n]) {
			n--
		}
		p = p[:n]
	}
	return p
}

// columns lays candidates out in lines of a width.
func columns(all []string, width int) string {
	if width <= 0 {
		width = 80
	}
	cell := 0
	for _, c := range all {
		cell = max(cell, utf8.RuneCountInString(c)+2)
	}
	each := max(1, width/cell)
	var b strings.Builder
	for i, c := range all {
		b.WriteString(c)
		if (i+1)%each == 0 || i+1 == len(all) {
			b.WriteByte('\n')
		} else {
			b.WriteString(strings.Repeat(" ", cell-utf8.RuneCountInString(c)))
		}
	}
	return b.String()
}
