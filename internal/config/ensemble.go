package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// EnsembleSection is what server, group and weight lines say.
type EnsembleSection struct {
	File    string // where they stand
	Servers []Member
	// Groups gives each group's members and Weights each server's weight; both are nil unless a group or weight line made
	// the quorum hierarchical.
	Groups  map[int64][]int64
	Weights map[int64]int64
	Version int64 // of the configuration: a zxid, 0 at first
}

// Participants and observers are counted apart.
func (e *EnsembleSection) count() (participants, observers int) {
	for _, m := range e.Servers {
		if m.Observer {
			observers++
		} else {
			participants++
		}
	}
	return participants, observers
}

// Member finds a server by its id.
func (e *EnsembleSection) Member(id int64) (Member, bool) {
	for _, m := range e.Servers {
		if m.ID == id {
			return m, true
		}
	}
	return Member{}, false
}

// String is the canonical text, one line for each server (by id), group and weight, and version=<hex> last without a line end:
// what /zookeeper/config and the command config hold.
func (e *EnsembleSection) String() string {
	var b strings.Builder
	for _, m := range e.Servers {
		fmt.Fprintf(&b, "server.%d=%s\n", m.ID, m)
	}
	for _, gid := range slices.Sorted(maps.Keys(e.Groups)) {
		ids := make([]string, len(e.Groups[gid]))
		for i, id := range e.Groups[gid] {
			ids[i] = strconv.FormatInt(id, 10)
		}
		fmt.Fprintf(&b, "group.%d=%s\n", gid, strings.Join(ids, ":"))
	}
	for _, id := range slices.Sorted(maps.Keys(e.Weights)) {
		fmt.Fprintf(&b, "weight.%d=%d\n", id, e.Weights[id])
	}
	fmt.Fprintf(&b, "version=%x", uint64(e.Version))
	return b.String()
}

// parseEnsemble reads the entries of an ensemble and passes over all others.
func parseEnsemble(file string, entries []entry, multiAddress bool) (*EnsembleSection, error) {
	e := &EnsembleSection{File: file}
	hierarchical := slices.ContainsFunc(entries, func(x entry) bool {
		return strings.HasPrefix(x.key, "group") || strings.HasPrefix(x.key, "weight")
	})
	groupOf, weights := map[int64]int64{}, map[int64]int64{}
	for _, x := range entries {
		var err error
		switch {
		case strings.HasPrefix(x.key, "server."):
			var m Member
			if m, err = parseMember(x, multiAddress); err == nil {
				// server.1 and server.01 are one server, and the last line counts.
				e.Servers = slices.DeleteFunc(e.Servers, func(old Member) bool { return old.ID == m.ID })
				e.Servers = append(e.Servers, m)
			}
		case strings.HasPrefix(x.key, "group"):
			err = e.parseGroup(x, groupOf)
		case strings.HasPrefix(x.key, "weight"):
			var id int64
			if id, err = keyID(x.key); err == nil {
				weights[id], err = parseInt(x.value, 10, 64)
			}
		case x.key == "version":
			e.Version, err = parseInt(x.value, 16, 64)
		}
		if err != nil {
			return nil, &Error{File: file, Line: x.line, Key: x.key, Reason: err.Error()}
		}
	}
	slices.SortFunc(e.Servers, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	if !hierarchical {
		return e, nil
	}
	e.Weights = weights
	for _, m := range e.Servers {
		if m.Observer {
			continue
		}
		if _, ok := groupOf[m.ID]; !ok {
			return nil, &Error{File: file, Line: m.Line, Key: fmt.Sprintf("server.%d", m.ID), Reason: fmt.Sprintf("Server %dis not in a group", m.ID)}
		}
		if _, ok := weights[m.ID]; !ok {
			weights[m.ID] = 1
		}
	}
	return e, nil
}

// keyID is the number behind the key's first point, or all of the key when it has none.
func keyID(key string) (int64, error) {
	return parseInt(key[strings.IndexByte(key, '.')+1:], 10, 64)
}

func (e *EnsembleSection) parseGroup(x entry, groupOf map[int64]int64) error {
	gid, err := keyID(x.key)
	if err != nil {
		return err
	}
	if e.Groups == nil {
		e.Groups = map[int64][]int64{}
	}
	for _, s := range javaSplit(x.value, ":") {
		id, err := parseInt(s, 10, 64)
		if err != nil {
			return err
		}
		if _, ok := groupOf[id]; ok {
			return fmt.Errorf("Server %dis in multiple groups", id)
		}
		groupOf[id] = gid
		e.Groups[gid] = append(e.Groups[gid], id)
	}
	return nil
}
