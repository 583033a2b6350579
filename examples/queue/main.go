// Command queue shows a queue whose items survive their consumers. With a server on port 2181 (zooid server), run in several terminals:
//
//	go run ./examples/queue -put one,two,three
//	go run ./examples/queue
//
// Kill a consumer in the middle of an item: another does it, after the session's timeout.
package main

import (
	"context"
	"errors"
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
	path := flag.String("path", "/examples/queue", "the queue")
	put := flag.String("put", "", "items to put, with commas between")
	work := flag.Duration("work", 2*time.Second, "how long an item takes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, strings.Split(*servers, ","), *path, *put, *work); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, servers []string, path, put string, work time.Duration) error {
	c, err := client.Dial(ctx, servers, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	q := recipes.NewQueue(c, path)
	if put != "" {
		for item := range strings.SplitSeq(put, ",") {
			if err := q.Put(ctx, []byte(item)); err != nil {
				return err
			}
		}
		return nil
	}
	for {
		item, err := q.Lease(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("working on %s, token %v\n", item.Data, item.Token())
		select {
		case <-time.After(work):
			err = item.Done(context.WithoutCancel(ctx))
		case <-item.Context().Done():
			err = context.Cause(item.Context())
		case <-ctx.Done():
			return item.Release(context.WithoutCancel(ctx))
		}
		if errors.Is(err, recipes.ErrLost) {
			fmt.Println("somebody else does it:", err)
		} else if err != nil {
			return err
		}
	}
}
