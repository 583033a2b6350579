package house

import (
	"bytes"
	"go/format"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A newcomer opens doc.go first.
func TestEveryRoomHasADoc(t *testing.T) {
	docs := map[string]string{}
	rooms := map[string]string{} // folder to package
	for _, f := range goFiles(t) {
		if path.Base(f.path) == "doc.go" {
			docs[f.dir()] = f.ast.Doc.Text()
		}
		if name := f.ast.Name.Name; !f.isTest() && name != "main" {
			rooms[f.dir()] = name
		}
	}
	for dir, name := range rooms {
		switch doc, ok := docs[dir]; {
		case !ok:
			t.Errorf("%s has no doc.go", dir)
		case !strings.HasPrefix(doc, "Package "+name+" "):
			t.Errorf("%s/doc.go does not begin with %q", dir, "Package "+name+" ")
		}
	}
}

func TestFilesAreFormatted(t *testing.T) {
	for _, f := range goFiles(t) {
		switch b, err := format.Source(f.text); {
		case err != nil:
			t.Errorf("%s: %v", f.path, err)
		case !bytes.Equal(b, f.text):
			t.Errorf("%s is not gofmt'd", f.path)
		}
	}
}

// A helper lives beside its caller; with a second caller it has become a concept and gets its name.
func TestNamesAreNouns(t *testing.T) {
	vague := []string{"util", "utils", "helper", "helpers", "common", "base", "manager", "misc"}
	for _, f := range goFiles(t) {
		name := strings.TrimSuffix(strings.TrimSuffix(path.Base(f.path), ".go"), "_test")
		if slices.Contains(vague, name) || slices.Contains(vague, f.ast.Name.Name) {
			t.Errorf("%s says nothing by its name", f.path)
		}
	}
}

// What is committed must make sense on every machine. The words are put together here so that this file does not have them.
func TestNoFileNamesAMachine(t *testing.T) {
	// A letter before a dot makes it another word: Java has a property of that name.
	for _, word := range []string{"/wo" + "rk/", "/tm" + "p/", `(^|[^a-z])\.` + "library", "fa" + "rm-", "shared" + "/spec"} {
		re := regexp.MustCompile(word)
		for _, f := range files(t) {
			if at := re.FindIndex(f.text); at != nil {
				t.Errorf("%s:%d names %s", f.path, 1+bytes.Count(f.text[:at[0]], []byte("\n")), f.text[at[0]:at[1]])
			}
		}
	}
}
