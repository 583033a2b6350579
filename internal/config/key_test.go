package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of docs/configuration.md anew")

// The table holds every name that Apache's server reads; the list was taken from its source.
func TestTableIsComplete(t *testing.T) {
	text, err := os.ReadFile("testdata/names-3.9.5.txt")
	if err != nil {
		t.Fatal(err)
	}
	x := newIndex(Keys())
	for name := range strings.Lines(string(text)) {
		name = strings.TrimSpace(name)
		if strings.HasPrefix(name, "#") {
			continue
		}
		if property, ok := strings.CutPrefix(name, "-D"); ok {
			if x.asProperty(property) == nil {
				t.Errorf("-D%s is not in the table", property)
			}
			continue
		}
		if x.inFile(strings.Replace(name, "*", "1", 1)) == nil {
			t.Errorf("%s is not in the table", name)
		}
	}
}

// Rules that every row keeps.
func TestTable(t *testing.T) {
	seen := map[string]string{}
	claim := func(spelling, name string) {
		if other, ok := seen[spelling]; ok {
			t.Errorf("%q is both %s and %s", spelling, other, name)
		}
		seen[spelling] = name
	}
	for _, k := range Keys() {
		claim(k.Name, k.Name)
		for _, also := range k.Also {
			claim(also, k.Name)
		}
		if k.Note == "" {
			t.Errorf("%s has no note", k.Name)
		}
		if k.Action == Honoured && k.set == nil && k.Kind != Server {
			t.Errorf("%s is honoured by nothing", k.Name)
		}
		if k.lacks != nil && k.Action != Refused && k.Action != Ignored {
			t.Errorf("%s can lack nothing: it is %s", k.Name, k.Action)
		}
		if _, note, err := read(k.Kind, k.Name, k.Default, k.Default, false); !strings.HasPrefix(k.Default, "(") && (note != "" || err != nil) {
			t.Errorf("%s: the default %q does not read: %s %v", k.Name, k.Default, note, err)
		}
	}
}

// The manual's spellings, which Apache itself does not read.
func TestManualSpellings(t *testing.T) {
	x := newIndex(Keys())
	for manual, real := range map[string]string{
		"connectionMaxTokens": "connection_throttle_tokens", "connectionTokenFillTime": "connection_throttle_fill_time",
		"connectionTokenFillCount": "connection_throttle_fill_count", "connectionFreezeTime": "connection_throttle_freeze_time",
		"connectionDropIncrease": "connection_throttle_drop_increase", "connectionDropDecrease": "connection_throttle_drop_decrease",
		"connectionDecreaseRatio": "connection_throttle_decrease_ratio", "requestThrottleLimit": "request_throttle_max_requests",
		"requestThrottleStallTime": "request_throttle_stall_time", "requestThrottleDropStale": "request_throttle_drop_stale",
		"requestStaleLatencyCheck": "request_stale_latency_check", "requestStaleConnectionCheck": "request_stale_connection_check",
		"throttledOpWaitTime": "throttled_op_wait_time", "maxConcurrentSnapSyncs": "leader.maxConcurrentSnapSyncs",
		"maxConcurrentDiffSyncs": "leader.maxConcurrentDiffSyncs", "advancedFlowControlEnabled": "netty.advancedFlowControl.enabled",
	} {
		if k := x.inFile(manual); k == nil || k.Name != real {
			t.Errorf("%s in zoo.cfg: got %v, want %s", manual, k, real)
		}
		if k := x.asProperty("zookeeper." + manual); k == nil || k.Name != real {
			t.Errorf("-Dzookeeper.%s: got %v, want %s", manual, k, real)
		}
	}
}

