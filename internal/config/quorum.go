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

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/java"
	"github.com/zooid-io/zooid/zk"
)

// members reads server lines from zoo.cfg or from the dynamic file, finds this server among them, and says which of the two
// ways to run they ask for. The rules are QuorumPeerConfig's; operations, sections 1.3 and 1.4, lists them.
func (l *loader) members(entries []java.Entry) error {
	file := l.File
	if _, given := l.where["dynamicConfigFile"]; given {
		for _, e := range entries {
			if ensemble.IsMemberKey(e.Key) {
				return &Error{File: l.File, Line: e.Line, Key: e.Key, Reason: "parameter: " + e.Key + " must be in a separate dynamic config file"}
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
		e = e.At(zk.Zxid(dynamicVersion(file)))
	}
	l.EnsembleFile = file
	if len(e.Members) > 0 {
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
		if err := l.readNext(ensemble.NextFileName(l.File)); err != nil {
			return err
		}
	}
	if l.distributed(e) {
		l.makeEnsemble(e)
	}
	return nil
}

// parseEnsemble reads the entries of an ensemble and passes over all others.
func parseEnsemble(file string, entries []java.Entry, multiAddress bool) (*ensemble.Config, error) {
	e, err := ensemble.FromEntries(entries, multiAddress)
	var line *ensemble.LineError
	if errors.As(err, &line) {
		return nil, &Error{File: file, Line: line.Line, Key: line.Key, Reason: line.Reason}
	}
	return e, err
}

// dynamic reads the file that dynamicConfigFile names.
func (l *loader) dynamic(file string) ([]java.Entry, error) {
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
		case e.Key == "version":
			return nil, &Error{File: file, Line: e.Line, Key: e.Key, Reason: "dynamic file shouldn't have version inside"}
		case !ensemble.IsMemberKey(e.Key):
			return nil, &Error{File: file, Line: e.Line, Key: e.Key, Reason: "Unrecognised parameter: " + e.Key}
		}
	}
	return entries, nil
}

// dynamicVersion is the hexadecimal number behind the name's last point; anything else is 0.
func dynamicVersion(file string) int64 {
	base := filepath.Base(file)
	v, err := java.Int(base[strings.LastIndexByte(base, '.')+1:], 16, 64)
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
func (l *loader) ensembleFault(e *ensemble.Config, reason string) *Error {
	err := &Error{File: l.EnsembleFile, Reason: reason}
	for _, m := range e.Members {
		if m.Line > err.Line {
			err.Line, err.Key = m.Line, fmt.Sprintf("server.%d", m.ID)
		}
	}
	return err
}

func (l *loader) checkCounts(e *ensemble.Config) error {
	participants, _ := e.Count()
	l.at = place{file: l.EnsembleFile}
	alone := participants == 1 && !l.distributedOnly
	if alone {
		l.warn("Invalid configuration, only one server specified (ignoring)")
	}
	switch err := e.CheckCounts(!l.distributedOnly); {
	case err == ensemble.ErrNobody:
		return l.fault("standaloneEnabled", err.Error())
	case err != nil:
		return l.ensembleFault(e, err.Error())
	case participants == 0 || alone:
	case participants <= 2:
		l.warn("No server failure will be tolerated. You need at least 3 servers.")
	case participants%2 == 0:
		l.warn("Non-optimal configuration, consider an odd number of servers.")
	}
	return nil
}

// setClientAddr takes the client address of this server's own line. It must not contradict clientPort.
func (l *loader) setClientAddr(e *ensemble.Config) error {
	i := slices.IndexFunc(e.Members, func(m ensemble.Member) bool { return m.ID == ensemble.SID(l.MyID) })
	if l.MyID == NoID || i < 0 {
		return nil
	}
	m, own := &e.Members[i], l.Options.ClientAddr
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

func (l *loader) setRole(e *ensemble.Config) {
	m, _ := e.Member(ensemble.SID(l.MyID))
	l.Observer = m.Observer
	if m.Observer != l.peerObserver {
		names := map[bool]string{true: "OBSERVER", false: "PARTICIPANT"}
		var ok bool
		if l.at, ok = l.where["peerType"]; !ok {
			l.at = place{file: l.EnsembleFile}
		}
		l.warn(fmt.Sprintf("Peer type from servers list (%s) doesn't match peerType (%s). Defaulting to servers list.",
			names[m.Observer], names[l.peerObserver]))
	}
}

// maxExtendedID is the largest server id that leaves room for the owners of TTL nodes.
const maxExtendedID = 254

// distributed tells whether these members ask for an ensemble.
func (l *loader) distributed(e *ensemble.Config) bool {
	participants, _ := e.Count()
	return participants > 1 || l.distributedOnly
}

// checkDistributed checks what an ensemble needs, and then what it asks for and cannot have.
func (l *loader) checkDistributed(e *ensemble.Config) error {
	if !l.distributed(e) {
		return nil
	}
	switch o := &l.quorum; {
	case o.InitLimit <= 0:
		return l.fault("initLimit", "initLimit is not set")
	case o.SyncLimit <= 0:
		return l.fault("syncLimit", "syncLimit is not set")
	case l.MyID == NoID:
		return l.ensembleFault(e, "myid file is missing")
	}
	if l.Options.ExtendedTypes && l.MyID > maxExtendedID {
		err := l.fault("extendedTypesEnabled", fmt.Sprintf("extendedTypesEnabled is true but Server ID is too large. Cannot be larger than %d", maxExtendedID))
		err.Exit = exitUnexpected
		return err
	}
	if _, ok := e.Member(ensemble.SID(l.MyID)); !ok {
		err := l.ensembleFault(e, fmt.Sprintf("My id %d not in the peer list", l.MyID))
		err.Exit = exitUnexpected
		return err
	}
	for _, say := range l.inEnsemble {
		say()
	}
	return nil
}

// makeEnsemble makes the options of an ensemble of its members and of the keys for it.
func (l *loader) makeEnsemble(e *ensemble.Config) {
	o := l.quorum
	o.SID, o.Config = ensemble.SID(l.MyID), e
	if l.Next != nil && l.Next.Version > e.Version {
		o.Next = l.Next // an older one was decided before it could be deleted
	}
	o.StaticFile, o.DynamicFile = l.File, l.dynamicFile
	if o.MultiAddress = l.multiAddress; l.unchecked {
		o.AnswerTimeout = 0
	}
	o.ReconfigEnabled, o.StandaloneEnabled = l.Options.ReconfigEnabled, !l.distributedOnly
	if o.ConnectLimit <= 0 {
		o.ConnectLimit = o.InitLimit
	}
	if l.observerSync != nil {
		o.SyncEnabled = *l.observerSync
	}
	if o.MaxNotification < o.MinNotification {
		l.at = l.where["fastleader.maxNotificationInterval"]
		l.warn("it is below fastleader.minNotificationInterval, which counts")
		o.MaxNotification = o.MinNotification
	}
	l.Options.ServerID = l.MyID
	l.Options.Ensemble = &o
}
