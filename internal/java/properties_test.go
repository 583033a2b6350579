package java

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The rules of java.util.Properties.load, as far as a zoo.cfg can meet them.
func TestProperties(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []Entry
	}{
		{"nothing", "", nil},
		{"separators", "a=1\nb:2\nc 3\nd\t4\ne = 5\nf  :  6", []Entry{{"a", "1", 1}, {"b", "2", 2}, {"c", "3", 3}, {"d", "4", 4}, {"e", "5", 5}, {"f", "6", 6}}},
		{"the first separator counts", "a=b=c\nd:e=f\ng h=i", []Entry{{"a", "b=c", 1}, {"d", "e=f", 2}, {"g", "h=i", 3}}},
		{"comments and blank lines", "# a=1\n! b=2\n\n   \t\n  # c=3\nd=4", []Entry{{"d", "4", 6}}},
		{"a comment is not continued", "# a \\\nb=1", []Entry{{"b", "1", 2}}},
		{"no comment behind a value", "a=1 # one", []Entry{{"a", "1 # one", 1}}},
		{"white space around is trimmed", "  a  =  1  \t", []Entry{{"a", "1", 1}}},
		{"no value", "a\nb=\nc :", []Entry{{"a", "", 1}, {"b", "", 2}, {"c", "", 3}}},
		{"continued value", "a=1,\\\n    2,\\\n\t3\nb=4", []Entry{{"a", "1,2,3", 1}, {"b", "4", 4}}},
		{"continued key", "long\\\n  Name=1", []Entry{{"longName", "1", 1}}},
		{"continued by a line that looks like a comment", "a=1\\\n#2", []Entry{{"a", "1#2", 1}}},
		{"a backslash alone continues nothing", "\\\n# a \\\nb=1\n\\\nc=2", []Entry{{"b", "1", 3}, {"c", "2", 5}}},
		{"two backslashes continue nothing", "a=1\\\\\nb=2", []Entry{{"a", `1\`, 1}, {"b", "2", 2}}},
		{"three do", "a=1\\\\\\\nb=2", []Entry{{"a", `1\b=2`, 1}}},
		{"a blank line ends a continuation", "a=1\\\n\nb=2", []Entry{{"a", "1", 1}, {"b", "2", 3}}},
		{"a backslash at the very end", "a=1\\", []Entry{{"a", "1", 1}}},
		{"CRLF", "a=1\r\nb=2\\\r\n  3\r\n\r\nc=4\r\n", []Entry{{"a", "1", 1}, {"b", "23", 2}, {"c", "4", 5}}},
		{"CR alone", "a=1\rb=2", []Entry{{"a", "1", 1}, {"b", "2", 2}}},
		{"escapes", `a\=b\:c\ d=1\=2\:3` + "\n" + `p=C\:\\data\\zk`, []Entry{{"a=b:c d", "1=2:3", 1}, {"p", `C:\data\zk`, 2}}},
		{"a backslash before anything else goes", `p=C:\data`, []Entry{{"p", "C:data", 1}}},
		{"unicode", `\u0061=\u00e9\u4e16`, []Entry{{"a", "é世", 1}}},
		{"bytes are Latin-1", "a=\xe9", []Entry{{"a", "é", 1}}},
		{"no expansion", "a=${b}", []Entry{{"a", "${b}", 1}}},
		{"a byte order mark is part of the key, as in Java", "\xef\xbb\xbfa=1", []Entry{{"ï»¿a", "1", 1}}},
		{"an empty key is left out", "=1\n:2\na=3", []Entry{{"a", "3", 3}}},
		{"duplicates stay, in order", "a=1\na=2", []Entry{{"a", "1", 1}, {"a", "2", 2}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Properties(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	for _, text := range []string{`a=\u12`, `a=\uXYZW`, "b=1\nc\\u=1"} {
		if got, err := Properties(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}
