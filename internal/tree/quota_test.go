package tree_test

import (
	"reflect"
	"testing"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
)

const (
	quotaRoot = "/zookeeper/quota"
	limits    = "/zookeeper_limits"
	stats     = "/zookeeper_stats"
)

func put(t *testing.T, tr *tree.Tree, path string, data []byte) {
	t.Helper()
	typ, body := txn.TypeSetData, txn.Body(&txn.SetData{Path: path, Data: data})
	if tr.Find(path) == 0 {
		c := create(tr, path, "").Body.(*txn.Create)
		c.Data = data
		typ, body = txn.TypeCreate, c
	}
	do(t, tr, typ, body)
}

func del(t *testing.T, tr *tree.Tree, path string) {
	t.Helper()
	do(t, tr, txn.TypeDelete, &txn.Delete{Path: path})
}

// setQuota does what the shell does: the znodes down to the path, the limits, the stats.
func setQuota(t *testing.T, tr *tree.Tree, path, text string) {
	t.Helper()
	for i := 1; i <= len(path); i++ {
		if p := quotaRoot + path[:min(i, len(path))]; (i == len(path) || path[i] == '/') && tr.Find(p) == 0 {
			mk(t, tr, p)
		}
	}
	put(t, tr, quotaRoot+path+limits, []byte(text))
	put(t, tr, quotaRoot+path+stats, []byte("count=0,bytes=0"))
}

func wantStats(t *testing.T, tr *tree.Tree, path, want string) {
	t.Helper()
	if got := string(tr.Data(tr.Find(quotaRoot + path + stats))); got != want {
		t.Errorf("stats of %s are %q, want %q", path, got, want)
	}
}

func TestQuotaBooks(t *testing.T) {
	tr := tree.New(tree.Options{})
	mk(t, tr, "/q")
	put(t, tr, "/q/a", []byte("12345"))
	put(t, tr, "/q/null", nil)
	mk(t, tr, "/qx")

	setQuota(t, tr, "/q", "count=10,bytes=-1")
	wantStats(t, tr, "/q", "count=3,bytes=5") // counted when the stats node is made, itself among them
	statsNode := quotaRoot + "/q" + stats
	before := tr.Stat(tr.Find(statsNode))

	put(t, tr, "/q/b", []byte("12"))
	wantStats(t, tr, "/q", "count=4,bytes=7")
	put(t, tr, "/q/b", []byte("123456"))
	wantStats(t, tr, "/q", "count=4,bytes=11")
	put(t, tr, "/q", []byte("1"))
	wantStats(t, tr, "/q", "count=4,bytes=12")
	put(t, tr, "/qx/b", []byte("12")) // shares the letters, not the component
	wantStats(t, tr, "/q", "count=4,bytes=12")
	del(t, tr, "/q/a")
	wantStats(t, tr, "/q", "count=3,bytes=7")
	put(t, tr, "/q/b", nil)
	wantStats(t, tr, "/q", "count=3,bytes=1")
	if after := tr.Stat(tr.Find(statsNode)); after != before {
		t.Errorf("the books moved more than data: %+v, then %+v", before, after)
	}

	// An inner quota takes over; the outer one does not see what happens there.
	mk(t, tr, "/q/in")
	setQuota(t, tr, "/q/in", "count=-1,bytes=3")
	wantStats(t, tr, "/q", "count=4,bytes=1")
	wantStats(t, tr, "/q/in", "count=1,bytes=0")
	put(t, tr, "/q/in/x", []byte("12"))
	wantStats(t, tr, "/q", "count=4,bytes=1")
	wantStats(t, tr, "/q/in", "count=2,bytes=2")
	if q, ok := tr.QuotaOf("/q/in/new/deep"); !ok || q.Prefix != "/q/in" || q.Limits.Bytes != 3 || q.Usage.Count != 2 {
		t.Errorf("%+v %v", q, ok)
	}
	if got := tr.Quotas(); !reflect.DeepEqual(got, []string{"/q", "/q/in"}) {
		t.Error(got)
	}

	// Without its limits the inner one is none, and the outer one is the deepest again.
	del(t, tr, quotaRoot+"/q/in"+limits)
	put(t, tr, "/q/in/y", []byte("1"))
	wantStats(t, tr, "/q", "count=5,bytes=2")
	wantStats(t, tr, "/q/in", "count=2,bytes=2")

	// The whole prefix goes and comes.
	for _, p := range []string{"/q/in/x", "/q/in/y", "/q/in", "/q/b", "/q/null", "/q"} {
		del(t, tr, p)
	}
	wantStats(t, tr, "/q", "count=-1,bytes=-2") // x was counted by the inner quota and taken from the outer one
	if q, ok := tr.QuotaOf("/q"); !ok || q.Prefix != "/q" {
		t.Error("the quota is gone with its znode")
	}
}

