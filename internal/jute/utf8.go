package jute

import (
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// repair gives b as a string, each malformed piece replaced by U+FFFD as Java's UTF-8 decoder does it: a whole 3-byte
// surrogate is one piece, an overlong pair is two, a truncated tail is one. With pairs, two surrogates that make a pair are the character that they stand for. Valid input is aliased, not copied.
func repair(b []byte, pairs bool) string {
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
		if pairs && len(b) >= i+6 {
			if r := utf16.DecodeRune(surrogate(b[i:]), surrogate(b[i+3:])); r != utf8.RuneError {
				out = utf8.AppendRune(out, r)
				i += 6
				continue
			}
		}
		out = append(out, "\ufffd"...)
		i += malformed(b[i:])
	}
	return string(out)
}

// surrogate is the UTF-16 unit that the first three bytes of b are, if they are a surrogate; otherwise 0.
func surrogate(b []byte) rune {
	if b[0] != 0xED || b[1]&0xE0 != 0xA0 || b[2]&0xC0 != 0x80 {
		return 0
	}
	return 0xD000 | rune(b[1]&0x3F)<<6 | rune(b[2]&0x3F)
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
