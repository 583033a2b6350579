package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/java"
	"github.com/zooid-io/zooid/internal/server"
)

// Config is what a server was told, read and checked.
type Config struct {
	Options  server.Options
	File     string     // zoo.cfg as it was given; empty without one
	Text     string     // its bytes as read; what the admin command initial_configuration shows
	Warnings []Warning  // in the order in which they were found
	System   Properties // the system properties in the end: every -D, and zookeeper.K for every K that is not the parser's own

	MyID         int64            // from dataDir/myid, else NoID
	Ensemble     *ensemble.Config // server lines; nil without any. Options.Ensemble has it too if they ask for an ensemble
	EnsembleFile string           // where they stand
	Next         *ensemble.Config // <zoo.cfg>.dynamic.next, a configuration that was proposed and not decided; nil without one
	Observer     bool             // this server's role, if Ensemble lists it
}

// NoID is the MyID of a server without a myid file. A standalone server needs none.
const NoID = -1

// Load reads a zoo.cfg, its dynamic file and the system properties sys (from Environ and SplitArgs). Its errors are *Error.
func Load(file string, sys Properties) (*Config, error) {
	return newLoader(sys).file(file)
}

func (l *loader) file(file string) (*Config, error) {
	l.File = file
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{File: file, Reason: file + " file is missing"}
	} else if err != nil {
		return nil, &Error{File: file, Reason: err.Error()}
	}
	l.at = place{file: file}
	l.relative(file)
	return l.load(string(data))
}

// Usage is how a server is started.
const Usage = "Usage: ZooKeeperServerMain configfile | port datadir [ticktime] [maxcnxns]"

// FromArgs reads a server's arguments: a zoo.cfg, or port and dataDir and perhaps tickTime and maxClientCnxns. A -D among them
// joins sys and wins over it. Its errors are *Error; without arguments the reason is Usage.
func FromArgs(args []string, sys Properties) (*Config, error) {
	args, own := SplitArgs(args)
	sys = maps.Clone(sys)
	if sys == nil {
		sys = Properties{}
	}
	maps.Copy(sys, own)
	switch len(args) {
	case 0:
		return nil, &Error{File: CommandLine, Reason: Usage}
	case 1:
		return Load(args[0], sys)
	case 2, 3, 4:
	default:
		return nil, &Error{File: CommandLine, Reason: fmt.Sprintf("Invalid number of arguments:[%s]. %s", strings.Join(args, ", "), Usage)}
	}
	l := newLoader(sys)
	for i, key := range []string{"clientPort", "dataDir", "tickTime", "maxClientCnxns"}[:len(args)] {
		if err := l.apply(l.keys.inFile(key), source{CommandLine, java.Entry{Key: key, Value: args[i]}, false}); err != nil {
			return nil, err
		}
	}
	return l.properties()
}

// Default is a server without a configuration: 127.0.0.1:2181 and the directory zooid-data here.
func Default() *Config {
	c, err := DefaultWith(nil)
	if err != nil {
		panic(err) // nothing was read that could be wrong
	}
	return c
}

// DefaultWith is Default with system properties.
func DefaultWith(sys Properties) (*Config, error) {
	l := newLoader(sys)
	port, host := int64(2181), "127.0.0.1"
	l.clientPort, l.clientPortAddress = &port, &host
	l.Options.DataDir = "./zooid-data"
	return l.properties()
}

// loader is a Config in the making, with what only later checks need.
type loader struct {
	*Config
	sys      Properties
	keys     *index
	lookup   func(host string) ([]string, error) // net.LookupHost
	at       place                               // what is being read: where a warning or a refusal belongs
	where    map[string]place                    // of each key that was given
	refusals []*Error                            // reported last: what Apache refuses comes first

	clientPort                *int64
	clientPortAddress         *string
	securePort                *int64
	securePortAddress         bool
	minTimeout, maxTimeout    int64 // ms; -1 is not set
	maxBufferSet, maxExtraSet bool
	enforce, x509             bool
	enforceSchemes            []string
	dynamicFile               string
	distributedOnly           bool                   // standaloneEnabled=false
	quorum                    server.EnsembleOptions // what the keys for ensembles say
	observerSync              *bool                  // observer.syncEnabled
	inEnsemble                []func()               // warnings and refusals that only an ensemble needs to hear
	peerObserver              bool                   // peerType=observer
	quorumSASL                bool
	learnerSASL, serverSASL   bool
	multiAddress              bool
	unchecked                 bool // multiAddress.reachabilityCheckEnabled=false
}

type place struct {
	file string
	line int
	key  string
}

func newLoader(sys Properties) *loader {
	l := &loader{
		Config:     &Config{Options: server.Default(), MyID: NoID, System: maps.Clone(sys)},
		sys:        sys,
		keys:       newIndex(Keys()),
		lookup:     net.LookupHost,
		where:      map[string]place{},
		minTimeout: -1, maxTimeout: -1,
		quorum: server.DefaultEnsemble(),
	}
	if l.System == nil {
		l.System = Properties{}
	}
	return l
}

// warn notes something about what is being read.
func (l *loader) warn(text string) {
	l.Warnings = append(l.Warnings, Warning{l.at.file, l.at.line, l.at.key, text})
}

// refuse says that the server cannot start with what is being read. The rest is read first.
func (l *loader) refuse(reason string) {
	l.refusals = append(l.refusals, &Error{File: l.at.file, Line: l.at.line, Key: l.at.key, Reason: reason})
}

