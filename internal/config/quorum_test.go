package config

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/server"
)

// member loads zoo.cfg as server 2 of an ensemble.
func member(t *testing.T, files map[string]string) (*Config, error) {
	t.Helper()
	if files["data/myid"] == "" {
		files["data/myid"] = "2\n"
	}
	write(t, files)
	return Load("./zoo.cfg", nil)
}

func mustMember(t *testing.T, files map[string]string) *Config {
	t.Helper()
	c, err := member(t, files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const three = "initLimit=10\nsyncLimit=5\nserver.1=a:2888:3888\nserver.2=b:2888:3888\nserver.3=c:2888:3888:observer\nserver.4=d:2888:3888\n"

func TestEnsemble(t *testing.T) {
	c := mustMember(t, map[string]string{"zoo.cfg": "dataDir=./data\nclientPort=2181\n" + three})
	o := c.Options.Ensemble
	if o == nil {
		t.Fatal("no ensemble")
	}
	want := server.DefaultEnsemble()
	want.SID, want.Config, want.StaticFile = 2, o.Config, "./zoo.cfg"
	want.InitLimit, want.SyncLimit, want.ConnectLimit = 10, 5, 10
	if diff := cmp.Diff(want, *o); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got, want := o.Config.String(), "server.1=a:2888:3888:participant\nserver.2=b:2888:3888:participant\n"+
		"server.3=c:2888:3888:observer\nserver.4=d:2888:3888:participant\nversion=0"; got != want {
		t.Errorf("got\n%s", got)
	}
	if me, _ := o.Config.Member(2); me.ClientAddr != ":2181" || !me.FromStatic {
		t.Errorf("this server: %+v", me)
	}
	if c.Options.ServerID != 2 || c.Options.ClientAddr != ":2181" || c.Observer || len(c.Warnings) != 0 {
		t.Errorf("got %+v", c)
	}
}

func TestEnsembleOptions(t *testing.T) {
	got := *mustMember(t, map[string]string{"data/myid": "3", "zoo.cfg": "dataDir=./data\npeerType=observer\n" + three + `
reconfigEnabled=true
standaloneEnabled=false
connectToLearnerMasterLimit=7
syncEnabled=true
observer.syncEnabled=false
quorumListenOnAllIPs=true
observerMasterPort=2889
localSessionsEnabled=true
localSessionsUpgradingEnabled=true
commitLogCount=600
snapshotSizeFactor=-1
leaderServes=no
electionPortBindRetry=0
tcpKeepAlive=true
cnxTimeout=6000
maxConcurrentSnapSyncs=3
leader.maxConcurrentDiffSyncs=4
forceSnapshotSync=true
fastleader.minNotificationInterval=100
fastleader.maxNotificationInterval=2000
multiAddress.enabled=true
multiAddress.reachabilityCheckTimeoutMs=2500
observerMaster.sizeLimit=1000
`}).Options.Ensemble
	want := server.EnsembleOptions{
		SID: 3, Config: got.Config, StaticFile: "./zoo.cfg", ReconfigEnabled: true, StandaloneEnabled: false,
		InitLimit: 10, SyncLimit: 5, ConnectLimit: 7,
		MinNotification: 100 * time.Millisecond, MaxNotification: 2 * time.Second, CnxTimeout: 6 * time.Second, BindRetry: 0,
		ListenOnAllIPs: true,
		CommitLogCount: 600, SnapshotSizeFactor: -1, ForceSnapshot: true, MaxSnapSyncs: 3, MaxDiffSyncs: 4, SyncEnabled: false,
		LeaderServes: false, LocalSessions: true, LocalSessionsUpgrading: true, ObserverMasterPort: 2889,
		MultiAddress: true, AnswerTimeout: 2500 * time.Millisecond, ObserverMasterLimit: 1000,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Nonsense is the default, with a warning.
func TestEnsembleOptionsOutOfRange(t *testing.T) {
	c := mustMember(t, map[string]string{"zoo.cfg": "dataDir=./data\n" + three + // lines 2 to 7
		"connectToLearnerMasterLimit=-1\ncommitLogCount=499\nsnapshotSizeFactor=1.5\nelectionPortBindRetry=-1\ncnxTimeout=0\n" + // 8 to 12
		"leader.maxConcurrentSnapSyncs=0\nleader.maxConcurrentDiffSyncs=-4\n" + // 13, 14
		"fastleader.minNotificationInterval=0\nfastleader.maxNotificationInterval=-1\n" + // 15, 16
		"multiAddress.reachabilityCheckTimeoutMs=0\n"}) // 17
	got := *c.Options.Ensemble
	want := server.DefaultEnsemble()
	want.SID, want.Config, want.StaticFile = 2, got.Config, "./zoo.cfg"
	want.InitLimit, want.SyncLimit, want.ConnectLimit = 10, 5, 10
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for line, key := range map[int]string{9: "commitLogCount", 10: "snapshotSizeFactor", 11: "electionPortBindRetry", 12: "cnxTimeout",
		13: "leader.maxConcurrentSnapSyncs", 14: "leader.maxConcurrentDiffSyncs", 15: "fastleader.minNotificationInterval",
		16: "fastleader.maxNotificationInterval", 17: "multiAddress.reachabilityCheckTimeoutMs"} {
		if !hasWarning(c, line, key, "") {
			t.Errorf("no word about %s in line %d: %v", key, line, c.Warnings)
		}
	}
	for _, factor := range []string{"NaN", "much", "1.01"} {
		if f := mustMember(t, map[string]string{"zoo.cfg": "dataDir=./data\n" + three + "snapshotSizeFactor=" + factor}).Options.Ensemble.SnapshotSizeFactor; f != 0.33 {
			t.Errorf("%s: got %v", factor, f)
		}
	}
	c = mustMember(t, map[string]string{"zoo.cfg": "dataDir=./data\n" + three + "fastleader.minNotificationInterval=5000\nfastleader.maxNotificationInterval=4000"})
	if o := c.Options.Ensemble; o.MaxNotification != o.MinNotification || !hasWarning(c, 9, "fastleader.maxNotificationInterval", "is below") {
		t.Errorf("got %+v, %v", o, c.Warnings)
	}
}

// What an ensemble asks for and does not get is told; a server alone would not get it from Apache either.
func TestEnsembleWarnings(t *testing.T) {
	const lines = "sslQuorumReloadCertFiles=true\nenableEagerACLCheck=true\n"
	c := mustMember(t, map[string]string{"zoo.cfg": "dataDir=./data\n" + lines + three})
	for i, key := range []string{"sslQuorumReloadCertFiles", "enableEagerACLCheck"} {
		if !hasWarning(c, 2+i, key, "ignored: ") {
			t.Errorf("no word about %s: %v", key, c.Warnings)
		}
	}
	if c := mustLoad(t, lines, nil); len(c.Warnings) != 0 || c.Options.Ensemble != nil {
		t.Errorf("alone: %v", c.Warnings)
	}
	c = mustMember(t, map[string]string{"zoo.cfg": "dataDir=./data\nleaderServes=yes\nobserverMasterPort=0\nsslQuorum=false\nlocalSessionsEnabled=true\nlocalSessionsUpgradingEnabled=true\n" +
		"syncEnabled=true\nsnapshotSizeFactor=-1\ntcpKeepAlive=true\n" + three})
	if len(c.Warnings) != 0 {
		t.Errorf("who asks for nothing: %v", c.Warnings)
	}
}

// A member of an ensemble may have several addresses, which are checked unless that is switched off.
func TestEnsembleOfSeveralAddresses(t *testing.T) {
	const lines = "dataDir=./data\ninitLimit=1\nsyncLimit=1\nserver.1=a:1:2\nserver.2=c:1:2|b:3:4\nmultiAddress.enabled=true\n"
	o := mustMember(t, map[string]string{"zoo.cfg": lines}).Options.Ensemble
	me, _ := o.Config.Member(2)
	if want := []string{"c:2", "b:4"}; !slices.Equal(me.ElectionAddrs(), want) || !o.MultiAddress || o.AnswerTimeout != time.Second {
		t.Errorf("got %+v, %+v", me, o)
	}
	o = mustMember(t, map[string]string{"zoo.cfg": lines + "multiAddress.reachabilityCheckEnabled=false\n"}).Options.Ensemble
	if o.AnswerTimeout != 0 {
		t.Errorf("unchecked: %+v", o)
	}
}

// One member is an ensemble if standaloneEnabled says so, and else none.
func TestEnsembleOfOne(t *testing.T) {
	const one = "dataDir=./data\ninitLimit=1\nsyncLimit=1\nserver.2=b:1:2\n"
	if c := mustMember(t, map[string]string{"zoo.cfg": one}); c.Options.Ensemble != nil || c.Options.ServerID != 1 || c.Ensemble == nil {
		t.Errorf("got %+v", c.Options)
	}
	c := mustMember(t, map[string]string{"zoo.cfg": one + "standaloneEnabled=false\nserver.3=c:1:2:observer\n"})
	if o := c.Options.Ensemble; o == nil || o.StandaloneEnabled || !o.Config.Votes(2) || !o.Config.Observes(3) {
		t.Errorf("got %+v", o)
	}
}

// The dynamic file gives the version; the next one counts while its version is higher.
func TestEnsembleOfADynamicFile(t *testing.T) {
	load := func(next string) *server.EnsembleOptions {
		files := map[string]string{
			"zoo.cfg":                   "dataDir=./data\ninitLimit=1\nsyncLimit=1\ndynamicConfigFile=./zoo.cfg.dynamic.100000000\n",
			"zoo.cfg.dynamic.100000000": "server.1=a:1:2;9\nserver.2=b:1:2;9",
		}
		if next != "" {
			files["zoo.cfg.dynamic.next"] = "server.1=a:1:2;9\nserver.2=b:1:2;9\nserver.3=c:1:2;9\nversion=" + next
		}
		c := mustMember(t, files)
		if c.Options.ClientAddr != ":9" || c.EnsembleFile != "./zoo.cfg.dynamic.100000000" {
			t.Errorf("got %+v", c)
		}
		return c.Options.Ensemble
	}
	for _, tt := range []struct {
		next string
		want bool
	}{{"", false}, {"ffffffff", false}, {"100000000", false}, {"100000001", true}} {
		o := load(tt.next)
		if o.Config.Version != 0x100000000 || o.DynamicFile != "./zoo.cfg.dynamic.100000000" || o.StaticFile != "./zoo.cfg" {
			t.Errorf("got %+v", o)
		}
		if (o.Next != nil) != tt.want || o.Next != nil && (len(o.Next.Members) != 3 || o.Next.Version != 0x100000001) {
			t.Errorf("next %q: got %v", tt.next, o.Next)
		}
	}
}

func TestHierarchicalEnsemble(t *testing.T) {
	o := mustMember(t, map[string]string{"zoo.cfg": "dataDir=./data\n" + three + "group.1=1:2\ngroup.2=4\nweight.1=0\n"}).Options.Ensemble
	want := map[ensemble.SID]int64{1: 0, 2: 1, 4: 1}
	if diff := cmp.Diff(want, o.Config.Weights); diff != "" || !o.Config.Hierarchical() {
		t.Error(diff)
	}
}

func TestNegativeLimitsAreNotSet(t *testing.T) {
	_, err := member(t, map[string]string{"zoo.cfg": "dataDir=./data\n" + three + "initLimit=-1\n"})
	checkError(t, err, 8, "initLimit", "initLimit is not set", 2)
	_, err = member(t, map[string]string{"zoo.cfg": "dataDir=./data\n" + three + "syncLimit=-1\n"})
	checkError(t, err, 8, "syncLimit", "syncLimit is not set", 2)
}
