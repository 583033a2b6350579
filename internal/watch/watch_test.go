package watch

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// What the reader of a notice must pass, and the zxid: of the znode itself, or of its parent for the list of children.
func TestNoticesCarryACLAndZxid(t *testing.T) {
	own, parent := zk.WorldACL(zk.PermRead), zk.WorldACL(zk.PermWrite)
	for _, c := range []struct {
		kind txn.ChangeKind
		want []Notice
	}{
		{txn.NodeCreated, []Notice{{1, zk.EventNodeCreated, "/p/x", 7, own}, {2, zk.EventNodeCreated, "/p/x", 7, own}, {3, zk.EventNodeChildrenChanged, "/p", 7, parent}}},
		{txn.NodeDeleted, []Notice{{1, zk.EventNodeDeleted, "/p/x", 7, own}, {2, zk.EventNodeDeleted, "/p/x", 7, own}, {4, zk.EventNodeDeleted, "/p/x", 7, own},
			{3, zk.EventNodeChildrenChanged, "/p", 7, parent}}},
		{txn.NodeDataChanged, []Notice{{1, zk.EventNodeDataChanged, "/p/x", 7, own}, {2, zk.EventNodeDataChanged, "/p/x", 7, own}}},
	} {
		x := New(1)
		x.AddData("/p/x", 1)
		x.AddRecursive("/p", 2)
		x.AddChild("/p", 3)
		x.AddChild("/p/x", 4)
		before := []Notice{{Watcher: 99}}
		got := x.Match(txn.Change{Kind: c.kind, Path: "/p/x", Zxid: 7, ACL: own, ParentACL: parent}, before)
		if !reflect.DeepEqual(got[0], before[0]) || !reflect.DeepEqual(got[1:], c.want) {
			t.Errorf("kind %d: %v", c.kind, got)
		}
	}
}

// After 2^32 triggers the marks of old ones must not silence new ones.
func TestTriggerNumbersWrap(t *testing.T) {
	for _, path := range []string{"/marked", "/fresh"} {
		x := New(1)
		set := func(path string) int { return len(x.Match(txn.Change{Kind: txn.NodeDataChanged, Path: path}, nil)) }
		x.AddPersistent("/marked", 1)
		if set("/marked") != 1 || x.owners[1].told != 1 {
			t.Fatal("the first trigger is not number 1")
		}
		x.AddPersistent("/fresh", 2) // bears no mark
		x.trigger = math.MaxUint32
		if set(path) != 1 || x.trigger > 1 {
			t.Errorf("%s: nobody told by trigger %d", path, x.trigger)
		}
	}
}

// model is the same table, of maps, as section 5 tells it.
type model struct{ data, child map[string]map[Watcher]int }

const (
	modelStandard = 1 << iota
	modelPersistent
	modelRecursive
)

func (m *model) add(side map[string]map[Watcher]int, path string, w Watcher, mode int) {
	if side[path] == nil {
		side[path] = map[Watcher]int{}
	}
	side[path][w] |= mode
}

func (m *model) take(side map[string]map[Watcher]int, path string, w Watcher, mode int) bool {
	old := side[path][w]
	if old&mode == 0 {
		return false
	}
	if side[path][w] &^= mode; old&^mode == 0 {
		delete(side[path], w)
	}
	if len(side[path]) == 0 {
		delete(side, path)
	}
	return true
}

// trigger gives who is told, sorted, of those not in suppress.
func (m *model) trigger(side map[string]map[Watcher]int, path string, suppress []Watcher) []Watcher {
	told := map[Watcher]bool{}
	for _, w := range slices.Collect(maps.Keys(side[path])) {
		told[w] = true
		m.take(side, path, w, modelStandard)
	}
	for p := path; p != "/" && p != ""; {
		if p = p[:strings.LastIndexByte(p, '/')]; p == "" {
			p = "/"
		}
		for w, mode := range side[p] {
			if mode&modelRecursive != 0 {
				told[w] = true
			}
		}
	}
	for _, w := range suppress {
		delete(told, w)
	}
	return slices.Sorted(maps.Keys(told))
}

