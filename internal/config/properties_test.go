package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScanFlags(t *testing.T) {
	for _, tt := range []struct {
		flags string
		want  map[string]string
	}{
		{"", map[string]string{}},
		{"-Xmx1000m -XX:+UseG1GC -server", map[string]string{}},
		{"-Dzookeeper.snapCount=5", map[string]string{"zookeeper.snapCount": "5"}},
		{"-Xmx1g  -Da=1\t-Db=2\n-Dc=3", map[string]string{"a": "1", "b": "2", "c": "3"}},
		{"-D a=1 -D b=2", map[string]string{"a": "1", "b": "2"}},
		{"-Da=1 -Da=2", map[string]string{"a": "2"}},
		{"-Da", map[string]string{"a": ""}},
		{"-Da=", map[string]string{"a": ""}},
		{"-Da=b=c", map[string]string{"a": "b=c"}},
		{"-D", map[string]string{}},
		{"-D=x", map[string]string{}},
		{`-Da="x y" -Db='p "q"' "-Dc=d e"`, map[string]string{"a": "x y", "b": `p "q"`, "c": "d e"}},
		{`-Da=x\ y -Db=\"z\" -Dc='\'`, map[string]string{"a": "x y", "b": `"z"`, "c": `\`}},
		{`-Da="" -Db=1`, map[string]string{"a": "", "b": "1"}},
		{`-Da="open to the end`, map[string]string{"a": "open to the end"}},
		{`-XX:OnOutOfMemoryError='kill -9 %p' -Da=1`, map[string]string{"a": "1"}},
	} {
		if diff := cmp.Diff(tt.want, ScanFlags(tt.flags)); diff != "" {
			t.Errorf("%q (-want +got)\n%s", tt.flags, diff)
		}
	}
}

func TestEnviron(t *testing.T) {
	got := Environ(func(name string) string {
		return map[string]string{"SERVER_JVMFLAGS": "-Da=1 -Db=1", "JVMFLAGS": "-Db=2 -Dc=2", "CLIENT_JVMFLAGS": "-Dd=3"}[name]
	})
	if diff := cmp.Diff(Properties{"a": "1", "b": "2", "c": "2"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSplitArgs(t *testing.T) {
	rest, p := SplitArgs([]string{"-Da=1", "zoo.cfg", "-D", "b=2", "--", "-Dc=3"})
	if diff := cmp.Diff([]string{"zoo.cfg", "-Dc=3"}, rest); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(Properties{"a": "1", "b": "2"}, p); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
