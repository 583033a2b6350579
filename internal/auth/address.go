package auth

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/zooid-io/zooid/zk"
)

// IP is the identity of a connection from the address a, in Java's text: IPv4 dotted, also where it came mapped into IPv6;
// IPv6 as eight groups of lower-case hex without leading zeros and never shortened by "::", then %zone if there is one.
func IP(a netip.Addr) zk.ID {
	a = a.Unmap()
	if !a.Is6() {
		return zk.ID{Scheme: ip, ID: a.String()}
	}
	b, text := a.As16(), make([]byte, 0, 48)
	for i := 0; i < len(b); i += 2 {
		if i > 0 {
			text = append(text, ':')
		}
		text = strconv.AppendUint(text, uint64(b[i])<<8|uint64(b[i+1]), 16)
	}
	if z := a.Zone(); z != "" {
		text = append(append(text, '%'), z...)
	}
	return zk.ID{Scheme: ip, ID: string(text)}
}

// address is one of either family, as lists and identities spell it: without a zone, and never one mapped into the other.
type address struct {
	b    [16]byte
	bits int // 32 or 128
}

// validIP tells whether id may stand in a list: an address with an optional /bits.
func validIP(id string) bool {
	_, _, ok := parsePattern(id)
	return ok
}

// matchesIP tells whether the address id is within pattern. The families are apart: no IPv6 pattern holds an IPv4 address.
func matchesIP(id, pattern string) bool {
	p, bits, ok := parsePattern(pattern)
	if !ok {
		return false
	}
	a, ok := parseAddress(id)
	if !ok || a.bits != p.bits {
		return false
	}
	for i := 0; bits > 0; i, bits = i+1, bits-8 {
		mask := byte(0xFF)
		if bits < 8 {
			mask <<= 8 - bits
		}
		if (a.b[i]^p.b[i])&mask != 0 {
			return false
		}
	}
	return true
}

func parsePattern(s string) (a address, bits int, ok bool) {
	addr, text, hasBits := strings.Cut(s, "/")
	if a, ok = parseAddress(addr); !ok {
		return a, 0, false
	}
	if !hasBits {
		return a, a.bits, true
	}
	n, ok := parseInt(text, 10)
	return a, int(n), ok && n >= 0 && int(n) <= a.bits
}

// parseAddress reads as loosely, and as strictly, as IPAuthenticationProvider: leading zeros and signs within a part pass,
// an IPv4 tail in an IPv6 address and a zone do not.
func parseAddress(s string) (a address, ok bool) {
	if strings.IndexByte(s, ':') >= 0 {
		return parseIPv6(s)
	}
	a.bits = 32
	for i := range 4 {
		part, rest, more := strings.Cut(s, ".")
		n, ok := parseInt(part, 10)
		if !ok || n < 0 || n > 255 || more != (i < 3) {
			return a, false
		}
		a.b[i], s = byte(n), rest
	}
	return a, true
}

func parseIPv6(s string) (a address, ok bool) {
	a.bits = 128
	head, tail, short := strings.Cut(s, "::")
	if !short {
		n, ok := a.groups(s, 0)
		return a, ok && n == 8
	}
	n, ok := a.groups(head, 0)
	if !ok {
		return a, false
	}
	m := 0
	if tail != "" {
		m = strings.Count(tail, ":") + 1
	}
	if n+m >= 8 { // also where tail has a second "::", which is an empty group
		return a, false
	}
	_, ok = a.groups(tail, 8-m)
	return a, ok
}

// groups reads groups of hex to the place at, counted in groups, and tells how many there were: none in "".
func (a *address) groups(s string, at int) (n int, ok bool) {
	if s == "" {
		return 0, true
	}
	for more := true; more; n++ {
		var part string
		part, s, more = strings.Cut(s, ":")
		v, ok := parseInt(part, 16)
		if !ok || len(part) > 4 || at+n >= 8 {
			return n, false
		}
		a.b[2*(at+n)], a.b[2*(at+n)+1] = byte(v>>8), byte(v)
	}
	return n, true
}

// parseInt is Java's Integer.parseInt for ASCII digits: a sign and leading zeros pass, "" and what is beyond 32 bits do not.
func parseInt(s string, base int) (int32, bool) {
	n, err := strconv.ParseInt(s, base, 32)
	return int32(n), err == nil
}
