package jute

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
)

// ErrShort says that the input ended inside a field.
var ErrShort = errors.New("jute: input ends inside a field")

// LengthError says that a field's length is not one that the input can hold.
type LengthError struct {
	Length int32 // as read
	Left   int   // bytes that remained
}

func (e *LengthError) Error() string {
	return fmt.Sprintf("jute: length %d with %d bytes left", e.Length, e.Left)
}

// Decoder reads fields from a slice. The zero value reads from nothing; Reset gives it an input. After the first error
// every method returns zero values and Err tells what went wrong.
type Decoder struct {
	b     []byte
	off   int
	err   error
	pairs bool // NewStored
}

// NewDecoder reads from b.
func NewDecoder(b []byte) *Decoder { return &Decoder{b: b} }

// NewStored reads from b what a server has written for servers. A pair of 3-byte surrogates, as AppendString writes a character
// above U+FFFF, is read as that character, where NewDecoder reads two U+FFFD, as Apache does everywhere.
func NewStored(b []byte) *Decoder { return &Decoder{b: b, pairs: true} }

// Reset makes d read from b, from its start and without error.
func (d *Decoder) Reset(b []byte) { d.b, d.off, d.err = b, 0, nil }

// Err is the first error, or nil.
func (d *Decoder) Err() error { return d.err }

// Fail makes err the decoder's error unless it has one.
func (d *Decoder) Fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// Offset is the number of bytes read.
func (d *Decoder) Offset() int { return d.off }

// Left is the number of bytes not read.
func (d *Decoder) Left() int { return len(d.b) - d.off }

// Rest is the bytes not read.
func (d *Decoder) Rest() []byte { return d.b[d.off:] }

// Int reads 4 bytes.
func (d *Decoder) Int() int32 {
	if d.err != nil || len(d.b)-d.off < 4 {
		d.Fail(ErrShort)
		return 0
	}
	v := binary.BigEndian.Uint32(d.b[d.off:])
	d.off += 4
	return int32(v)
}

// Long reads 8 bytes.
func (d *Decoder) Long() int64 {
	if d.err != nil || len(d.b)-d.off < 8 {
		d.Fail(ErrShort)
		return 0
	}
	v := binary.BigEndian.Uint64(d.b[d.off:])
	d.off += 8
	return int64(v)
}

// Byte reads 1 byte.
func (d *Decoder) Byte() byte {
	if d.err != nil || d.off >= len(d.b) {
		d.Fail(ErrShort)
		return 0
	}
	v := d.b[d.off]
	d.off++
	return v
}

// Bool reads 1 byte: true unless 0.
func (d *Decoder) Bool() bool { return d.Byte() != 0 }

// Buffer reads a length and that many bytes. Null gives nil, empty gives a slice of length 0 that is not nil.
func (d *Decoder) Buffer() []byte {
	n := d.Int()
	if d.err != nil || n == -1 {
		return nil
	}
	if n < 0 || int(n) > len(d.b)-d.off {
		d.Fail(&LengthError{n, len(d.b) - d.off})
		return nil
	}
	v := d.b[d.off : d.off+int(n) : d.off+int(n)]
	d.off += int(n)
	if v == nil {
		v = []byte{}
	}
	return v
}

// String reads a ustring; null reads as "".
func (d *Decoder) String() string {
	s, _ := d.NullString()
	return s
}

// NullString reads a ustring and tells whether it was null. The string aliases the input, unless the input is not valid
// UTF-8: then it is a repaired copy, as Java's decoder would make it.
func (d *Decoder) NullString() (s string, null bool) {
	b := d.Buffer()
	if b == nil {
		return "", true
	}
	if len(b) == 0 {
		return "", false
	}
	for _, c := range b {
		if c >= 0x80 {
			return repair(b, d.pairs), false
		}
	}
	return unsafe.String(&b[0], len(b)), false
}

// Count reads the count of a vector whose items take at least itemSize bytes each. Null gives 0 and null=true; a negative
// count reads as 0, as it does upstream. A count that the input cannot hold is an error before anything is allocated.
func (d *Decoder) Count(itemSize int) (n int, null bool) {
	c := d.Int()
	if d.err != nil {
		return 0, false
	}
	if c < 0 {
		return 0, c == -1
	}
	if int64(c)*int64(itemSize) > int64(d.Left()) {
		d.Fail(&LengthError{c, d.Left()})
		return 0, false
	}
	return int(c), false
}

// ErrNullItem says that a vector of strings has a null in it.
var ErrNullItem = errors.New("jute: null within a vector of strings")

// Strings reads a vector of ustrings; null gives nil, empty a slice that is not nil. A null item is an error.
func (d *Decoder) Strings() []string {
	n, null := d.Count(4)
	if null || d.err != nil {
		return nil
	}
	v := make([]string, 0, n)
	for range n {
		s, null := d.NullString()
		if null {
			d.Fail(ErrNullItem)
			return nil
		}
		v = append(v, s)
	}
	if d.err != nil {
		return nil
	}
	return v
}
