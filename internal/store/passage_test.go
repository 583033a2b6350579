package store

import (
	"errors"
	"testing"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/zk"
)

// What a learner whose last zxid is z is sent out of the log, and when there is nothing to be sent from it (ensemble protocol, sections 5.2
// and 5.6).
func TestPassage(t *testing.T) {
	const e2, e3 = zk.Zxid(2 << 32), zk.Zxid(3 << 32)
	join := func(parts ...[]byte) (all []byte) {
		for i, b := range parts {
			if i > 0 {
				b = b[logHeaderSize:]
			}
			all = append(all, b...)
		}
		return all
	}
	damaged := logFile(4, 6, 0)
	damaged[offsetOf(2)+20] ^= 1
	for _, x := range []struct {
		name  string
		files map[string][]byte
		z, to zk.Zxid
		most  int64
		at    zk.Zxid // -1: nothing
	}{
		{"two files", map[string][]byte{"log.1": logFile(1, 3, 100), "log.4": logFile(4, 6, 100)}, 2, 6, 0, 2},
		{"from the end of a file", map[string][]byte{"log.1": logFile(1, 3, 100), "log.4": logFile(4, 6, 0)}, 3, 6, 0, 3},
		{"the log begins later", map[string][]byte{"log.4": logFile(4, 6, 0)}, 3, 6, 0, -1},
		{"it does not come to the end", map[string][]byte{"log.1": logFile(1, 3, 0)}, 1, 4, 0, -1},
		{"a hole", map[string][]byte{"log.1": logFile(1, 3, 0), "log.5": logFile(5, 6, 0)}, 1, 6, 0, -1},
		{"a hole before what is asked for", map[string][]byte{"log.1": logFile(1, 3, 0), "log.5": logFile(5, 8, 0)}, 6, 8, 0, 6},
		{"the next epoch", map[string][]byte{"log.1": join(logFile(1, 3, 0), logFile(e2+1, e2+2, 0))}, 2, e2 + 2, 0, 2},
		{"nobody has this zxid", map[string][]byte{"log.1": join(logFile(1, 3, 0), logFile(e2+1, e2+2, 0))}, 9, e2 + 2, 0, 3},
		{"a hole right behind it", map[string][]byte{"log.1": join(logFile(1, 3, 0), logFile(e2+2, e2+3, 0))}, 9, e2 + 3, 0, -1},
		{"the beginning of an epoch", map[string][]byte{"log.1": join(logFile(1, 3, 0), logFile(e2+1, e2+2, 0))}, e2, e2 + 2, 0, 3},
		{"a generation that SNAP has ended", map[string][]byte{"log.1": logFile(1, 3, 0), "log.200000001": logFile(e2+1, e2+2, 0), "snapshot.200000000": {0}}, 2, e2 + 2, 0, -1},
		{"the same, two epochs on", map[string][]byte{"log.1": logFile(1, 3, 0), "log.300000001": logFile(e3+1, e3+2, 0), "snapshot.200000007": {0}}, 2, e3 + 2, 0, -1},
		{"a snapshot of its own", map[string][]byte{"log.1": logFile(1, 3, 0), "log.4": logFile(4, 6, 0), "snapshot.3": {0}}, 2, 6, 0, 2},
		{"just short enough", map[string][]byte{"log.1": logFile(1, 4, 1<<16)}, 2, 4, 4 * recordSize, 2},
		{"too long", map[string][]byte{"log.1": logFile(1, 4, 0)}, 2, 4, 4*recordSize - 1, -1},
		{"damage", map[string][]byte{"log.1": logFile(1, 3, 0), "log.4": damaged}, 2, 6, 0, -1},
	} {
		t.Run(x.name, func(t *testing.T) {
			m := vfs.NewMem()
			o := testOptions()
			o.Shared = true
			open(t, m, testOptions()).Close()
			for name, b := range x.files {
				writeAll(t, m, inVersion2(name), b)
			}
			s := open(t, m, o)
			defer s.Close()
			at, ok, err := s.Passage(x.z, x.to, x.most, func() bool { return false })
			if ok != (x.at >= 0) || ok && at != x.at || (err != nil) != (x.name == "damage") {
				t.Fatalf("%v %t %v", at, ok, err)
			}
			if !ok {
				return
			}
			next := at
			err = s.WritePassage(at, x.to, func(e Entry) error {
				if !follows(next, e.Zxid) || payloadZxid(e.Payload) != e.Zxid {
					t.Errorf("%v behind %v", e.Zxid, next)
				}
				next = e.Zxid
				return nil
			})
			if err != nil || next != x.to {
				t.Errorf("it ends with %v, %v", next, err)
			}
			full := errors.New("full")
			if err := s.WritePassage(at, x.to, func(Entry) error { return full }); err != full {
				t.Errorf("%v", err)
			}
			if _, ok, _ := s.Passage(x.z, x.to, 0, func() bool { return true }); ok {
				t.Error("it goes on when nobody wants it")
			}
		})
	}
}
