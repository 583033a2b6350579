package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/zk"
)

// quick is a run of a second or two against stubs: its figures mean nothing, its checks everything.
func quick(t *testing.T, work string, targets ...Target) Options {
	t.Helper()
	o := Default()
	o.Targets, o.Rounds, o.Duration, o.Warmup = targets, 1, leastRound, 0
	o.Conns, o.InFlight, o.Keys, o.Size = 3, 8, 300, 40
	o.Znodes, o.Connections, o.Watches, o.Watchers, o.SnapCount, o.WriteRate = 2000, 80, 1000, 40, 300, 2000
	o.Dir = t.TempDir()
	for i := range targets {
		targets[i].settleStep = 20 * time.Millisecond
	}
	var err error
	if o.Work, err = ParseWork(work); err != nil {
		t.Fatal(err)
	}
	return o
}

func attached(name string, s *stub) Target {
	return Target{Name: name, Addrs: []string{s.addr()}, PIDs: []int{os.Getpid()}}
}

// result finds what a work gave on a target.
func (r *Report) result(t *testing.T, work, target string) Result {
	t.Helper()
	i := slices.IndexFunc(r.Results, func(res Result) bool { return res.Work == work && res.Target == target })
	if i < 0 {
		t.Fatalf("no result of %s on %s", work, target)
	}
	return r.Results[i]
}

// figure finds a number of a result.
func (r Result) figure(t *testing.T, name string) float64 {
	t.Helper()
	i := slices.IndexFunc(r.Figures, func(f Figure) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("%s on %s has no figure %q", r.Work, r.Target, name)
	}
	return r.Figures[i].Value
}

// Two servers side by side: figures of every round of both, closed loop and open, and nothing left behind.
func TestServersAreCompared(t *testing.T) {
	t.Parallel()
	a, b := newStub(t, stubFault{}), newStub(t, stubFault{})
	o := quick(t, "get,create@2x4:1000", attached("a", a), attached("b", b))
	o.Rounds = 2
	var progress bytes.Buffer
	o.Progress = &progress
	report, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, work := range []string{"get@3x8", "create@2:1000"} {
		for _, target := range []string{"a", "b"} {
			checkLoop(t, report.result(t, work, target), 2)
		}
	}
	for _, s := range []*stub{a, b} {
		if left := s.paths(); !slices.Equal(left, []string{"/"}) {
			t.Errorf("left behind: %v", left)
		}
	}
	if report.Targets[1].Version != "stub" {
		t.Errorf("version %q", report.Targets[1].Version)
	}
	if !strings.Contains(progress.String(), "ops/s") {
		t.Errorf("progress says %q", progress.String())
	}
}

func checkLoop(t *testing.T, res Result, rounds int) {
	t.Helper()
	if len(res.Figures) == 0 || len(res.Figures[0].Rounds) != rounds || res.figure(t, "throughput") <= 0 || res.figure(t, "p50") <= 0 {
		t.Errorf("%s on %s: %+v", res.Work, res.Target, res.Figures)
	}
	if len(res.Errors) > 0 || len(res.Curve) == 0 || len(res.Timeline) == 0 {
		t.Errorf("%s on %s: errors %v, %d points of a curve, %d of a timeline", res.Work, res.Target, res.Errors, len(res.Curve), len(res.Timeline))
	}
	if p50, p99 := res.figure(t, "p50"), res.figure(t, "p99"); p99 < p50 {
		t.Errorf("%s on %s: p99 %v is below p50 %v", res.Work, res.Target, p99, p50)
	}
}

func TestEveryLoop(t *testing.T) {
	t.Parallel()
	s := newStub(t, stubFault{})
	o := quick(t, "get,set,mixed,exists,children,create,get@1x1,set@2x1:500", attached("a", s))
	o.Warmup = 50 * time.Millisecond
	report, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Results) != 8 {
		t.Fatalf("%d results", len(report.Results))
	}
	for _, res := range report.Results {
		checkLoop(t, res, 1)
	}
	if left := s.paths(); !slices.Equal(left, []string{"/"}) {
		t.Errorf("left behind: %v", left)
	}
}

