package watch

import "fmt"

// Check walks the whole table and says where its lists, indexes and counts disagree. For tests and builds with costly
// invariants: it takes time and memory in proportion to the table.
func (t *Table) Check() error {
	if err := t.byPath.Check(); err != nil {
		return err
	}
	if err := t.byKey.Check(); err != nil {
		return err
	}
	if err := t.bytes.Check(); err != nil {
		return err
	}
	var err error
	fail := func(format string, args ...any) {
		if err == nil {
			err = fmt.Errorf("watch: "+format, args...)
		}
	}
	type pair struct {
		place uint32
		w     Watcher
	}
	pairs, paths := map[pair]bool{}, map[uint32]bool{}
	var count [lists]int
	places := 0
	t.eachPlace(func(p uint32, x *place) {
		places++
		path := string(t.text(x))
		if t.lookup(path) != p {
			fail("%q is not found by its path", path)
		}
		for l, first := range x.first {
			for h := first; h != 0; {
				y := t.watches.At(h)
				if y.place != p || y.list() != list(l) || y.who&modes == 0 {
					fail("%q has %+v in list %d", path, *y, l)
				}
				if t.watches.At(y.next).prev != h || t.watches.At(y.newer).older != h {
					fail("%q has an open ring at watch %d", path, h)
				}
				if t.find(p, y.watcher(), list(l)) != h {
					fail("%q: the watch of %d is not found", path, y.watcher())
				}
				if l == int(recursive) && len(path) > t.longest {
					fail("%q is longer than %d", path, t.longest)
				}
				if list(l) != child {
					pairs[pair{p, y.watcher()}], paths[p] = true, true
				}
				if count[l]++; count[l] > t.watches.Len() {
					fail("%q: a list does not end", path)
					return
				}
				if h = y.next; h == first {
					break
				}
			}
		}
	})
	owned := 0
	for w, o := range t.owners {
		for h := o.first; h != 0; {
			x := t.watches.At(h)
			if x.watcher() != Watcher(w) {
				fail("%d has the watch of %d", w, x.watcher())
			}
			if owned++; owned > t.watches.Len() {
				fail("the ring of %d does not end", w)
				return err
			}
			if h = x.newer; h == o.first {
				break
			}
		}
	}
	mine := map[Watcher]uint32{}
	for k := range pairs {
		mine[k.w]++
	}
	for w, n := range mine {
		if t.owners[w].paths != n {
			fail("%d is said to be on %d paths, not %d", w, t.owners[w].paths, n)
		}
	}
	all := count[data] + count[child] + count[recursive]
	if count != t.count || len(pairs) != t.pairs || len(paths) != t.paths || len(mine) != t.watchers {
		fail("counts are %v %d %d %d, not %v %d %d %d", t.count, t.pairs, t.paths, t.watchers, count, len(pairs), len(paths), len(mine))
	}
	if places != t.places.Len() || places != t.byPath.Len() || all != t.watches.Len() || all != t.byKey.Len() || all != owned {
		fail("%d places of %d, %d indexed; %d watches of %d, %d indexed, %d owned",
			places, t.places.Len(), t.byPath.Len(), all, t.watches.Len(), t.byKey.Len(), owned)
	}
	return err
}
