// Command discovery shows services that find each other. With a server on port 2181 (zooid server), run in several terminals:
//
//	go run ./examples/discovery -offer host1:9000
//	go run ./examples/discovery -offer host2:9000
//	go run ./examples/discovery                    # picks one of them each second
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
	path := flag.String("path", "/examples/discovery", "the service")
	offer := flag.String("offer", "", "an address to offer")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, strings.Split(*servers, ","), *path, *offer); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, servers []string, path, offer string) error {
	c, err := client.Dial(ctx, servers, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	if offer != "" {
		h, err := recipes.Register(ctx, c, path, recipes.Instance{Name: offer, Addr: offer})
		if err != nil {
			return err
		}
		defer h.Release(context.WithoutCancel(ctx))
		fmt.Println("offered:", offer)
		select {
		case <-h.Context().Done():
			return context.Cause(h.Context())
		case <-ctx.Done():
			return nil
		}
	}
	service, err := recipes.Discover(ctx, c, path)
	if err != nil {
		return err
	}
	defer service.Close()
	for turn := new(recipes.RoundRobin); ; {
		if i, err := service.Pick(turn); err != nil {
			fmt.Println(err)
		} else {
			fmt.Println("would ask", i.Addr)
		}
		select {
		case <-time.After(time.Second):
		case <-service.Done():
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}
