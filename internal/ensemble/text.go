package ensemble

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/zooid-io/zooid/internal/java"
	"github.com/zooid-io/zooid/zk"
)

// String is the canonical text, one line for each server (by id), group and weight, and version=<hex> last without a line end:
// what /zookeeper/config holds, what the command config shows, and what notifications and NEWLEADER carry (ensemble protocol,
// section 8.1).
func (c *Config) String() string {
	return strings.Join(append(c.lines(), c.versionLine()), "\n")
}

func (c *Config) versionLine() string { return "version=" + strconv.FormatUint(uint64(c.Version), 16) }

func (c *Config) lines() []string {
	all := make([]string, 0, len(c.Members)+len(c.Groups)+len(c.Weights)+1)
	for _, m := range c.Members {
		all = append(all, fmt.Sprintf("server.%d=%s", m.ID, m))
	}
	for _, gid := range slices.Sorted(maps.Keys(c.Groups)) {
		ids := make([]string, len(c.Groups[gid]))
		for i, id := range c.Groups[gid] {
			ids[i] = strconv.FormatInt(int64(id), 10)
		}
		all = append(all, fmt.Sprintf("group.%d=%s", gid, strings.Join(ids, ":")))
	}
	for _, id := range slices.Sorted(maps.Keys(c.Weights)) {
		all = append(all, fmt.Sprintf("weight.%d=%d", id, c.Weights[id]))
	}
	return all
}

// LineError says which line of a configuration cannot be used. Its text is Apache's own, for what Apache refuses too.
type LineError struct {
	Line   int    // from 1; 0 is the text as a whole
	Key    string // as it is spelled there; may be empty
	Reason string
}

// Error reads "line 3: server.1: Address unresolved: h:x".
func (e *LineError) Error() string {
	s := e.Reason
	if e.Key != "" {
		s = e.Key + ": " + s
	}
	if e.Line > 0 {
		s = "line " + strconv.Itoa(e.Line) + ": " + s
	}
	return s
}

// Parse reads a configuration's text: what a peer sent, what /zookeeper/config holds, or a dynamic file. Of equal keys the last
// one counts; other keys than server.*, group*, weight* and version are refused. Members may have several addresses. Its errors
// are *LineError.
func Parse(text string) (*Config, error) {
	return parse(text, true)
}

func parse(text string, multiAddress bool) (*Config, error) {
	entries, err := java.Properties(text)
	if err != nil {
		var escape *java.EscapeError
		if errors.As(err, &escape) {
			return nil, &LineError{Line: escape.Line, Reason: escape.Error()}
		}
		return nil, &LineError{Reason: err.Error()}
	}
	entries = java.Last(entries, nil)
	for _, x := range entries {
		if !IsMemberKey(x.Key) && x.Key != "version" {
			return nil, &LineError{x.Line, x.Key, "Unrecognised parameter: " + x.Key}
		}
	}
	return FromEntries(entries, multiAddress)
}

// IsMemberKey tells the keys of a dynamic file: server.*, group* and weight*.
func IsMemberKey(key string) bool {
	return strings.HasPrefix(key, "server.") || strings.HasPrefix(key, "group") || strings.HasPrefix(key, "weight")
}

// FromEntries reads the entries of an ensemble, of which no two have the same key, and passes over all others. multiAddress allows
// a member several addresses. Its errors are *LineError.
func FromEntries(entries []java.Entry, multiAddress bool) (*Config, error) {
	c := &Config{}
	hierarchical := slices.ContainsFunc(entries, func(x java.Entry) bool {
		return strings.HasPrefix(x.Key, "group") || strings.HasPrefix(x.Key, "weight")
	})
	groupOf, weights, members := map[SID]int64{}, map[SID]int64{}, map[SID]Member{}
	for _, x := range entries {
		var err error
		var id int64
		switch {
		case strings.HasPrefix(x.Key, "server."):
			if id, err = keyID(x.Key); err != nil {
				break
			}
			var m Member
			if m, err = parseMember(SID(id), x.Value, multiAddress); err == nil {
				m.Line = x.Line
				members[m.ID] = m // server.1 and server.01 are one server, and the last line counts
			}
		case strings.HasPrefix(x.Key, "group"):
			err = c.parseGroup(x, groupOf)
		case strings.HasPrefix(x.Key, "weight"):
			if id, err = keyID(x.Key); err == nil {
				weights[SID(id)], err = parseWeight(x.Value)
			}
		case x.Key == "version":
			id, err = java.Int(x.Value, 16, 64)
			c.Version = zk.Zxid(id)
		}
		if err != nil {
			return nil, &LineError{x.Line, x.Key, err.Error()}
		}
	}
	c.Members = slices.SortedFunc(maps.Values(members), func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	if !hierarchical {
		return c, nil
	}
	c.Weights = weights
	for _, m := range c.Members {
		if m.Observer {
			continue
		}
		if _, ok := groupOf[m.ID]; !ok {
			return nil, &LineError{m.Line, fmt.Sprintf("server.%d", m.ID), fmt.Sprintf("Server %dis not in a group", m.ID)}
		}
		if _, ok := weights[m.ID]; !ok {
			weights[m.ID] = 1
		}
	}
	if len(c.Groups)+len(c.Weights) == 0 { // empty groups of no voter: its text would not show them
		c.Groups, c.Weights = nil, nil
	}
	return c, nil
}

// keyID is the number behind the key's first point, or all of the key when it has none.
func keyID(key string) (int64, error) {
	return java.Int(key[strings.IndexByte(key, '.')+1:], 10, 64)
}

// parseWeight reads a weight. Apache takes every number; but a negative one makes quorums that do not meet, and so do sums that
// overflow: 32 bits leave room for as many members as a text can hold.
func parseWeight(text string) (int64, error) {
	w, err := java.Int(text, 10, 64)
	if err == nil && (w < 0 || w > math.MaxInt32) {
		err = fmt.Errorf("a weight is between 0 and %d", math.MaxInt32)
	}
	return w, err
}

func (c *Config) parseGroup(x java.Entry, groupOf map[SID]int64) error {
	gid, err := keyID(x.Key)
	if err != nil {
		return err
	}
	if c.Groups == nil {
		c.Groups = map[int64][]SID{}
	}
	for _, s := range java.Split(x.Value, ":") {
		n, err := java.Int(s, 10, 64)
		if err != nil {
			return err
		}
		id := SID(n)
		if _, ok := groupOf[id]; ok {
			return fmt.Errorf("Server %dis in multiple groups", id)
		}
		groupOf[id] = gid
		c.Groups[gid] = append(c.Groups[gid], id)
	}
	return nil
}
