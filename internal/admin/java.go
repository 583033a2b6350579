package admin

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// double is a number as Java's Double.toString prints it: at least one digit after the point, and an exponent outside of
// [0.001, 10,000,000).
func double(v float64) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 0):
		if v < 0 {
			return "-Infinity"
		}
		return "Infinity"
	}
	if a := math.Abs(v); a == 0 || a >= 1e-3 && a < 1e7 {
		s := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', -1, 64), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return mantissa + "E" + strconv.Itoa(n)
}

// date is a time as Java's Date.toString prints it. A zone without letters is "GMT+03:00" to Java and "+03" to Go.
func date(t time.Time) string {
	zone, offset := t.Zone()
	if zone == "" || zone[0] == '+' || zone[0] == '-' {
		zone = "GMT"
		if offset != 0 {
			zone += t.Format("-07:00")
		}
	}
	return t.Format("Mon Jan 02 15:04:05 ") + zone + t.Format(" 2006")
}

// address is a socket's address as Java's InetSocketAddress prints it without a host name: no run of zeros is left out of an
// IPv6 address, and one that holds an IPv4 address is that.
func address(a netip.AddrPort) string {
	ip := a.Addr().Unmap()
	if ip.Is4() {
		return "/" + ip.String() + ":" + strconv.Itoa(int(a.Port()))
	}
	b := []byte("/[")
	for i, raw := 0, ip.As16(); i < 16; i += 2 {
		if i > 0 {
			b = append(b, ':')
		}
		b = strconv.AppendUint(b, uint64(raw[i])<<8|uint64(raw[i+1]), 16)
	}
	if z := ip.Zone(); z != "" {
		b = append(append(b, '%'), z...)
	}
	return string(append(b, "]:"+strconv.Itoa(int(a.Port()))...))
}
