package auth

import (
	"strconv"
	"strings"
)

// validDN tells whether id may stand in a list of scheme x509: whether it is the text of an X.500 name as Java's
// X500Principal reads it, that is RFC 2253 with the older forms of RFC 1779 and RFC 4514's keywords. "" is the empty name.
func validDN(id string) bool {
	if id == "" {
		return true
	}
	for rest, more := id, true; more; {
		var ok bool
		if rest, more, ok = attribute(rest); !ok {
			return false
		}
	}
	return true
}

// attribute reads one type=value and the separator behind it; more is false at the end.
func attribute(s string) (rest string, more, ok bool) {
	key, s, ok := strings.Cut(s, "=")
	if !ok || !validKey(strings.Trim(key, " \n")) {
		return "", false, false
	}
	s = strings.TrimLeft(s, " \n")
	if strings.HasPrefix(s, `"`) {
		end := 1
		for ; end < len(s) && s[end] != '"'; end++ {
			if s[end] != '\\' {
				continue
			}
			if end++; end >= len(s) || !isEscapable(s[end:]) {
				return "", false, false
			}
		}
		if end >= len(s) {
			return "", false, false
		}
		s = strings.TrimLeft(s[end+1:], " \n")
		if s == "" {
			return "", false, true
		}
		return s[1:], true, isSeparator(s[0])
	}
	end := 0
	for ; end < len(s) && !isSeparator(s[end]); end++ {
		switch s[end] {
		case '\\':
			if end++; end >= len(s) || !isEscapable(s[end:]) {
				return "", false, false
			}
		case '"', '<', '>':
			return "", false, false
		}
	}
	if strings.HasPrefix(s, "#") && !isDER(strings.TrimRight(s[1:end], " \n")) {
		return "", false, false
	}
	if end == len(s) {
		return "", false, true
	}
	return s[end+1:], true, true
}

func isSeparator(c byte) bool { return c == ',' || c == ';' || c == '+' }

// isEscapable tells whether a backslash may stand before s: before a special character or two digits of hex.
func isEscapable(s string) bool {
	return strings.IndexByte(",+=\n<>#;\\\" ", s[0]) >= 0 || len(s) >= 2 && isHex(s[:2])
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != "" && len(s)%2 == 0
}

// isDER tells whether s is the hex of one value: a tag, a length and as many bytes. Lengths above 127 are taken on trust.
func isDER(s string) bool {
	if !isHex(s) || len(s) < 4 {
		return false
	}
	n, _ := strconv.ParseUint(s[2:4], 16, 8)
	return n >= 0x80 || len(s) == int(4+2*n)
}

// validKey tells whether s is a keyword that Java knows or an object identifier.
func validKey(s string) bool {
	s = strings.ToUpper(s)
	switch s {
	case "CN", "C", "L", "S", "ST", "O", "OU", "T", "IP", "STREET", "DC", "DNQUALIFIER", "DNQ", "SURNAME", "GIVENNAME", "INITIALS",
		"GENERATION", "EMAIL", "EMAILADDRESS", "UID", "SERIALNUMBER":
		return true
	}
	arcs := strings.Split(strings.TrimPrefix(s, "OID."), ".")
	for _, arc := range arcs {
		if arc == "" || strings.Trim(arc, "0123456789") != "" {
			return false
		}
	}
	if len(arcs) < 2 {
		return false
	}
	first, second := strings.TrimLeft(arcs[0], "0"), strings.TrimLeft(arcs[1], "0")
	return first == "2" || first <= "1" && len(first) <= 1 && (len(second) < 2 || len(second) == 2 && second <= "39")
}
