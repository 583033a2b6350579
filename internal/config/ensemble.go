package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Ensemble is what server, group and weight lines say.
type Ensemble struct {
	File    string // where they stand
	Servers []Member
	// Groups gives each group's members and Weights each server's weight; both are nil unless a group or weight line made
	// the quorum hierarchical.
	Groups  map[int64][]int64
	Weights map[int64]int64
	Version int64 // of the configuration: a zxid, 0 at first
}

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

// Participants and observers are counted apart.
func (e *Ensemble) count() (participants, observers int) {
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
func (e *Ensemble) Member(id int64) (Member, bool) {
	for _, m := range e.Servers {
		if m.ID == id {
			return m, true
		}
	}
	return Member{}, false
}

// String is the canonical text, one line for each server (by id), group and weight, and version=<hex> last without a line end:
// what /zookeeper/config and the command config hold.
func (e *Ensemble) String() string {
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

// members reads server lines from zoo.cfg or from the dynamic file, finds this server among them, and says which of the two
// ways to run they ask for. The rules are QuorumPeerConfig's; operations, sections 1.3 and 1.4, lists them.
func (l *loader) members(entries []entry) error {
	file := l.File
	if _, given := l.where["dynamicConfigFile"]; given {
		for _, e := range entries {
			if memberKey(e.key) {
				return &Error{File: l.File, Line: e.line, Key: e.key, Reason: "parameter: " + e.key + " must be in a separate dynamic config file"}
			}
		}
		file = l.dynamicFile
		var err error
		if entries, err = l.dynamic(file); err != nil {
			return err
		}
	}
	e, err := parseEnsemble(file, entries, l.multiAddress)
	if err != nil {
		return err
	}
	if l.dynamicFile != "" {
		e.Version = dynamicVersion(file)
	}
	if len(e.Servers) > 0 {
		l.Ensemble = e
	}
	if err := l.checkCounts(e); err != nil {
		return err
	}
	if err := l.readMyID(); err != nil {
		return err
	}
	if err := l.setClientAddr(e); err != nil {
		return err
	}
	l.setRole(e)
	if err := l.checkDistributed(e); err != nil {
		return err
	}
	if l.dynamicFile != "" {
		return l.readNext(l.File + ".dynamic.next")
	}
	return nil
}

// memberKey tells keys that belong into a dynamic file.
func memberKey(key string) bool {
	return strings.HasPrefix(key, "server.") || strings.HasPrefix(key, "group") || strings.HasPrefix(key, "weight")
}

// dynamic reads the file that dynamicConfigFile names.
func (l *loader) dynamic(file string) ([]entry, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, l.fault("dynamicConfigFile", fmt.Sprintf("Error processing %s: %v", file, err))
	}
	entries, err := parse(file, string(data))
	if err != nil {
		return nil, err
	}
	entries = l.lastOnes(file, entries)
	for _, e := range entries {
		switch {
		case e.key == "version":
			return nil, &Error{File: file, Line: e.line, Key: e.key, Reason: "dynamic file shouldn't have version inside"}
		case !memberKey(e.key):
			return nil, &Error{File: file, Line: e.line, Key: e.key, Reason: "Unrecognised parameter: " + e.key}
		}
	}
	return entries, nil
}

// dynamicVersion is the hexadecimal number behind the name's last point; anything else is 0.
func dynamicVersion(file string) int64 {
	base := filepath.Base(file)
	v, err := parseInt(base[strings.LastIndexByte(base, '.')+1:], 16, 64)
	if err != nil {
		return 0
	}
	return v
}

// readNext reads a configuration that was proposed when the server stopped. It may hold its version.
func (l *loader) readNext(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil // none, or not to be read: Apache goes on without it too
	}
	entries, err := parse(file, string(data))
	if err == nil {
		l.Next, err = parseEnsemble(file, l.lastOnes(file, entries), l.multiAddress)
	}
	return err
}

