package java

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Trim is String.trim: it takes off everything up to and including the space.
func Trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}

// Split is String.split: empty parts at the end are dropped, and an empty string is one empty part.
func Split(s, sep string) []string {
	if s == "" {
		return []string{""}
	}
	parts := strings.Split(s, sep)
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

// Int is Integer.parseInt (32 bits) and Long.parseLong (64): a sign, then digits, nothing else.
func Int(s string, base, bits int) (int64, error) {
	n, err := strconv.ParseInt(s, base, bits)
	if err != nil || strings.Contains(s, "_") {
		return 0, NumberError(s, base)
	}
	return n, nil
}

// NumberError is a NumberFormatException.
func NumberError(s string, base int) error {
	if base != 10 {
		return fmt.Errorf("For input string: %q under radix %d", s, base)
	}
	return fmt.Errorf(`For input string: "%s"`, s)
}

// Escape writes a value so that Java reads it back; and so does Properties, but for letters beyond U+FFFF, which the library loses.
func Escape(value string) string {
	var b strings.Builder
	for i, r := range value {
		switch {
		case r == '\\' || r == ' ' && i == 0:
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r > '~':
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
