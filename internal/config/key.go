package config

import "strings"

// Action is what happens to a key.
type Action string

// The actions.
const (
	Honoured Action = "honoured" // it sets something in Options, or decides what Load does
	Accepted Action = "accepted" // it has nothing to do here, and nobody misses anything: no warning
	Ignored  Action = "ignored"  // it does nothing, and a warning says so once
	Refused  Action = "refused"  // it would be unsafe to go on without it
)

// Key is one row of the table.
type Key struct {
	Name     string // in zoo.cfg; with a final * it is a prefix
	Property string // the -D; empty for the keys that zoo.cfg's parser takes for itself and that no -D can set
	// Also are other spellings in zoo.cfg, most of them the manual's, which Apache does not read. With "zookeeper." in front
	// they are taken as a -D too.
	Also []string
	// AlsoProperty are other names of the -D.
	AlsoProperty []string
	Kind         Kind
	Default      string // as an operator would write it; what is not set, or set in words, is in parentheses
	Action       Action
	Note         string // what it does; why not; when it is refused

	set func(l *loader, v Value) error // stores the value, or refuses it with an error: an *Error for its exit code, else its text
	// lacks says what is missing for this value; nothing is "nothing". Without lacks every value of a key that is Ignored or
	// Refused lacks what the note says.
	lacks func(v Value) string
	// ensembles tells that a standalone server has no use for the key, here and in Apache: what it lacks then is not said.
	ensembles bool
}

// DOnly tells that Apache reads the property only from a -D: written in zoo.cfg it has no effect there, and has here.
func (k *Key) DOnly() bool {
	return k.Property != "" && !strings.HasPrefix(k.Property, propertyPrefix)
}

const propertyPrefix = "zookeeper."

// Keys is the whole table: every key of zoo.cfg and every system property that ZooKeeper 3.9 knows.
func Keys() []Key {
	var all []Key
	for _, s := range Sections() {
		all = append(all, s.Keys...)
	}
	return all
}

// Section is a part of the table under a heading.
type Section struct {
	Title string
	Keys  []Key
}

// Sections is the table in the order of docs/configuration.md.
func Sections() []Section {
	return []Section{
		{"Listening", listenKeys()},
		{"Data and time", dataKeys()},
		{"Log and snapshots", storageKeys()},
		{"Limits and throttles", limitKeys()},
		{"Rights", rightKeys()},
		{"SASL and Kerberos", saslKeys()},
		{"Features", featureKeys()},
		{"Operating", operatingKeys()},
		{"Ensembles", ensembleKeys()},
		{"Threads, caches and transports", threadKeys()},
		{"TLS", append(tlsKeys("ssl."), tlsKeys("ssl.quorum.")...)},
		{"What scripts and clients put among a server's flags", scriptKeys()},
	}
}

// parserKey is a key that zoo.cfg's parser takes for itself.
func parserKey(name string, kind Kind, def string, action Action, note string) Key {
	return Key{Name: name, Kind: kind, Default: def, Action: action, Note: note}
}

// property is the system property zookeeper.<name>, which zoo.cfg spells without the prefix.
func property(name string, kind Kind, def string, action Action, note string) Key {
	return Key{Name: name, Property: propertyPrefix + name, Kind: kind, Default: def, Action: action, Note: note}
}

// dProperty is a system property without the prefix, which Apache takes from a -D only.
func dProperty(name string, kind Kind, def string, action Action, note string) Key {
	return Key{Name: name, Property: name, Kind: kind, Default: def, Action: action, Note: note}
}

func (k Key) or(also ...string) Key                     { k.Also = also; return k }
func (k Key) orProperty(also ...string) Key             { k.AlsoProperty = also; return k }
func (k Key) do(set func(l *loader, v Value) error) Key { k.set = set; return k }
func (k Key) unless(lacks func(v Value) string) Key     { k.lacks = lacks; return k }
func (k Key) inEnsembles() Key                          { k.ensembles = true; return k }
func (k Key) put(set func(l *loader, v Value)) Key {
	return k.do(func(l *loader, v Value) error { set(l, v); return nil })
}

// index finds a key by any of its spellings.
type index struct {
	cfg, prop map[string]*Key // exact names
	prefixes  []*Key
}

func newIndex(keys []Key) *index {
	x := &index{cfg: map[string]*Key{}, prop: map[string]*Key{}}
	for i := range keys {
		k := &keys[i]
		if strings.HasSuffix(k.Name, "*") {
			x.prefixes = append(x.prefixes, k)
			continue
		}
		x.cfg[k.Name] = k
		for _, also := range k.Also {
			x.cfg[also] = k
		}
		if k.Property == "" {
			continue
		}
		x.prop[k.Property] = k
		for _, also := range k.Also {
			x.prop[propertyPrefix+also] = k
		}
		for _, also := range k.AlsoProperty {
			x.prop[also] = k
		}
	}
	return x
}

// inFile finds the key that is spelled so in zoo.cfg; nil is unknown. A prefix's key comes back with the full name.
func (x *index) inFile(name string) *Key {
	if k := x.cfg[name]; k != nil {
		return k
	}
	for _, k := range x.prefixes {
		if strings.HasPrefix(name, strings.TrimSuffix(k.Name, "*")) {
			full := *k
			full.Name = name
			if k.Property != "" {
				full.Property = propertyPrefix + name
			}
			return &full
		}
	}
	return nil
}

// asProperty finds the key that is spelled so after -D; nil is unknown.
func (x *index) asProperty(name string) *Key {
	if k := x.prop[name]; k != nil {
		return k
	}
	if short, ok := strings.CutPrefix(name, propertyPrefix); ok {
		for _, k := range x.prefixes {
			if k.Property != "" && strings.HasPrefix(short, strings.TrimSuffix(k.Name, "*")) {
				return x.inFile(short)
			}
		}
	}
	return nil
}
