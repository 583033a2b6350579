package house

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The table of messages in docs/zab.md has a row for each type of Packet, in the order of internal/zab/message.go, and the numbers
// on the wire are those of internal/peer/packet.go.
func TestZabListsThePackets(t *testing.T) {
	var types []string
	kinds := map[string]string{} // by their names without case
	for _, f := range goFiles(t) {
		switch f.path {
		case "internal/zab/message.go":
			for _, d := range f.ast.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil && fn.Name.Name == "packet" {
					types = append(types, fn.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name)
				}
			}
		case "internal/peer/packet.go":
			ast.Inspect(f.ast, func(n ast.Node) bool {
				if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
					name, isKind := strings.CutPrefix(v.Names[0].Name, "kind")
					if b, ok := v.Values[0].(*ast.BasicLit); isKind && ok && b.Kind == token.INT {
						kinds[strings.ToLower(name)] = b.Value
					}
				}
				return true
			})
		}
	}
	if len(types) < 19 || len(kinds) < 19 {
		t.Fatalf("%d types, %d numbers: are they elsewhere?", len(types), len(kinds))
	}
	row := regexp.MustCompile("^\\| `(\\w+)` \\| ([A-Z, ]+) \\| ([0-9, ]+) \\| [^|]+ \\| [^|]+ \\| [^|]+ \\|$")
	var listed []string
	named := map[string]bool{}
	for _, f := range files(t) {
		if f.path != "docs/zab.md" {
			continue
		}
		for line := range strings.Lines(string(f.text)) {
			m := row.FindStringSubmatch(strings.TrimSpace(line))
			if m == nil {
				continue
			}
			listed = append(listed, m[1])
			names, numbers := strings.Split(m[2], ", "), strings.Split(m[3], ", ")
			if len(names) != len(numbers) {
				t.Errorf("%s: %d names and %d numbers", m[1], len(names), len(numbers))
				continue
			}
			for i, name := range names {
				key := strings.ReplaceAll(strings.ToLower(name), "and", "")
				if named[key] = true; kinds[key] != numbers[i] {
					t.Errorf("%s: %s is %q, the table says %s", m[1], name, kinds[key], numbers[i])
				}
			}
		}
	}
	if !slices.Equal(listed, types) {
		t.Errorf("docs/zab.md lists\n%q, the types are\n%q", listed, types)
	}
	for k := range kinds {
		if !named[k] {
			t.Errorf("no row has the number of %s", k)
		}
	}
}
