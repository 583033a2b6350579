package watch

import (
	"cmp"
	"slices"
)

// What operators ask for. As with Apache, wchs, wchc and wchp show the data side alone; the metric watch_count is both.

// Count is the number of watches as Apache counts them: one for each connection, path and side (data or child).
func (t *Table) Count() int { return t.pairs + t.count[child] }

// DataCount is the part of Count on the data side: the total of wchs.
func (t *Table) DataCount() int { return t.pairs }

// Paths is the number of paths on the data side.
func (t *Table) Paths() int { return t.paths }

// Watchers is the number of connections on the data side. Those whose watches have all fired are not counted
// (ZOOKEEPER-5091).
func (t *Table) Watchers() int { return t.watchers }

// ByPath is a path and who waits on its data side, sorted.
type ByPath struct {
	Path     string
	Watchers []Watcher
}

// ByWatcher is a connection and the paths on whose data side it waits, sorted.
type ByWatcher struct {
	Watcher Watcher
	Paths   []string
}

// DataByPath lists the data side by path, sorted: what wchp shows.
func (t *Table) DataByPath() []ByPath {
	out := make([]ByPath, 0, t.paths)
	t.eachPlace(func(p uint32, x *place) {
		var ws []Watcher
		for _, l := range []list{data, recursive} {
			t.eachWatch(x.first[l], func(w Watcher) { ws = append(ws, w) })
		}
		if len(ws) > 0 {
			slices.Sort(ws)
			out = append(out, ByPath{string(t.text(x)), slices.Compact(ws)})
		}
	})
	slices.SortFunc(out, func(a, b ByPath) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

// DataByWatcher lists the data side by connection, sorted: what wchc shows.
func (t *Table) DataByWatcher() []ByWatcher {
	out := make([]ByWatcher, 0, t.watchers)
	for w := range t.owners {
		o := &t.owners[w]
		if o.paths == 0 {
			continue
		}
		paths := make([]string, 0, o.paths)
		for h := o.first; ; {
			x := t.watches.At(h)
			if l := x.list(); l == data || l == recursive && t.twin(x.place, Watcher(w), l) == 0 {
				paths = append(paths, string(t.text(t.places.At(x.place))))
			}
			if h = x.newer; h == o.first {
				break
			}
		}
		slices.Sort(paths)
		out = append(out, ByWatcher{Watcher(w), paths})
	}
	return out
}

// eachPlace visits the places in no particular order.
func (t *Table) eachPlace(visit func(uint32, *place)) {
	for p := uint32(1); p < t.places.Slots(); p++ {
		if x := t.places.At(p); x.first != [lists]uint32{} { // a freed record is zero
			visit(p, x)
		}
	}
}

func (t *Table) eachWatch(first uint32, visit func(Watcher)) {
	for h := first; h != 0; {
		x := t.watches.At(h)
		visit(x.watcher())
		if h = x.next; h == first {
			return
		}
	}
}
