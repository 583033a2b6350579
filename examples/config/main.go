// Command config shows configuration that changes in running programs. With a server on port 2181 (zooid server), run in two terminals:
//
//	go run ./examples/config                       # shows it, and each change
//	go run ./examples/config -set rate=5           # changes it
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"maps"
	"os/signal"
	"strings"
	"syscall"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
)

func main() {
	servers := flag.String("servers", "127.0.0.1:2181", "where the servers are, with commas between")
	path := flag.String("path", "/examples/config", "the configuration")
	set := flag.String("set", "", "key=value to set")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, strings.Split(*servers, ","), *path, *set); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, servers []string, path, set string) error {
	c, err := client.Dial(ctx, servers, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	config, err := recipes.NewConfig(ctx, c, path, recipes.JSON[map[string]string]())
	if err != nil {
		return err
	}
	defer config.Close()
	if key, value, ok := strings.Cut(set, "="); ok {
		return config.Update(ctx, func(old map[string]string) (map[string]string, error) {
			next := map[string]string{key: value}
			for k, v := range maps.All(old) {
				if k != key {
					next[k] = v
				}
			}
			return next, nil
		})
	}
	return config.Watch(ctx, func(s recipes.Setting[map[string]string]) {
		fmt.Printf("version %d: %v\n", s.Version, s.Value)
		if s.Err != nil {
			fmt.Println("kept, because:", s.Err)
		}
	})
}
