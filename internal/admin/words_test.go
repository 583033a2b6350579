package admin

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zooid-io/zooid/zk"
)

// fake is a Source that tells what it was given and remembers what it was asked.
type fake struct {
	down        bool
	status      Status
	monitor     Monitor
	metrics     *Metrics
	connections []Connection
	config      Config
	dirs        Dirs
	dump        Dump
	summary     WatchSummary
	bySession   []SessionWatches
	byPath      []PathWatches
	digests     []Digest
	environment []Property
	asked       []string
}

func (f *fake) ask(what string) { f.asked = append(f.asked, what) }

func (f *fake) Serving() bool                      { f.ask("Serving"); return !f.down }
func (f *fake) Status() Status                     { f.ask("Status"); return f.status }
func (f *fake) Monitor() Monitor                   { f.ask("Monitor"); return f.monitor }
func (f *fake) Metrics() *Metrics                  { f.ask("Metrics"); return f.metrics }
func (f *fake) Connections() []Connection          { f.ask("Connections"); return f.connections }
func (f *fake) Config() Config                     { f.ask("Config"); return f.config }
func (f *fake) Dirs() Dirs                         { f.ask("Dirs"); return f.dirs }
func (f *fake) Dump() Dump                         { f.ask("Dump"); return f.dump }
func (f *fake) WatchSummary() WatchSummary         { f.ask("WatchSummary"); return f.summary }
func (f *fake) WatchesBySession() []SessionWatches { f.ask("WatchesBySession"); return f.bySession }
func (f *fake) WatchesByPath() []PathWatches       { f.ask("WatchesByPath"); return f.byPath }
func (f *fake) Digests() []Digest                  { f.ask("Digests"); return f.digests }
func (f *fake) Environment() []Property            { f.ask("Environment"); return f.environment }
func (f *fake) ResetStats()                        { f.ask("ResetStats") }
func (f *fake) ResetConnections()                  { f.ask("ResetConnections") }

const apacheVersion = "3.8.0-${mvngit.commit.id}, built on 2024-12-29 17:54 UTC"

func golden(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata/apache-3.8.0", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func local(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
}

func clock(hhmmss string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", "2026-11-24 "+hhmmss)
	if err != nil {
		panic(err)
	}
	return t
}

const (
	first  zk.SessionID = 0x100001c70ec0000
	second zk.SessionID = 0x100001c70ec0001
)

// status is what Apache had to tell in srvr, with the counts of packets at that moment.
func status(received, sent int64, latency Summary) Status {
	return Status{
		Version: apacheVersion, State: "standalone", Zxid: 0x9d, Nodes: 159, Connections: 3,
		Traffic: Traffic{Latency: latency, Received: received, Sent: sent, Responses: Sizes{38, 16, 90}},
	}
}