func TestKeepLeavesTheSubtree(t *testing.T) {
	t.Parallel()
	s := newStub(t, stubFault{})
	o := quick(t, "get", attached("a", s))
	o.Keep = true
	if _, err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if got, want := len(s.paths()), 1+4+3+300; got != want { // the root, four fixed znodes, buckets, keys
		t.Errorf("%d znodes, want %d", got, want)
	}
}

// Each check of the bench, against a server that breaks it.
func TestFaultsAreFound(t *testing.T) {
	for _, c := range []struct {
		name  string
		work  string
		fault stubFault
		want  string
	}{
		{"a value of another key", "get", stubFault{wrongKey: true}, "the value of key 0"},
		{"a write that is lost", "set", stubFault{lostSet: true}, "not the value that was set last"},
		{"a write that is lost among reads", "mixed", stubFault{lostSet: true}, "not the value that was set last"},
		{"a delete that is lost", "create@1x1", stubFault{lostDelete: true}, "still there"},
		{"a reply out of turn", "get", stubFault{wrongXid: true}, "where 1001 was due"},
		{"a reply out of turn, open loop", "get@1x1:4000", stubFault{wrongXid: true}, "where 1001 was due"},
		{"a child that is not listed", "children", stubFault{fewNames: true}, "99 children where there are 100"},
		{"a connection that ends", "get", stubFault{hangUp: true}, "EOF"},
		{"a connection that ends, open loop", "get@1x1:4000", stubFault{hangUp: true}, "EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStub(t, c.fault)
			o := quick(t, c.work, attached("a", s))
			if c.fault.hangUp {
				o.Keys = 100 // they must fit before the end
			}
			if c.fault.hangUp || c.fault.wrongXid {
				o.Duration = time.Minute // found as soon as a thousand operations are done
			}
			report, err := Run(context.Background(), o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
			if res := report.Results[0]; res.Failed == "" || len(res.Figures) > 0 {
				t.Errorf("figures in spite of it: %+v", res)
			}
		})
	}
}

// An error that a server answers with is counted and shown, and ends nothing.
func TestErrorsAreCounted(t *testing.T) {
	t.Parallel()
	report, err := Run(context.Background(), quick(t, "get", attached("a", newStub(t, stubFault{})), attached("b", newStub(t, stubFault{noNode: true}))))
	if err != nil {
		t.Fatal(err)
	}
	if n := report.result(t, "get@3x8", "a").Errors; len(n) != 0 {
		t.Errorf("errors of a good server: %v", n)
	}
	if n := report.result(t, "get@3x8", "b").Errors["no node"]; n == 0 {
		t.Error("no errors of a server that makes them")
	}
	var table bytes.Buffer
	report.WriteTable(&table)
	if !strings.Contains(table.String(), "no node") {
		t.Errorf("the table does not tell:\n%s", table.String())
	}
}

// A server that stands still does not stop the clock of an open loop: what was due in the first half of the stall waits at
// least the other half, however the machine is scheduled. A closed loop would have seen one slow batch.
func TestOpenLoopCountsFromWhenARequestWasDue(t *testing.T) {
	t.Parallel()
	const stall, rate = 400 * time.Millisecond, 4000
	s := newStub(t, stubFault{stall: stall})
	o := quick(t, "get@1x1:4000", attached("a", s))
	o.Duration = 4 * leastRound
	report, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	res := report.Results[0]
	late := 0.0 // share of the operations that took half the stall or longer
	for _, p := range res.Curve {
		if p.Ms >= ms(int64(stall/2)) {
			late = 1 - p.Percent/100
			break
		}
	}
	if due := rate * stall.Seconds() / 2 / (res.figure(t, "throughput") * o.Duration.Seconds()); late < due/2 {
		t.Errorf("%.1f%% of the operations were late, at least %.1f%% were due in the first half of the stall", late*100, due*100)
	}
}

