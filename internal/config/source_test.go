package config

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/magiconair/properties"
)

// The rules of java.util.Properties.load, as far as a zoo.cfg can meet them.
func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []entry
	}{
		{"nothing", "", nil},
		{"separators", "a=1\nb:2\nc 3\nd\t4\ne = 5\nf  :  6", []entry{{"a", "1", 1}, {"b", "2", 2}, {"c", "3", 3}, {"d", "4", 4}, {"e", "5", 5}, {"f", "6", 6}}},
		{"the first separator counts", "a=b=c\nd:e=f\ng h=i", []entry{{"a", "b=c", 1}, {"d", "e=f", 2}, {"g", "h=i", 3}}},
		{"comments and blank lines", "# a=1\n! b=2\n\n   \t\n  # c=3\nd=4", []entry{{"d", "4", 6}}},
		{"a comment is not continued", "# a \\\nb=1", []entry{{"b", "1", 2}}},
		{"no comment behind a value", "a=1 # one", []entry{{"a", "1 # one", 1}}},
		{"white space around is trimmed", "  a  =  1  \t", []entry{{"a", "1", 1}}},
		{"no value", "a\nb=\nc :", []entry{{"a", "", 1}, {"b", "", 2}, {"c", "", 3}}},
		{"continued value", "a=1,\\\n    2,\\\n\t3\nb=4", []entry{{"a", "1,2,3", 1}, {"b", "4", 4}}},
		{"continued key", "long\\\n  Name=1", []entry{{"longName", "1", 1}}},
		{"continued by a line that looks like a comment", "a=1\\\n#2", []entry{{"a", "1#2", 1}}},
		{"a backslash alone continues nothing", "\\\n# a \\\nb=1\n\\\nc=2", []entry{{"b", "1", 3}, {"c", "2", 5}}},
		{"two backslashes continue nothing", "a=1\\\\\nb=2", []entry{{"a", `1\`, 1}, {"b", "2", 2}}},
		{"three do", "a=1\\\\\\\nb=2", []entry{{"a", `1\b=2`, 1}}},
		{"a blank line ends a continuation", "a=1\\\n\nb=2", []entry{{"a", "1", 1}, {"b", "2", 3}}},
		{"a backslash at the very end", "a=1\\", []entry{{"a", "1", 1}}},
		{"CRLF", "a=1\r\nb=2\\\r\n  3\r\n\r\nc=4\r\n", []entry{{"a", "1", 1}, {"b", "23", 2}, {"c", "4", 5}}},
		{"CR alone", "a=1\rb=2", []entry{{"a", "1", 1}, {"b", "2", 2}}},
		{"escapes", `a\=b\:c\ d=1\=2\:3` + "\n" + `p=C\:\\data\\zk`, []entry{{"a=b:c d", "1=2:3", 1}, {"p", `C:\data\zk`, 2}}},
		{"a backslash before anything else goes", `p=C:\data`, []entry{{"p", "C:data", 1}}},
		{"unicode", `\u0061=\u00e9\u4e16`, []entry{{"a", "é世", 1}}},
		{"bytes are Latin-1", "a=\xe9", []entry{{"a", "é", 1}}},
		{"no expansion", "a=${b}", []entry{{"a", "${b}", 1}}},
		{"a byte order mark is part of the key, as in Java", "\xef\xbb\xbfa=1", []entry{{"ï»¿a", "1", 1}}},
		{"an empty key is left out", "=1\n:2\na=3", []entry{{"a", "3", 3}}},
		{"duplicates stay, in order", "a=1\na=2", []entry{{"a", "1", 1}, {"a", "2", 2}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse("zoo.cfg", tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(entry{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	for _, text := range []string{`a=\u12`, `a=\uXYZW`, "b=1\nc\\u=1"} {
		if got, err := parse("zoo.cfg", text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

// FuzzLoad: whatever a file holds, Load answers with a Config or an *Error that names the file, and its parser agrees with the
// library on the whole text, where the library is right.
func FuzzLoad(f *testing.F) {
	f.Add("dataDir=./d\nclientPort=2181\n", "1")
	f.Add("dataDir=./d\ntickTime=abc\nserver.1=a:1:2;3|b:1:2:observer\ngroup.1=1:2\nweight.1=0\r\n", "")
	f.Add("a\\=b\\\n c=d\\\r\n\\u0041 = # !\n", "x")
	f.Add("dataDir=./d\nstandaloneEnabled=false\nserver.1=[::1]:1:2;[::1]:9\ninitLimit=1\nsyncLimit=1\n", "1")
	f.Fuzz(func(t *testing.T, text, myid string) {
		t.Chdir(t.TempDir())
		if err := os.WriteFile("zoo.cfg", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll("d", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("d/myid", []byte(myid), 0o644); err != nil {
			t.Fatal(err)
		}
		l := newLoader(nil)
		l.lookup = func(string) ([]string, error) { return nil, errors.New("no names here") }
		c, err := l.file("zoo.cfg")
		if err != nil {
			e, ok := err.(*Error)
			if !ok || e.Reason == "" || e.File == "" || e.ExitCode() < 1 || e.ExitCode() > 2 {
				t.Fatalf("not a good error: %#v", err)
			}
			return
		}
		if c.Options.DataDir == "" || c.Text != text {
			t.Fatalf("dataDir %q", c.Options.DataDir)
		}
		// The canonical text reads back, as long as it needs no escapes and no hexadecimal minus.
		plain := strings.IndexFunc(text, func(r rune) bool { return r <= ' ' && r != '\n' || r > '~' || r == '\\' }) < 0
		if c.Ensemble != nil && plain && c.Ensemble.Version >= 0 {
			again, err := parse("x", c.Ensemble.String())
			if err != nil {
				t.Fatalf("the canonical text cannot be parsed: %v\n%s", err, c.Ensemble)
			}
			if e, err := parseEnsemble("x", again, true); err != nil || e.String() != c.Ensemble.String() {
				t.Fatalf("the canonical text does not read back: %v\n%s", err, c.Ensemble)
			}
		}
		whole, err := (&properties.Loader{Encoding: properties.ISO_8859_1, DisableExpansion: true}).LoadBytes([]byte(text))
		if err != nil || strings.ContainsAny(text, "\r\\") {
			return // a continuation inside a key, or before CRLF, is where the library errs
		}
		entries, err := parse("x", text)
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]bool{}
		for _, k := range whole.Keys() {
			known[trim(k)] = true // as parse does: "0\a" is the key "0"
		}
		for _, e := range entries {
			if !known[e.key] {
				t.Fatalf("the library does not know %q", e.key)
			}
		}
	})
}
