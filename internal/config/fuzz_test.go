package config

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/magiconair/properties"

	"github.com/zooid-io/zooid/internal/java"
)

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
			known[java.Trim(k)] = true // as parse does: "0\a" is the key "0"
		}
		for _, e := range entries {
			if !known[e.Key] {
				t.Fatalf("the library does not know %q", e.Key)
			}
		}
	})
}
