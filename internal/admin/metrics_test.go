package admin

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// values parses mntr's answer.
func values(t *testing.T, answer string) map[string]string {
	t.Helper()
	kv := map[string]string{}
	for line := range strings.Lines(answer) {
		k, v, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if k, zk := strings.CutPrefix(k, "zk_"); ok && zk {
			kv[k] = v
		} else {
			t.Fatalf("not a line of mntr: %q", line)
		}
	}
	return kv
}

// Metrics that were fed so that every number of Apache's answer is the same give the same answer: all names, all formats.
// Quantiles cannot be fed; of them only the names are compared.
func TestMntrIsApaches(t *testing.T) {
	want := values(t, golden(t, "mntr"))
	n := func(key string) int64 {
		v, err := strconv.ParseInt(want[key], 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		return v
	}

	m := NewMetrics()
	for c, name := range counters {
		if _, ok := want[name.name]; ok {
			m.Add(Counter(c), n(name.name))
		}
	}
	feed := func(name string, record func(int64)) {
		if _, ok := want["cnt_"+name]; ok {
			for _, v := range sample(n("cnt_"+name), n("sum_"+name), n("min_"+name), n("max_"+name)) {
				record(v)
			}
		}
	}
	for s, name := range timings {
		feed(name.name.name, func(v int64) { m.Record(Timing(s), v) })
	}
	feed("hold_read_per_namespace", func(v int64) { m.RecordKey(ReadBytes, "hold", v) })
	feed("hold_write_per_namespace", func(v int64) { m.RecordKey(WriteBytes, "hold", v) })

	src := &fake{
		metrics: m,
		status: Status{
			Version: apacheVersion, State: "standalone", Nodes: int(n("znode_count")), Connections: int(n("num_alive_connections")),
			Traffic: Traffic{
				Latency:  Summary{Count: 165, Sum: 148, Min: n("min_latency"), Max: n("max_latency")},
				Received: n("packets_received"), Sent: n("packets_sent"),
				Responses: Sizes{n("last_client_response_size"), n("min_client_response_size"), n("max_client_response_size")},
			},
		},
		monitor: Monitor{
			Uptime: time.Duration(n("uptime")) * time.Millisecond, Watches: int(n("watch_count")),
			Ephemerals: int(n("ephemerals_count")), DataSize: n("approximate_data_size"), GlobalSessions: int(n("global_sessions")),
			OpenFiles: n("open_file_descriptor_count"), MaxFiles: n("max_file_descriptor_count"),
		},
	}
	answer := string(NewWhitelist([]string{"mntr"}, false).Answer("mntr", nil, src))
	got := values(t, answer)

	// 3.9 tells more than 3.8.
	for _, name := range []string{
		"restore_error_count", "restore_rate_limited_count", "snapshot_error_count", "snapshot_rate_limited_count",
		"avg_restore_time", "min_restore_time", "max_restore_time", "cnt_restore_time", "sum_restore_time",
	} {
		if _, ok := got[name]; !ok {
			t.Errorf("3.9's %s is missing", name)
		}
		delete(got, name)
	}
	for _, kv := range []map[string]string{got, want} {
		for k := range kv {
			if prefix, _, _ := strings.Cut(k, "_"); slices.Contains([]string{"p50", "p95", "p99", "p999"}, prefix) {
				kv[k] = "a quantile"
			}
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("Apache (-), ours (+):\n%s", diff)
	}
	if head := "zk_version\t" + apacheVersion + "\nzk_server_state\tstandalone\nzk_approximate_data_size\t"; !strings.HasPrefix(answer, head) {
		t.Errorf("the answer begins with %.120q", answer)
	}
}

// sample makes count values with these extremes and this sum.
func sample(count, sum, least, most int64) (vs []int64) {
	if count == 0 {
		return nil
	}
	if vs = append(vs, least); count == 1 {
		return vs
	}
	vs = append(vs, most)
	rest, left := count-2, sum-least-most
	for ; rest > 0; rest-- {
		v := left / rest
		left -= v
		vs = append(vs, v)
	}
	return vs
}

func TestMntrOfALeaderWithQuotas(t *testing.T) {
	src := &fake{
		metrics: NewMetrics(),
		status:  Status{State: "leader", PeerState: "leading - broadcast", Proposals: &Sizes{97, 48, 99}},
		monitor: Monitor{
			QuorumSize: 3, Leader: &LeaderMonitor{Learners: 2, SyncedFollowers: 1, SyncedObservers: 1, Uptime: 12 * time.Second},
			Quotas: []Quota{{Namespace: "q", CountLimit: 10, CountUsage: 2, BytesLimit: -1, BytesUsage: 8}},
		},
	}
	src.metrics.AddKey(QuotaExceeded, "q", 4)
	src.metrics.RecordKey(LearnerPacketTime, "2", 5)
	src.metrics.RecordKey(LearnerPacketTime, "1", 3)
	answer := string(NewWhitelist([]string{"mntr"}, false).Answer("mntr", nil, src))
	got := values(t, answer)
	for k, want := range map[string]string{
		"peer_state": "leading - broadcast", "quorum_size": "3", "learners": "2", "synced_followers": "1", "synced_observers": "1",
		"synced_non_voting_followers": "0", "pending_syncs": "0", "leader_uptime": "12000", "last_proposal_size": "97",
		"min_proposal_size": "48", "max_proposal_size": "99", "q_quota_count_limit_per_namespace": "10",
		"q_quota_count_usage_per_namespace": "2", "q_quota_bytes_limit_per_namespace": "-1", "q_quota_bytes_usage_per_namespace": "8",
		"q_quota_exceeded_error_per_namespace": "4", "avg_1_learner_handler_qp_time_ms": "3.0", "p999_2_learner_handler_qp_time_ms": "5",
		"avg_latency": "0.0", "connection_drop_probability": "0.0", "last_client_response_size": "0",
	} {
		if got[k] != want {
			t.Errorf("%s is %q, want %q", k, got[k], want)
		}
	}
	if !strings.HasSuffix(answer, "zk_p999_2_learner_handler_qp_time_ms\t5\n") {
		t.Errorf("the last key of the last set is not at the end: %q", answer[len(answer)-80:])
	}
}

// The order is stable: by kind, then by name.
func TestTablesAreSortedAndComplete(t *testing.T) {
	check := func(what string, names []name) {
		if !slices.IsSortedFunc(names, func(a, b name) int { return cmp.Compare(a.name, b.name) }) {
			t.Errorf("the %s are not sorted", what)
		}
		for i, n := range names {
			if n.name == "" || n.help == "" || i > 0 && n.name == names[i-1].name {
				t.Errorf("%s %d, %q: no name, no help or twice", what, i, n.name)
			}
		}
	}
	check("counters", counters[:])
	check("sets of counters", counterSets[:])
	var names []name
	for _, s := range timings {
		names = append(names, s.name)
	}
	check("summaries", names)
	names = nil
	for _, s := range timingSets {
		names = append(names, s.name)
	}
	check("sets of summaries", names)
	names = nil
	for _, g := range gauges {
		names = append(names, g.name)
	}
	check("gauges", names)
	names = nil
	for _, g := range quotaGauges {
		names = append(names, g.name)
	}
	check("sets of gauges", names)
}

func TestResetForgetsAll(t *testing.T) {
	m := NewMetrics()
	m.Requests(true, 7, 1)
	m.Requests(false, 3, 1)
	m.Requests(false, -1, 1) // the clock of a request from elsewhere may be ahead
	m.PacketsReceived(1, 45)
	m.PacketsSent(1)
	m.ResponseSize(90)
	m.ResponseSize(16)
	m.Add(SessionsExpired, 2)
	m.AddKey(QuotaExceeded, "a", 1)
	m.RecordKey(WriteBytes, "a", 9)

	want := Traffic{Latency: Summary{Count: 2, Sum: 10, Min: 3, Max: 7}, Received: 1, Sent: 1, Responses: Sizes{16, 16, 90}}
	if diff := gocmp.Diff(want, m.Traffic()); diff != "" {
		t.Errorf("before the reset, want (-), got (+):\n%s", diff)
	}
	told := func() (s []string) {
		for x := range m.All() {
			if x.Value != 0 || x.Summary.Count != 0 {
				s = append(s, x.Name+" "+x.Key+" "+strconv.FormatInt(x.Value+x.Summary.Sum, 10)+" "+fmt.Sprint(x.Quantiles))
			}
		}
		return s
	}
	if diff := gocmp.Diff([]string{
		"bytes_received_count  45 [0 0 0 0]", "stale_sessions_expired  2 [0 0 0 0]", "quota_exceeded_error_per_namespace a 1 [0 0 0 0]",
		"readlatency  3 [3 3 3 3]", "updatelatency  7 [7 7 7 7]", "write_per_namespace a 9 [0 0 0 0]",
	}, told()); diff != "" {
		t.Errorf("before the reset, want (-), got (+):\n%s", diff)
	}

	m.Reset()
	if diff := gocmp.Diff(Traffic{Responses: Sizes{-1, -1, -1}}, m.Traffic()); diff != "" {
		t.Errorf("after the reset, want (-), got (+):\n%s", diff)
	}
	if s := told(); s != nil {
		t.Errorf("after the reset there is %q", s)
	}
	m.Requests(true, 2, 1)
	if got := m.Traffic().Latency; got != (Summary{Count: 1, Sum: 2, Min: 2, Max: 2}) {
		t.Errorf("the first latency after a reset gives %+v", got)
	}
}

// Clients choose the names of namespaces: they must not fill the memory.
func TestKeysAreBounded(t *testing.T) {
	m := NewMetrics()
	for i := range 2 * maxKeys {
		m.AddKey(QuotaExceeded, "n"+strconv.Itoa(i), 1)
	}
	m.AddKey(QuotaExceeded, "n0", 1)
	keys, first := 0, int64(0)
	for x := range m.All() {
		if x.Key != "" {
			keys++
		}
		if x.Key == "n0" {
			first = x.Value
		}
	}
	if keys != maxKeys || first != 2 {
		t.Errorf("%d keys, the first counted %d; want %d and 2", keys, first, maxKeys)
	}
}

func TestWritersLoseNothing(t *testing.T) {
	m := NewMetrics()
	const writers, each = 4, 1000
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				m.Requests(true, int64(w*each+i), 1)
				m.RecordKey(ReadBytes, strconv.Itoa(i%7), 1)
			}
		})
	}
	wg.Wait()
	const n = writers * each
	if got, want := m.Traffic().Latency, (Summary{Count: n, Sum: n * (n - 1) / 2, Max: n - 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	var read int64
	for x := range m.All() {
		if x.Name == "read_per_namespace" {
			read += x.Summary.Count
		}
	}
	if read != n {
		t.Errorf("%d values in the set, want %d", read, n)
	}
}

// Every value falls into the bucket that says it holds it, and buckets follow each other without a gap.
func TestBuckets(t *testing.T) {
	next := int64(0)
	for b := range numBuckets {
		value, width := floor(b)
		if value != next || bucket(value) != b || bucket(value+width-1) != b {
			t.Fatalf("bucket %d is said to hold %d values from %d; the one before ended at %d", b, width, value, next)
		}
		if value >= 2*steps && width > value/steps {
			t.Fatalf("bucket %d from %d is %d wide", b, value, width)
		}
		next = value + width
	}
	if next-1 != 1<<63-1 {
		t.Errorf("the last bucket ends before %d", next)
	}
	if bucket(-5) != 0 {
		t.Errorf("a negative value is in bucket %d", bucket(-5))
	}
}

// A quantile is the value of its rank, within one part in steps.
func TestQuantiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, scale := range []int64{1, 10, 60, 1000, 1 << 40} {
		m := NewMetrics()
		var vs []int64
		for range 3000 {
			v := int64(rng.ExpFloat64() * float64(scale))
			vs = append(vs, v)
			m.Record(ReadLatency, v)
		}
		slices.Sort(vs)
		for x := range m.All() {
			if x.Name != "readlatency" {
				continue
			}
			for i, q := range quantiles {
				exact := vs[int(q.q*float64(len(vs))+0.999999)-1]
				if off := max(x.Quantiles[i]-exact, exact-x.Quantiles[i]); off > exact/steps {
					t.Errorf("scale %d, %s: %d, exactly %d", scale, q.prefix, x.Quantiles[i], exact)
				}
			}
		}
	}
}

func BenchmarkRequest(b *testing.B) {
	m := NewMetrics()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := int64(0); pb.Next(); i++ {
			m.Requests(true, i&31, 1)
		}
	})
}
