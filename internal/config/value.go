package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/zooid-io/zooid/internal/java"
)

// Kind is how a value is read. They differ in what they do with nonsense, because Apache's readers do.
type Kind string

// The kinds. "Refused" is exit code 2 with Java's message; "default" is a warning and the key's default, as in Apache.
const (
	Text   Kind = "text"         // as it stands
	Dir    Kind = "directory"    // as it stands; a warning when it is relative without ./
	Switch Kind = "true/false"   // in any case; anything else is refused; with -D anything else is false
	Flag   Kind = "flag"         // "true" in any case is true, anything else is false
	YesNo  Kind = "yes/no"       // one exact word counts, the key's note says which
	Int    Kind = "int"          // decimal, 32 bits; else refused
	Long   Kind = "long"         // decimal, 64 bits; else refused
	GetInt Kind = "int or 0x"    // decimal, 0x, # or 0 octal, 32 bits; else default
	GetLng Kind = "long or 0x"   // the same with 64 bits
	LaxLng Kind = "long, lax"    // decimal, 64 bits; else default
	Float  Kind = "float"        // else refused
	List   Kind = "list"         // of words, with commas between
	Server Kind = "server entry" // the key's own grammar
)

// Value is a value that was read: Text always, the others by kind.
type Value struct {
	Text  string
	Int   int64
	Float float64
	Bool  bool
}

// read reads text, the value of key, by kind; property says that it comes from a -D. A note is a warning: text was no number and fallback was read instead. An error is Java's message.
func read(kind Kind, key, text, fallback string, property bool) (v Value, note string, err error) {
	v.Text = text
	switch kind {
	case Switch:
		v.Bool = strings.EqualFold(text, "true")
		if !v.Bool && !property && !strings.EqualFold(text, "false") {
			err = fmt.Errorf("Invalid option %s for %s. Choose 'true' or 'false.'", text, key)
		}
	case Flag:
		v.Bool = strings.EqualFold(text, "true")
	case Int:
		v.Int, err = java.Int(text, 10, 32)
	case Long:
		v.Int, err = java.Int(text, 10, 64)
	case Float:
		v.Float, err = parseFloat(text)
	case GetInt, GetLng, LaxLng:
		switch kind {
		case GetInt:
			v.Int, err = decodeInt(text, 32)
		case GetLng:
			v.Int, err = decodeInt(text, 64)
		default:
			v.Int, err = java.Int(text, 10, 64)
		}
		if err != nil {
			note = fmt.Sprintf("%q is not a number; the default %s counts", text, fallback)
			v.Text = fallback
			v.Int, err = decodeInt(fallback, 64)
			if err != nil { // a default that is told in words, like "jute.maxbuffer"
				return Value{}, note, errDefault
			}
		}
	}
	return v, note, err
}

// errDefault says that a value was nonsense and that the key has no default to set: leave things as they are.
var errDefault = fmt.Errorf("no value")

// decodeInt is Integer.decode and Long.decode, which Integer.getInteger and Long.getLong use: decimal; 0x, 0X or # and
// hexadecimal; 0 and octal. The sign comes first.
func decodeInt(s string, bits int) (int64, error) {
	digits, sign := s, ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		digits, sign = s[1:], s[:1]
	}
	base := 10
	switch {
	case strings.HasPrefix(digits, "0x"), strings.HasPrefix(digits, "0X"):
		digits, base = digits[2:], 16
	case strings.HasPrefix(digits, "#"):
		digits, base = digits[1:], 16
	case len(digits) > 1 && digits[0] == '0':
		digits, base = digits[1:], 8
	}
	if digits == "" || digits[0] == '-' || digits[0] == '+' {
		return 0, java.NumberError(s, 10)
	}
	n, err := strconv.ParseInt(sign+digits, base, bits)
	if err != nil {
		return 0, java.NumberError(s, 10)
	}
	return n, nil
}

// parseFloat is Double.parseDouble: white space around it and a final f or d are allowed.
func parseFloat(s string) (float64, error) {
	t := java.Trim(s)
	if t != "" && strings.ContainsRune("fFdD", rune(t[len(t)-1])) && !strings.Contains(strings.ToLower(t), "0x") {
		t = t[:len(t)-1]
	}
	f, err := strconv.ParseFloat(t, 64)
	if err != nil && !math.IsInf(f, 0) || strings.Contains(t, "_") {
		return 0, java.NumberError(s, 10)
	}
	return f, nil
}

// millis, hours and kib widen a number that an operator gave. Some give the largest one to say "never": it must not wrap.
func millis(n int64) time.Duration { return time.Duration(times(n, int64(time.Millisecond))) }
func hours(n int64) time.Duration  { return time.Duration(times(n, int64(time.Hour))) }
func kib(n int64) int64            { return times(n, 1024) }

func times(n, unit int64) int64 {
	switch {
	case n > math.MaxInt64/unit:
		return math.MaxInt64
	case n < math.MinInt64/unit:
		return math.MinInt64
	}
	return n * unit
}
