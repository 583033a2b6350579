// Command lock shows a lock that several programs share. Run it in several terminals, with a server on port 2181 (zooid server):
//
//	go run ./examples/lock
//	go run ./examples/lock -hold 5s
//
// One at a time has the lock; kill the holder, and the next has it after the session's timeout, or at once if it ends by Ctrl-C.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
)

func main() {
	servers := flag.String("servers", "127.0.0.1:2181", "where the servers are, with commas between")
	path := flag.String("path", "/examples/lock", "the lock")
	hold := flag.Duration("hold", 2*time.Second, "how long to hold it each time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, strings.Split(*servers, ","), *path, *hold); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, servers []string, path string, hold time.Duration) error {
	c, err := client.Dial(ctx, servers, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	lock := recipes.NewLock(c, path)
	for {
		fmt.Println("waiting")
		h, err := lock.Acquire(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("have the lock, token %v\n", h.Token())
		select {
		case <-time.After(hold): // the work
		case <-h.Context().Done():
			fmt.Println("stopped working:", context.Cause(h.Context()))
		case <-ctx.Done():
		}
		if err := h.Release(context.WithoutCancel(ctx)); err != nil {
			fmt.Println("release:", err)
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}
