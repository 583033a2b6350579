package interop

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
)

var schedules = flag.Bool("schedules", false, "the schedules of docs/defects.md are played on Apache's servers, too, and must show there what is said")

// schedule is what leads to a defect of docs/defects.md, where that can be brought about from outside.
type schedule struct {
	id string // of the defects, and what tells this schedule from others of theirs
	// shows tells whether Apache 3.8.0 has it: last column of the table.
	shows bool
	// luck is that it does at times.
	luck bool
	// long is what takes long, or is looked at elsewhere, too: only with -schedules.
	long bool
	// play gives what is wrong in the end, "" if nothing is.
	play func(t *testing.T, k Kind) string
}

// playSchedules plays each on Zooid, where nothing may be wrong, and with -schedules on Apache, where what is wrong must be what the
// table says.
func playSchedules(t *testing.T, all []schedule) {
	for _, s := range all {
		for _, k := range []Kind{Zooid, Apache} {
			if (k == Apache || s.long) && !*schedules {
				continue
			}
			t.Run(s.id+"/"+k.String(), func(t *testing.T) {
				t.Parallel()
				Need(t, k)
				wrong := s.play(t, k)
				switch {
				case k == Zooid && wrong != "":
					t.Error(wrong)
				case k == Apache:
					t.Logf("Apache: %q", wrong)
					if s.shows != (wrong != "") && !s.luck {
						t.Errorf("it is said that Apache shows it: %v", s.shows)
					}
				}
			})
		}
	}
}

// plant writes a file.
func plant(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// plantHistory writes a snapshot of a history.
func plantHistory(t *testing.T, dir string, h history) {
	t.Helper()
	plantSnapshot(t, dir, h.last(), func(tr *tree.Tree) {
		for _, p := range h {
			x, err := txn.Decode(p.Payload)
			if err != nil {
				t.Fatal(err)
			}
			tr.Replay(x)
		}
	})
}

// asked is a call that is under way.
type asked struct {
	wire.ReplyHeader
	err error
}

// ask makes a call and gives its answer when it comes.
func ask(c *Conn, op wire.Op) <-chan asked {
	answer := make(chan asked, 1)
	go func() { // ends with the connection at the latest
		h, err := c.Call(op, nil)
		answer <- asked{h, err}
	}()
	return answer
}

// answered waits for an answer.
func answered(t *testing.T, answer <-chan asked) asked {
	t.Helper()
	select {
	case a := <-answer:
		return a
	case <-time.After(patience):
		t.Fatal("no answer")
		return asked{}
	}
}
