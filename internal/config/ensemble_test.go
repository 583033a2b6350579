package config

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zooid-io/zooid/internal/ensemble"
)

const wrongForm = " does not have the form server_config or server_config;client_config where server_config is the pipe separated" +
	" list of host:port:port or host:port:port:type and client_config is port or host:port"

// The rules of operations, section 1.3, with Apache's messages. Every line stands alone in line 1.
func TestServerLineFaults(t *testing.T) {
	form := func(value string) string { return value + wrongForm }
	const several = "Multiple address feature is disabled, but multiple addresses were specified for sid 1"
	for _, tt := range []struct {
		line         string
		multiAddress bool
		reason       string
	}{
		{"server.1=host", false, form("host")},
		{"server.1=host:1", false, form("host:1")},
		{"server.1=host:1:2:observer:5", false, form("host:1:2:observer:5")},
		{"server.1=", false, form("")},
		{"server.1=;2181", false, form(";2181")},
		{"server.1=h:1:2;2181;2281", false, form("h:1:2;2181;2281")},
		{"server.1=h:1:2;a:b:c", false, form("h:1:2;a:b:c")},
		{"server.1=h:1:1", false, "Client and election port must be different! Please update the configuration file on server.1"},
		{"server.1=h:x:2", false, "Address unresolved: h:x"},
		{"server.1=h:1:y", false, "Address unresolved: h:y"},
		{"server.1=h:1:2;c:z", false, "Address unresolved: c:z"},
		{"server.1=h:1:70000", false, "port out of range:70000"},
		{"server.1=h:1:2:leader", false, "Unrecognised peertype: leader"},
		{"server.1=h:1:2|i:1:2", false, several},
		{"server.1=h:1:2:observer|i:1:2:participant", true, "Multiple addresses should have similar roles: OBSERVER vs PARTICIPANT"},
		{"server.1=[::1:1:2", false, "[::1:1:2 starts with '[' but has no matching ']:'"},
		{"server.1=[::1]:", false, "[::1]: doesn't have a port after colon"},
		{"server.one=h:1:2", false, `For input string: "one"`},
		{"server.99999999999999999999=h:1:2", false, `For input string: "99999999999999999999"`},
		{"group.x=1", false, `For input string: "x"`},
		{"groups=1", false, `For input string: "groups"`},
		{"group.1=1:x", false, `For input string: "x"`},
		{"group.1=1:2:1", false, "Server 1is in multiple groups"},
		{"weight.1=-1", false, "a weight is between 0 and 2147483647"},
		{"weight.1=heavy", false, `For input string: "heavy"`},
		{"version=xyz", false, `For input string: "xyz" under radix 16`},
	} {
		t.Run(tt.line, func(t *testing.T) {
			entries, err := parse("zoo.cfg", tt.line)
			if err != nil {
				t.Fatal(err)
			}
			_, err = parseEnsemble("zoo.cfg", entries, tt.multiAddress)
			checkError(t, err, 1, entries[0].Key, tt.reason, 2)
		})
	}
}

// What an ensemble as a whole must be; the place is the line that is to blame.
func TestMemberFaults(t *testing.T) {
	const limits = "initLimit=5\nsyncLimit=2\n"
	for _, tt := range []struct {
		name, lines, myid string
		line              int
		key, reason       string
	}{
		{"observers alone", "server.1=a:1:2:observer", "", 2, "server.1", "Observers w/o participants is an invalid configuration"},
		{"one participant with an observer", "server.1=a:1:2\nserver.2=b:1:2:observer", "", 3, "server.2", "Observers w/o quorum is an invalid configuration"},
		{"nobody, and not alone", "standaloneEnabled=false", "", 2, "standaloneEnabled", "standaloneEnabled = false then number of participants should be >0"},
		{"without a group", limits + "server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1", "1", 5, "server.2", "Server 2is not in a group"},
		{"another client port", "clientPort=2181\nserver.1=a:1:2;2182", "1", 2, "clientPort",
			"client address for this server (id = 1) in static config file is 0.0.0.0/0.0.0.0:2181 is different from client address found in dynamic file: 0.0.0.0/0.0.0.0:2182"},
		{"another client address", "clientPort=2181\nclientPortAddress=127.0.0.1\nserver.1=a:1:2;127.0.0.2:2181", "1", 2, "clientPort",
			"client address for this server (id = 1) in static config file is /127.0.0.1:2181 is different from client address found in dynamic file: /127.0.0.2:2181"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"zoo.cfg": "dataDir=./d\n" + tt.lines}
			if tt.myid != "" {
				files["d/myid"] = tt.myid
			}
			write(t, files)
			_, err := Load("./zoo.cfg", nil)
			checkError(t, err, tt.line, tt.key, tt.reason, 2)
		})
	}
}

