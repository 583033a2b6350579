package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
	"testing"
)

// pure are the rooms whose outputs depend on their inputs alone: no goroutine, lock, clock, randomness, file, socket or logger.
var pure = []string{
	"zk", "internal/invariant", "internal/java", "internal/jute", "internal/slab", "internal/wire", "internal/txn", "internal/tree",
	"internal/watch", "internal/session", "internal/auth", "internal/ensemble", "internal/prep", "internal/zab",
	"internal/replica", "internal/clientcore",
}

// impure are packages that reach what a pure room must not.
var impure = []string{
	"context", "crypto/rand", "crypto/tls", "database/sql", "embed", "expvar", "io/fs", "io/ioutil", "log", "log/slog", "log/syslog",
	"math/rand", "math/rand/v2", "net", "net/http", "net/rpc", "net/smtp", "os", "os/exec", "os/signal", "os/user", "path/filepath",
	"plugin", "runtime", "runtime/debug", "runtime/pprof", "runtime/trace", "sync", "sync/atomic", "syscall", "testing",
	"text/template", "time", "weak",
}

func TestPureRooms(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.isTest() || !slices.Contains(pure, f.dir()) {
			continue
		}
		for _, i := range f.imported() {
			if slices.Contains(impure, i) {
				t.Errorf("%s imports %s, but %s is pure", f.path, i, path.Base(f.dir()))
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			what := ""
			switch n := n.(type) {
			case *ast.GoStmt:
				what = "a goroutine"
			case *ast.SelectStmt:
				what = "a select"
			case *ast.SendStmt:
				what = "a send"
			case *ast.ChanType:
				what = "a channel"
			case *ast.UnaryExpr:
				if n.Op == token.ARROW {
					what = "a receive"
				}
			}
			if what != "" {
				t.Errorf("%s: %s, but the room is pure", fset.Position(n.Pos()), what)
			}
			return true
		})
	}
}

// A pure room may not reach an impure one either. (The graph allows none today; this keeps it so.)
func TestPureRoomsKnowOnlyPureRooms(t *testing.T) {
	may := reach(t)
	for _, p := range pure {
		for below := range may[p] {
			if !slices.Contains(pure, below) {
				t.Errorf("%s is pure and may import %s, which is not", p, below)
			}
		}
	}
}

// shownInternals are the places where an exported declaration of a file names a type of an internal package.
func shownInternals(f *source) (bad []string) {
	internal := map[string]string{} // name in this file to import path
	for _, i := range f.ast.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		if r := room(p); len(r) > 9 && r[:9] == "internal/" {
			name := path.Base(p)
			if i.Name != nil {
				name = i.Name.Name
			}
			internal[name] = p
		}
	}
	look := func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && internal[x.Name] != "" {
					bad = append(bad, fmt.Sprintf("%s: shows %s.%s", fset.Position(n.Pos()), x.Name, s.Sel.Name))
				}
			}
			return true
		})
	}
	for _, d := range f.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d.Recv))) {
				look(d.Type)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if !s.Name.IsExported() {
						continue
					}
					if st, ok := s.Type.(*ast.StructType); ok {
						for _, field := range st.Fields.List {
							if len(field.Names) == 0 || slices.ContainsFunc(field.Names, (*ast.Ident).IsExported) {
								look(field.Type)
							}
						}
					} else {
						look(s.Type)
					}
				case *ast.ValueSpec:
					if s.Type != nil && slices.ContainsFunc(s.Names, (*ast.Ident).IsExported) {
						look(s.Type)
					}
				}
			}
		}
	}
	return bad
}

func receiver(l *ast.FieldList) string {
	t := l.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
