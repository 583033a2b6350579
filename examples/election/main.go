// Command election shows programs that agree who of them leads. Run it in several terminals, with a server on port 2181 (zooid server):
//
//	go run ./examples/election -id alice
//	go run ./examples/election -id bob
//
// Stop the leader, by Ctrl-C or worse: the one who came next leads.
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
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
)

func main() {
	servers := flag.String("servers", "127.0.0.1:2181", "where the servers are, with commas between")
	path := flag.String("path", "/examples/election", "the election")
	id := flag.String("id", fmt.Sprintf("process %d", os.Getpid()), "what others see")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, strings.Split(*servers, ","), *path, *id); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, servers []string, path, id string) error {
	c, err := client.Dial(ctx, servers, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	e := recipes.NewElection(c, path, []byte(id))
	if l, err := e.Leader(ctx); err == nil {
		fmt.Printf("%s leads; %s stands behind\n", l.ID, id)
	}
	term, err := e.Campaign(ctx)
	if err != nil {
		return err
	}
	defer term.Resign(context.WithoutCancel(ctx))
	for n := 1; ; n++ {
		fmt.Printf("%s leads, token %v, deed %d\n", id, term.Token(), n)
		select {
		case <-time.After(time.Second):
		case <-term.Context().Done():
			return context.Cause(term.Context())
		case <-ctx.Done():
			return nil
		}
	}
}
