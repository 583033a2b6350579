package java

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"", []string{""}}, {":", []string{}}, {"a", []string{"a"}}, {"a:b", []string{"a", "b"}}, {":a", []string{"", "a"}}, {"a::b::", []string{"a", "", "b"}},
	} {
		if diff := cmp.Diff(tt.want, Split(tt.text, ":")); diff != "" {
			t.Errorf("%q: %s", tt.text, diff)
		}
	}
}

func TestInt(t *testing.T) {
	for _, tt := range []struct {
		text       string
		base, bits int
		want       int64
		fault      string
	}{
		{"12", 10, 32, 12, ""}, {"+12", 10, 32, 12, ""}, {"-012", 10, 32, -12, ""}, {"1f", 16, 64, 31, ""},
		{"2147483648", 10, 64, 2147483648, ""}, {"2147483648", 10, 32, 0, `For input string: "2147483648"`},
		{"", 10, 32, 0, `For input string: ""`}, {" 1", 10, 32, 0, `For input string: " 1"`}, {"1_0", 10, 32, 0, `For input string: "1_0"`},
		{"0x1", 16, 64, 0, `For input string: "0x1" under radix 16`},
	} {
		got, err := Int(tt.text, tt.base, tt.bits)
		if got != tt.want || (err == nil) != (tt.fault == "") || err != nil && err.Error() != tt.fault {
			t.Errorf("%q: got %d, %v", tt.text, got, err)
		}
	}
}

func TestTrim(t *testing.T) {
	if got := Trim(" \x00\t a b\u00a0\r\n"); got != "a b\u00a0" {
		t.Errorf("got %q", got)
	}
}

func TestEscapeReadsBack(t *testing.T) {
	for _, value := range []string{"", "/etc/zoo.cfg", `C:\zk\conf`, `\\host\x`, "a b = c : #!", "é世", "tab\tinside", `\u0041`} {
		got, err := Properties("k=" + Escape(value))
		if err != nil || len(got) != 1 || got[0].Value != value {
			t.Errorf("%q: got %v, %v from %s", value, got, err, Escape(value))
		}
	}
}

func TestLast(t *testing.T) {
	in := []Entry{{"a", "1", 1}, {"b", "2", 2}, {"a", "3", 3}, {"c", "4", 4}, {"a", "5", 5}}
	var passed []int
	got := Last(in, func(e, counts Entry) {
		if counts.Line != 5 {
			t.Errorf("line %d: %v counts", e.Line, counts)
		}
		passed = append(passed, e.Line)
	})
	if diff := cmp.Diff([]Entry{{"b", "2", 2}, {"c", "4", 4}, {"a", "5", 5}}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{1, 3}, passed); diff != "" {
		t.Error(diff)
	}
}

func TestWithout(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"a line", "a=1\ngone=2\nb=3\n", "a=1\nb=3\n"},
		{"at the end", "a=1\ngone=2", "a=1"},
		{"comments and blank lines stay", "# gone=1\n\n  ! x\ngone 1\n", "# gone=1\n\n  ! x\n"},
		{"a continued line", "gone=1,\\\n  2,\\\n  3\na=1\\\n  gone=4\n", "a=1\\\n  gone=4\n"},
		{"continued to the text's end", "a=1\ngone=2\\", "a=1"},
		{"other spellings", "\\u0067one=1\n gone : 2\ngoner=3\n", "goner=3\n"},
		{"CRLF", "a=1\r\ngone=2\r\nb=3\r\n", "a=1\nb=3\n"},
		{"what cannot be read stays", "gone\\u1=1\ngone=1\n", "gone\\u1=1\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Without(tt.text, func(key string) bool { return key == "gone" }); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzWithout: what is left reads as before, less the one key.
func FuzzWithout(f *testing.F) {
	f.Add("a=1\ngone=2\\\n 3\r\n# x\\\nb:4\\", "gone")
	f.Add("\\\n\\\na\\=b 1", "a=b")
	f.Fuzz(func(t *testing.T, text, key string) {
		before, err := Properties(text)
		if err != nil {
			return
		}
		rest := Without(text, func(k string) bool { return k == key })
		after, err := Properties(rest)
		if err != nil {
			t.Fatalf("%q: %v", rest, err)
		}
		want := ""
		for _, e := range before {
			if e.Key != key {
				want += e.Key + "=" + e.Value + "\n"
			}
		}
		var got strings.Builder
		for _, e := range after {
			got.WriteString(e.Key + "=" + e.Value + "\n")
		}
		if got.String() != want {
			t.Fatalf("%q without %q: got\n%s\nwant\n%s", text, key, got.String(), want)
		}
	})
}