func TestQuotaOf(t *testing.T) {
	none := tree.QuotaNumbers{Count: -1, Bytes: -1, CountHard: -1, BytesHard: -1}
	for _, c := range []struct {
		text string
		want tree.QuotaNumbers
		bad  bool
	}{
		{"", none, false},
		{"count=1,bytes=2", tree.QuotaNumbers{Count: 1, Bytes: 2, CountHard: -1, BytesHard: -1}, false},
		{"count=10,bytes=1000=;byteHardLimit=2000;countHardLimit=20", tree.QuotaNumbers{Count: 10, Bytes: 1000, CountHard: 20, BytesHard: 2000}, false},
		{"count=1,,;;bytes=2;;,", tree.QuotaNumbers{Count: 1, Bytes: 2, CountHard: -1, BytesHard: -1}, false},
		{"count==5,bytes=+3", tree.QuotaNumbers{Count: -1, Bytes: 3, CountHard: -1, BytesHard: -1}, false},
		{"count=1,count=2,other=3", tree.QuotaNumbers{Count: 2, Bytes: -1, CountHard: -1, BytesHard: -1}, false},
		{",;,", none, false},
		{"=4", none, false},
		{"count", none, true},
		{"count=", none, true},
		{"count=x", none, true},
		{"count=1 ", none, true},
		{",count=1", none, true},
		{"=", none, true},
		{"count=9223372036854775808", none, true},
	} {
		tr := tree.New(tree.Options{})
		mk(t, tr, "/q")
		setQuota(t, tr, "/q", c.text)
		q, ok := tr.QuotaOf("/q/a")
		if !ok || (q.LimitsErr != nil) != c.bad || !c.bad && q.Limits != c.want || q.Usage.Count != 1 {
			t.Errorf("%q: %+v, want %+v", c.text, q, c.want)
		}
		put(t, tr, quotaRoot+"/q"+limits, nil)
		if q, ok := tr.QuotaOf("/q/a"); !ok || q.LimitsErr == nil {
			t.Errorf("null limits: %+v %v", q, ok)
		}
		for _, p := range []string{"/", "", "/r", "/qq", "q", "/zookeeper"} {
			if q, ok := tr.QuotaOf(p); ok {
				t.Errorf("%q has quota %+v", p, q)
			}
		}
		del(t, tr, quotaRoot+"/q"+stats)
		if _, ok := tr.QuotaOf("/q"); ok {
			t.Error("a quota without stats")
		}
	}
}

// Keys that nobody knows survive the books, in the order of the canonical form.
func TestStatsKeepOtherKeys(t *testing.T) {
	tr := tree.New(tree.Options{})
	mk(t, tr, "/q")
	setQuota(t, tr, "/q", "count=1")
	put(t, tr, quotaRoot+"/q"+stats, []byte("z=1,countHardLimit=4,byteHardLimit=20,bytes=7"))
	put(t, tr, "/q/a", []byte("123"))
	wantStats(t, tr, "/q", "count=0,bytes=10=;byteHardLimit=20;countHardLimit=4;z=1")
}