// The scenarios on a server that runs already.
func TestScenariosOnRunningServers(t *testing.T) {
	t.Parallel()
	s := newStub(t, stubFault{})
	report, err := Run(context.Background(), quick(t, "znodes,connections,watches,fanout", attached("a", s)))
	if err != nil {
		t.Fatal(err)
	}
	for work, names := range map[string][]string{
		"znodes": {"created", "p99"}, "connections": {"opened"}, "watches": {"set"}, "fanout": {"last notice", "median notice"},
	} {
		for _, name := range names {
			if v := report.result(t, work, "a").figure(t, name); !(v > 0) {
				t.Errorf("%s: %s is %v", work, name, v)
			}
		}
	}
	if runtime.GOOS == "linux" {
		report.result(t, "znodes", "a").figure(t, "memory") // it is there; other tests in this process have a part in its value
	}
	if left := s.paths(); !slices.Equal(left, []string{"/"}) {
		t.Errorf("left behind: %v", left)
	}
}

// The scenarios that need a server of their own: it is started, killed, started again on what it had, and its folder goes.
func TestScenariosOnStartedServers(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	target, err := ParseExec("a='" + self + "' " + stubCommand + " '{dir}'")
	if err != nil {
		t.Fatal(err)
	}
	o := quick(t, "idle,get,znodes,snapshot", target)
	report, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for work, names := range map[string][]string{
		"idle": {"exec to serving"}, "get@3x8": {"throughput"}, "znodes": {"created", "back after kill -9"},
		"snapshot": {"snapshots", "p99 during snapshot", "throughput"},
	} {
		for _, name := range names {
			if v := report.result(t, work, "a").figure(t, name); !(v > 0) {
				t.Errorf("%s: %s is %v", work, name, v)
			}
		}
	}
	if left, _ := os.ReadDir(o.Dir); len(left) != 0 {
		t.Errorf("%d folders are left", len(left))
	}
}

// An ensemble: load on all members, the leader ended and back, a member without a folder; none of it works with a single server.
func TestEnsembles(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	target, err := ParseExec("a='" + self + "' " + stubCommand + " '{dir}'")
	if err != nil {
		t.Fatal(err)
	}
	o := quick(t, "set,failover,join", target)
	o.Members, o.Joined = 3, 1000
	report, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for work, names := range map[string][]string{
		"set@3x8": {"throughput"}, "failover": {"without an answer after kill -9", "without an answer after SIGTERM"},
		"join": {"joined", "writes meanwhile"},
	} {
		for _, name := range names {
			if v := report.result(t, work, "a").figure(t, name); !(v > 0) {
				t.Errorf("%s: %s is %v", work, name, v)
			}
		}
	}
	if left, _ := os.ReadDir(o.Dir); len(left) != 0 {
		t.Errorf("%d folders are left", len(left))
	}
	o.Members = 1
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "-members") {
		t.Errorf("failover of a single server: error %v", err)
	}
}

func TestServersThatDoNotStart(t *testing.T) {
	self, _ := os.Executable()
	for command, want := range map[string]string{
		"a=/no/such/program": "no such file",
		"a='" + self + "' " + stubCommand + " /no/such/folder": "/no/such/folder", // it ends at once, saying why
	} {
		target, err := ParseExec(command)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Run(context.Background(), quick(t, "idle", target)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", command, err, want)
		}
	}
	if _, err := Run(context.Background(), quick(t, "idle", attached("a", newStub(t, stubFault{})))); err == nil || !strings.Contains(err.Error(), "-exec") {
		t.Errorf("idle on a server that runs: error %v", err)
	}
}

