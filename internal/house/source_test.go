package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/zooid-io/zooid"

// source is a file of the repository.
type source struct {
	path string // from the root, with slashes
	text []byte
	ast  *ast.File // of a .go file
}

func (s *source) dir() string  { return path.Dir(s.path) }
func (s *source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }
func (s *source) imported() (is []string) {
	for _, i := range s.ast.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			panic(err) // the parser has seen it
		}
		is = append(is, p)
	}
	return is
}

// room is the folder of an import path of this module, else empty.
func room(importPath string) string {
	r, ok := strings.CutPrefix(importPath, module+"/")
	if !ok {
		return ""
	}
	return r
}

var fset = token.NewFileSet()

// sources are all files but those that git ignores and those of other modules.
var sources = sync.OnceValues(func() ([]*source, error) {
	const root = "../.."
	var all []*source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			switch d.Name() {
			case ".git", "node_modules", "dist", "zooid-data":
				return fs.SkipDir
			}
			if rel != "." {
				if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil {
					return fs.SkipDir
				}
			}
			return nil
		}
		if rel == ".git" || rel == "zooid" || !d.Type().IsRegular() || strings.HasSuffix(rel, ".test") || strings.HasSuffix(rel, ".prof") {
			return nil // .git is a file in a worktree
		}
		s := &source{path: rel}
		if s.text, err = os.ReadFile(p); err != nil {
			return err
		}
		if strings.HasSuffix(rel, ".go") && !strings.Contains("/"+rel, "/testdata/") {
			if s.ast, err = parser.ParseFile(fset, rel, s.text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
				return err
			}
		}
		all = append(all, s)
		return nil
	})
	return all, err
})

func files(t *testing.T) []*source {
	t.Helper()
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func goFiles(t *testing.T) (gos []*source) {
	for _, s := range files(t) {
		if s.ast != nil {
			gos = append(gos, s)
		}
	}
	return gos
}
