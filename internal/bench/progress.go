package bench

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress says once a second what is going on. The zero value, with no writer, says nothing.
type progress struct {
	w    io.Writer
	tty  bool
	stop chan struct{}
	wg   sync.WaitGroup

	mu     sync.Mutex
	status func() string
}

// startProgress writes to w until end is called. A nil w is silence.
func startProgress(w io.Writer) *progress {
	p := &progress{w: w, stop: make(chan struct{})}
	if w == nil {
		return p
	}
	p.tty = isTerminal(w)
	p.wg.Go(func() {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				p.line()
			case <-p.stop:
				if p.tty {
					fmt.Fprint(p.w, "\r\x1b[K")
				}
				return
			}
		}
	})
	return p
}

// set gives the function that says what is going on from now on.
func (p *progress) set(status func() string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = status
}

// say sets a status that does not change but for its age.
func (p *progress) say(format string, args ...any) {
	text, from := fmt.Sprintf(format, args...), time.Now()
	p.set(func() string { return fmt.Sprintf("%s  %.0fs", text, time.Since(from).Seconds()) })
}

func (p *progress) line() {
	p.mu.Lock()
	status := p.status
	p.mu.Unlock()
	if status == nil {
		return
	}
	if p.tty {
		fmt.Fprintf(p.w, "\r\x1b[K%s", status())
	} else {
		fmt.Fprintln(p.w, status())
	}
}

// end stops the lines.
func (p *progress) end() {
	close(p.stop)
	p.wg.Wait()
}
