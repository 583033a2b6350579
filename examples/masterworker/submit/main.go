// Command submit hands in tasks and waits for their results. See package masterworker.
//
//	go run ./examples/masterworker/submit hello world
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os/signal"
	"strings"
	"syscall"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes/masterworker"
)

func main() {
	servers := flag.String("servers", "127.0.0.1:2181", "where the servers are, with commas between")
	path := flag.String("path", "/examples/masterworker", "where masters, workers and tasks are")

	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, strings.Split(*servers, ","), *path, flag.Args()); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, servers []string, path string, texts []string) error {
	c, err := client.Dial(ctx, servers, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	s := masterworker.New(c, path)
	var tasks []string
	for _, text := range texts {
		task, err := s.Submit(ctx, []byte(text))
		if err != nil {
			return err
		}
		tasks = append(tasks, task)
	}
	for _, task := range tasks {
		r, err := s.Wait(ctx, task)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %s %s (by %s, attempt %d)\n", task, r.Data, r.Error, r.Worker, r.Attempt)
		if err := s.Forget(ctx, task); err != nil {
			return err
		}
	}
	return nil
}
