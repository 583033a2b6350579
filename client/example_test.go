package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, []string{"a:2181", "b:2181", "c:2181"}, &client.Options{Chroot: "/app"})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	if _, _, err := c.Create(ctx, "/greeting", []byte("hello"), zk.Persistent); err != nil && !errors.Is(err, zk.NodeExists) {
		log.Fatal(err)
	}
	data, stat, changed, err := c.GetW(ctx, "/greeting")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, version %d\n", data, stat.Version)
	fmt.Println(<-changed) // when somebody changes it
}

func ExampleClient_Multi() {
	var c *client.Client // from Dial
	ctx := context.Background()
	tx := c.Multi()
	tx.Check("/config", 7)
	member := tx.Create("/members/m-", nil, zk.EphemeralSequential)
	if err := tx.Commit(ctx); errors.Is(err, zk.BadVersion) {
		log.Fatal("somebody changed the config: ", err)
	} else if err != nil {
		log.Fatal(err)
	}
	fmt.Println("I am", member.Path)
}

func ExampleClient_Batch() {
	var c *client.Client // from Dial
	ctx := context.Background()
	b := c.Batch()
	var all []*client.GetResult
	for i := range 1000 {
		all = append(all, b.Get(fmt.Sprintf("/item/%d", i)))
	}
	if err := b.Flush(ctx); err != nil {
		log.Print("the first that failed: ", err)
	}
	for _, g := range all {
		fmt.Println(len(g.Data), g.Err)
	}
}

func ExampleClient_AddWatch() {
	var c *client.Client // from Dial
	ctx := context.Background()
	w, err := c.AddWatch(ctx, "/config", zk.WatchPersistentRecursive)
	if err != nil {
		log.Fatal(err)
	}
	for n := range w.C() {
		if n.Missed != client.MissedNothing {
			fmt.Println("something may have changed: read all of it again")
			continue
		}
		fmt.Println("changed:", n.Path)
	}
	log.Fatal(w.Err()) // the session is over
}

// docs/client.md shows Example as it is.
func TestPage(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/client.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```go\n")
	code, _, ok := strings.Cut(rest, "```")
	if all := strings.ReplaceAll(string(source), "\t", ""); !ok || !strings.Contains(all, strings.ReplaceAll(code, "\t", "")) {
		t.Error("docs/client.md does not show an example of example_test.go")
	}
}