func TestAnswersAreApachesBytes(t *testing.T) {
	latency := Summary{Count: 165, Sum: 148, Min: 0, Max: 5}
	one := Connection{
		Remote: local(55150), InterestOps: 1, Received: 161, Sent: 312, Session: first, LastOp: "CREA", Established: 1795518851369,
		Timeout: 30000, LastXid: 0xa0, LastZxid: 0x9d, LastResponse: 1870062, MaxLatency: 5,
	}
	two := Connection{
		Remote: local(55164), InterestOps: 1, Received: 4, Sent: 5, Session: second, LastOp: "GETD", Established: 1795518851377,
		Timeout: 10000, LastXid: 3, LastZxid: 7, LastResponse: 1869859, MaxLatency: 1,
	}
	reset := func(c Connection) Connection {
		c.Received, c.Sent, c.LastOp, c.LastXid, c.LastZxid, c.LastResponse, c.MaxLatency = 0, 0, "NA", -1, -1, 0, 0
		return c
	}
	asker := func(port uint16) Connection { return Connection{Remote: local(port), Received: 1} }

	for _, c := range []struct {
		golden string
		word   string // if not the first letters of golden
		extra  []byte
		src    fake
	}{
		{golden: "ruok"},
		{golden: "ruok-newline", extra: []byte("\n")},
		{golden: "isro"},
		{golden: "gtmk"},
		{golden: "stmk", extra: binary.BigEndian.AppendUint64(nil, 306)},
		{golden: "crst"},
		{golden: "srst"},
		{golden: "srvr-empty", src: fake{status: Status{
			Version: apacheVersion, State: "standalone", Nodes: 5, Connections: 1, Traffic: Traffic{Received: 3, Sent: 2},
		}}},
		{golden: "srvr", src: fake{status: status(183, 334, latency)}},
		{golden: "srvr-reset", src: fake{status: status(1, 1, Summary{})}},
		{golden: "stat-empty", src: fake{
			status: Status{
				Version: apacheVersion, State: "standalone", Nodes: 5, Connections: 1, Traffic: Traffic{Received: 4, Sent: 3},
			},
			connections: []Connection{asker(55058)},
		}},
		{golden: "stat", src: fake{
			status: status(184, 335, latency), connections: []Connection{one, asker(55206), two},
		}},
		{golden: "cons", src: fake{connections: []Connection{one, asker(55214), two}}},
		{golden: "cons-reset", src: fake{connections: []Connection{reset(one), asker(55350), reset(two)}}},
		{golden: "conf", src: fake{
			// Apache 3.8.0 has these two the wrong way round: see TestDirsTellTheirOwnSize.
			dirs: Dirs{Data: 65552, Log: 457},
			config: Config{
				ClientPort: 23710, SecureClientPort: -1, DataDir: "/var/lib/zookeeper/version-2",
				DataLogDir: "/var/log/zookeeper-txn/version-2", TickTime: 2000, MaxClientCnxns: 60,
				MinSessionTimeout: 4000, MaxSessionTimeout: 40000, ListenBacklog: -1,
			},
		}},
		{golden: "dirs", src: fake{dirs: Dirs{Data: 65552, Log: 457}}},
		{golden: "dump-empty", src: fake{dump: Dump{
			Connections: []ConnectionBucket{{clock("11:14:21"), []ConnectionName{{local(55086), 0}}}},
		}}},
		{golden: "dump", src: fake{dump: Dump{
			Sessions: []SessionBucket{
				{clock("11:14:21"), []zk.SessionID{second}}, {clock("11:14:41"), nil}, {clock("11:14:43"), []zk.SessionID{first}},
			},
			Ephemerals: []SessionEphemerals{{first, []string{"/hold/two", "/hold/eph"}}, {second, []string{"/hold/beta"}}},
			Connections: []ConnectionBucket{
				{clock("11:14:21"), []ConnectionName{{local(55164), second}}}, {clock("11:14:31"), []ConnectionName{{local(55238), 0}}},
				{clock("11:14:41"), nil}, {clock("11:14:51"), []ConnectionName{{local(55150), first}}},
			},
		}}},
		{golden: "wchs-empty"},
		{golden: "wchs", src: fake{summary: WatchSummary{2, 3, 4}}},
		{golden: "wchc", src: fake{bySession: []SessionWatches{
			{first, []string{"/hold", "/nope", "/pers"}}, {second, []string{"/hold"}},
		}}},
		{golden: "wchp", src: fake{byPath: []PathWatches{
			{"/hold", []zk.SessionID{first, second}}, {"/nope", []zk.SessionID{first}}, {"/pers", []zk.SessionID{first}},
		}}},
		{golden: "hash-empty"},
		{golden: "hash", src: fake{digests: []Digest{{0x80, 265800839002}}}},
	} {
		t.Run(c.golden, func(t *testing.T) {
			got := NewWhitelist([]string{"*"}, false).Answer(c.golden[:4], c.extra, &c.src)
			if diff := cmp.Diff(golden(t, c.golden), string(got)); diff != "" {
				t.Errorf("Apache (-), ours (+):\n%s", diff)
			}
		})
	}
}

