package config

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// Member is one server line.
type Member struct {
	ID       int64
	Peers    []PeerAddr // at least one
	Observer bool
	// ClientAddr is where clients go, host:port; empty is unknown. FromStatic tells that it is zoo.cfg's clientPort and not
	// part of the server line.
	ClientAddr string
	FromStatic bool
	Line       int // from 1
}

// PeerAddr is one of a member's addresses for its peers.
type PeerAddr struct {
	Host                     string
	QuorumPort, ElectionPort int
}

// String is a server line's value: addresses sorted by host, the role always, the client part only if the line had one.
func (m Member) String() string {
	peers := slices.Clone(m.Peers)
	slices.SortStableFunc(peers, func(a, b PeerAddr) int { return strings.Compare(a.Host, b.Host) })
	role := "participant"
	if m.Observer {
		role = "observer"
	}
	parts := make([]string, len(peers))
	for i, p := range peers {
		parts[i] = net.JoinHostPort(p.Host, strconv.Itoa(p.QuorumPort)) + ":" + strconv.Itoa(p.ElectionPort) + ":" + role
	}
	s := strings.Join(parts, "|")
	if m.ClientAddr != "" && !m.FromStatic {
		s += ";" + m.ClientAddr
	}
	return s
}

const wrongForm = " does not have the form server_config or server_config;client_config where server_config is the pipe separated" +
	" list of host:port:port or host:port:port:type and client_config is port or host:port"

// parseMember reads server.<id>=host:port:port[:role][|host:port:port[:role]...][;[host:]port].
func parseMember(x entry, multiAddress bool) (Member, error) {
	m := Member{Line: x.line}
	var err error
	if m.ID, err = keyID(x.key); err != nil {
		return m, err
	}
	halves := javaSplit(x.value, ";")
	if len(halves) == 0 || len(halves) > 2 {
		return m, errors.New(x.value + wrongForm)
	}
	if len(halves) == 2 {
		if m.ClientAddr, err = parseClientPart(halves[1], x.value); err != nil {
			return m, err
		}
	}
	addresses := javaSplit(halves[0], "|")
	if len(addresses) > 1 && !multiAddress {
		return m, fmt.Errorf("Multiple address feature is disabled, but multiple addresses were specified for sid %d", m.ID)
	}
	if len(addresses) == 0 {
		return m, errors.New(x.value + wrongForm)
	}
	role := ""
	for _, address := range addresses {
		parts, err := hostAndPorts(address)
		if err != nil {
			return m, err
		}
		if len(parts) < 3 || len(parts) > 4 {
			return m, errors.New(x.value + wrongForm)
		}
		p := PeerAddr{Host: parts[0]}
		if p.QuorumPort, err = memberPort(parts[0], parts[1]); err != nil {
			return m, err
		}
		if p.ElectionPort, err = memberPort(parts[0], parts[2]); err != nil {
			return m, err
		}
		if p.QuorumPort == p.ElectionPort {
			return m, fmt.Errorf("Client and election port must be different! Please update the configuration file on server.%d", m.ID)
		}
		m.Peers = append(m.Peers, p)
		if len(parts) < 4 {
			continue
		}
		this := strings.ToLower(trim(parts[3]))
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
	port, err := memberPort(host, parts[len(parts)-1])
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(host, strconv.Itoa(port)), nil
}

func memberPort(host, text string) (int, error) {
	n, err := parseInt(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("Address unresolved: %s:%s", host, text)
	}
	if n < 0 || n > 65535 {
		return 0, fmt.Errorf("port out of range:%d", n)
	}
	return int(n), nil
}

// hostAndPorts splits at colons; an IPv6 address stands in brackets, which it loses.
func hostAndPorts(s string) ([]string, error) {
	if !strings.HasPrefix(s, "[") {
		if parts := javaSplit(s, ":"); len(parts) > 0 {
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
	return append([]string{s[1:end]}, javaSplit(s[end+2:], ":")...), nil
}
