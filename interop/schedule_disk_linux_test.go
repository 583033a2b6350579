package interop

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// smallDisk is a folder on a file system of 24 MB, and a file on it that takes 14 MB until it is removed.
func smallDisk(t *testing.T) (dir, ballast string) {
	t.Helper()
	at := t.TempDir()
	if err := unix.Mount("zooid", at, "tmpfs", 0, "size=24m"); err != nil {
		missing(t, fmt.Sprintf("no file system can be mounted here: %v", err))
	}
	t.Cleanup(func() {
		if err := unix.Unmount(at, 0); err != nil {
			t.Error(err)
		}
	})
	dir, ballast = filepath.Join(at, "data"), filepath.Join(at, "ballast")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(ballast, make([]byte, 14<<20), 0o600)); err != nil {
		t.Fatal(err)
	}
	return dir, ballast
}

// TestSchedulesOfADisk: the disk of the log gets full, and has space again.
func TestSchedulesOfADisk(t *testing.T) {
	t.Parallel()
	small := Setup{Props: []string{"zookeeper.preAllocSize=64"}}
	playSchedules(t, []schedule{
		{id: "2247, 3701 a full disk", long: true, play: func(t *testing.T, k Kind) string {
			setup := small
			var ballast string
			setup.Dir, ballast = smallDisk(t)
			srv := Start(t, k, setup)
			c, err := Connect(srv.Addr(), sessionTimeout)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			acked := 0
			for ; ; acked++ {
				answer := ask(c, &wire.Create{Path: fmt.Sprintf("/n%04d", acked), Data: make([]byte, 20_000), ACL: zk.WorldACL(zk.PermAll)})
				select {
				case a := <-answer:
					if a.err == nil && a.Err == zk.OK {
						if acked > 2000 {
							return "it acknowledges more than the disk holds"
						}
						continue
					}
				case <-time.After(time.Second): // it waits for space
				}
				break
			}
			srv.Kill()
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			srv.Launch(t)
			if err := srv.Serves(); err != nil {
				return "it does not start again"
			}
			if n := len(children(t, srv)); n < acked {
				return fmt.Sprintf("%d of %d are there", n, acked)
			}
			return ""
		}},
		// A follower's disk: what it misses the others have.
		{id: "4882 a disk that was full", shows: true, long: true, play: func(t *testing.T, k Kind) string {
			setup := small
			var ballast string
			setup.Dir, ballast = smallDisk(t)
			s, h := setScene(t, k, setup, nil), history{}
			r := s.begin(&h, creates("/a"))
			for i := range 2000 {
				x := createsBig(fmt.Sprintf("/n%04d", i), 20_000)
				h.add(r.Epoch, x)
				p := r.next(x)
				r.send(p, &zab.Commit{Zxid: p.Zxid})
				full := false
				timer := time.AfterFunc(time.Second, func() { s.note(func() { full = true }) })
				s.wait(t, "an acknowledgement, or none", func() bool {
					for j, q := range s.packets {
						if a, ok := q.Packet.(*zab.Ack); ok && a.Zxid == p.Zxid {
							s.packets = append(s.packets[:j], s.packets[j+1:]...)
							return true
						}
					}
					return full || s.down[s.link]
				})
				timer.Stop()
				if full || s.down[s.link] {
					break
				}
			}
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			select {
			case <-s.srv.Done():
				t.Log("it has ended")
				s.restart()
			case <-time.After(300 * time.Millisecond):
			}
			s.hangUp()
			h.add(2, creates("/b"))
			if wrong := s.finds(h); wrong != "" {
				return wrong
			}
			return s.goesOn(&h, creates("/c"))
		}},
	})
}
