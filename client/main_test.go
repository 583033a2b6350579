package client_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/server"
	"github.com/zooid-io/zooid/internal/vfs"
)

// No test may leave a goroutine behind: Close waits for all that a client has started.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serverOn starts a server that ends with the test and returns its address.
func serverOn(t testing.TB, change ...func(*server.Options)) string {
	t.Helper()
	o := server.Default()
	o.ClientAddr, o.DataDir = "127.0.0.1:0", t.TempDir()
	o.MaxClientCnxns = 0
	o.PreAllocSize = 64 << 10
	o.TickTime = 50 * time.Millisecond
	o.MaxSessionTimeout = time.Minute
	o.ForceSync = false
	o.ExtendedTypes = true
	o.FourLetterWords = []string{"*"}
	o.Logger = slog.New(slog.DiscardHandler)
	for _, f := range change {
		f(&o)
	}
	s, err := server.Start(o, vfs.OS{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.Addr().String()
}

// patience bounds what must happen; nothing passes or fails by how long it took.
const patience = 30 * time.Second

func patient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// dial gives a client that ends with the test.
func dial(t testing.TB, addr string, opt *client.Options) *client.Client {
	t.Helper()
	c, err := client.Dial(patient(t), []string{addr}, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
