package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

var (
	eventWords = map[zk.EventType]string{
		zk.EventNodeCreated: "created", zk.EventNodeDeleted: "deleted", zk.EventNodeDataChanged: "changed", zk.EventNodeChildrenChanged: "children",
	}
	typeWords = map[string]zk.WatcherType{
		"children": zk.WatcherChildren, "data": zk.WatcherData, "any": zk.WatcherAny, "persistent": zk.WatcherPersistent,
		"recursive": zk.WatcherPersistentRecursive, "type9": 9,
	}
)

// Each file of testdata is cases of steps with what each yielded, indented.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		runScript(t, file, string(text))
	}
}

func runScript(t *testing.T, file, text string) {
	var table *Table
	lines := strings.Split(text, "\n")
	steps := 0
	for i := 0; i < len(lines); {
		line, at := lines[i], i+1
		i++
		switch {
		case line == "" || line[0] == '#':
			continue
		case strings.HasPrefix(line, "case "):
			table = New(uint64(at))
			continue
		}
		var want []string
		for ; i < len(lines) && strings.HasPrefix(lines[i], "  "); i++ {
			want = append(want, lines[i][2:])
		}
		got := play(t, table, line)
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:%d: %s\ngot  %q\nwant %q", file, at, line, got, want)
		}
		if err := table.Check(); err != nil {
			t.Fatalf("%s:%d: %s: %v", file, at, line, err)
		}
		steps++
	}
	if steps == 0 {
		t.Errorf("%s has no step", file)
	}
}

// play performs one step and gives what it yielded.
func play(t *testing.T, table *Table, step string) (got []string) {
	t.Helper()
	f := strings.Fields(step)
	for i := range f {
		if f[i] == `""` {
			f[i] = ""
		}
	}
	number := func(s string) Watcher {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		return Watcher(n)
	}
	switch f[0] {
	case "create", "set", "delete":
		kinds := map[string]txn.ChangeKind{"create": txn.NodeCreated, "set": txn.NodeDataChanged, "delete": txn.NodeDeleted}
		for part := range strings.SplitSeq(step, "; ") {
			word, path, _ := strings.Cut(part, " ")
			for _, n := range table.Match(txn.Change{Kind: kinds[word], Path: path, Zxid: 1}, nil) {
				got = append(got, fmt.Sprintf("%d %s %s", n.Watcher, eventWords[n.Type], n.Path))
			}
		}
	case "drop":
		table.Drop(number(f[1]))
	case "remove":
		got = []string{map[bool]string{true: "removed", false: "nothing"}[table.Remove(f[3], number(f[1]), typeWords[f[2]])]}
	case "contains":
		got = []string{map[bool]string{true: "yes", false: "no"}[table.Contains(f[3], number(f[1]), typeWords[f[2]])]}
	case "count":
		got = []string{strconv.Itoa(table.Count())}
	case "wchs":
		got = []string{fmt.Sprintf("%d connections %d paths %d watches", table.Watchers(), table.Paths(), table.DataCount())}
	case "wchp":
		for _, x := range table.DataByPath() {
			got = append(got, x.Path+" "+strings.Trim(fmt.Sprint(x.Watchers), "[]"))
		}
	case "wchc":
		for _, x := range table.DataByWatcher() {
			got = append(got, fmt.Sprintf("%d %s", x.Watcher, strings.Join(x.Paths, " ")))
		}
	case "rearm":
		w, path := number(f[1]), f[3]
		var now Node
		var seen zk.Zxid
		if _, err := fmt.Sscanf(f[4], "%d/%d", &now.Mzxid, &now.Pzxid); err == nil {
			now.Exists = true
		}
		fmt.Sscanf(f[5], "seen=%d", &seen)
		var event zk.EventType
		var missed bool
		switch f[2] {
		case "data":
			event, missed = table.RearmData(path, w, now, seen)
		case "exist":
			event, missed = table.RearmExist(path, w, now)
		case "child":
			event, missed = table.RearmChild(path, w, now, seen)
		}
		if missed {
			got = []string{fmt.Sprintf("%d %s %s", w, eventWords[event], path)}
		}
	default:
		w, path := number(f[0]), f[2]
		switch f[1] {
		case "data":
			table.AddData(path, w)
		case "child":
			table.AddChild(path, w)
		case "persistent":
			table.AddPersistent(path, w)
		case "recursive":
			table.AddRecursive(path, w)
		default:
			t.Fatalf("unknown step %q", step)
		}
	}
	return got
}
