// Command master hands out tasks to workers. Run several: one leads, the others are backups. See package masterworker.
//
//	go run ./examples/masterworker/master -name alice
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes/masterworker"
)

func main() {
	servers := flag.String("servers", "127.0.0.1:2181", "where the servers are, with commas between")
	path := flag.String("path", "/examples/masterworker", "where masters, workers and tasks are")
	name := flag.String("name", fmt.Sprintf("process %d", os.Getpid()), "what others see")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, strings.Split(*servers, ","), *path, *name); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, servers []string, path, name string) error {
	c, err := client.Dial(ctx, servers, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Printf("%s is ready to lead\n", name)
	return masterworker.New(c, path).Lead(ctx, name)
}
