//go:build !linux

package bench

import (
	"sync"
	"time"
)

// audience is many sessions that wait for one notice each: a goroutine each, which does nothing but wait in a read.
type audience struct{ ss []*session }

func newAudience(ss []*session) (*audience, error) { return &audience{ss}, nil }

func (a *audience) close() {}

// await calls ready, which has the notices sent, and check for each session, which waits for its notice.
func (a *audience) await(ready func(), check func(i int) error) error {
	var wg sync.WaitGroup
	failed := make(chan error, 1)
	for i, s := range a.ss {
		s.c.SetReadDeadline(time.Now().Add(patience))
		wg.Go(func() {
			if err := check(i); err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
	}
	time.Sleep(50 * time.Millisecond) // the goroutines come to rest in their reads
	ready()
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}
