package script_test

import (
	"reflect"
	"testing"

	"github.com/zooid-io/zooid/internal/script"
)

const sample = `# About the file.

# About the case.
case one server=base own
a create "/x y"
  ok
  a: notice
# between
a get /x
  no node (-101)
  zooid[late]: ok
  zooid[late]:

case two
b ping
`

func TestParseAndRewrite(t *testing.T) {
	f, err := script.Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	if f.String() != sample {
		t.Errorf("rewritten:\n%s", f.String())
	}
	if len(f.Head) != 2 || len(f.Cases) != 2 || f.Cases[0].Name != "one" || f.Cases[0].Settings["server"] != "base" {
		t.Errorf("%+v", f)
	}
	if _, own := f.Cases[0].Settings["own"]; !own {
		t.Error("a setting without a value is lost")
	}
	s := f.Cases[0].Steps[1]
	if want, own := s.For("zooid"); !own || !reflect.DeepEqual(want, []string{"ok", ""}) {
		t.Errorf("zooid: %q %v", want, own)
	}
	if want, own := s.For("apache"); own || !reflect.DeepEqual(want, []string{"no node (-101)"}) {
		t.Errorf("apache: %q %v", want, own)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, bad := range []string{"a step", "  result", "case", "case \n  x", "case x\n y", "case x\ns\n  zooid[a]: b\n  c"} {
		if f, err := script.Parse(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, f)
		}
	}
}

func TestWords(t *testing.T) {
	words, quoted, err := script.Words(`a set "/x \" y"  v=1 data="p q"~ ~`)
	if err != nil || !reflect.DeepEqual(words, []string{"a", "set", `/x " y`, "v=1", "data=p q~", "~"}) {
		t.Errorf("%q %v", words, err)
	}
	if !reflect.DeepEqual(quoted, []bool{false, false, true, false, false, false}) {
		t.Error(quoted)
	}
	if _, _, err := script.Words(`a "open`); err == nil {
		t.Error("an open quote was taken")
	}
}