// parseEnsemble reads the entries of an ensemble and passes over all others.
func parseEnsemble(file string, entries []entry, multiAddress bool) (*Ensemble, error) {
	e := &Ensemble{File: file}
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
	slices.SortFunc(e.Servers, func(a, b Member) int { return int(min(max(a.ID-b.ID, -1), 1)) })
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

func (e *Ensemble) parseGroup(x entry, groupOf map[int64]int64) error {
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

// javaSplit is String.split: empty parts at the end are dropped, and an empty string is one empty part.
func javaSplit(s, sep string) []string {
	if s == "" {
		return []string{""}
	}
	parts := strings.Split(s, sep)
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

// ensembleFault is an error about the member lines as a whole: it names the last of them.
func ensembleFault(e *Ensemble, reason string) *Error {
	err := &Error{File: e.File, Reason: reason}
	for _, m := range e.Servers {
		if m.Line > err.Line {
			err.Line, err.Key = m.Line, fmt.Sprintf("server.%d", m.ID)
		}
	}
	return err
}

func (l *loader) checkCounts(e *Ensemble) error {
	participants, observers := e.count()
	l.at = place{file: e.File}
	switch {
	case participants == 0 && l.distributedOnly:
		return l.fault("standaloneEnabled", "standaloneEnabled = false then number of participants should be >0")
	case participants == 0 && observers > 0:
		return ensembleFault(e, "Observers w/o participants is an invalid configuration")
	case participants == 0:
	case participants == 1 && !l.distributedOnly:
		l.warn("Invalid configuration, only one server specified (ignoring)")
		if observers > 0 {
			return ensembleFault(e, "Observers w/o quorum is an invalid configuration")
		}
	case participants <= 2:
		l.warn("No server failure will be tolerated. You need at least 3 servers.")
	case participants%2 == 0:
		l.warn("Non-optimal configuration, consider an odd number of servers.")
	}
	return nil
}

// setClientAddr takes the client address of this server's own line. It must not contradict clientPort.
func (l *loader) setClientAddr(e *Ensemble) error {
	i := slices.IndexFunc(e.Servers, func(m Member) bool { return m.ID == l.MyID })
	if l.MyID == NoID || i < 0 {
		return nil
	}
	m, own := &e.Servers[i], l.Options.ClientAddr
	if m.ClientAddr == "" {
		m.ClientAddr, m.FromStatic = own, true
		return nil
	}
	host, port, _ := net.SplitHostPort(m.ClientAddr)
	if own != "" {
		ownHost, ownPort, _ := net.SplitHostPort(own)
		if port != ownPort || ownHost != "" && resolve(ownHost) != resolve(host) {
			return l.fault("clientPort", fmt.Sprintf("client address for this server (id = %d) in static config file is %s is different from"+
				" client address found in dynamic file: %s", l.MyID, javaAddr(ownHost, ownPort), javaAddr(host, port)))
		}
	}
	n, _ := strconv.Atoi(port)
	l.Options.ClientAddr = listenAddr(host, n)
	return nil
}

// resolve makes two names of one host equal, as far as the resolver knows.
func resolve(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	if all, err := net.LookupHost(host); err == nil {
		return all[0]
	}
	return host
}

// javaAddr is how Java writes a socket address: the name, if there is one, a slash, the number.
func javaAddr(host, port string) string {
	if host == "" || host == "0.0.0.0" {
		return "0.0.0.0/0.0.0.0:" + port
	}
	if ip := resolve(host); ip != host {
		return host + "/" + net.JoinHostPort(ip, port)
	}
	return "/" + net.JoinHostPort(host, port)
}

func (l *loader) setRole(e *Ensemble) {
	m, _ := e.Member(l.MyID)
	l.Observer = m.Observer
	if m.Observer != l.peerObserver {
		names := map[bool]string{true: "OBSERVER", false: "PARTICIPANT"}
		var ok bool
		if l.at, ok = l.where["peerType"]; !ok {
			l.at = place{file: e.File}
		}
		l.warn(fmt.Sprintf("Peer type from servers list (%s) doesn't match peerType (%s). Defaulting to servers list.",
			names[m.Observer], names[l.peerObserver]))
	}
}

// maxExtendedID is the largest server id that leaves room for the owners of TTL nodes.
const maxExtendedID = 254

// checkDistributed checks what an ensemble needs, and then refuses it.
func (l *loader) checkDistributed(e *Ensemble) error {
	participants, _ := e.count()
	if participants <= 1 && !l.distributedOnly {
		return nil
	}
	switch {
	case l.initLimit == 0:
		return l.fault("initLimit", "initLimit is not set")
	case l.syncLimit == 0:
		return l.fault("syncLimit", "syncLimit is not set")
	case l.MyID == NoID:
		return ensembleFault(e, "myid file is missing")
	}
	if l.Options.ExtendedTypes && l.MyID > maxExtendedID {
		err := l.fault("extendedTypesEnabled", fmt.Sprintf("extendedTypesEnabled is true but Server ID is too large. Cannot be larger than %d", maxExtendedID))
		err.Exit = exitUnexpected
		return err
	}
	if _, ok := e.Member(l.MyID); !ok {
		err := ensembleFault(e, fmt.Sprintf("My id %d not in the peer list", l.MyID))
		err.Exit = exitUnexpected
		return err
	}
	l.refusals = append(l.refusals, ensembleFault(e, fmt.Sprintf("ensembles are %s: this server runs alone, and %d members are listed", later, len(e.Servers))))
	return nil
}