// Appendix A-3: the limits of no path are an ordinary znode. A-4: so is one that only looks like one. A-5: stats that cannot
// be read are counted anew. Each ends Apache's server.
func TestQuotaTraps(t *testing.T) {
	tr := tree.New(tree.Options{})
	for _, parent := range []string{quotaRoot, "/zookeeper", "/zookeeperX", "/zookeeper/quotaX", "/zookeeper/quotaX/a", "/zookeeper/config"} {
		if tr.Find(parent) == 0 {
			mk(t, tr, parent)
		}
		for _, name := range []string{limits, stats} {
			put(t, tr, parent+name, []byte("count=1"))
			put(t, tr, "/zookeeper/neighbour", []byte("x"))
			if got := tr.Quotas(); got != nil {
				t.Errorf("%s makes quotas %v", parent+name, got)
			}
			if got := string(tr.Data(tr.Find(parent + name))); got != "count=1" {
				t.Errorf("%s was changed to %q", parent+name, got)
			}
			del(t, tr, parent+name)
		}
	}

	mk(t, tr, "/q")
	setQuota(t, tr, "/q", "count=1")
	for _, bad := range [][]byte{nil, []byte("garbage"), []byte("count="), []byte("count=1e3,bytes=0")} {
		put(t, tr, quotaRoot+"/q"+stats, bad)
		if q, ok := tr.QuotaOf("/q"); !ok || q.Usage != (tree.QuotaNumbers{Count: 1, Bytes: 0, CountHard: -1, BytesHard: -1}) {
			t.Errorf("%q: %+v %v", bad, q, ok)
		}
		put(t, tr, "/q/a", []byte("123"))
		wantStats(t, tr, "/q", "count=2,bytes=3")
		put(t, tr, quotaRoot+"/q"+stats, bad)
		del(t, tr, "/q/a")
		wantStats(t, tr, "/q", "count=1,bytes=0")
	}
}

// What a snapshot says of usage may be stale: a load counts anew, and finds the quotas.
func TestLoadCountsQuotas(t *testing.T) {
	tr := tree.New(tree.Options{})
	tr.BeginLoad()
	for _, n := range [][2]string{
		{"", ""}, {"/q", "1"}, {"/q/a", "22"}, {"/zookeeper", ""}, {quotaRoot, ""}, {quotaRoot + "/q", ""}, {quotaRoot + "/q" + limits, "count=5"},
		{quotaRoot + "/q" + stats, "count=77,bytes=77"}, {quotaRoot + limits, "count=1"},
	} {
		if err := tr.LoadNode(n[0], []byte(n[1]), -1, tree.Meta{}); err != nil {
			t.Fatal(err)
		}
	}
	tr.FinishLoad(9)
	wantStats(t, tr, "/q", "count=2,bytes=3")
	if got := tr.Quotas(); !reflect.DeepEqual(got, []string{"/q"}) {
		t.Error(got)
	}
	if err := tr.Check(); err != nil {
		t.Error(err)
	}
}

// A quota over what is below it in a replay: each znode that goes is taken off.
func TestQuotaOfRemovedSubtree(t *testing.T) {
	tr := tree.New(tree.Options{})
	mk(t, tr, "/q", "/q/a", "/q/a/b", "/q/a/c")
	setQuota(t, tr, "/q", "count=5")
	_, ch := tr.Apply(&txn.Txn{Header: header(tr, txn.TypeDelete), Body: &txn.Delete{Path: "/q/a"}}, nil)
	wantStats(t, tr, "/q", "count=1,bytes=0")
	var paths []string
	for _, c := range ch {
		paths = append(paths, c.Path)
	}
	if !reflect.DeepEqual(paths, []string{"/q/a/b", "/q/a/c", "/q/a"}) {
		t.Error(paths)
	}
	if err := tr.Check(); err != nil {
		t.Error(err)
	}
	if s := tr.Stat(tr.Find("/q")); s.Pzxid != tr.LastZxid() || s.NumChildren != 0 {
		t.Errorf("%+v", s)
	}
}
