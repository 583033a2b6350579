package interop

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Each difference that a recording claims is explained in docs/divergence.md, and each that is explained there is claimed by some recording.
func TestDivergencesAreExplained(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "docs", "divergence.md"))
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z0-9-]+) \|`).FindAllStringSubmatch(string(doc), -1) {
		if m[1] == "id" {
			continue
		}
		if explained[m[1]] {
			t.Errorf("%s is explained twice", m[1])
		}
		explained[m[1]] = true
	}
	claimed := map[string]string{}
	cases, _ := readCases(t)
	for _, c := range cases {
		for _, s := range c.Steps {
			for _, o := range s.Others {
				if o.Who != Zooid.String() {
					t.Errorf("%s.txt:%d: the recording is Apache's; %s cannot differ from it", c.file, s.Line, o.Who)
				}
				claimed[o.ID] = c.file + "/" + c.Name
			}
		}
	}
	for id, where := range claimed {
		if !explained[id] {
			t.Errorf("docs/divergence.md does not explain %s, of %s", id, where)
		}
	}
	for id := range explained {
		if claimed[id] == "" {
			t.Errorf("docs/divergence.md explains %s, which no recording claims", id)
		}
	}
}
