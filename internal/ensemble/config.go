package ensemble

import (
	"github.com/zooid-io/zooid/zk"
)

// SID is the id of a server (myid).
type SID int64

// NoSID stands where Apache puts Long.MIN_VALUE: nobody.
const NoSID SID = -1 << 63

// Addr is one of a member's addresses for its peers. Host may be a name; it is resolved at each dial.
type Addr struct {
	Host                     string
	QuorumPort, ElectionPort int
}

// Member is one server of an ensemble.
type Member struct {
	ID       SID
	Peers    []Addr // at least one
	Observer bool
	// ClientAddr is where clients go, host:port; empty is unknown. FromStatic tells that it is zoo.cfg's clientPort and not
	// part of the server line.
	ClientAddr string
	FromStatic bool
	Line       int // in the file it was read from, from 1; 0 is none
}

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
	m, ok := c.Member(id)
	return ok && !m.Observer
}

func (c *Config) String() string { return "" }
