package ensemble

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/zooid-io/zooid/internal/java"
	"github.com/zooid-io/zooid/zk"
)

// Change is a client's wish to reconfigure, operation 16, with its strings as they came.
type Change struct {
	Joining string // server lines, with commas between; for incremental changes
	Leaving string // ids, with commas between; for incremental changes
	// Members is a whole configuration, with commas or line ends between its lines. It counts if Whole says that it was there at
	// all; then Joining and Leaving do not.
	Members string
	Whole   bool
	From    int64 // the version that is to change; -1 is whichever it is
}

// Rules are the settings that bear on a Change.
type Rules struct {
	Standalone   bool // standaloneEnabled: an ensemble has two voters at least, else one
	MultiAddress bool // multiAddress.enabled
}

// Reconfigure makes the configuration that a change of this one, the last seen, leads to. Its version is that of the change's txn.
// These are the rules that need no more than the configuration (client protocol, section 3.4.13, rows 5 to 10; ensemble protocol,
// section 8.4, step 1); whether the feature is on, a change is in flight, or a quorum of the new one is there, is for the leader.
//
// Its errors carry a zk.Code: BadVersion, BadArguments, or MarshallingError for an id that is no number.
func (c *Config) Reconfigure(change Change, version zk.Zxid, rules Rules) (*Config, error) {
	if change.From != -1 && zk.Zxid(change.From) != c.Version {
		return nil, refuse(zk.BadVersion, "the last seen configuration has version %x, not %x", uint64(c.Version), uint64(change.From))
	}
	var next *Config
	var err error
	if change.Whole {
		next, err = whole(change.Members, rules)
	} else {
		next, err = c.incremental(change, rules)
	}
	if err != nil {
		return nil, err
	}
	least := 1
	if rules.Standalone {
		least = 2
	}
	if voters, _ := next.Count(); voters < least {
		return nil, refuse(zk.BadArguments, "new configuration must include at least %d participants, not %d", least, voters)
	}
	next.Version = version
	return next, nil
}

func refuse(code zk.Code, format string, args ...any) error {
	return fmt.Errorf("%w: %s", code, fmt.Sprintf(format, args...))
}

// whole reads the new configuration.
func whole(text string, rules Rules) (*Config, error) {
	next, err := parse(strings.ReplaceAll(text, ",", "\n"), rules.MultiAddress)
	if err == nil {
		err = next.CheckCounts(rules.Standalone)
	}
	if err != nil {
		return nil, refuse(zk.BadArguments, "%v", err)
	}
	return next, nil
}

// incremental takes servers away first, then adds some. One that is there already is replaced, which changes its role or addresses.
func (c *Config) incremental(change Change, rules Rules) (*Config, error) {
	if c.Hierarchical() {
		return nil, refuse(zk.BadArguments, "a configuration with groups can only be replaced as a whole")
	}
	members := map[SID]Member{}
	for _, m := range c.Members {
		m.Line = 0
		members[m.ID] = m
	}
	for _, s := range words(change.Leaving, ",") {
		id, err := java.Int(s, 10, 64)
		if err != nil {
			return nil, refuse(zk.MarshallingError, "%v", err)
		}
		delete(members, SID(id)) // one that is not there has left already
	}
	for _, line := range words(change.Joining, ",") {
		m, err := joiner(line, rules)
		if err != nil {
			return nil, err
		}
		for _, id := range slices.Sorted(maps.Keys(members)) {
			if addr, clash := clash(m, members[id]); clash && id != m.ID {
				return nil, refuse(zk.BadArguments, "%s of server.%d is an address of server.%d too", addr, m.ID, id)
			}
		}
		members[m.ID] = m
	}
	return &Config{Members: slices.SortedFunc(maps.Values(members), func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })}, nil
}

// words are the parts of a list, trimmed, without those that are empty.
func words(list, sep string) []string {
	var all []string
	for s := range strings.SplitSeq(list, sep) {
		if s = java.Trim(s); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// joiner reads server.<id>=<line>, which must have a client address.
func joiner(line string, rules Rules) (Member, error) {
	parts := words(line, "=")
	if len(parts) != 2 {
		return Member{}, refuse(zk.BadArguments, "%q has not the form server.<id>=<addresses>;<client address>", line)
	}
	id, err := java.Int(parts[0][strings.LastIndexByte(parts[0], '.')+1:], 10, 64)
	if err != nil {
		return Member{}, refuse(zk.MarshallingError, "%v", err)
	}
	m, err := parseMember(SID(id), parts[1], rules.MultiAddress)
	if err != nil {
		return Member{}, refuse(zk.BadArguments, "%v", err)
	}
	if m.ClientAddr == "" {
		return Member{}, refuse(zk.BadArguments, "%q: each server should have at least 3 ports specified", line)
	}
	return m, nil
}

// clash finds an address that two servers share. Those that mean "here" on every machine, wildcards and loopback, may be shared.
// Names are compared as they are written.
func clash(a, b Member) (string, bool) {
	theirs := b.everyAddr()
	for _, addr := range a.everyAddr() {
		if slices.Contains(theirs, addr) {
			return addr, true
		}
	}
	return "", false
}

func (m Member) everyAddr() []string {
	var all []string
	add := func(host, addr string) {
		ip, err := netip.ParseAddr(host)
		if err == nil {
			ip = ip.Unmap()
		}
		if host != "localhost" && host != "" && (err != nil || !ip.IsUnspecified() && !ip.IsLoopback()) {
			all = append(all, addr)
		}
	}
	for _, p := range m.Peers {
		add(p.Host, p.Quorum())
		add(p.Host, p.Election())
	}
	if m.ClientAddr != "" {
		host := m.ClientAddr[:strings.LastIndexByte(m.ClientAddr, ':')]
		add(strings.Trim(host, "[]"), m.ClientAddr)
	}
	return all
}
