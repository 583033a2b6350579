package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

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

// ensembleFault is an error about the member lines as a whole: it names the last of them.
func ensembleFault(e *EnsembleSection, reason string) *Error {
	err := &Error{File: e.File, Reason: reason}
	for _, m := range e.Servers {
		if m.Line > err.Line {
			err.Line, err.Key = m.Line, fmt.Sprintf("server.%d", m.ID)
		}
	}
	return err
}

func (l *loader) checkCounts(e *EnsembleSection) error {
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
func (l *loader) setClientAddr(e *EnsembleSection) error {
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
		if port != ownPort || ownHost != "" && l.resolve(ownHost) != l.resolve(host) {
			return l.fault("clientPort", fmt.Sprintf("client address for this server (id = %d) in static config file is %s is different from"+
				" client address found in dynamic file: %s", l.MyID, l.javaAddr(ownHost, ownPort), l.javaAddr(host, port)))
		}
	}
	n, _ := strconv.Atoi(port)
	l.Options.ClientAddr = listenAddr(host, n)
	return nil
}

// resolve makes two names of one host equal, as far as the resolver knows.
func (l *loader) resolve(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	if all, err := l.lookup(host); err == nil {
		return all[0]
	}
	return host
}

// javaAddr is how Java writes a socket address: the name, if there is one, a slash, the number.
func (l *loader) javaAddr(host, port string) string {
	if host == "" || host == "0.0.0.0" {
		return "0.0.0.0/0.0.0.0:" + port
	}
	if ip := l.resolve(host); ip != host {
		return host + "/" + net.JoinHostPort(ip, port)
	}
	return "/" + net.JoinHostPort(host, port)
}

func (l *loader) setRole(e *EnsembleSection) {
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
func (l *loader) checkDistributed(e *EnsembleSection) error {
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
