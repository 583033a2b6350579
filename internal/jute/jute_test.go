package jute_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/zk"
)

func TestNullIsNotEmpty(t *testing.T) {
	b := jute.AppendBuffer(nil, nil)
	b = jute.AppendBuffer(b, []byte{})
	b = jute.AppendStrings(b, nil)
	b = jute.AppendStrings(b, []string{})
	b = jute.AppendACL(b, nil)
	b = jute.AppendACL(b, []zk.ACL{})
	d := jute.NewDecoder(b)
	if v := d.Buffer(); v != nil {
		t.Error("null buffer")
	}
	if v := d.Buffer(); v == nil || len(v) != 0 {
		t.Error("empty buffer")
	}
	if v := d.Strings(); v != nil {
		t.Error("null vector")
	}
	if v := d.Strings(); v == nil {
		t.Error("empty vector")
	}
	if v, _ := d.ACL(); v != nil {
		t.Error("null acl")
	}
	if v, _ := d.ACL(); v == nil {
		t.Error("empty acl")
	}
	if d.Err() != nil || d.Left() != 0 {
		t.Error(d.Err(), d.Left())
	}
}

// A length is compared with what is left before anything is allocated.
func TestLengthsAreBounded(t *testing.T) {
	var le *jute.LengthError
	for name, read := range map[string]func(*jute.Decoder){
		"buffer":  func(d *jute.Decoder) { d.Buffer() },
		"string":  func(d *jute.Decoder) { d.NullString() },
		"strings": func(d *jute.Decoder) { d.Strings() },
		"acl":     func(d *jute.Decoder) { d.ACL() },
	} {
		d := jute.NewDecoder([]byte{0x7f, 0xff, 0xff, 0xff, 1, 2})
		if read(d); !errors.As(d.Err(), &le) {
			t.Errorf("%s: %v", name, d.Err())
		}
	}
	d := jute.NewDecoder([]byte{0xff, 0xff, 0xff, 0xfb}) // a count of -5 is an empty vector
	if v := d.Strings(); v == nil || d.Err() != nil {
		t.Error("negative count:", v, d.Err())
	}
	d = jute.NewDecoder([]byte{0xff, 0xff, 0xff, 0xfe})
	if d.Buffer(); d.Err() == nil {
		t.Error("length -2 was taken")
	}
}

// Section 1.4: how Java counts the malformed pieces, and how it writes what UTF-16 splits.
func TestStringsAreJavas(t *testing.T) {
	for in, want := range map[string]string{
		"a\xff":             "a\ufffd",
		"\xed\xa0\x80x":     "\ufffdx",      // a surrogate is one piece
		"\xc0\x80":          "\ufffd\ufffd", // overlong NUL is two
		"\xe4\xb8":          "\ufffd",       // a truncated tail is one
		"\xf0\x9f\x98":      "\ufffd",
		"\xf0\x9f\x98\x80é": "\U0001F600é",
	} {
		d := jute.NewDecoder(jute.AppendBuffer(nil, []byte(in)))
		if got := d.String(); got != want {
			t.Errorf("%x reads as %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"a\xed\xa0\xbd\xed\xb8\x80b":   "a\U0001F600b",
		"\xed\xa0\xbd\xed\xa0\xbd":     "\ufffd\ufffd",
		"\xed\xb8\x80\xed\xa0\xbd":     "\ufffd\ufffd",
		"\xed\xa0\xbd\xed\xb8":         "\ufffd\ufffd",
		"\xed\xa0\xbd\xed\x9f\xbf\xff": "\ufffd\ud7ff\ufffd",
	} {
		if got := jute.NewStored(jute.AppendBuffer(nil, []byte(in))).String(); got != want {
			t.Errorf("%x, stored, reads as %q, want %q", in, got, want)
		}
	}
	if got := hex.EncodeToString(jute.AppendString(nil, "\U0001F600")); got != "00000006eda0bdedb880" {
		t.Errorf("supplementary character written as %s", got)
	}
}

func FuzzDecoder(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02/a\x00\x00\x00\x01\x00\x00\x00\x1f\x00\x00\x00\x05world\x00\x00\x00\x06anyone"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := jute.NewDecoder(b)
		s, null := d.NullString()
		acl, _ := d.ACL()
		st := d.Stat()
		v := d.Strings()
		if d.Err() != nil {
			return
		}
		// What was read can be written and read again.
		w := jute.AppendNullString(nil, s, null)
		w = jute.AppendACL(w, acl)
		w = jute.AppendStat(w, &st)
		w = jute.AppendStrings(w, v)
		d2 := jute.NewDecoder(w)
		d2.NullString()
		d2.ACL()
		if d2.Stat() != st || d2.Err() != nil {
			t.Fatal("second reading differs")
		}
		if v == nil != (d2.Strings() == nil) || !bytes.Equal(d2.Rest(), nil) {
			t.Fatal("vector differs")
		}
	})
}

// TestACLNullID: kazoo sends the id of auth as null, and Apache's server takes it; for other schemes it is an error.
func TestACLNullID(t *testing.T) {
	for scheme, want := range map[string]bool{"auth": false, "digest": true, "world": true, "": true} {
		b := jute.AppendInt(nil, 1)
		b = jute.AppendInt(b, int32(zk.PermAll))
		b = jute.AppendString(b, scheme)
		b = jute.AppendInt(b, -1)
		d := jute.NewDecoder(b)
		acl, null := d.ACL()
		if d.Err() != nil || len(acl) != 1 || null != want {
			t.Errorf("scheme %q: %v, null id %v, want %v (%v)", scheme, acl, null, want, d.Err())
		}
	}
}
