package store

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/snappy"
)

// The stream of snappy-java, which is not the framing that snappy itself describes:
//
//	82 "SNAPPY" 00 | version 1, int | compatible 1, int | ( length, int | raw block )*
//
// It ends where the input ends, without a trailer. Where a length should be there may be another header, of a stream that
// was appended.
const xerialMagic = "\x82SNAPPY\x00"

const (
	xerialBlock    = 32 << 10   // uncompressed, what is written
	xerialMaxBlock = 512 << 20  // uncompressed, what snappy-java can be told to write
	xerialAgain    = 0x82534e41 // the first bytes of the magic, read as a length
)

func appendXerialHeader(b []byte) []byte {
	b = append(b, xerialMagic...)
	b = binary.BigEndian.AppendUint32(b, 1)
	return binary.BigEndian.AppendUint32(b, 1)
}

// xerialWriter compresses into w. Close writes what is left and leaves w open.
type xerialWriter struct {
	w     io.Writer
	plain []byte
	out   []byte
}

func newXerialWriter(w io.Writer) *xerialWriter {
	return &xerialWriter{w: w, plain: make([]byte, 0, xerialBlock), out: appendXerialHeader(nil)}
}

func (x *xerialWriter) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		part := min(len(b), xerialBlock-len(x.plain))
		x.plain = append(x.plain, b[:part]...)
		b, n = b[part:], n+part
		if len(x.plain) == xerialBlock {
			x.block()
		}
		if len(x.out) >= 256<<10 {
			if err := x.flush(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (x *xerialWriter) block() {
	at := len(x.out)
	most := snappy.MaxEncodedLen(len(x.plain))
	x.out = slices.Grow(x.out, 4+most)[:at+4+most]
	c := snappy.Encode(x.out[at+4:], x.plain)
	binary.BigEndian.PutUint32(x.out[at:], uint32(len(c)))
	x.out = x.out[:at+4+len(c)]
	x.plain = x.plain[:0]
}

func (x *xerialWriter) flush() error {
	_, err := x.w.Write(x.out)
	x.out = x.out[:0]
	return err
}

func (x *xerialWriter) Close() error {
	if len(x.plain) > 0 {
		x.block()
	}
	return x.flush()
}

// xerialReader decompresses. It allocates no more for a block than the input justifies: the best that a raw block can do is 64
// bytes for 3, so one that claims more than 32 times its length lies.
type xerialReader struct {
	r     *bufio.Reader
	begun bool
	in    []byte
	block []byte
	plain []byte // what of block is still to be read
}

var errXerial = errors.New("not a snappy-java stream")

func newXerialReader(r io.Reader) *xerialReader { return &xerialReader{r: bufio.NewReader(r)} }

func (x *xerialReader) Read(b []byte) (int, error) {
	for len(x.plain) == 0 {
		if err := x.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, x.plain)
	x.plain = x.plain[n:]
	return n, nil
}

func (x *xerialReader) next() error {
	if !x.begun {
		var head [16]byte
		if _, err := io.ReadFull(x.r, head[:]); err != nil || string(head[:8]) != xerialMagic {
			return errXerial
		}
		x.begun = true
	}
	var length [4]byte
	if _, err := io.ReadFull(x.r, length[:]); err != nil {
		return err // io.EOF is the end
	}
	n := binary.BigEndian.Uint32(length[:])
	if n == xerialAgain {
		var rest [12]byte
		if _, err := io.ReadFull(x.r, rest[:]); err != nil || string(rest[:4]) != xerialMagic[4:] {
			return errXerial
		}
		return nil
	}
	if int64(n) > int64(snappy.MaxEncodedLen(xerialMaxBlock)) {
		return fmt.Errorf("%w: block of %d bytes", errXerial, n)
	}
	x.in = x.in[:0]
	for len(x.in) < int(n) {
		have := len(x.in)
		part := min(1<<20, int(n)-have)
		x.in = slices.Grow(x.in, part)[:have+part]
		if _, err := io.ReadFull(x.r, x.in[have:]); err != nil {
			return io.ErrUnexpectedEOF
		}
	}
	size, err := snappy.DecodedLen(x.in)
	if err != nil {
		return fmt.Errorf("%w: %w", errXerial, err)
	}
	if size > xerialMaxBlock || size > 32*len(x.in) {
		return fmt.Errorf("%w: block of %d bytes claims to hold %d", errXerial, n, size)
	}
	if x.block, err = snappy.Decode(x.block[:cap(x.block)], x.in); err != nil {
		return fmt.Errorf("%w: %w", errXerial, err)
	}
	x.plain = x.block
	return nil
}
