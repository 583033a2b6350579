// Command worker does tasks: it turns text into capitals, slowly. Run several, and kill them. See package masterworker.
//
//	go run ./examples/masterworker/worker -name w1
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes/masterworker"
)

func main() {
	servers := flag.String("servers", "127.0.0.1:2181", "where the servers are, with commas between")
	path := flag.String("path", "/examples/masterworker", "where masters, workers and tasks are")
	name := flag.String("name", fmt.Sprintf("worker-%d", os.Getpid()), "the name, without a slash")
	work := flag.Duration("work", 2*time.Second, "how long a task takes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, strings.Split(*servers, ","), *path, *name, *work); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, servers []string, path, name string, work time.Duration) error {
	c, err := client.Dial(ctx, servers, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	return masterworker.New(c, path).Work(ctx, name, func(ctx context.Context, t masterworker.Task) ([]byte, error) {
		fmt.Printf("%s, attempt %d: %q\n", t.Name, t.Attempt, t.Data)
		select {
		case <-time.After(work):
			return bytes.ToUpper(t.Data), nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	})
}