func (m *model) match(c txn.Change) []string {
	var out []string
	emit := func(ws []Watcher, e zk.EventType, path string) {
		for _, w := range ws {
			out = append(out, fmt.Sprint(w, e, path))
		}
	}
	parent := c.Path[:strings.LastIndexByte(c.Path, '/')]
	if parent == "" {
		parent = "/"
	}
	switch c.Kind {
	case txn.NodeDataChanged:
		emit(m.trigger(m.data, c.Path, nil), zk.EventNodeDataChanged, c.Path)
		return out
	case txn.NodeCreated:
		emit(m.trigger(m.data, c.Path, nil), zk.EventNodeCreated, c.Path)
	case txn.NodeDeleted:
		first := m.trigger(m.data, c.Path, nil)
		all := slices.Concat(first, m.trigger(m.child, c.Path, first))
		slices.Sort(all)
		emit(all, zk.EventNodeDeleted, c.Path)
	}
	emit(m.trigger(m.child, parent, nil), zk.EventNodeChildrenChanged, parent)
	return out
}

func TestAgainstModel(t *testing.T) {
	names := []string{"/a", "/b", "/a/c", "/a/b", "/a/b/c", "/a/b/c/d", "/ab", "/b/a"}
	paths := append([]string{"/", ""}, names...)
	types := []zk.WatcherType{zk.WatcherChildren, zk.WatcherData, zk.WatcherAny, zk.WatcherPersistent, zk.WatcherPersistentRecursive, 0}
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		x, m := New(seed), &model{map[string]map[Watcher]int{}, map[string]map[Watcher]int{}}
		for step := range 1500 {
			path, w, typ := paths[rnd.IntN(len(paths))], Watcher(rnd.IntN(5)), types[rnd.IntN(len(types))]
			what := rnd.IntN(16)
			where := fmt.Sprintf("seed %d step %d: op %d %q %d type %d", seed, step, what, path, w, typ)
			switch what {
			case 0, 1, 2:
				x.AddData(path, w)
				m.add(m.data, path, w, modelStandard)
			case 3, 4:
				x.AddChild(path, w)
				m.add(m.child, path, w, modelStandard)
			case 5:
				x.AddPersistent(path, w)
				m.add(m.data, path, w, modelPersistent)
				m.add(m.child, path, w, modelPersistent)
			case 6:
				x.AddRecursive(path, w)
				m.add(m.data, path, w, modelRecursive)
			case 7, 8:
				d, c := 0, 0
				switch typ {
				case zk.WatcherData:
					d = modelStandard
				case zk.WatcherChildren:
					c = modelStandard
				case zk.WatcherAny:
					d, c = 7, 7
				case zk.WatcherPersistent:
					d, c = modelPersistent, modelPersistent
				case zk.WatcherPersistentRecursive:
					d = modelRecursive
				}
				want := m.data[path][w]&d != 0 || m.child[path][w]&c != 0
				if got := x.Contains(path, w, typ); got != want {
					t.Fatalf("%s: contains %v", where, got)
				}
				m.take(m.data, path, w, d)
				m.take(m.child, path, w, c)
				if got := x.Remove(path, w, typ); got != want {
					t.Fatalf("%s: removed %v", where, got)
				}
			case 9:
				if rnd.IntN(3) == 0 {
					x.Drop(w)
					for _, side := range []map[string]map[Watcher]int{m.data, m.child} {
						for _, p := range slices.Collect(maps.Keys(side)) {
							m.take(side, p, w, 7)
						}
					}
				}
			default:
				c := txn.Change{Kind: txn.ChangeKind(1 + rnd.IntN(3)), Path: names[rnd.IntN(len(names))], Zxid: zk.Zxid(step)}
				if c.Kind == txn.NodeDataChanged && rnd.IntN(4) == 0 {
					c.Path = "/"
				}
				want := m.match(c)
				notices := x.Match(c, nil)
				// Order within a trigger is by registration, which the model does not know; triggers keep theirs.
				slices.SortStableFunc(notices, func(a, b Notice) int {
					if a.Type != b.Type || a.Path != b.Path {
						return 0
					}
					return int(a.Watcher) - int(b.Watcher)
				})
				var got []string
				for _, n := range notices {
					got = append(got, fmt.Sprint(n.Watcher, n.Type, n.Path))
				}
				if !slices.Equal(got, want) {
					t.Fatalf("%s: %+v told %q, want %q", where, c, got, want)
				}
			}
			compare(t, where, x, m)
			if step%50 == 0 {
				if err := x.Check(); err != nil {
					t.Fatalf("%s: %v", where, err)
				}
			}
		}
		for w := range Watcher(5) {
			x.Drop(w)
		}
		if err := x.Check(); err != nil || x.Count() != 0 || x.places.Len() != 0 || x.bytes.Used() != 0 || x.longest != 0 {
			t.Fatalf("seed %d: something is left: %d watches, %d places, %v", seed, x.Count(), x.places.Len(), err)
		}
	}
}

