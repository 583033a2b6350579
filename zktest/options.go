package zktest

import (
	"log/slog"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/server"
)

// Options are what a test may choose of a server. Each function given to Start or StartEnsemble may change them; those who change
// nothing get what the fields say.
type Options struct {
	// Tick is the server's tickTime: sessions end at its boundaries. 100 ms.
	Tick time.Duration

	// SyncLimit, of an ensemble, is after how many Ticks of silence members no longer believe in each other: so long it takes until a
	// leader that is cut off knows it, and its followers elect another. 50.
	SyncLimit int

	// MinSessionTimeout and MaxSessionTimeout bound what a client may ask for. 2 Ticks, and an hour.
	MinSessionTimeout, MaxSessionTimeout time.Duration

	// Dir is the folder for a server's data, on the real disk. "" is a disk in memory. In an ensemble each member has a folder in it.
	Dir string

	// EnforceQuota refuses what exceeds a quota. false.
	EnforceQuota bool

	// Logger is told what the servers do. nil is no log.
	Logger *slog.Logger
}

// SessionTimeout is what the clients made here ask for.
const SessionTimeout = time.Minute

func settle(change []func(*Options)) Options {
	o := Options{Tick: 100 * time.Millisecond, SyncLimit: 50, MaxSessionTimeout: time.Hour}
	for _, f := range change {
		f(&o)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// forServer are the options of a server at an address.
func (o *Options) forServer(addr, dir string) server.Options {
	s := server.Default()
	s.ClientAddr, s.DataDir = addr, dir
	s.MaxClientCnxns = 0
	s.PreAllocSize = 64 << 10
	s.TickTime, s.MinSessionTimeout, s.MaxSessionTimeout = o.Tick, o.MinSessionTimeout, o.MaxSessionTimeout
	s.ExtendedTypes = true
	s.EnforceQuota = o.EnforceQuota
	s.FourLetterWords = []string{"*"}
	s.Logger = o.Logger
	return s
}

func forClient(change []func(*client.Options)) *client.Options {
	o := &client.Options{SessionTimeout: SessionTimeout, MaxBackoff: 100 * time.Millisecond}
	for _, f := range change {
		f(o)
	}
	return o
}
