package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zooid-io/zooid/internal/server"
)

// write puts files into a fresh directory and makes it the working directory, so that the tests' paths are short and relative.
func write(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// load reads lines as ./zoo.cfg, whose first line is dataDir=./data.
func load(t *testing.T, lines string, sys Properties) (*Config, error) {
	t.Helper()
	write(t, map[string]string{"zoo.cfg": "dataDir=./data\n" + lines})
	return Load("./zoo.cfg", sys)
}

func mustLoad(t *testing.T, lines string, sys Properties) *Config {
	t.Helper()
	c, err := load(t, lines, sys)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// hasWarning finds a warning by its place, "line: key", and a part of its text.
func hasWarning(c *Config, line int, key, text string) bool {
	return slices.ContainsFunc(c.Warnings, func(w Warning) bool {
		return w.Line == line && w.Key == key && strings.Contains(w.Text, text)
	})
}

// What Apache refuses, and how: operations, section 1.1.
func TestStartupFailures(t *testing.T) {
	three := "initLimit=5\nsyncLimit=2\nserver.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\n"
	for _, tt := range []struct {
		name   string
		files  map[string]string
		line   int
		key    string
		reason string
		exit   int
	}{
		{"no file", nil, 0, "", "./zoo.cfg file is missing", 2},
		{"no dataDir", map[string]string{"zoo.cfg": "clientPort=2181\n"}, 0, "dataDir", "dataDir is not set", 2},
		{"no number", map[string]string{"zoo.cfg": "dataDir=./d\n\ntickTime=abc\n"}, 3, "tickTime", `For input string: "abc"`, 2},
		{"no number at all", map[string]string{"zoo.cfg": "dataDir=./d\ninitLimit\n"}, 2, "initLimit", `For input string: ""`, 2},
		{"too large a number", map[string]string{"zoo.cfg": "dataDir=./d\nmaxClientCnxns=2147483648\n"}, 2, "maxClientCnxns", `For input string: "2147483648"`, 2},
		{"hexadecimal where Java reads decimal", map[string]string{"zoo.cfg": "dataDir=./d\nclientPort=0x885\n"}, 2, "clientPort", `For input string: "0x885"`, 2},
		{"a port out of range", map[string]string{"zoo.cfg": "dataDir=./d\nclientPort=65536\n"}, 2, "clientPort", "port out of range:65536", 2},
		{"tickTime 0", map[string]string{"zoo.cfg": "dataDir=./d\ntickTime=0\n"}, 2, "tickTime", "tickTime is not set", 2},
		{"a word that is no boolean", map[string]string{"zoo.cfg": "dataDir=./d\nreconfigEnabled=yes\n"}, 2, "reconfigEnabled", "Invalid option yes for reconfigEnabled. Choose 'true' or 'false.'", 2},
		{"timeouts crossed", map[string]string{"zoo.cfg": "dataDir=./d\nminSessionTimeout=9\nmaxSessionTimeout=8\n"}, 2, "minSessionTimeout", "minSessionTimeout must not be larger than maxSessionTimeout", 2},
		{"timeouts crossed with a default", map[string]string{"zoo.cfg": "dataDir=./d\nmaxSessionTimeout=5999\n"}, 2, "maxSessionTimeout", "minSessionTimeout must not be larger than maxSessionTimeout", 2},
		{"address without port", map[string]string{"zoo.cfg": "dataDir=./d\nclientPortAddress=127.0.0.1\n"}, 2, "clientPortAddress", "clientPortAddress is set but clientPort is not set", 2},
		{"secure address without port", map[string]string{"zoo.cfg": "dataDir=./d\nsecureClientPortAddress=127.0.0.1\n"}, 2, "secureClientPortAddress", "secureClientPortAddress is set but secureClientPort is not set", 2},
		{"electionAlg", map[string]string{"zoo.cfg": "dataDir=./d\nelectionAlg=0\n"}, 2, "electionAlg", "Invalid electionAlg value. Only 3 is supported.", 2},
		{"peerType", map[string]string{"zoo.cfg": "dataDir=./d\npeerType=foo\n"}, 2, "peerType", "Unrecognised peertype: foo", 2},
		{"metrics", map[string]string{"zoo.cfg": "dataDir=./d\nmetricsProvider.className=com.example.Mine\n"}, 2, "metricsProvider.className", "metrics provider class was not found", 2},
		{"a malformed escape", map[string]string{"zoo.cfg": "dataDir=./d\nx=\\u12g4\n"}, 2, "", `Malformed \uxxxx encoding.`, 2},
		{"a foreign transport", map[string]string{"zoo.cfg": "dataDir=./d\nserverCnxnFactory=x.Y\n"}, 2, "serverCnxnFactory", "Couldn't instantiate x.Y", 1},
		{"an unknown digest", map[string]string{"zoo.cfg": "dataDir=./d\nDigestAuthenticationProvider.digestAlg=CRC\n"}, 2, "DigestAuthenticationProvider.digestAlg", "don't support this ACL digest algorithm: CRC in the current environment", 1},
		{"enforced auth without schemes", map[string]string{"zoo.cfg": "dataDir=./d\nenforce.auth.enabled=true\n"}, 2, "enforce.auth.enabled", "zookeeper.enforce.auth.enabled is true zookeeper.enforce.auth.schemes must be  configured.", 2},
		{"enforced auth with a scheme that is not there", map[string]string{"zoo.cfg": "dataDir=./d\nenforce.auth.schemes=digest,sasl\nenforce.auth.enabled=true\n"}, 2, "enforce.auth.schemes", "Authentication scheme sasl is not available.", 2},

		{"quorum without initLimit", map[string]string{"zoo.cfg": "dataDir=./d\nsyncLimit=2\nserver.1=a:1:2\nserver.2=b:1:2\n"}, 0, "initLimit", "initLimit is not set", 2},
		{"quorum without syncLimit", map[string]string{"zoo.cfg": "dataDir=./d\ninitLimit=2\nserver.1=a:1:2\nserver.2=b:1:2\n"}, 0, "syncLimit", "syncLimit is not set", 2},
		{"quorum without myid", map[string]string{"zoo.cfg": "dataDir=./d\n" + three}, 6, "server.3", "myid file is missing", 2},
		{"bad myid", map[string]string{"zoo.cfg": "dataDir=./d\n", "d/myid": "x\n"}, 1, "", "serverid x is not a number", 2},
		{"empty myid", map[string]string{"zoo.cfg": "dataDir=./d\n", "d/myid": ""}, 1, "", "serverid null is not a number", 2},
		{"my id is not listed", map[string]string{"zoo.cfg": "dataDir=./d\n" + three, "d/myid": "5\n"}, 6, "server.3", "My id 5 not in the peer list", 1},
		{"my id is too large for TTL nodes", map[string]string{"zoo.cfg": "dataDir=./d\nextendedTypesEnabled=true\n" + three, "d/myid": "255\n"}, 2, "extendedTypesEnabled", "extendedTypesEnabled is true but Server ID is too large. Cannot be larger than 254", 1},

		{"SASL between members, server without switch", map[string]string{"zoo.cfg": "dataDir=./d\nquorum.auth.serverRequireSasl=true\n"}, 2, "quorum.auth.serverRequireSasl", "quorum.auth.enableSasl is disabled, so cannot enable quorum.auth.serverRequireSasl", 2},
		{"SASL between members, learner without switch", map[string]string{"zoo.cfg": "dataDir=./d\nquorum.auth.learnerRequireSasl=true\n"}, 2, "quorum.auth.learnerRequireSasl", "quorum.auth.enableSasl is disabled, so cannot enable quorum.auth.learnerRequireSasl", 2},
		{"SASL between members, server without learner", map[string]string{"zoo.cfg": "dataDir=./d\nquorum.auth.serverRequireSasl=true\nquorum.auth.enableSasl=true\n"}, 2, "quorum.auth.serverRequireSasl", "quorum.auth.learnerRequireSasl is disabled, so cannot enable quorum.auth.serverRequireSasl", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			write(t, tt.files)
			_, err := Load("./zoo.cfg", nil)
			checkError(t, err, tt.line, tt.key, tt.reason, tt.exit)
		})
	}
}

func checkError(t *testing.T, err error, line int, key, reason string, exit int) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error: %s", err, reason)
	}
	if e.Line != line || e.Key != key || e.Reason != reason || e.ExitCode() != exit || e.File == "" {
		t.Errorf("got  line %d, key %q, exit %d: %s\nwant line %d, key %q, exit %d: %s", e.Line, e.Key, e.ExitCode(), e.Reason, line, key, exit, reason)
	}
}