// Values as Java reads them.
func TestRead(t *testing.T) {
	for _, tt := range []struct {
		kind Kind
		text string
		want string // Int, Bool or Float; "!" and an error's text; "~" and the default 77
	}{
		{Switch, "TRUE", "true"}, {Switch, "False", "false"}, {Switch, "yes", "!Invalid option yes for k. Choose 'true' or 'false.'"},
		{Flag, "TrUe", "true"}, {Flag, "yes", "false"}, {Flag, "", "false"},
		{Int, "+5", "5"}, {Int, "-5", "-5"}, {Int, "007", "7"}, {Int, "2147483647", "2147483647"},
		{Int, "2147483648", `!For input string: "2147483648"`}, {Int, "0x10", `!For input string: "0x10"`}, {Int, "1_000", `!For input string: "1_000"`},
		{Int, "", `!For input string: ""`}, {Int, " 5", `!For input string: " 5"`}, {Int, "5.0", `!For input string: "5.0"`},
		{Long, "2147483648", "2147483648"}, {Long, "9223372036854775808", `!For input string: "9223372036854775808"`},
		{GetInt, "10", "10"}, {GetInt, "010", "8"}, {GetInt, "0x10", "16"}, {GetInt, "0X1f", "31"}, {GetInt, "#ff", "255"}, {GetInt, "-0x10", "-16"},
		{GetInt, "0", "0"}, {GetInt, "+7", "7"}, {GetInt, "", "~"}, {GetInt, "ten", "~"}, {GetInt, "2147483648", "~"}, {GetInt, "09", "~"}, {GetInt, "0x", "~"},
		{GetInt, "--5", "~"}, {GetInt, "0x-5", "~"}, {GetInt, "-2147483648", "-2147483648"},
		{GetLng, "2147483648", "2147483648"}, {GetLng, "1e3", "~"},
		{LaxLng, "010", "10"}, {LaxLng, "0x10", "~"},
		{Float, "0.02", "0.02"}, {Float, " 1.5f ", "1.5"}, {Float, "2d", "2"}, {Float, "1e-3", "0.001"}, {Float, "much", `!For input string: "much"`},
	} {
		v, note, err := read(tt.kind, "k", tt.text, "77", false)
		var got string
		switch tt.kind {
		case Switch, Flag:
			got = fmt.Sprint(v.Bool)
		case Float:
			got = fmt.Sprint(v.Float)
		default:
			got = fmt.Sprint(v.Int)
		}
		if note != "" {
			if v.Int != 77 {
				t.Errorf("%s %q: %d counts, want the default", tt.kind, tt.text, v.Int)
			}
			got = "~"
		}
		if err != nil {
			got = "!" + err.Error()
		}
		if got != tt.want {
			t.Errorf("%s %q: got %s, want %s", tt.kind, tt.text, got, tt.want)
		}
	}
	if v, _, err := read(Switch, "k", "yes", "", true); err != nil || v.Bool {
		t.Errorf("a -D is read by Boolean.parseBoolean: got %v, %v", v, err)
	}
}

const doc = "../../docs/configuration.md"

// docs/configuration.md holds the table as it is; go test -run Documentation -update writes it.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- keys: written by go test ./internal/config -run Documentation -update -->\n", "<!-- end of keys -->"
	head, rest, ok := strings.Cut(string(text), begin)
	tables, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has lost its marks", doc)
	}
	want := documentation()
	if tables == want {
		return
	}
	if !*update {
		t.Fatalf("%s does not hold the table of keys as it is in the code: run go test ./internal/config -run Documentation -update", doc)
	}
	if err := os.WriteFile(doc, []byte(head+begin+want+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

func documentation() string {
	var b strings.Builder
	for _, s := range Sections() {
		fmt.Fprintf(&b, "\n## %s\n\n| key | system property | value | default | here | |\n|---|---|---|---|---|---|\n", s.Title)
		for _, k := range s.Keys {
			name := code(k.Name)
			for _, also := range k.Also {
				name += ", " + code(also)
			}
			property := "-"
			if k.Property != "" {
				property = code(k.Property)
			}
			for _, also := range k.AlsoProperty {
				property += ", " + code(also)
			}
			def := k.Default
			if !strings.HasPrefix(def, "(") {
				def = code(def)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", name, property, k.Kind, def, k.Action, strings.ReplaceAll(k.Note, "|", `\|`))
		}
	}
	return b.String() + "\n"
}

func code(s string) string {
	if s == "" {
		return "empty"
	}
	return "`" + s + "`"
}

// The sample starts without a word, and so it does with all that it only suggests.
func TestSampleFile(t *testing.T) {
	sample, err := os.ReadFile("../../conf/zoo_sample.cfg")
	if err != nil {
		t.Fatal(err)
	}
	bare := strings.ReplaceAll(string(sample), "/var/lib/zookeeper", "./data") // where nobody's myid is
	var full strings.Builder
	for line := range strings.Lines(bare) {
		if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# ") {
			line = line[1:]
		}
		full.WriteString(line)
	}
	if full.Len() == len(bare) {
		t.Error("the sample suggests nothing")
	}
	for _, text := range []string{bare, full.String()} {
		if c := mustLoad(t, text, nil); len(c.Warnings) != 1 { // mustLoad's own dataDir comes first
			t.Errorf("%v\n%s", c.Warnings, text)
		}
	}
}
