package house

import (
	"go/ast"
	"path"
	"regexp"
	"strings"
	"testing"
)

// row is a line of the tables of docs/defects.md: | id | what went wrong | test | fails on 3.8.0 |
type row struct{ id, what, test, seen string }

func defects(t *testing.T) (rows []row) {
	t.Helper()
	for _, f := range files(t) {
		if f.path != "docs/defects.md" {
			continue
		}
		for line := range strings.Lines(string(f.text)) {
			cells := strings.Split(strings.TrimSpace(line), "|")
			if len(cells) != 6 || strings.HasPrefix(cells[1], "-") || strings.TrimSpace(cells[1]) == "id" {
				continue
			}
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows = append(rows, row{cells[1], cells[2], cells[3], cells[4]})
		}
	}
	return rows
}

// Every test that the table promises is there: `watch.TestOneShot` is TestOneShot in a folder named watch. A cell without a test
// says why: "pending", or "n/a:" and the reason.
func TestDefectsNameTestsThatExist(t *testing.T) {
	exist := map[string]bool{}
	for _, f := range goFiles(t) {
		if !f.isTest() {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				exist[path.Base(f.dir())+"."+fn.Name.Name] = true
			}
		}
	}
	rows := defects(t)
	if len(rows) < 20 {
		t.Fatalf("docs/defects.md has %d rows: is its form another?", len(rows))
	}
	quoted := regexp.MustCompile("`([^`]+)`")
	named := regexp.MustCompile(`^\w+\.(Test|Fuzz)\w+$`)
	seen := regexp.MustCompile(`^(-|yes|no)(, .+)?$`)
	for _, r := range rows {
		tests := quoted.FindAllStringSubmatch(r.test, -1)
		if len(tests) == 0 && r.test != "pending" && !strings.HasPrefix(r.test, "n/a: ") {
			t.Errorf("%s: %q is neither a test in backquotes nor pending nor n/a", r.id, r.test)
		}
		for _, m := range tests {
			if !named.MatchString(m[1]) {
				t.Errorf("%s: %s is not of the form room.TestName", r.id, m[1])
			} else if !exist[m[1]] {
				t.Errorf("%s: there is no test %s", r.id, m[1])
			}
		}
		if !seen.MatchString(r.seen) {
			t.Errorf("%s: seen to fail on 3.8.0 is %q, want -, yes or no, and what to know after a comma", r.id, r.seen)
		}
	}
}

// An id stands once, so that nobody looks at the wrong row.
func TestDefectsStandOnce(t *testing.T) {
	seen := map[string]string{}
	for _, r := range defects(t) {
		key := r.id
		if was, ok := seen[key]; ok {
			t.Errorf("%s stands twice: %q and %q", r.id, was, r.what)
		}
		seen[key] = r.what
	}
}