func TestErrorNamesThePlace(t *testing.T) {
	_, err := load(t, "tickTime=abc", nil)
	if want := `Error processing ./zoo.cfg:2: tickTime: For input string: "abc"`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = load(t, "", Properties{"zookeeper.connection_throttle_drop_increase": "much"})
	if want := `Error processing command line: -Dzookeeper.connection_throttle_drop_increase: For input string: "much"`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// two is an ensemble, as lines of zoo.cfg.
const two = "initLimit=5\nsyncLimit=2\nserver.1=a:1:2\nserver.2=b:1:2\n"

// What this release must not start without: every one would leave a door open that the operator believes shut.
func TestRefused(t *testing.T) {
	for _, line := range []string{
		"secureClientPort=2281",
		"secureClientPort=2281\nsecureClientPortAddress=127.0.0.1",
		"client.portUnification=true",
		"sessionRequireClientSASLAuth=true",
		"ssl.clientAuth=need",
		"ssl.clientAuth=want",
		"ssl.crl=true",
		"ssl.quorum.ocsp=true",
		"ssl.context.supplier.class=x.Y",
		"ssl.keyStore.type=bcfks",
		"ssl.protocol=SSLv3",
		"ssl.enabledProtocols=TLSv1.3,TLSv1.1",
		"ssl.ciphersuites=TLS_AES_128_GCM_SHA256,SSL_RSA_WITH_RC4_128_MD5",
		"quorum.auth.enableSasl=true",
		"authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
		"authProvider.sasl=com.example.Mine",
		"java.security.auth.login.config=jaas.conf",
		"oraclePath=./o",
		two + "sslQuorum=true",
		two + "portUnification=true",
	} {
		t.Run(line, func(t *testing.T) {
			write(t, map[string]string{"zoo.cfg": "dataDir=./data\n" + line, "data/myid": "1"})
			_, err := Load("./zoo.cfg", nil)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a refusal", err)
			}
			if e.ExitCode() != 2 || e.Line < 2 || e.Key == "" {
				t.Errorf("got %v, exit %d; want exit 2, a line and a key", err, e.ExitCode())
			}
		})
	}
	for _, line := range []string{ // the same keys, asking for nothing
		"client.portUnification=false", "sessionRequireClientSASLAuth=no", "ssl.clientAuth=none", "ssl.crl=false", "quorum.auth.enableSasl=false",
		"ssl.ciphersuites=TLS_AES_128_GCM_SHA256", "ssl.protocol=TLSv1.2",
		"sslQuorum=true", "portUnification=true", // they ask for nothing of a server alone
	} {
		t.Run(line, func(t *testing.T) { mustLoad(t, line, nil) })
	}
}

