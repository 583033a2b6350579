package interop

import (
	"regexp"
	"slices"
	"strings"
)

// What a four-letter word prints depends on the machine and the moment. What stays after this is its shape: the lines, the
// keys, the words, and N where a number stands.
var fourLetterMasks = []struct {
	re   *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`0x[0-9a-f]+`), "0xN"},
	{regexp.MustCompile(`expire at [A-Z][^\n]* [0-9]{4}:`), "expire at DATE:"},
	{regexp.MustCompile(`-?\b[0-9]+(\.[0-9]+)?\b`), "N"},
}

// showFourLetters shows the answer to a word, line by line. Its last line break is shown as such, because some words print
// none.
func showFourLetters(word, out string, p *player) []string {
	out = strings.ReplaceAll(out, p.srv.Dir, "DIR")
	out = regexp.MustCompile(`(?m)^(Zookeeper version: |zk_version\t|zookeeper\.version=).*`).ReplaceAllString(out, "${1}VERSION")
	if word == "envi" {
		out = regexp.MustCompile(`(?m)=.*`).ReplaceAllString(out, "=V")
	} else {
		for _, m := range fourLetterMasks {
			out = m.re.ReplaceAllString(out, m.with)
		}
	}
	if word == "mntr" {
		out = regexp.MustCompile(`(?m)\t[^\n]*$`).ReplaceAllString(out, " V")
	}
	end := strings.HasSuffix(out, "\n")
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	switch word {
	case "wchc", "wchp": // their order is unspecified
		slices.Sort(lines)
	case "dump", "cons", "stat": // how many sets and passing connections there are, and in which order, depends on the moment
		slices.Sort(lines)
		seen := map[string]bool{}
		lines = slices.DeleteFunc(lines, func(l string) bool { dup := seen[l]; seen[l] = true; return dup })
	}
	for i, l := range lines {
		lines[i] = "| " + strings.ReplaceAll(l, "\t", "→")
	}
	if !end {
		lines[len(lines)-1] += "<no line break>"
	}
	return lines
}