func TestEnsembleText(t *testing.T) {
	for _, tt := range []struct{ name, lines, want string }{
		{"a server", "server.1=127.0.0.1:2888:3888;2181", "server.1=127.0.0.1:2888:3888:participant;0.0.0.0:2181\nversion=0"},
		{"roles in any case", "server.2=a:1:2:OBSERVER\nserver.1=a:1:2:Participant", "server.1=a:1:2:participant\nserver.2=a:1:2:observer\nversion=0"},
		{"addresses by host", "server.1=b:1:2|a:3:4;c:9", "server.1=a:3:4:participant|b:1:2:participant;c:9\nversion=0"},
		{"IPv6", "server.1=[::1]:1:2;[::]:2181", "server.1=[::1]:1:2:participant;[::]:2181\nversion=0"},
		{"nothing behind the semicolon", "server.1=a:1:2;", "server.1=a:1:2:participant\nversion=0"},
		{"negative and large ids", "server.-3=a:1:2\nserver.9223372036854775807=b:1:2", "server.-3=a:1:2:participant\nserver.9223372036854775807=b:1:2:participant\nversion=0"},
		{"one server spelled twice", "server.1=a:1:2\nserver.01=b:1:2", "server.1=b:1:2:participant\nversion=0"},
		{"groups", "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2:observer\ngroup.1=1:2\nweight.2=0",
			"server.1=a:1:2:participant\nserver.2=b:1:2:participant\nserver.3=c:1:2:observer\ngroup.1=1:2\nweight.1=1\nweight.2=0\nversion=0"},
		{"version", "version=1f", "version=1f"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			entries, err := parse("zoo.cfg", tt.lines)
			if err != nil {
				t.Fatal(err)
			}
			e, err := parseEnsemble("zoo.cfg", entries, true)
			if err != nil {
				t.Fatal(err)
			}
			if e.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", e, tt.want)
			}
		})
	}
}

