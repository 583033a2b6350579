package masterworker_test

import (
	"context"
	"fmt"
	"log"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes/masterworker"
)

func ExampleSystem() {
	ctx := context.Background()
	c, err := client.Dial(ctx, []string{"127.0.0.1:2181"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	s := masterworker.New(c, "/mw")
	go func() { // in one process: waits for the office, and leads until it is lost
		log.Print(s.Lead(ctx, "master-1"))
	}()
	go func() { // in another
		log.Print(s.Work(ctx, "worker-1", func(ctx context.Context, task masterworker.Task) ([]byte, error) {
			return append([]byte("done: "), task.Data...), nil
		}))
	}()
	task, err := s.Submit(ctx, []byte("resize 7.jpg")) // in a third
	if err != nil {
		log.Fatal(err)
	}
	result, err := s.Wait(ctx, task)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s by %s\n", result.Data, result.Worker)
}
