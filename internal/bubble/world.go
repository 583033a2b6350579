package bubble

import (
	"fmt"
	"sync"
	"time"

	"github.com/zooid-io/zooid/internal/sim"
)

// World is an ensemble in a bubble. All of it is behind one lock.
type World struct {
	start time.Time
	wake  chan struct{} // something is due earlier than the driver thinks; one is enough
	quit  chan struct{}
	done  chan struct{} // closed when the driver has ended

	mu     sync.Mutex
	e      *sim.Ensemble
	asleep int64 // µs: until when the driver sleeps
	broken chan struct{}
	lines  map[*line]bool
}

// Start starts the servers of a seed, and the goroutine that drives them; Stop ends it. Call it within a bubble.
func Start(o sim.Options) *World {
	w := &World{
		start: time.Now(), wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}), broken: make(chan struct{}),
		e: sim.NewEnsemble(o), lines: map[*line]bool{},
	}
	go w.drive()
	return w
}

// Stop ends the servers' time. Connections break.
func (w *World) Stop() {
	close(w.quit)
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hangUp()
}

// now is the ensemble's time.
func (w *World) now() int64 { return time.Since(w.start).Microseconds() }

// drive is the goroutine that lets the ensemble's time pass.
func (w *World) drive() {
	defer close(w.done)
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		var wait time.Duration
		w.Do(func(e *sim.Ensemble) {
			at, ok := e.Next()
			if !ok {
				at = w.now() + 1_000_000
			}
			w.asleep = at
			wait = time.Until(w.start.Add(time.Duration(at) * time.Microsecond))
		})
		t.Reset(wait)
		select {
		case <-t.C:
		case <-w.wake:
		case <-w.quit:
			return
		}
	}
}

// Do does something with the ensemble at this moment, before which everything that was due has happened.
func (w *World) Do(do func(*sim.Ensemble)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.e.Run(w.now())
	do(w.e)
	if at, ok := w.e.Next(); ok && at < w.asleep {
		w.asleep = at
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
	if w.e.Failure() != nil {
		select {
		case <-w.broken:
		default:
			close(w.broken)
			w.hangUp()
		}
	}
}

// hangUp ends all connections. The caller holds the lock.
func (w *World) hangUp() {
	for l := range w.lines {
		l.end()
	}
}

// Broken is closed when one of the simulator's checkers has objected: sim.Ensemble.Failure tells. The servers are then silent.
func (w *World) Broken() <-chan struct{} { return w.broken }

// Servers are the addresses of the servers, for client.Dial with the dialer of a Process.
func (w *World) Servers() (list []string) {
	p := w.e.Params()
	for i := range p.Voters + p.Observers {
		list = append(list, address(i))
	}
	return list
}

func address(i int) string { return fmt.Sprintf("10.0.0.%d:2181", i+1) }
