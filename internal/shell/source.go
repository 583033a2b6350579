package shell

// source is a stream of events on its way to the user. A client hands an event out before the reply that shows the change; so that
// it is printed before the next command's output too, the shell asks every source between commands to print what it has.
type source struct {
	flush chan chan struct{} // a request: print what has come, then close the channel that it carries
	done  chan struct{}      // closed when nothing will come any more
}

func newSource() *source { return &source{make(chan chan struct{}), make(chan struct{})} }

// pump prints what comes until ch is closed.
func pump[T any](src *source, ch <-chan T, print func(T)) {
	defer close(src.done)
	pumpUntilEnd(src, ch, print)
}

func pumpUntilEnd[T any](src *source, ch <-chan T, print func(T)) {
	for {
		select {
		case e, ok := <-ch:
			if !ok {
				return
			}
			print(e)
		case printed := <-src.flush:
			for more := true; more; {
				select {
				case e, ok := <-ch:
					if !ok {
						close(printed)
						return
					}
					print(e)
				default:
					more = false
				}
			}
			close(printed)
		}
	}
}

// settle returns when all is printed that has come.
func (src *source) settle() {
	printed := make(chan struct{})
	select {
	case src.flush <- printed:
		<-printed
	case <-src.done:
	}
}

// ended tells whether nothing will come any more.
func (src *source) ended() bool {
	select {
	case <-src.done:
		return true
	default:
		return false
	}
}

// settle prints the events that have come.
func (s *Shell) settle() {
	if s.conn != nil && s.conn.isReady() {
		s.conn.states.settle()
	}
	kept := s.sources[:0]
	for _, src := range s.sources {
		src.settle()
		if !src.ended() {
			kept = append(kept, src)
		}
	}
	clear(s.sources[len(kept):])
	s.sources = kept
}
