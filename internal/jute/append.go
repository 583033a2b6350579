package jute

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendInt appends 4 bytes.
func AppendInt(b []byte, v int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }

// AppendLong appends 8 bytes.
func AppendLong(b []byte, v int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }

// AppendBool appends 0 or 1.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendBuffer appends length and bytes; nil is null.
func AppendBuffer(b, v []byte) []byte {
	if v == nil {
		return AppendInt(b, -1)
	}
	return append(AppendInt(b, int32(len(v))), v...)
}

// AppendString appends a ustring, never null. A character above U+FFFF is written as two 3-byte surrogates, as Java does.
func AppendString(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0xF0 {
			return appendCESU(b, s)
		}
	}
	return append(AppendInt(b, int32(len(s))), s...)
}

// AppendNullString appends a ustring, or null if null.
func AppendNullString(b []byte, s string, null bool) []byte {
	if null {
		return AppendInt(b, -1)
	}
	return AppendString(b, s)
}

func appendCESU(b []byte, s string) []byte {
	at := len(b)
	b = AppendInt(b, 0)
	for _, r := range s {
		if r <= 0xFFFF {
			b = utf8.AppendRune(b, r)
			continue
		}
		hi, lo := utf16.EncodeRune(r)
		for _, u := range []rune{hi, lo} {
			b = append(b, 0xE0|byte(u>>12), 0x80|byte(u>>6)&0xBF, 0x80|byte(u)&0xBF)
		}
	}
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

// AppendStrings appends a vector of ustrings; nil is null.
func AppendStrings(b []byte, v []string) []byte {
	if v == nil {
		return AppendInt(b, -1)
	}
	b = AppendInt(b, int32(len(v)))
	for _, s := range v {
		b = AppendString(b, s)
	}
	return b
}
