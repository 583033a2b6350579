package bench

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Work is one line of what is to be measured: a kind, and for the kinds that are loops how many connections with how many
// requests in flight on each.
type Work struct {
	Kind     string
	Conns    int           // 0 is Options.Conns
	InFlight int           // 0 is Options.InFlight
	Rate     float64       // operations per second over all connections, open loop; 0 is Options.Rate
	Rounds   int           // 0 is Options.Rounds
	Duration time.Duration // 0 is Options.Duration
}

// The kinds that are loops: they run on servers that are up, in alternating rounds.
var loops = map[string]string{
	"get":      "getData of keys anywhere",
	"set":      "setData of keys anywhere",
	"mixed":    "nine getData, then one setData",
	"exists":   "exists of keys anywhere",
	"children": "getChildren of znodes with 100 children",
	"create":   "create, then delete of the same znode",
}

// The kinds that are more than a loop.
var scenarios = map[string]scenario{
	"idle": {meaning: "start on an empty folder: time until it serves, resident memory", exec: true, repeat: true, run: (*runner).idle},
	"znodes": {meaning: "a tree of -znodes znodes: time to create, resident memory; with -exec also time back after kill -9",
		run: (*runner).znodes},
	"connections": {meaning: "-connections connections, one request each: memory per connection", repeat: true, run: (*runner).connections},
	"watches":     {meaning: "-watches watches of one session: memory per watch", run: (*runner).watches},
	"fanout":      {meaning: "one change seen by -watchers watchers: time until the last notice", repeat: true, run: (*runner).fanout},
	"snapshot": {meaning: "writes on a tree of -znodes znodes: their p99 with and without a snapshot being taken", exec: true,
		run: (*runner).snapshot},
	"failover": {meaning: "an ensemble's leader is killed with -9, then another ended with SIGTERM, under writes of the others' clients: ms without an answer",
		exec: true, repeat: true, members: true, run: (*runner).failover},
	"join": {meaning: "a member with an empty folder joins an ensemble with -joined znodes while writes go on: time until it serves",
		exec: true, repeat: true, members: true, run: (*runner).join},
}

// Kinds lists every kind of work with its meaning, sorted, loops first.
func Kinds() (names, meanings []string) {
	for _, n := range slices.Sorted(maps.Keys(loops)) {
		names, meanings = append(names, n), append(meanings, loops[n])
	}
	for _, n := range slices.Sorted(maps.Keys(scenarios)) {
		names, meanings = append(names, n), append(meanings, scenarios[n].meaning)
	}
	return names, meanings
}

// ParseWork reads "kind,kind@conns x inflight,kind:rate,...": get, get@1x1, set@16x32:5000.
func ParseWork(s string) ([]Work, error) {
	var ws []Work
	for _, part := range strings.Split(s, ",") {
		w, err := parseWork(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		ws = append(ws, w)
	}
	return ws, nil
}

func parseWork(part string) (Work, error) {
	rest, rate, hasRate := strings.Cut(part, ":")
	kind, window, hasWindow := strings.Cut(rest, "@")
	if kind == "populate" { // as other load generators call it
		kind = "znodes"
	}
	w := Work{Kind: kind}
	_, isLoop := loops[kind]
	if _, ok := scenarios[kind]; !ok && !isLoop {
		names, _ := Kinds()
		return w, fmt.Errorf("no kind of work is called %q; there are %s", kind, strings.Join(names, ", "))
	}
	if !isLoop && (hasRate || hasWindow) {
		return w, fmt.Errorf("%q takes no connections or rate", kind)
	}
	if hasWindow {
		conns, inFlight, ok := strings.Cut(window, "x")
		var err1, err2 error
		w.Conns, err1 = strconv.Atoi(conns)
		w.InFlight, err2 = strconv.Atoi(inFlight)
		if !ok || err1 != nil || err2 != nil || w.Conns < 1 || w.InFlight < 1 {
			return w, fmt.Errorf("%q is not connections x in flight, as in 16x32", window)
		}
	}
	if hasRate {
		var err error
		if w.Rate, err = strconv.ParseFloat(rate, 64); err != nil || w.Rate <= 0 {
			return w, fmt.Errorf("%q is not a rate", rate)
		}
	}
	return w, nil
}

// String names the work as ParseWork reads it.
func (w Work) String() string {
	if _, ok := loops[w.Kind]; !ok {
		return w.Kind
	}
	s := fmt.Sprintf("%s@%dx%d", w.Kind, w.Conns, w.InFlight)
	if w.Rate > 0 {
		s = fmt.Sprintf("%s@%d:%g", w.Kind, w.Conns, w.Rate)
	}
	return s
}

// newSource makes connection i's source of the work's operations. seed differs from round to round.
func (r *runner) newSource(w Work, i int, seed uint64) source {
	keys := uint64(r.opt.Keys)
	seed = mix(seed<<16 + uint64(i))
	reads := readSource{shape: getShape(), seed: seed, keys: keys, value: r.value}
	from, to := keys*uint64(i)/uint64(w.Conns), keys*uint64(i+1)/uint64(w.Conns)
	writes := writeSource{shape: setShape(r.value), seed: seed, from: from, keys: to - from, last: make([]uint64, min(to-from, readBackKeys))}
	switch w.Kind {
	case "get":
		return &reads
	case "set":
		return &writes
	case "mixed":
		return &mixedSource{reads, writes}
	case "exists":
		reads.shape, reads.value = existsShape(dataRoot, false), nil
		return &reads
	case "children":
		return &childrenSource{childrenShape(), seed, keys}
	case "create":
		return newChurnSource(churnParent(i), r.value)
	}
	panic("bench: no source for " + w.Kind)
}

// churnParent is where connection i creates and deletes.
func churnParent(i int) string { return fmt.Sprintf("%s/%06d", churnRoot, i) }
