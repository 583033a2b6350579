package ensemble

import "testing"

// Ensemble protocol, section 8.2.
func TestFiles(t *testing.T) {
	c := must(t, "server.10=j:1:2\nserver.2=b:1:2:observer;9\nversion=100000000")
	for _, tt := range []struct{ what, got, want string }{
		{"the file", c.File(), "server.10=j:1:2:participant\nserver.2=b:1:2:observer;0.0.0.0:9"},
		{"the next one", c.NextFile(), "server.10=j:1:2:participant\nserver.2=b:1:2:observer;0.0.0.0:9\nversion=100000000"},
		{"the next one with groups", must(t, "server.1=a:1:2\ngroup.1=1").NextFile(), "group.1=1\nserver.1=a:1:2:participant\nversion=0\nweight.1=1"},
		{"its name", FileName("conf/zoo.cfg", c.Version), "conf/zoo.cfg.dynamic.100000000"},
		{"the next one's", NextFileName("conf/zoo.cfg"), "conf/zoo.cfg.dynamic.next"},
		{"the copy's", BackupFileName("conf/zoo.cfg"), "conf/zoo.cfg.bak"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.what, tt.got, tt.want)
		}
	}
}

func TestStaticFile(t *testing.T) {
	const members = "server.1=a:1:2\nserver.2 : b:1:2\\\n  ;9\n"
	for _, tt := range []struct {
		name, text, dynamic string
		drop                bool
		want                string
	}{
		{"members go, the rest stays", "# ours\ntickTime=2000\n" + members + "group.1=1:2\nweight.1=1\npeerType=observer\n\n! end\n", "/etc/zoo.cfg.dynamic.1", false,
			"# ours\ntickTime=2000\n\n! end\ndynamicConfigFile=/etc/zoo.cfg.dynamic.1\n"},
		{"the last file is replaced", "dynamicConfigFile=/old\ndataDir=/d", "/new", false, "dataDir=/d\ndynamicConfigFile=/new\n"},
		{"the client's port stays", "clientPort=1\nclientPortAddress=a\nclientPortListenBacklog=5", "/n", false,
			"clientPort=1\nclientPortAddress=a\nclientPortListenBacklog=5\ndynamicConfigFile=/n\n"},
		{"the client's port goes", "clientPort=1\nclientPortAddress=a\nclientPortListenBacklog=5", "/n", true,
			"clientPortListenBacklog=5\ndynamicConfigFile=/n\n"},
		{"a comment about a server", "#server.1=a:1:2", "/n", false, "#server.1=a:1:2\ndynamicConfigFile=/n\n"},
		{"nothing", "", "/n", false, "dynamicConfigFile=/n\n"},
		{"a name that needs escapes", "", `C:\zk é`, false, "dynamicConfigFile=C:\\\\zk \\u00e9\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := StaticFile(tt.text, tt.dynamic, tt.drop); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}