// zoo.cfg with its dynamic file and the one that was proposed: operations, section 1.4.
func TestDynamicFile(t *testing.T) {
	write(t, map[string]string{
		"zoo.cfg":              "dataDir=./d\ndynamicConfigFile=./zoo.cfg.dynamic.1a\n",
		"zoo.cfg.dynamic.1a":   "server.1=a:1:2;127.0.0.1:2183\n",
		"zoo.cfg.dynamic.next": "server.1=a:1:2\nserver.2=b:1:2\nversion=1b\n",
		"d/myid":               "1\n",
	})
	c, err := Load("./zoo.cfg", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Ensemble.String(), "server.1=a:1:2:participant;127.0.0.1:2183\nversion=1a"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := c.Next.String(), "server.1=a:1:2:participant\nserver.2=b:1:2:participant\nversion=1b"; got != want {
		t.Errorf("next: got %s, want %s", got, want)
	}
	if c.Options.ClientAddr != "127.0.0.1:2183" || c.MyID != 1 || c.EnsembleFile != "./zoo.cfg.dynamic.1a" {
		t.Errorf("got %+v", c)
	}
}

func TestDynamicFileFaults(t *testing.T) {
	for _, tt := range []struct {
		name, cfg, dynamic string
		file               string
		line               int
		key, reason        string
	}{
		{"servers beside it", "server.1=a:1:2\ndynamicConfigFile=./dyn", "", "./zoo.cfg", 2, "server.1", "parameter: server.1 must be in a separate dynamic config file"},
		{"groups beside it", "dynamicConfigFile=./dyn\ngroup.1=1", "", "./zoo.cfg", 3, "group.1", "parameter: group.1 must be in a separate dynamic config file"},
		{"weights beside it", "dynamicConfigFile=./dyn\nweight.1=1", "", "./zoo.cfg", 3, "weight.1", "parameter: weight.1 must be in a separate dynamic config file"},
		{"another key inside", "dynamicConfigFile=./dyn", "server.1=a:1:2\nfoo=1", "./dyn", 2, "foo", "Unrecognised parameter: foo"},
		{"version inside", "dynamicConfigFile=./dyn", "version=1\nfoo=1", "./dyn", 1, "version", "dynamic file shouldn't have version inside"},
		{"a bad line inside", "dynamicConfigFile=./dyn", "\nserver.1=a", "./dyn", 2, "server.1", "a" + wrongForm},
		{"no such file", "dynamicConfigFile=./none", "", "./zoo.cfg", 2, "dynamicConfigFile", "Error processing ./none: no such file or directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			write(t, map[string]string{"zoo.cfg": "dataDir=./d\n" + tt.cfg, "dyn": tt.dynamic})
			_, err := Load("./zoo.cfg", nil)
			checkError(t, err, tt.line, tt.key, tt.reason, 2)
			if e := err.(*Error); e.File != tt.file {
				t.Errorf("file %s, want %s", e.File, tt.file)
			}
		})
	}
}

func TestDynamicVersion(t *testing.T) {
	for name, want := range map[string]int64{
		"zoo.cfg.dynamic.100000000": 0x100000000, "zoo.cfg.dynamic.0": 0, "zoo.cfg.dynamic": 0, "./conf.d/dynamic": 0, "x.ffffffffffffffff": 0, "plain": 0,
	} {
		if got := dynamicVersion(name); got != want {
			t.Errorf("%s: got %x, want %x", name, got, want)
		}
	}
}

// multiAddress.enabled works from both places; in Apache only the -D reaches the server lines.
func TestMultiAddress(t *testing.T) {
	const line = "server.1=a:1:2|b:1:2\n"
	for _, tt := range []struct {
		cfg string
		sys Properties
		ok  bool
	}{
		{line, nil, false},
		{line + "multiAddress.enabled=true", nil, true},
		{line, Properties{"zookeeper.multiAddress.enabled": "true"}, true},
	} {
		if _, err := load(t, tt.cfg, tt.sys); (err == nil) != tt.ok {
			t.Errorf("%q %v: %v", tt.cfg, tt.sys, err)
		}
	}
}

// Warnings about the number of members come before their refusal, so they can only be seen one level down.
func TestCountWarnings(t *testing.T) {
	for n, want := range map[int]string{
		1: "Invalid configuration, only one server specified (ignoring)",
		2: "No server failure will be tolerated. You need at least 3 servers.",
		3: "",
		4: "Non-optimal configuration, consider an odd number of servers.",
	} {
		l := newLoader(nil)
		if err := l.checkCounts(&ensemble.Config{Members: make([]ensemble.Member, n)}); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range l.Warnings {
			got = append(got, w.Text)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestMyIDIsReadAsItStands(t *testing.T) {
	for text, want := range map[string]int64{"3": 3, "3\n": 3, "3\r\n": 3, "-2\nmore\n": -2} {
		write(t, map[string]string{"zoo.cfg": "dataDir=./d", "d/myid": text})
		c, err := Load("./zoo.cfg", nil)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, c.MyID); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	write(t, map[string]string{"zoo.cfg": "dataDir=./d"})
	if err := os.Mkdir("d", 0o755); err != nil {
		t.Fatal(err)
	}
	if c, err := Load("./zoo.cfg", nil); err != nil || c.MyID != NoID {
		t.Errorf("without the file: %v, %v", c, err)
	}
}