func compare(t *testing.T, where string, x *Table, m *model) {
	t.Helper()
	byPath := []ByPath{}
	byWatcher := map[Watcher][]string{}
	pairs, childs := 0, 0
	for _, path := range slices.Sorted(maps.Keys(m.data)) {
		ws := slices.Sorted(maps.Keys(m.data[path]))
		byPath = append(byPath, ByPath{path, ws})
		pairs += len(ws)
		for _, w := range ws {
			byWatcher[w] = append(byWatcher[w], path)
		}
	}
	for _, ws := range m.child {
		childs += len(ws)
	}
	if x.Count() != pairs+childs || x.DataCount() != pairs || x.Paths() != len(byPath) || x.Watchers() != len(byWatcher) {
		t.Fatalf("%s: counts %d %d %d %d, want %d %d %d %d", where, x.Count(), x.DataCount(), x.Paths(), x.Watchers(), pairs+childs, pairs, len(byPath), len(byWatcher))
	}
	if got := x.DataByPath(); !reflect.DeepEqual(got, byPath) {
		t.Fatalf("%s: by path %v, want %v", where, got, byPath)
	}
	got := x.DataByWatcher()
	if len(got) != len(byWatcher) {
		t.Fatalf("%s: by watcher %v, want %v", where, got, byWatcher)
	}
	for _, g := range got {
		if !slices.Equal(g.Paths, byWatcher[g.Watcher]) {
			t.Fatalf("%s: by watcher %v, want %v", where, g, byWatcher[g.Watcher])
		}
	}
}

func TestMatchOfNothingDoesNotAllocate(t *testing.T) {
	x := New(1)
	changes := []txn.Change{
		{Kind: txn.NodeCreated, Path: "/nobody/here"}, {Kind: txn.NodeDataChanged, Path: "/nobody/here"}, {Kind: txn.NodeDeleted, Path: "/nobody/here"},
	}
	try := func(what string) {
		t.Helper()
		told := 0
		if n := testing.AllocsPerRun(100, func() {
			for _, c := range changes {
				told += len(x.Match(c, nil))
			}
		}); n != 0 || told != 0 {
			t.Errorf("%s: %v allocations, %d told", what, n, told)
		}
	}
	try("empty")
	x.AddData("/elsewhere", 1)
	x.AddChild("/elsewhere", 1)
	try("others watched")
	x.AddRecursive("/elsewhere", 1)
	try("others watched recursively")
}

func BenchmarkMatch(b *testing.B) {
	for _, c := range []struct {
		name string
		fill func(*Table)
	}{
		{"empty", func(*Table) {}},
		{"nobody", func(x *Table) {
			for i := range 100_000 {
				x.AddData(fmt.Sprintf("/other/%d", i), Watcher(i%100))
				x.AddChild(fmt.Sprintf("/other/%d", i), Watcher(i%100))
			}
		}},
		{"nobody, a recursive elsewhere", func(x *Table) { x.AddRecursive("/elsewhere", 1); x.AddChild("/else", 1) }},
		{"persistent 10000", func(x *Table) {
			for w := range Watcher(10000) {
				x.AddPersistent("/app/config/node", w)
			}
		}},
		{"recursive 10000", func(x *Table) {
			for w := range Watcher(10000) {
				x.AddRecursive("/app", w)
			}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			x := New(1)
			c.fill(x)
			var out []Notice
			change := txn.Change{Kind: txn.NodeDataChanged, Path: "/app/config/node", Zxid: 1}
			out = x.Match(change, out)
			b.ReportAllocs()
			for b.Loop() {
				out = x.Match(change, out[:0])
			}
		})
	}
}

// Ten thousand connections re-register and are told: the life of a standard watch, whole.
func BenchmarkStandard10000(b *testing.B) {
	x := New(1)
	var out []Notice
	b.ReportAllocs()
	for b.Loop() {
		for w := range Watcher(10000) {
			x.AddData("/app/config/node", w)
		}
		if out = x.Match(txn.Change{Kind: txn.NodeDataChanged, Path: "/app/config/node", Zxid: 1}, out[:0]); len(out) != 10000 {
			b.Fatal(len(out))
		}
	}
}

// The memory of a million watches of one connection, each on a path of its own of 30 bytes.
func BenchmarkMemory(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		before := heap()
		x := New(1)
		for i := range n {
			x.AddData(fmt.Sprintf("/services/web/instance-%08d", i), 1)
		}
		b.ReportMetric(float64(heap()-before)/n, "B/watch")
		x.Drop(1)
		if x.Count() != 0 {
			b.Fatal("left over")
		}
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