// fault is an error about a key that was read before, or is missing.
func (l *loader) fault(key, reason string) *Error {
	at, ok := l.where[key]
	if !ok {
		at = place{file: l.File, key: key}
		if at.file == "" {
			at.file = CommandLine
		}
	}
	return &Error{File: at.file, Line: at.line, Key: at.key, Reason: reason}
}

// source is a key as it was spelled somewhere, with its value.
type source struct {
	file string
	java.Entry
	property bool // a -D
}

// load reads the text of l.File.
func (l *loader) load(text string) (*Config, error) {
	l.Text = text
	entries, err := parse(l.File, text)
	if err != nil {
		return nil, err
	}
	entries = l.lastOnes(l.File, entries)
	if err := l.settle(entries); err != nil {
		return nil, err
	}
	return l.finish(entries)
}

// properties is load without a file.
func (l *loader) properties() (*Config, error) {
	if err := l.settle(nil); err != nil {
		return nil, err
	}
	return l.finish(nil)
}

// settle finds out which value of each key counts, and applies it.
func (l *loader) settle(entries []java.Entry) error {
	// A key may be spelled in several ways and places; the least rank counts. Where Apache reads a spelling at all it comes
	// first, in Apache's order: zoo.cfg overwrites a -D, but for properties that Apache takes from a -D only.
	type candidate struct {
		key  *Key
		from source
		rank int
	}
	chosen := map[string]candidate{}
	var order []string
	offer := func(k *Key, s source, rank int) {
		old, ok := chosen[k.Name]
		if !ok {
			order = append(order, k.Name)
		}
		if !ok || rank < old.rank {
			chosen[k.Name] = candidate{k, s, rank}
		}
	}
	for _, e := range entries {
		k := l.keys.inFile(e.Key)
		if k == nil || k.Property != "" || ensemble.IsMemberKey(e.Key) || e.Key == "version" {
			l.System[propertyPrefix+e.Key] = e.Value
		}
		if k == nil {
			l.unknown(e)
			continue
		}
		rank := 1
		if k.DOnly() {
			rank = 3
		} else if e.Key != k.Name {
			rank = 4
		}
		offer(k, source{l.File, e, false}, rank)
	}
	for _, name := range slices.Sorted(maps.Keys(l.sys)) {
		k := l.keys.asProperty(name)
		if k == nil {
			if strings.HasPrefix(name, propertyPrefix) {
				l.at = place{CommandLine, 0, "-D" + name}
				l.warn("nobody knows this property; it does nothing")
			}
			continue
		}
		rank := 2
		if name != k.Property {
			rank = 5
		}
		offer(k, source{CommandLine, java.Entry{Key: name, Value: l.sys[name]}, true}, rank)
	}
	for _, name := range order {
		if err := l.apply(chosen[name].key, chosen[name].from); err != nil {
			return err
		}
	}
	return nil
}

// lastOnes leaves the last of each key, and warns of the others.
func (l *loader) lastOnes(file string, entries []java.Entry) []java.Entry {
	return java.Last(entries, func(e, counts java.Entry) {
		l.at = place{file, e.Line, e.Key}
		l.warn(fmt.Sprintf("given again in line %d; the last one counts", counts.Line))
	})
}

// parse reads a file's text.
func parse(file, text string) ([]java.Entry, error) {
	entries, err := java.Properties(text)
	var escape *java.EscapeError
	if errors.As(err, &escape) {
		return nil, &Error{File: file, Line: escape.Line, Reason: escape.Error()}
	}
	return entries, err
}

// unknown is a key that becomes a property and no more. That is never an error.
func (l *loader) unknown(e java.Entry) {
	l.at = place{l.File, e.Line, e.Key}
	if short, ok := strings.CutPrefix(e.Key, propertyPrefix); ok {
		l.warn(fmt.Sprintf("in this file the prefix makes it zookeeper.%s, which nobody reads: write %s", e.Key, short))
		return
	}
	l.warn("nobody knows this key; it becomes the property zookeeper." + e.Key)
}

// apply reads one value and does with it what the table says.
func (l *loader) apply(k *Key, s source) error {
	l.at = place{s.file, s.Line, s.Key}
	if s.property {
		l.at.key = "-D" + s.Key
	}
	l.where[k.Name] = l.at
	v, note, err := read(k.Kind, s.Key, s.Value, k.Default, s.property)
	if note != "" {
		l.warn(note)
	}
	if k.Kind == Dir {
		l.relative(v.Text)
	}
	if err == nil && k.set != nil {
		err = k.set(l, v)
	}
	var e *Error
	switch {
	case errors.Is(err, errDefault):
		return nil
	case errors.As(err, &e):
		return &Error{l.at.file, l.at.line, l.at.key, e.Reason, e.Exit}
	case err != nil:
		return &Error{l.at.file, l.at.line, l.at.key, err.Error(), 0}
	}
	lacks := k.Note
	if k.lacks != nil {
		lacks = k.lacks(v)
	}
	if lacks == "" {
		return nil
	}
	at := l.at
	say := func() {
		l.at = at
		switch k.Action {
		case Ignored:
			l.warn("ignored: " + k.Note)
		case Refused:
			l.refuse(lacks)
		}
	}
	if k.ensembles {
		l.inEnsemble = append(l.inEnsemble, say)
	} else {
		say()
	}
	return nil
}

// relative warns of a path that depends on where the server is started.
func (l *loader) relative(path string) {
	if !filepath.IsAbs(path) && !strings.HasPrefix(path, "./") {
		l.warn(path + " is relative. Prepend ./ to indicate that you're sure!")
	}
}
