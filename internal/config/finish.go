package config

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/zooid-io/zooid/internal/java"
)

// finish checks what concerns more than one key, in the order of Apache's QuorumPeerConfig, and makes addresses and timeouts.
// entries are zoo.cfg's.
func (l *loader) finish(entries []java.Entry) (*Config, error) {
	for _, check := range []func() error{
		l.checkQuorumSASL,
		l.checkData,
		l.makeClientAddr,
		l.checkSecurePort,
		l.makeTimeouts,
		func() error { return l.members(entries) },
		func() error {
			if len(l.refusals) > 0 {
				return l.refusals[0]
			}
			return nil
		},
		l.checkEnforcement,
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	l.makeLimits()
	return l.Config, nil
}

func (l *loader) checkData() error {
	if l.Options.DataDir == "" {
		return l.fault("dataDir", "dataDir is not set")
	}
	return nil
}

// makeClientAddr makes the address to listen on of clientPort and clientPortAddress.
func (l *loader) makeClientAddr() error {
	switch {
	case l.clientPort == nil && l.clientPortAddress != nil:
		return l.fault("clientPortAddress", "clientPortAddress is set but clientPort is not set")
	case l.clientPort == nil:
		return nil
	}
	if *l.clientPort < 0 || *l.clientPort > 65535 {
		return l.fault("clientPort", fmt.Sprintf("port out of range:%d", *l.clientPort))
	}
	var host string
	if l.clientPortAddress != nil {
		host = unbracket(*l.clientPortAddress)
		if host == "" {
			host = "127.0.0.1" // InetAddress.getByName("") is loopback
		}
		if _, err := netip.ParseAddr(host); err != nil {
			if _, err := l.lookup(host); err != nil {
				return l.fault("clientPortAddress", host+": Name or service not known")
			}
		}
	}
	l.Options.ClientAddr = listenAddr(host, int(*l.clientPort))
	return nil
}

// listenAddr is host:port for net.Listen. Java's wildcard listens to both families whichever way it is written, and Go's only
// when the host is left out.
func listenAddr(host string, port int) string {
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = ""
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

func unbracket(host string) string {
	if n := len(host); n >= 2 && host[0] == '[' && host[n-1] == ']' {
		return host[1 : n-1]
	}
	return host
}

func (l *loader) checkSecurePort() error {
	if l.securePort == nil && l.securePortAddress {
		return l.fault("secureClientPortAddress", "secureClientPortAddress is set but secureClientPort is not set")
	}
	return nil
}

func (l *loader) makeTimeouts() error {
	o := &l.Options
	if o.TickTime == 0 {
		return l.fault("tickTime", "tickTime is not set")
	}
	o.MinSessionTimeout, o.MaxSessionTimeout = timeout(l.minTimeout), timeout(l.maxTimeout)
	if least, most := o.SessionLimits(); least > most {
		key := "minSessionTimeout"
		if l.minTimeout == -1 && l.maxTimeout != -1 {
			key = "maxSessionTimeout"
		}
		return l.fault(key, "minSessionTimeout must not be larger than maxSessionTimeout")
	}
	return nil
}

// timeout is a session timeout in ms as Options have it. Only -1 stands for "so many ticks" in zoo.cfg, in Options every value
// that is not positive does: a zero that was given becomes one nanosecond, which is zero in every ms.
func timeout(ms int64) time.Duration {
	switch {
	case ms == -1:
		return 0
	case ms <= 0:
		return time.Nanosecond
	}
	return millis(ms)
}

// makeLimits fills in what depends on other keys.
func (l *loader) makeLimits() {
	o := &l.Options
	if l.maxBufferSet && !l.maxExtraSet {
		o.MaxExtra = max(o.MaxFrame, 1024)
	}
	if o.ReadOnlyMode && !slices.Contains(o.FourLetterWords, "isro") && !slices.Contains(o.FourLetterWords, "*") {
		o.FourLetterWords = append(o.FourLetterWords, "isro")
	}
	t := &o.ConnThrottle
	t.GlobalWeight = max(t.GlobalWeight, t.LocalWeight)
	t.RenewWeight = max(t.RenewWeight, t.LocalWeight)
}

// readMyID reads dataDir/myid if it is there: the first line, a number and nothing else. Without a zoo.cfg nobody asks.
func (l *loader) readMyID() error {
	if l.File == "" {
		return nil
	}
	file := filepath.Join(l.Options.DataDir, "myid")
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return &Error{File: file, Reason: err.Error()}
	}
	line := "null" // what Java prints for the first line of an empty file
	if lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan() {
		line = lines.Text()
	}
	id, err := java.Int(line, 10, 64)
	if err != nil {
		return &Error{File: file, Line: 1, Reason: "serverid " + line + " is not a number"}
	}
	l.MyID = id
	return nil
}
