package server

import (
	"context"
	"log/slog"
	"sync"
)

// scribe writes log lines for those who hold a lock: they hand them over, its goroutine writes. The lines come in the order in
// which they were handed over and none is dropped; who is faster than the log by more than the queue waits for it.
type scribe struct {
	log   *slog.Logger
	debug bool // whether debug lines are wanted
	lines chan line
	done  sync.WaitGroup
}

type line struct {
	level slog.Level
	text  string
}

// scribeQueue is how many lines may wait.
const scribeQueue = 4096

func newScribe(log *slog.Logger) *scribe {
	s := &scribe{log: log, debug: log.Enabled(context.Background(), slog.LevelDebug), lines: make(chan line, scribeQueue)}
	s.done.Go(func() {
		for l := range s.lines {
			s.log.Log(context.Background(), l.level, l.text)
		}
	})
	return s
}

func (s *scribe) note(level slog.Level, text string) { s.lines <- line{level, text} }

// close writes what was handed over. Nobody may hand over more.
func (s *scribe) close() {
	close(s.lines)
	s.done.Wait()
}

// startFailed notes a start that came to nothing, and ends what it has begun.
func (s *Server) startFailed() {
	s.cancel()
	if s.opt.Audit {
		newAuditor(s.scribe).server("serverStart", auditFailure)
	}
	s.scribe.close()
}