// A run that is interrupted ends soon, and still cleans up.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	s := newStub(t, stubFault{})
	o := quick(t, "get,set", attached("a", s))
	o.Duration = time.Hour
	ctx, cancel := context.WithCancel(context.Background())
	o.Progress = writerFunc(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte("round 1")) {
			cancel()
		}
		return len(p), nil
	})
	if _, err := Run(ctx, o); err == nil {
		t.Fatal("no error")
	}
	if left := s.paths(); !slices.Equal(left, []string{"/"}) {
		t.Errorf("left behind: %d znodes", len(left))
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// What the three outputs make of one report.
func TestOutputs(t *testing.T) {
	r := &Report{
		Targets: []TargetInfo{{Name: "old"}, {Name: "new", Command: "<script>"}},
		Options: Parameters{Rounds: 3},
		Results: []Result{
			{Work: "get@1x1", Target: "old", Figures: []Figure{
				{"throughput", "ops/s", more, 10000, []float64{9000, 10000, 11000}}, {"p50", "µs", less, 100, nil}, {"cores", "", neither, 1, nil}},
				Curve: []Percentile{{0, 1}, {50, 2}, {100, 30}}, Timeline: []Instant{{1, 0, 9000, 1, false}, {1, 0.25, 11000, 2, true}}},
			{Work: "get@1x1", Target: "new", Figures: []Figure{
				{"throughput", "ops/s", more, 45000, nil}, {"p50", "µs", less, 25, nil}, {"cores", "", neither, 2, nil}},
				Errors: map[string]int64{"no node": 1234}},
			{Work: "idle", Target: "old", Failed: "why"},
		},
	}
	var table, page bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	if got := table.String(); got != `  work     figure               old     new       new/old
  get@1x1  throughput ops/s  10,000  45,000  4.50x better
           p50 µs               100      25  0.25x better
           cores                  1       2         2.00x
get@1x1 on new: errors: 1,234 x no node
idle on old failed: why
` {
		t.Errorf("the table is\n%s", got)
	}
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"45,000", "9,000 to 11,000", "4.50x better", "<svg", "polyline", "&lt;script&gt;", "idle", "why", "1,234 x no node", `class="mark`} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, no := range []string{"<script", "http:", "https:", "src=", "@import", "NaN"} {
		if strings.Contains(page.String(), no) {
			t.Errorf("the page has %q", no)
		}
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(b, &back); err != nil || back.Results[0].Figures[0].Better != more || back.Results[1].Errors["no node"] != 1234 {
		t.Errorf("JSON: %v, %+v", err, back.Results)
	}
}

func TestParseWork(t *testing.T) {
	ws, err := ParseWork("get, set@1x1,mixed:500,create@2x3:0.5,idle")
	if err != nil {
		t.Fatal(err)
	}
	o := Default()
	o.Targets, o.Work = []Target{{Name: "a"}}, ws
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range o.Work {
		got = append(got, w.String())
	}
	if alias, err := ParseWork("populate"); err != nil || alias[0].Kind != "znodes" {
		t.Errorf("populate is %+v, %v", alias, err)
	}
	if want := "get@16x32 set@1x1 mixed@16:500 create@2:0.5 idle"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	for _, bad := range []string{"", "got", "get@", "get@1", "get@0x1", "get@1x", "get:", "get:0", "get:-1", "get:x", "idle@1x1", "idle:5", "get,,set"} {
		if ws, err := ParseWork(bad); err == nil {
			t.Errorf("%q is %+v", bad, ws)
		}
	}
}

func TestParseTargets(t *testing.T) {
	ts, err := ParseVersus("a=h:1,b=h:2+h:3")
	if err != nil || len(ts) != 2 || ts[0].Name != "a" || !slices.Equal(ts[1].Addrs, []string{"h:2", "h:3"}) {
		t.Fatalf("%+v, %v", ts, err)
	}
	if err := SetPIDs(ts, "b=5+6,a=4"); err != nil || !slices.Equal(ts[0].PIDs, []int{4}) || !slices.Equal(ts[1].PIDs, []int{5, 6}) {
		t.Fatalf("%+v, %v", ts, err)
	}
	one, err := ParseServers("h:1,h:2")
	if err != nil || len(one.Addrs) != 2 {
		t.Fatalf("%+v, %v", one, err)
	}
	if lone := []Target{one}; SetPIDs(lone, "7") != nil || !slices.Equal(lone[0].PIDs, []int{7}) {
		t.Errorf("a lone pid: %+v", lone)
	}
	for _, bad := range []string{"a", "a=h", "=h:1", "a=h:1,"} {
		if ts, err := ParseVersus(bad); err == nil {
			t.Errorf("-vs %q is %+v", bad, ts)
		}
	}
	for _, bad := range []string{"7", "c=7", "a=x", "a=0", "a=1,"} {
		if err := SetPIDs(slices.Clone(ts), bad); err == nil {
			t.Errorf("-pids %q is taken", bad)
		}
	}
	for _, bad := range []string{"a", "=x", "a=", "a='x"} {
		if x, err := ParseExec(bad); err == nil {
			t.Errorf("-exec %q is %+v", bad, x)
		}
	}
}

func TestSplitCommand(t *testing.T) {
	for in, want := range map[string][]string{
		"":                         nil,
		"  a  b ":                  {"a", "b"},
		`java "-Dx=a b" 'c"d' e''`: {"java", "-Dx=a b", `c"d`, "e"},
		`a '' b`:                   {"a", "", "b"},
	} {
		if got, err := splitCommand(in); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no target":        func(o *Options) { o.Targets = nil },
		"no work":          func(o *Options) { o.Work = nil },
		"same name":        func(o *Options) { o.Targets = append(o.Targets, o.Targets[0]) },
		"no connections":   func(o *Options) { o.Conns = 0 },
		"short round":      func(o *Options) { o.Duration = time.Millisecond },
		"window too big":   func(o *Options) { o.Size, o.InFlight = 64<<10, 64 },
		"too few keys":     func(o *Options) { o.Keys = 3 },
		"negative rate":    func(o *Options) { o.Rate = -1 },
		"too many keys":    func(o *Options) { o.Keys = maxKeys + 1 },
		"negative size":    func(o *Options) { o.Size = -1 },
		"rounds":           func(o *Options) { o.Rounds = 0 },
		"few to join":      func(o *Options) { o.Joined, o.Work[0] = o.Keys-1, Work{Kind: "join"} },
		"no members":       func(o *Options) { o.Members = 0 },
		"children in lots": func(o *Options) { o.Work[0] = Work{Kind: "children", InFlight: 257} },
	} {
		o := Default()
		o.Targets, o.Work = []Target{{Name: "a"}}, []Work{{Kind: "get"}}
		change(&o)
		if err := o.check(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestKeys(t *testing.T) {
	for k, want := range map[uint64]string{0: "/p/000000/00", 7: "/p/000000/07", 123456: "/p/001234/56", maxKeys - 1: "/p/999999/99"} {
		if got := keyPath("/p", k); got != want {
			t.Errorf("key %d is %s, want %s", k, got, want)
		}
		if got := bucketPath("/p", k/bucketSize); got != want[:len(want)-3] {
			t.Errorf("bucket of key %d is %s", k, got)
		}
	}
	seen := map[uint64]bool{}
	for i := range uint64(1000) {
		k := pick(i, 10)
		if k >= 10 {
			t.Fatalf("picked %d of 10", k)
		}
		seen[k] = true
	}
	if len(seen) != 10 {
		t.Errorf("a thousand picks of ten gave %d", len(seen))
	}
}

// A value says which key it belongs to, as far as it is long enough to.
func TestValues(t *testing.T) {
	for _, size := range []int{0, 1, 8, 15, 16, 17, 128} {
		base := newValue(size)
		v := slices.Clone(base)
		stampValue(v, 1<<56|5, 9)
		if err := checkValue(v, base, 1<<56|5); err != nil {
			t.Errorf("size %d: %v", size, err)
		}
		if err := checkValue(append(v, 0), base, 1<<56|5); err == nil {
			t.Errorf("size %d: a longer value passes", size)
		}
		if size >= 8 && checkValue(v, base, 6) == nil {
			t.Errorf("size %d: another key's value passes", size)
		}
		if size > stampSize {
			v[size-1]++
			if checkValue(v, base, 1<<56|5) == nil {
				t.Errorf("size %d: a damaged value passes", size)
			}
		}
	}
}

func TestProcFiles(t *testing.T) {
	stat := "17 (a (b) c) S 1 17 17 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 100 1 2 3"
	if d, ok := parseStat([]byte(stat)); !ok || d != 3*time.Second {
		t.Errorf("stat: %v %v", d, ok)
	}
	if _, ok := parseStat([]byte("17 (a) S 1")); ok {
		t.Error("a short stat is taken")
	}
	status := "Name:\tjava\nVmHWM:\t  900 kB\nVmRSS:\t  512 kB\n"
	if kb, ok := parseStatus([]byte(status), "VmRSS:"); !ok || kb != 512 {
		t.Errorf("status: %v %v", kb, ok)
	}
	if _, ok := parseStatus([]byte("VmRSS:\n"), "VmRSS:"); ok {
		t.Error("a status without a number is taken")
	}
	if _, ok := cpuOf(nil); ok {
		t.Error("no pids have a CPU time")
	}
}

func TestWords(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.0123: "0.012", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 1234.5: "1,235", 9999999: "9,999,999", -1500: "-1,500", 5: "5"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %s, want %s", v, got, want)
		}
	}
	if number(math.NaN()) != "-" || ratio(math.NaN(), 1, more) != "-" || ratio(1, 0, less) != "-" {
		t.Error("what is not there must be a dash")
	}
	for _, c := range []struct {
		v, base float64
		better  sense
		want    string
	}{{2, 1, more, "2.00x better"}, {2, 1, less, "2.00x worse"}, {1, 2, less, "0.50x better"}, {1, 50, more, "0.020x worse"}, {1.01, 1, more, "1.01x same"}, {3, 1, neither, "3.00x"}} {
		if got := ratio(c.v, c.base, c.better); got != c.want {
			t.Errorf("ratio(%v, %v) = %s, want %s", c.v, c.base, got, c.want)
		}
	}
	if m := median([]float64{3, 1, 2}); m != 2 {
		t.Errorf("median of three: %v", m)
	}
	if m := median([]float64{4, 1, 2, 3}); m != 2.5 {
		t.Errorf("median of four: %v", m)
	}
}

// Whatever a server sends, the reader neither fails nor reads past it.
func FuzzReplies(f *testing.F) {
	f.Add([]byte{0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0xff, 0xff, 0xff, 0x9b, 0, 0, 0, 3, 1, 2, 3})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMeter()
		for _, src := range []source{&readSource{keys: 9, value: newValue(8)}, &readSource{keys: 9}, &childrenSource{keys: 9}} {
			s := &session{in: slices.Clone(b), w: len(b)}
			w := &worker{s: s, src: src, g: &gauge{m: m, codes: map[zk.Code]int64{}}}
			if n, _ := w.replies(0); n*(4+headerSize) > len(b) || s.r > len(b) {
				t.Fatalf("%d replies in %d bytes, read up to %d", n, len(b), s.r)
			}
		}
	})
}

// A server that falls silent is seen in the timeline until the end of the round.
func TestTimelineShowsSilence(t *testing.T) {
	var r Result
	m := meter{windows: []window{{ops: 5}}}
	r.addWindows(2, m.whole(3*windowSize+windowSize/2))
	want := []Instant{{Round: 2, OpsPerSec: 5 / windowSize.Seconds()}, {Round: 2, Seconds: windowSize.Seconds()}, {Round: 2, Seconds: 2 * windowSize.Seconds()}}
	if !slices.Equal(r.Timeline, want) {
		t.Errorf("%+v, want %+v", r.Timeline, want)
	}
}
