package jute

import (
	"unicode/utf8"
	"unsafe"
)

// repair gives b as a string, each malformed piece replaced by U+FFFD as Java's UTF-8 decoder does it: a whole 3-byte
// surrogate is one piece, an overlong pair is two, a truncated tail is one. Valid input is aliased, not copied.
func repair(b []byte) string {
	if utf8.Valid(b) {
		return unsafe.String(&b[0], len(b))
	}
	out := make([]byte, 0, len(b)+8)
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			out = append(out, b[i])
			i++
			continue
		}
		if r, n := utf8.DecodeRune(b[i:]); r != utf8.RuneError || n > 1 {
			out = append(out, b[i:i+n]...)
			i += n
			continue
		}
		out = append(out, "\ufffd"...)
		i += malformed(b[i:])
	}
	return string(out)
}

// malformed is the length of the malformed piece at the start of b.
func malformed(b []byte) int {
	cont := func(i int) bool { return i < len(b) && b[i]&0xC0 == 0x80 }
	c := b[0]
	switch {
	case c >= 0xE0 && c <= 0xEF:
		if c == 0xE0 && cont(1) && b[1] < 0xA0 { // overlong: the first byte alone
			return 1
		}
		if cont(1) && cont(2) { // a surrogate
			return 3
		}
		if cont(1) {
			return 2
		}
		return 1
	case c >= 0xF0 && c <= 0xF4:
		if !cont(1) || (c == 0xF0 && b[1] < 0x90) || (c == 0xF4 && b[1] >= 0x90) {
			return 1
		}
		if cont(2) {
			return 3
		}
		return 2
	}
	return 1
}
