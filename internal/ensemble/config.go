package ensemble

import (
	"slices"

	"github.com/zooid-io/zooid/zk"
)

// SID is the id of a server (myid).
type SID int64

// NoSID stands where Apache puts Long.MIN_VALUE: nobody.
const NoSID SID = -1 << 63

// Config is the members of an ensemble at one version. It is not changed once made.
type Config struct {
	Members []Member // by id
	// Groups gives each group's members and Weights each server's weight; both are nil unless a group or weight line made
	// the quorum hierarchical.
	Groups  map[int64][]SID
	Weights map[SID]int64
	Version zk.Zxid // the zxid of the reconfiguration, (epoch,0) of the first leader, or 0
}

// Member finds a server by its id.
func (c *Config) Member(id SID) (Member, bool) {
	for _, m := range c.Members {
		if m.ID == id {
			return m, true
		}
	}
	return Member{}, false
}

// Votes tells whether a server is a participant.
func (c *Config) Votes(id SID) bool {
	for i := range c.Members {
		if c.Members[i].ID == id {
			return !c.Members[i].Observer
		}
	}
	return false
}

// Observes tells whether a server is an observer. One that is not listed at all is none: it follows, and its acks do not count
// (ensemble protocol, section 1.1). So a server's part changes with its configuration when Observes does (section 8.3, step 3).
func (c *Config) Observes(id SID) bool {
	m, ok := c.Member(id)
	return ok && m.Observer
}

// Voters are the ids of the participants, in order.
func (c *Config) Voters() []SID { return c.ids(false) }

// Observers are the ids of the observers, in order.
func (c *Config) Observers() []SID { return c.ids(true) }

func (c *Config) ids(observers bool) []SID {
	var all []SID
	for i := range c.Members {
		if c.Members[i].Observer == observers {
			all = append(all, c.Members[i].ID)
		}
	}
	return all
}

// At is the configuration with another version.
func (c *Config) At(version zk.Zxid) *Config {
	other := *c
	other.Version = version
	return &other
}

// Agrees is Apache's equality: the same kind of quorum, and the same version or the same members (ensemble protocol, section 8.1).
// It is not called Equal because tools that compare values would use it, and take two configurations of one version for one.
func (c *Config) Agrees(other *Config) bool {
	return c.Hierarchical() == other.Hierarchical() && (c.Version == other.Version || c.SameMembers(other))
}

// SameMembers tells whether two configurations say the same but for the version: servers, addresses in whatever order, roles,
// client addresses, groups and weights. A client address from zoo.cfg is none, as it is in the text.
func (c *Config) SameMembers(other *Config) bool {
	if !slices.EqualFunc(c.Members, other.Members, Member.same) || c.Hierarchical() != other.Hierarchical() ||
		len(c.Groups) != len(other.Groups) || len(c.Weights) != len(other.Weights) {
		return false
	}
	for gid, ids := range c.Groups {
		theirs, ok := other.Groups[gid]
		if !ok || !slices.Equal(slices.Sorted(slices.Values(ids)), slices.Sorted(slices.Values(theirs))) {
			return false
		}
	}
	for id, w := range c.Weights {
		if theirs, ok := other.Weights[id]; !ok || theirs != w {
			return false
		}
	}
	return true
}

// SameVoter tells whether a server is a participant of both configurations, with the same addresses for its learners. A leader
// for which it is so need not change with the configuration (ensemble protocol, section 8.3, step 4, and section 8.4, step 5).
func SameVoter(old, next *Config, id SID) bool {
	before, ok := old.Member(id)
	after, still := next.Member(id)
	return ok && still && !before.Observer && !after.Observer && slices.Equal(sorted(before.QuorumAddrs()), sorted(after.QuorumAddrs()))
}

func sorted(s []string) []string { slices.Sort(s); return s }