func TestApacheFaultComesBeforeRefusal(t *testing.T) {
	_, err := load(t, "secureClientPort=2281\ntickTime=0", nil)
	checkError(t, err, 3, "tickTime", "tickTime is not set", 2)
}

func TestOptionsOfAFile(t *testing.T) {
	got := mustLoad(t, `# a server as people run it
dataLogDir = ./log
clientPort: 2182
clientPortAddress 127.0.0.1
tickTime=2000
initLimit=10
syncLimit=5
maxSessionTimeout=60000
maxClientCnxns=0
autopurge.purgeInterval=24
autopurge.snapRetainCount=5
forceSync=no
preAllocSize=64
snapCount=1
snapSizeLimitInKb=0
txnLogSizeLimitInKb=1024
fsync.warningthresholdms=50
snapshot.compression.method=GZ
4lw.commands.whitelist=stat, ruok,, isro
jute.maxbuffer=0x400000
skipACL=YES
DigestAuthenticationProvider.superDigest=super:abc=
superUser=bob
superUser.2=eve
authProvider.1=org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider
enforce.auth.enabled=true
enforce.auth.schemes= digest , ensemble
request_throttle_max_requests=7
throttledOpWaitTime=30
connectionMaxTokens=9
connection_throttle_local_session_weight=5
znode.container.checkIntervalMs=010
extendedTypesEnabled=TRUE
`, nil).Options
	want := server.Default()
	want.DataDir, want.DataLogDir = "./data", "./log"
	want.ClientAddr = "127.0.0.1:2182"
	want.TickTime, want.MaxSessionTimeout = 2*time.Second, time.Minute
	want.MaxClientCnxns = 0
	want.PurgeInterval, want.PurgeRetain = 24*time.Hour, 5
	want.ForceSync = false
	want.PreAllocSize, want.SnapCount, want.SnapSizeLimit, want.LogSizeLimit = 64<<10, 2, 0, 1<<20
	want.FsyncWarning = 50 * time.Millisecond
	want.SnapshotMethod = "gz"
	want.FourLetterWords = []string{"stat", "ruok", "isro", "srvr"}
	want.MaxFrame, want.MaxExtra = 4<<20, 4<<20
	want.SuperDigest = "super:abc="
	want.SaslSuperUsers = []string{"bob", "eve"}
	want.EnsembleAuth = true
	want.EnforceAuth = []string{"digest", "ensemble"}
	want.RequestThrottleMax, want.ThrottledOpWait = 7, 30*time.Millisecond
	want.ConnThrottle.Tokens = 9
	want.ConnThrottle.LocalWeight, want.ConnThrottle.GlobalWeight, want.ConnThrottle.RenewWeight = 5, 5, 5
	want.ContainerCheckInterval = 8 * time.Millisecond // Integer.decode reads octal
	want.ExtendedTypes = true
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Each key's default, given by hand, changes nothing: Default() and the table agree with each other.
func TestDefaultsChangeNothing(t *testing.T) {
	read := func(lines string) server.Options {
		write(t, map[string]string{"zoo.cfg": "dataDir=./data\n" + two + lines, "data/myid": "1"})
		c, err := Load("./zoo.cfg", nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Options
	}
	bare := read("")
	var n int
	for _, k := range Keys() {
		if k.Action != Honoured || strings.HasPrefix(k.Default, "(") || strings.HasSuffix(k.Name, "*") {
			continue
		}
		n++
		if got := read(k.Name + "=" + k.Default); !reflect.DeepEqual(got, bare) {
			t.Errorf("%s=%s is not the default:\n%s", k.Name, k.Default, cmp.Diff(bare, got))
		}
	}
	if n < 50 {
		t.Errorf("only %d keys were tried", n)
	}
}

// Every honoured key is honoured: some value of it changes what Load gives.
func TestHonouredKeysChangeSomething(t *testing.T) {
	values := map[string]string{ // where none of the general ones fits
		"dataDir": "./other", "clientPortAddress": "127.0.0.1", "snapshot.compression.method": "snappy", "digestAlg": "MD5",
		"DigestAuthenticationProvider.digestAlg": "MD5", "authProvider.*": authPackage + "EnsembleAuthenticationProvider",
		"enforce.auth.schemes": "ip", "server.*": "a:1:2", "group*": "1", "weight*": "7", "version": "7", "dynamicConfigFile": "./dyn",
		"standaloneEnabled": "false", "multiAddress.enabled": "true", "jute.maxbuffer": "7",
		"snapshotSizeFactor": "0.5",
	}
	context := map[string]string{ // what a key needs beside it to show
		"clientPortAddress": "clientPort=1\n", "enforce.auth.enabled": "enforce.auth.schemes=ip\n", "enforce.auth.schemes": "enforce.auth.enabled=true\n",
		"version": "server.1=a:1:2\n", "weight*": "server.1=a:1:2\ngroup.1=1\n", "group*": "server.1=a:1:2\nweight.1=1\n",
		"multiAddress.enabled": "server.1=a:1:2|b:1:2\n", "standaloneEnabled": "initLimit=5\nsyncLimit=2\nserver.1=a:1:2\n",
	}
	inEnsemble := map[string]bool{}
	for _, k := range ensembleKeys() {
		if _, ok := context[k.Name]; !ok && k.Kind != Server && k.Name != "dynamicConfigFile" {
			context[k.Name], inEnsemble[k.Name] = two, true
		}
	}
	read := func(t *testing.T, lines string) (*Config, string) {
		write(t, map[string]string{"zoo.cfg": "dataDir=./data\n" + lines, "dyn": "server.1=a:1:2", "data/myid": "1"})
		c, err := Load("./zoo.cfg", nil)
		if err != nil {
			return nil, err.Error()
		}
		c.Text, c.System, c.Warnings = "", nil, nil
		return c, ""
	}
	for _, k := range Keys() {
		if k.Action != Honoured {
			continue
		}
		value := values[k.Name]
		if value == "" {
			switch k.Kind {
			case Switch, Flag:
				value = map[string]string{"true": "false", "false": "true"}[k.Default]
			case YesNo:
				value = map[string]string{"yes": "no", "no": "yes"}[k.Default]
			default:
				value = "4097"
			}
		}
		before, fault := read(t, context[k.Name])
		after, faultAfter := read(t, context[k.Name]+concrete(k.Name)+"="+value)
		if fault == faultAfter && reflect.DeepEqual(before, after) {
			t.Errorf("%s=%s changes nothing", k.Name, value)
		}
		if inEnsemble[k.Name] && (fault != "" || faultAfter != "") {
			t.Errorf("%s=%s: %s %s", k.Name, value, fault, faultAfter)
		}
	}
}

// concrete is a key with the name, or one that begins so.
func concrete(name string) string {
	prefix, ok := strings.CutSuffix(name, "*")
	if !ok {
		return name
	}
	return strings.TrimSuffix(prefix, ".") + ".1"
}

func TestPrecedence(t *testing.T) {
	for _, tt := range []struct {
		name, cfg string
		sys       Properties
		want      int
		get       func(*Config) int
	}{
		{"zoo.cfg over -D", "snapCount=5", Properties{"zookeeper.snapCount": "6"}, 5, snapCount},
		{"-D alone", "", Properties{"zookeeper.snapCount": "6"}, 6, snapCount},
		{"-D over zoo.cfg for what Apache takes from a -D only", "jute.maxbuffer=5", Properties{"jute.maxbuffer": "6"}, 6, maxFrame},
		{"zoo.cfg alone for that", "jute.maxbuffer=5", nil, 5, maxFrame},
		{"the real name over the manual's", "requestThrottleLimit=5\nrequest_throttle_max_requests=6", nil, 6, throttle},
		{"the real name as a -D over the manual's in zoo.cfg", "requestThrottleLimit=5", Properties{"zookeeper.request_throttle_max_requests": "6"}, 6, throttle},
		{"the manual's name in zoo.cfg over the manual's as a -D", "requestThrottleLimit=5", Properties{"zookeeper.requestThrottleLimit": "6"}, 5, throttle},
		{"a parser's key is no property", "", Properties{"zookeeper.maxClientCnxns": "6", "maxClientCnxns": "7"}, 60, maxCnxns},
		{"with the prefix zoo.cfg sets nothing", "zookeeper.snapCount=5", nil, 100000, snapCount},
		{"the last duplicate", "snapCount=4\nsnapCount=5", nil, 5, snapCount},
		{"nonsense is the default, as Integer.getInteger has it", "snapCount=five", nil, 100000, snapCount},
		{"nonsense over a good -D", "snapCount=five", Properties{"zookeeper.snapCount": "6"}, 100000, snapCount},
		{"the old name of a property", "", Properties{"fsync.warningthresholdms": "6"}, 6, fsyncWarning},
		{"the new name over the old one", "", Properties{"fsync.warningthresholdms": "6", "zookeeper.fsync.warningthresholdms": "7"}, 7, fsyncWarning},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.get(mustLoad(t, tt.cfg, tt.sys)); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func snapCount(c *Config) int    { return c.Options.SnapCount }
func maxFrame(c *Config) int     { return c.Options.MaxFrame }
func throttle(c *Config) int     { return c.Options.RequestThrottleMax }
func maxCnxns(c *Config) int     { return c.Options.MaxClientCnxns }
func fsyncWarning(c *Config) int { return int(c.Options.FsyncWarning.Milliseconds()) }

func TestWarnings(t *testing.T) {
	c := mustLoad(t, strings.Join([]string{
		"dataLogDir=log",                // line 2
		"colour=blue",                   // line 3
		"zookeeper.snapCount=5",         // line 4
		"tickTime=1000",                 // line 5
		"tickTime=2000",                 // line 6
		"preAllocSize=64k",              // line 7
		"quorum.cnxn.threads.size=20",   // line 8
		"admin.enableServer=true",       // line 9
		"admin.serverPort=8081",         // line 10
		"metricsProvider.httpPort=7000", // line 11
		"autopurge.snapRetainCount=1",   // line 12
		"server.1=localhost:2888:3888",  // line 13
		"peerType=observer",             // line 14
	}, "\n"), Properties{"zookeeper.mystery": "1", "java.io.tmpdir": "x", "zookeeper.log.dir": "logs"})
	for _, want := range []struct {
		line      int
		key, text string
	}{
		{2, "dataLogDir", "log is relative. Prepend ./ to indicate that you're sure!"},
		{3, "colour", "it becomes the property zookeeper.colour"},
		{4, "zookeeper.snapCount", "write snapCount"},
		{5, "tickTime", "given again in line 6"},
		{7, "preAllocSize", `"64k" is not a number; the default 65536 counts`},
		{8, "quorum.cnxn.threads.size", "ignored"},
		{9, "admin.enableServer", "ignored: not in this release"},
		{10, "admin.serverPort", "ignored: not in this release"},
		{11, "metricsProvider.httpPort", "ignored: not in this release"},
		{12, "autopurge.snapRetainCount", "Invalid autopurge.snapRetainCount: 1. Defaulting to 3"},
		{0, "", "Invalid configuration, only one server specified (ignoring)"},
		{14, "peerType", "Peer type from servers list (PARTICIPANT) doesn't match peerType (OBSERVER). Defaulting to servers list."},
		{0, "-Dzookeeper.mystery", "nobody knows"},
	} {
		if !hasWarning(c, want.line, want.key, want.text) {
			t.Errorf("missing: line %d, %q: %s", want.line, want.key, want.text)
		}
	}
	if len(c.Warnings) != 13 {
		t.Errorf("got %d warnings:\n%v", len(c.Warnings), c.Warnings)
	}
	if c.System["zookeeper.colour"] != "blue" || c.System["zookeeper.mystery"] != "1" || c.System["zookeeper.zookeeper.snapCount"] != "5" {
		t.Errorf("properties: %v", c.System)
	}
}

// A zoo.cfg that asks for nothing unusual starts without a word.
func TestNoWarnings(t *testing.T) {
	c := mustLoad(t, "clientPort=2181\ntickTime=2000\ninitLimit=10\nsyncLimit=5\nadmin.enableServer=false\nsslQuorum=false\nlocalSessionsEnabled=true\n",
		Properties{"zookeeper.log.file": "x", "com.sun.management.jmxremote": ""})
	if len(c.Warnings) != 0 {
		t.Errorf("got %v", c.Warnings)
	}
}

func TestClientAddr(t *testing.T) {
	for _, tt := range []struct{ lines, myid, want string }{
		{"", "", ""}, // legal: nobody can connect
		{"clientPort=2181", "", ":2181"},
		{"clientPort=0", "", ":0"},
		{"clientPort=2181\nclientPortAddress=127.0.0.1", "", "127.0.0.1:2181"},
		{"clientPort=2181\nclientPortAddress=0.0.0.0", "", ":2181"},
		{"clientPort=2181\nclientPortAddress=::", "", ":2181"},
		{"clientPort=2181\nclientPortAddress=[::1]", "", "[::1]:2181"},
		{"clientPort=2181\nclientPortAddress=", "", "127.0.0.1:2181"},
		{"server.1=h:1:2;2182", "1", ":2182"},
		{"server.1=h:1:2;127.0.0.1:2182", "1", "127.0.0.1:2182"},
		{"server.1=h:1:2;127.0.0.1:2182", "", ""}, // without myid nobody knows that it is us
		{"server.1=h:1:2;127.0.0.1:2182", "2", ""},
		{"clientPort=2182\nserver.1=h:1:2;127.0.0.1:2182", "1", "127.0.0.1:2182"},
		{"clientPort=2182\nserver.1=h:1:2", "1", ":2182"},
	} {
		t.Run(tt.lines, func(t *testing.T) {
			files := map[string]string{"zoo.cfg": "dataDir=./d\n" + tt.lines}
			if tt.myid != "" {
				files["d/myid"] = tt.myid
			}
			write(t, files)
			c, err := Load("./zoo.cfg", nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.Options.ClientAddr != tt.want {
				t.Errorf("got %q, want %q", c.Options.ClientAddr, tt.want)
			}
		})
	}
}

// Names are resolved when the file is read, and two names of one address are one address.
func TestNames(t *testing.T) {
	load := func(lines string) (*Config, error) {
		write(t, map[string]string{"zoo.cfg": "dataDir=./d\n" + lines, "d/myid": "1"})
		l := newLoader(nil)
		l.lookup = func(host string) ([]string, error) {
			if host == "here" {
				return []string{"10.0.0.1"}, nil
			}
			return nil, errors.New("no such host")
		}
		return l.file("./zoo.cfg")
	}
	c, err := load("clientPort=2181\nclientPortAddress=here\nserver.1=h:1:2;10.0.0.1:2181")
	if err != nil || c.Options.ClientAddr != "10.0.0.1:2181" {
		t.Errorf("got %v, %v", c, err)
	}
	_, err = load("clientPort=2181\nclientPortAddress=nowhere")
	checkError(t, err, 3, "clientPortAddress", "nowhere: Name or service not known", 2)
	_, err = load("clientPort=2181\nclientPortAddress=here\nserver.1=h:1:2;10.0.0.2:2181")
	checkError(t, err, 2, "clientPort", "client address for this server (id = 1) in static config file is here/10.0.0.1:2181"+
		" is different from client address found in dynamic file: /10.0.0.2:2181", 2)
}

func TestTimeouts(t *testing.T) {
	for _, tt := range []struct {
		lines       string
		least, most time.Duration
	}{
		{"", 6 * time.Second, time.Minute},
		{"tickTime=2000", 4 * time.Second, 40 * time.Second},
		{"minSessionTimeout=-1\nmaxSessionTimeout=-1", 6 * time.Second, time.Minute},
		{"minSessionTimeout=0", 0, time.Minute}, // zero is zero, not "2 ticks"
		{"minSessionTimeout=100\nmaxSessionTimeout=100", 100 * time.Millisecond, 100 * time.Millisecond},
	} {
		o := mustLoad(t, tt.lines, nil).Options
		least, most := o.SessionLimits()
		if least.Truncate(time.Millisecond) != tt.least || most != tt.most {
			t.Errorf("%q: got %v to %v, want %v to %v", tt.lines, least, most, tt.least, tt.most)
		}
	}
}

func TestNeverInHugeNumbers(t *testing.T) {
	o := mustLoad(t, "fsync.warningthresholdms=9223372036854775807\nsnapSizeLimitInKb=9223372036854775807\nautopurge.purgeInterval=2147483647", nil).Options
	if o.FsyncWarning <= 0 || o.SnapSizeLimit <= 0 || o.PurgeInterval <= 0 {
		t.Errorf("a huge number wrapped: %v %v %v", o.FsyncWarning, o.SnapSizeLimit, o.PurgeInterval)
	}
}

func TestFromArgs(t *testing.T) {
	write(t, map[string]string{"a.cfg": "dataDir=./d\nclientPort=1"})
	sys := Properties{"zookeeper.snapCount": "5"}
	c, err := FromArgs([]string{"-Dzookeeper.snapCount=6", "a.cfg", "-D", "jute.maxbuffer=7"}, sys)
	if err != nil {
		t.Fatal(err)
	}
	if c.File != "a.cfg" || c.Options.SnapCount != 6 || c.Options.MaxFrame != 7 || c.Text != "dataDir=./d\nclientPort=1" {
		t.Errorf("got %+v", c)
	}
	if sys["zookeeper.snapCount"] != "5" {
		t.Error("the caller's properties were changed")
	}
	if !hasWarning(c, 0, "", "a.cfg is relative. Prepend ./ to indicate that you're sure!") {
		t.Errorf("no word about the relative file: %v", c.Warnings)
	}

	c, err = FromArgs([]string{"2181", "./d", "2000", "7"}, sys)
	if err != nil {
		t.Fatal(err)
	}
	want := server.Default()
	want.ClientAddr, want.DataDir, want.TickTime, want.MaxClientCnxns, want.SnapCount = ":2181", "./d", 2*time.Second, 7, 5
	if diff := cmp.Diff(want, c.Options); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}

	for _, tt := range []struct {
		args   []string
		reason string
		key    string
	}{
		{nil, Usage, ""},
		{[]string{"1", "d", "2", "3", "4"}, "Invalid number of arguments:[1, d, 2, 3, 4]. " + Usage, ""},
		{[]string{"x", "d"}, `For input string: "x"`, "clientPort"},
		{[]string{"99999", "./d"}, "port out of range:99999", "clientPort"},
		{[]string{"1", "./d", "t"}, `For input string: "t"`, "tickTime"},
	} {
		_, err := FromArgs(tt.args, nil)
		checkError(t, err, 0, tt.key, tt.reason, 2)
	}
}

func TestDefault(t *testing.T) {
	want := server.Default()
	want.ClientAddr, want.DataDir = "127.0.0.1:2181", "./zooid-data"
	if diff := cmp.Diff(want, Default().Options); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	c, err := DefaultWith(Properties{"readonlymode.enabled": "true"})
	if err != nil {
		t.Fatal(err)
	}
	if !c.Options.ReadOnlyMode || !slices.Contains(c.Options.FourLetterWords, "isro") {
		t.Errorf("got %+v", c.Options)
	}
}
