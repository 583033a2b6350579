package auth

import (
	"strings"
	"unicode/utf8"
)

// text reads a token as Java reads UTF-8: each malformed piece becomes one U+FFFD. It matters for passwords in other
// encodings, since the hash is taken of the text written as UTF-8 again.
func text(token []byte) string {
	if utf8.Valid(token) {
		return string(token)
	}
	var out strings.Builder
	for len(token) > 0 {
		r, n := utf8.DecodeRune(token)
		if r == utf8.RuneError && n <= 1 {
			n = malformed(token)
		}
		out.WriteRune(r)
		token = token[n:]
	}
	return out.String()
}

// malformed is the length of the malformed piece that b starts with: the longest start of a well-formed sequence, where Java
// takes a surrogate of three bytes for well-formed so far.
func malformed(b []byte) int {
	lo, hi, most := byte(0x80), byte(0xBF), 1
	switch c := b[0]; {
	case c == 0xE0:
		lo, most = 0xA0, 3
	case c > 0xE0 && c <= 0xEF:
		most = 3
	case c == 0xF0:
		lo, most = 0x90, 3
	case c > 0xF0 && c < 0xF4:
		most = 3
	case c == 0xF4:
		hi, most = 0x8F, 3
	}
	if most == 1 || len(b) < 2 || b[1] < lo || b[1] > hi {
		return 1
	}
	if len(b) < 3 || b[2]&0xC0 != 0x80 {
		return 2
	}
	return most
}
