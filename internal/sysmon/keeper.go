package sysmon

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// nap is how long the goroutine sleeps in a system call: sysmon takes the processor of one that it has seen in the same for 10 ms.
	nap = 5 * time.Millisecond
	// glance is how often the server is looked at while too little happens.
	glance = 20 * time.Millisecond
	// calm is for how many naps too little has to happen before there are no more.
	calm = 20
	// spare is how many processors there are in addition: one for the naps, one for who waits for the disk.
	spare = 2
)

// Keeper sees that sysmon has nothing to do while a server has. A nil one does nothing.
type Keeper struct {
	first, second atomic.Uint64 // who was heard since the last look: two of them, 0 is nobody
	waiting       atomic.Bool   // for wake
	wake          chan struct{} // capacity 1: somebody was heard
	done          chan struct{}
	sleep         func() // takes nap, in a system call
	end           func()
}

// Start raises GOMAXPROCS and begins to look. It gives nil on other systems than Linux, and where somebody has bounded GOMAXPROCS: the
// operator, or the runtime because of a control group's limit, beyond which the process would be made to pause.
func Start() *Keeper {
	sleep, n := sleeper(), runtime.GOMAXPROCS(0)
	if sleep == nil || n != runtime.NumCPU() {
		return nil
	}
	runtime.GOMAXPROCS(n + spare)
	k := newKeeper(sleep)
	end := k.end
	k.end = sync.OnceFunc(func() {
		end()
		runtime.GOMAXPROCS(n)
	})
	return k
}

func newKeeper(sleep func()) *Keeper {
	k := &Keeper{wake: make(chan struct{}, 1), done: make(chan struct{}), sleep: sleep}
	var running sync.WaitGroup
	running.Go(k.run)
	k.end = func() {
		close(k.done)
		running.Wait()
	}
	return k
}

// Stop ends it, and takes GOMAXPROCS back.
func (k *Keeper) Stop() {
	if k != nil {
		k.end()
	}
}

// Heard tells that somebody, a number above 2, has something to do. It is called for each batch of requests, from many goroutines: once
// two have been heard it only reads, until the next look.
func (k *Keeper) Heard(who uint64) {
	if k == nil {
		return
	}
	switch first := k.first.Load(); {
	case first == 0:
		k.first.Store(who)
		if k.waiting.Load() {
			select {
			case k.wake <- struct{}{}:
			default:
			}
		}
	case first != who && k.second.Load() == 0:
		k.second.Store(who)
	}
}

// Busy tells that there is something to do for several, whoever that is.
func (k *Keeper) Busy() {
	k.Heard(1)
	k.Heard(2)
}

func (k *Keeper) run() {
	for left := 0; ; {
		first, second := k.first.Swap(0), k.second.Swap(0)
		switch {
		case second != 0:
			left = calm
		case left > 0:
			left--
		}
		if left > 0 {
			k.sleep()
			runtime.Gosched() // otherwise it has the processor for too long, as sysmon sees it
			select {
			case <-k.done:
				return
			default:
			}
			continue
		}
		if first == 0 && !k.await() || first != 0 && !k.pause() {
			return
		}
	}
}

// await waits until somebody is heard; false is the end.
func (k *Keeper) await() bool {
	k.waiting.Store(true)
	defer k.waiting.Store(false)
	if k.first.Load() != 0 { // just before
		return true
	}
	select {
	case <-k.wake:
		return true
	case <-k.done:
		return false
	}
}

// pause waits for a glance; false is the end.
func (k *Keeper) pause() bool {
	t := time.NewTimer(glance)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-k.done:
		return false
	}
}