// The keys of envi are Apache's, in its order; the values are this machine's.
func TestEnviHasApachesKeys(t *testing.T) {
	keys := func(answer string) (ks []string) {
		for line := range strings.Lines(answer) {
			k, _, _ := strings.Cut(line, "=")
			ks = append(ks, k)
		}
		return ks
	}
	src := &fake{environment: Environment(apacheVersion)}
	got := string(NewWhitelist([]string{"envi"}, false).Answer("envi", nil, src))
	if diff := cmp.Diff(keys(golden(t, "envi")), keys(got)); diff != "" {
		t.Errorf("Apache (-), ours (+):\n%s", diff)
	}
	if want := "zookeeper.version=" + apacheVersion + "\n"; !strings.Contains(got, want) {
		t.Errorf("no line %q in\n%s", want, got)
	}
}

// What a member of an ensemble tells, as observed of Apache (operations, section 2).
func TestAnswersOfAnEnsembleMember(t *testing.T) {
	members := []SessionBucket{{clock("10:17:45"), []zk.SessionID{0x1}}}
	for _, c := range []struct {
		name, word string
		src        fake
		want       string
	}{
		{"a leader's srvr has its proposals", "srvr", fake{status: Status{
			Version: "v", State: "leader", Zxid: 0x100000001, Nodes: 5, Proposals: &Sizes{97, 48, 99},
		}}, "Zookeeper version: v\nLatency min/avg/max: 0/0.0/0\nReceived: 0\nSent: 0\nConnections: 0\nOutstanding: 0\n" +
			"Zxid: 0x100000001\nMode: leader\nNode count: 5\nProposal sizes last/min/max: 97/48/99\n"},
		{"read-only mode is told", "srvr", fake{status: Status{Version: "v", State: "read-only", ReadOnly: true, Nodes: 5}},
			"Zookeeper version: v\nREAD-ONLY mode; serving only read-only clients\nLatency min/avg/max: 0/0.0/0\nReceived: 0\n" +
				"Sent: 0\nConnections: 0\nOutstanding: 0\nZxid: 0x0\nMode: read-only\nNode count: 5\n"},
		{"isro", "isro", fake{status: Status{ReadOnly: true}}, "ro"},
		{"conf ends in the membership, without a newline", "conf", fake{
			config: Config{ServerID: 1, Quorum: &QuorumConfig{
				InitLimit: 10, SyncLimit: 5, ElectionAlg: 3, ElectionPort: "23041", QuorumPort: "23031", Observer: true,
				Membership: "server.1=a:1:2:observer\nversion=100000000",
			}},
		}, "clientPort=0\nsecureClientPort=0\ndataDir=\ndataDirSize=0\ndataLogDir=\ndataLogSize=0\ntickTime=0\nmaxClientCnxns=0\n" +
			"minSessionTimeout=0\nmaxSessionTimeout=0\nclientPortListenBacklog=0\nserverId=1\ninitLimit=10\nsyncLimit=5\n" +
			"electionAlg=3\nelectionPort=23041\nquorumPort=23031\npeerType=1\nmembership: \nserver.1=a:1:2:observer\n" +
			"version=100000000"},
		{"a learner knows timeouts, not expiries", "dump", fake{dump: Dump{
			Learner: true, Global: []SessionTimeout{{0x100000eb40e0001, 20000}},
		}}, "SessionTracker dump:\nGlobal Sessions(1):\n0x100000eb40e0001\t20000ms\nephemeral nodes dump:\n" +
			"Sessions with Ephemerals (0):\nConnections dump:\nConnections Sets (0)/(0):\n"},
		{"a learner with local sessions", "dump", fake{dump: Dump{Learner: true, Local: members}},
			"SessionTracker dump:\nLocal Session Sets (1)/(1):\n1 expire at Tue Nov 24 10:17:45 UTC 2026:\n\t0x1\n" +
				"Global Sessions(0):\nephemeral nodes dump:\nSessions with Ephemerals (0):\nConnections dump:\nConnections Sets (0)/(0):\n"},
		{"a leader with local sessions", "dump", fake{dump: Dump{Local: []SessionBucket{}, Sessions: members}},
			"SessionTracker dump:\nLocal Session Sets (0)/(0):\nGlobal Session Sets (1)/(1):\n" +
				"1 expire at Tue Nov 24 10:17:45 UTC 2026:\n\t0x1\n" +
				"ephemeral nodes dump:\nSessions with Ephemerals (0):\nConnections dump:\nConnections Sets (0)/(0):\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := NewWhitelist([]string{"*"}, false).Answer(c.word, nil, &c.src)
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

func TestWhitelist(t *testing.T) {
	const refused = " is not executed because it is not in the whitelist.\n"
	for _, c := range []struct {
		list     string // as in zoo.cfg
		readOnly bool
		word     string
		want     string
	}{
		{"", false, "ruok", "ruok" + refused},
		{"", false, "isro", "isro" + refused},
		{"", true, "isro", "rw"},
		{"ruok", false, "ruok", "imok"},
		{" ruok , isro ", false, "isro", "rw"},
		{"RUOK", false, "ruok", "ruok" + refused},
		{"*", false, "ruok", "imok"},
		{"stat,*,nosuch", false, "ruok", "imok"},
		{"*", false, telnetClose, ""},
		{"telnet close", false, telnetClose, ""},
		{"ruok", false, telnetClose, "telnet close" + refused},
		{"ruok", false, "stmk", "stmk" + refused},
		{"GET ", false, "GET ", ""}, // not a command, whatever the list says
	} {
		w := NewWhitelist(strings.Split(c.list, ","), c.readOnly)
		if got := string(w.Answer(c.word, nil, &fake{})); got != c.want {
			t.Errorf("whitelist %q, read-only %v: %q is answered %q, want %q", c.list, c.readOnly, c.word, got, c.want)
		}
		if !w.Enabled("srvr") {
			t.Errorf("whitelist %q: srvr is not in it", c.list)
		}
	}
}

func TestServerThatDoesNotServe(t *testing.T) {
	const not = "This ZooKeeper instance is not currently serving requests"
	want := map[string]string{
		"ruok": "imok", "isro": "null", "gtmk": "306", "stmk": "7", "envi": "Environment:\nk=v\n", telnetClose: "", "hash": not,
	}
	for word := range words {
		w, ok := want[word]
		if !ok {
			w = not + "\n"
		}
		src := &fake{down: true, environment: []Property{{"k", "v"}}}
		extra := binary.BigEndian.AppendUint64(nil, 7)
		if got := string(NewWhitelist([]string{"*"}, false).Answer(word, extra, src)); got != w {
			t.Errorf("%q is answered %q, want %q", word, got, w)
		}
		for _, a := range src.asked {
			if a != "Serving" && a != "Environment" {
				t.Errorf("%q asked a server that does not serve for %s", word, a)
			}
		}
	}
}

// A word that is asked every second must not walk the tree.
func TestWordsAskOnlyForWhatTheyTell(t *testing.T) {
	for word, want := range map[string][]string{
		"ruok": nil, "gtmk": nil, "stmk": nil, telnetClose: nil,
		"envi": {"Environment"},
		"isro": {"Serving", "Status"},
		"srvr": {"Serving", "Status"},
		"stat": {"Serving", "Status", "Connections"},
		"cons": {"Serving", "Connections"},
		"crst": {"Serving", "ResetConnections"},
		"srst": {"Serving", "ResetStats"},
		"conf": {"Serving", "Config", "Dirs"},
		"dump": {"Serving", "Dump"},
		"dirs": {"Serving", "Dirs"},
		"wchs": {"Serving", "WatchSummary"},
		"wchc": {"Serving", "WatchesBySession"},
		"wchp": {"Serving", "WatchesByPath"},
		"mntr": {"Serving", "Status", "Monitor", "Metrics"},
		"hash": {"Serving", "Digests"},
	} {
		src := &fake{metrics: NewMetrics()}
		NewWhitelist([]string{"*"}, false).Answer(word, nil, src)
		if !slices.Equal(src.asked, want) {
			t.Errorf("%q asks %v, want %v", word, src.asked, want)
		}
	}
}

func TestTraceMask(t *testing.T) {
	w := NewWhitelist([]string{"gtmk", "stmk"}, false)
	for _, c := range []struct {
		word, extra, want string
	}{
		{"gtmk", "", "306"},
		{"stmk", "\x00\x00\x00\x00\x00\x00\x01\x00", "256"},
		{"gtmk", "", "256"},
		{"stmk", "\x00\x00\x00", ""}, // too short: closed without a word, and nothing is set
		{"gtmk", "", "256"},
		{"stmk", "\xff\xff\xff\xff\xff\xff\xff\xff", "-1"},
		{"gtmk", "", "-1"},
	} {
		if got := string(w.Answer(c.word, []byte(c.extra), &fake{})); got != c.want {
			t.Fatalf("%s %q is answered %q, want %q", c.word, c.extra, got, c.want)
		}
	}
	if got := []int{w.Extra("stmk"), w.Extra("gtmk"), NewWhitelist(nil, false).Extra("stmk")}; !slices.Equal(got, []int{8, 0, 0}) {
		t.Errorf("extra bytes of stmk, gtmk, a refused stmk: %v", got)
	}
}

func FuzzAnswer(f *testing.F) {
	for word := range words {
		f.Add([]byte(word + "\x00\x00\x00\x00\x00\x00\x01\x00"))
	}
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Add([]byte{0, 0, 0, 45})
	f.Fuzz(func(t *testing.T, head []byte) {
		if len(head) < 4 {
			return
		}
		src := &fake{metrics: NewMetrics()}
		word := string(head[:4])
		got := NewWhitelist([]string{"*"}, false).Answer(word, head[4:], src)
		if !Known([4]byte(head)) && got != nil {
			t.Errorf("%q is not a command and was answered %q", word, got)
		}
		refusal := NewWhitelist(nil, false).Answer(word, head[4:], src)
		if Known([4]byte(head)) && word != "srvr" && !bytes.HasSuffix(refusal, []byte(" in the whitelist.\n")) {
			t.Errorf("%q is a command and was answered %q", word, refusal)
		}
	})
}

// ZOOKEEPER-4730: the sizes of the two directories were told the wrong way round.
func TestDirsTellTheirOwnSize(t *testing.T) {
	data, log := t.TempDir(), t.TempDir()
	for path, size := range map[string]int{
		filepath.Join(data, "snapshot.0"): 457, filepath.Join(data, "old", "snapshot.1"): 43, filepath.Join(log, "log.1"): 65552,
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(t.TempDir(), "version-2")
	if err := os.Symlink(data, link); err != nil {
		t.Skip(err)
	}
	src := &fake{dirs: Dirs{Data: DirSize(link), Log: DirSize(log)}}
	got := string(NewWhitelist([]string{"*"}, false).Answer("dirs", nil, src))
	if want := "datadir_size: 500\nlogdir_size: 65552\n"; got != want {
		t.Errorf("dirs is %q, want %q", got, want)
	}
	got = string(NewWhitelist([]string{"*"}, false).Answer("conf", nil, src))
	for _, want := range []string{"\ndataDirSize=500\n", "\ndataLogSize=65552\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("conf has no line %q:\n%s", want, got)
		}
	}
	if n := DirSize(filepath.Join(data, "nosuch")); n != 0 {
		t.Errorf("a directory that is not there has %d bytes", n)
	}
}

func TestLastOpsAreApaches(t *testing.T) {
	ops := map[string]string{}
	for op, s := range lastOps {
		ops[op.String()] = s
	}
	for line := range strings.Lines(golden(t, "lops")) {
		var op, lop string
		var code int
		if n, _ := fmt.Sscanf(line, "%s err=%d %s", &op, &code, &lop); n != 3 || code != 0 {
			continue // a refused write, or a connection that Apache closed
		}
		if op == "auth" || op == "sasl" {
			continue // these leave the last operation as it is
		}
		if ops[op] != lop {
			t.Errorf("%s is %q at Apache, %q here", op, lop, ops[op])
		}
	}
	if got := LastOp(99); got != NoOp {
		t.Errorf("an operation that is none is %q", got)
	}
}
