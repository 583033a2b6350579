package peer

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"
)

// routes dials servers that may have several addresses (ensemble protocol, section 2.5), and remembers which of them led nowhere.
type routes struct {
	dial Dialer
	wg   *sync.WaitGroup // of who calls connect, and of the dials that it leaves behind

	mu    sync.Mutex
	n     int
	marks map[string]int // addresses that led nowhere, and n then: the lower, the longer ago
}

const (
	// headStart is for how long an address is dialled alone. A dead one costs so much, once; and a server whose addresses are well sees
	// no connection but the one.
	headStart = 100 * time.Millisecond
	maxMarks  = 256 // peers announce addresses, and nothing bounds how many
)

// attempt is one dial.
type attempt struct {
	at   int
	conn net.Conn
	err  error
}

// connect dials the addresses of one server, each in a goroutine and a little later than the one before, or at once if nobody dials any
// more; the first that answers counts, and the others are closed. While a dial hangs those that failed are repeated: a server whose other
// address is dead may be about to open its port. Names are resolved anew. each bounds a dial, 0 is only ctx. It gives the address, too.
func (r *routes) connect(ctx context.Context, addrs []string, each time.Duration) (net.Conn, string, error) {
	addrs = r.order(addrs)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(addrs)) // the last of each
	ended := make(chan attempt)
	alive := make([]bool, len(addrs)) // dialling
	running := 0
	t := time.NewTimer(headStart)
	defer t.Stop()
	start := func(at int) {
		alive[at] = true
		running++
		t.Reset(headStart)
		r.wg.Go(func() {
			c, err := r.one(ctx, addrs[at], each)
			select {
			case ended <- attempt{at, c, err}:
			case <-ctx.Done(): // it is over: nobody wants this one
				if c != nil {
					c.Close()
				}
			}
		})
	}
	for next := 0; ; {
		if running == 0 {
			if next == len(addrs) {
				return nil, "", errors.Join(errs...)
			}
			start(next)
			next++
		}
		select {
		case a := <-ended:
			alive[a.at] = false
			running--
			if a.err == nil {
				for at := range a.at {
					if alive[at] {
						r.bad(addrs[at])
					}
				}
				return a.conn, addrs[a.at], nil
			}
			r.bad(addrs[a.at])
			errs[a.at] = a.err
			if next == len(addrs) {
				t.Reset(headStart)
			}
		case <-t.C:
			if next < len(addrs) {
				start(next)
				next++
				continue
			}
			for at := range addrs {
				if !alive[at] {
					start(at)
				}
			}
		case <-ctx.Done():
			return nil, "", errors.Join(append(errs, ctx.Err())...)
		}
	}
}

func (r *routes) one(ctx context.Context, addr string, each time.Duration) (net.Conn, error) {
	if each > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, each)
		defer cancel()
	}
	return r.dial(ctx, "tcp", addr)
}

// order gives the addresses as they are to be dialled: those that led nowhere last, the last of them last.
func (r *routes) order(addrs []string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.SortedStableFunc(slices.Values(addrs), func(a, b string) int { return cmp.Compare(r.marks[a], r.marks[b]) })
}

// bad notes that an address led nowhere: nobody was there, or nobody has said a word.
func (r *routes) bad(addr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.marks == nil || len(r.marks) >= maxMarks {
		r.marks = map[string]int{}
	}
	r.n++
	r.marks[addr] = r.n
}

// good notes that somebody speaks there.
func (r *routes) good(addr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.marks, addr)
}

// listenAny opens what it can of these addresses: who is to be reached at several lives with the loss of one. missing are the others, and
// err says why.
func listenAny(ctx context.Context, open Listener, addrs []string) (ls []net.Listener, missing []string, err error) {
	var errs []error
	for _, addr := range addrs {
		l, err := open(ctx, "tcp", addr)
		if err != nil {
			missing, errs = append(missing, addr), append(errs, err)
			continue
		}
		ls = append(ls, l)
	}
	return ls, missing, errors.Join(errs...)
}
