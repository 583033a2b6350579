package ensemble

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/zooid-io/zooid/internal/java"
)

// Addr is one of a member's addresses for its peers. Host may be a name; it is resolved at each dial.
type Addr struct {
	Host                     string
	QuorumPort, ElectionPort int
}

// Quorum is where the member listens for learners when it leads, host:port.
func (a Addr) Quorum() string { return joinHostPort(a.Host, a.QuorumPort) }

// Election is where it listens for votes, host:port.
func (a Addr) Election() string { return joinHostPort(a.Host, a.ElectionPort) }

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

// QuorumAddrs are the member's addresses for learners, host:port, in the order of its line.
func (m Member) QuorumAddrs() []string { return m.addrs(Addr.Quorum) }

// ElectionAddrs are the member's addresses for votes, host:port, in the order of its line.
func (m Member) ElectionAddrs() []string { return m.addrs(Addr.Election) }

func (m Member) addrs(of func(Addr) string) []string {
	all := make([]string, len(m.Peers))
	for i, p := range m.Peers {
		all[i] = of(p)
	}
	return all
}

// String is a server line's value: addresses sorted by host, the role always, the client part only if the line had one.
func (m Member) String() string {
	role := "participant"
	if m.Observer {
		role = "observer"
	}
	var b strings.Builder
	for i, p := range m.byHost() {
		if i > 0 {
			b.WriteByte('|')
		}
		fmt.Fprintf(&b, "%s:%d:%s", p.Quorum(), p.ElectionPort, role)
	}
	if addr := m.ownClientAddr(); addr != "" {
		b.WriteString(";" + addr)
	}
	return b.String()
}

// ownClientAddr is the client address that the server line itself has.
func (m Member) ownClientAddr() string {
	if m.FromStatic {
		return ""
	}
	return m.ClientAddr
}

func (m Member) byHost() []Addr {
	return slices.SortedStableFunc(slices.Values(m.Peers), func(a, b Addr) int { return strings.Compare(a.Host, b.Host) })
}

// same tells whether two members are one server with the same addresses and role.
func (m Member) same(o Member) bool {
	if m.ID != o.ID || m.Observer != o.Observer || m.ownClientAddr() != o.ownClientAddr() || len(m.Peers) != len(o.Peers) {
		return false
	}
	return !slices.ContainsFunc(m.Peers, func(a Addr) bool { return !slices.Contains(o.Peers, a) })
}

const wrongForm = " does not have the form server_config or server_config;client_config where server_config is the pipe separated" +
	" list of host:port:port or host:port:port:type and client_config is port or host:port"

// parseMember reads the value of server.<id>: host:port:port[:role][|host:port:port[:role]...][;[host:]port]. Its errors are
// Apache's messages.
func parseMember(id SID, value string, multiAddress bool) (Member, error) {
	m := Member{ID: id}
	if strings.IndexFunc(value, unprintable) >= 0 {
		return m, errors.New(strconv.Quote(value) + wrongForm) // the canonical text could not hold it
	}
	halves := java.Split(value, ";")
	if len(halves) == 0 || len(halves) > 2 {
		return m, errors.New(value + wrongForm)
	}
	if len(halves) == 2 {
		var err error
		if m.ClientAddr, err = parseClientPart(halves[1], value); err != nil {
			return m, err
		}
	}
	addresses := java.Split(halves[0], "|")
	if len(addresses) > 1 && !multiAddress {
		return m, fmt.Errorf("Multiple address feature is disabled, but multiple addresses were specified for sid %d", m.ID)
	}
	if len(addresses) == 0 {
		return m, errors.New(value + wrongForm)
	}
	role := ""
	for _, address := range addresses {
		parts, err := hostAndPorts(address)
		if err != nil {
			return m, err
		}
		if len(parts) < 3 || len(parts) > 4 {
			return m, errors.New(value + wrongForm)
		}
		p := Addr{Host: parts[0]}
		if p.QuorumPort, err = parsePort(parts[0], parts[1]); err != nil {
			return m, err
		}
		if p.ElectionPort, err = parsePort(parts[0], parts[2]); err != nil {
			return m, err
		}
		if p.QuorumPort == p.ElectionPort {
			return m, fmt.Errorf("Client and election port must be different! Please update the configuration file on server.%d", m.ID)
		}
		m.Peers = append(m.Peers, p)
		if len(parts) < 4 {
			continue
		}
		this := strings.ToLower(java.Trim(parts[3]))
		switch {
		case this != "participant" && this != "observer":
			return m, errors.New("Unrecognised peertype: " + parts[3])
		case role != "" && role != this:
			return m, fmt.Errorf("Multiple addresses should have similar roles: %s vs %s", strings.ToUpper(role), strings.ToUpper(this))
		}
		role = this
	}
	m.Observer = role == "observer"
	return m, nil
}

// unprintable tells what no name of a host has. An escape can put it into a value all the same, and files and wire differ in how
// they encode it.
func unprintable(r rune) bool { return r < ' ' || r > '~' || r == '\\' }

// parseClientPart reads what stands behind the semicolon: port or host:port.
func parseClientPart(part, line string) (string, error) {
	parts, err := hostAndPorts(part)
	if err != nil {
		return "", err
	}
	host := "0.0.0.0"
	switch len(parts) {
	case 1:
	case 2:
		host = parts[0]
	default:
		return "", errors.New(line + wrongForm)
	}
	port, err := parsePort(host, parts[len(parts)-1])
	if err != nil {
		return "", err
	}
	return joinHostPort(host, port), nil
}

func parsePort(host, text string) (int, error) {
	n, err := java.Int(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("Address unresolved: %s:%s", host, text)
	}
	if n < 0 || n > 65535 {
		return 0, fmt.Errorf("port out of range:%d", n)
	}
	return int(n), nil
}

// hostAndPorts splits at colons; an IPv6 address stands in brackets, which it loses. What the canonical text could not hold is no host:
// blanks around it, which Apache keeps, and then finds nobody of that name, go; one more bracket is refused.
func hostAndPorts(s string) ([]string, error) {
	parts, err := splitAtColons(s)
	if err != nil || len(parts) == 1 {
		return parts, err // a port alone, or nothing
	}
	if parts[0] = java.Trim(parts[0]); strings.HasPrefix(parts[0], "[") {
		return nil, errors.New(s + " starts with '[' but has no matching ']:'")
	}
	return parts, nil
}

func splitAtColons(s string) ([]string, error) {
	if !strings.HasPrefix(s, "[") {
		if parts := java.Split(s, ":"); len(parts) > 0 {
			return parts, nil
		}
		return []string{""}, nil
	}
	end := strings.IndexByte(s, ']')
	switch {
	case end < 0:
		return nil, errors.New(s + " starts with '[' but has no matching ']:'")
	case end+2 == len(s):
		return nil, errors.New(s + " doesn't have a port after colon")
	case end+2 > len(s):
		return []string{s[1:end]}, nil
	}
	return append([]string{s[1:end]}, java.Split(s[end+2:], ":")...), nil
}

// joinHostPort puts a host that has colons into brackets.
func joinHostPort(host string, port int) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(port)
}
