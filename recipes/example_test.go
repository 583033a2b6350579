package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zktest"
)

// servers are where the examples go: TestExamples sets them.
var servers = []string{"127.0.0.1:2181"}

// connect is the beginning of every example.
func connect() (context.Context, *client.Client) {
	ctx := context.Background()
	c, err := client.Dial(ctx, servers, nil)
	if err != nil {
		log.Fatal(err)
	}
	return ctx, c
}

// work is what somebody does who holds something.
func work(ctx context.Context, token any) { fmt.Println("at work with", token, ctx.Err()) }

func ExampleLock() {
	ctx, c := connect()
	defer c.Close()
	l := recipes.NewLock(c, "/locks/invoice-7")
	short, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	h, err := l.Acquire(short) // or TryAcquire, which gives recipes.ErrBusy
	if err != nil {
		log.Fatal(err)
	}
	work(h.Context(), h.Token()) // stop when the context ends; hand the token to what is changed outside
	if err := h.Release(ctx); err != nil {
		log.Print("the lock was lost before: ", err)
	}
}

func ExampleSharedLock() {
	ctx, c := connect()
	defer c.Close()
	l := recipes.NewSharedLock(c, "/locks/catalogue")
	r, err := l.Read(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := l.TryWrite(ctx); errors.Is(err, recipes.ErrBusy) {
		fmt.Println("somebody reads")
	}
	if err := r.Release(ctx); err != nil {
		log.Print(err)
	}
}

func ExampleSemaphore() {
	ctx, c := connect()
	defer c.Close()
	s := recipes.NewSemaphore(c, "/limits/exports", 3)
	h, err := s.Acquire(ctx)
	if err != nil {
		log.Fatal(err)
	}
	work(h.Context(), h.Token()) // at most three at a time
	if err := h.Release(ctx); err != nil {
		log.Print(err)
	}
}

func ExampleMultiLock() {
	ctx, c := connect()
	defer c.Close()
	m := recipes.NewMultiLock(c, "/accounts/ann", "/accounts/bob")
	h, err := m.Acquire(ctx) // both or none, in an order in which nobody waits in a circle
	if err != nil {
		log.Fatal(err)
	}
	work(h.Context(), h.Token())
	if err := h.Release(ctx); err != nil {
		log.Print(err)
	}
}

func ExampleElection() {
	ctx, c := connect()
	defer c.Close()
	e := recipes.NewElection(c, "/election", []byte("host-7:9000"))
	term, err := e.Campaign(ctx)
	if err != nil {
		log.Fatal(err)
	}
	work(term.Context(), term.Token()) // leads until the context ends
	if leader, err := e.Leader(ctx); err == nil {
		fmt.Printf("%s leads\n", leader.ID)
	}
	if err := term.Resign(ctx); err != nil {
		log.Print(err)
	}
}

func ExampleSeat() {
	ctx, c := connect()
	defer c.Close()
	s := recipes.NewSeat(c, "/master", []byte("host-7:9000"))
	term, err := s.TryTake(ctx) // or Take, which waits
	if errors.Is(err, recipes.ErrBusy) {
		return // a backup, for now
	}
	if err != nil {
		log.Fatal(err)
	}
	work(term.Context(), term.Token())
	if err := term.Resign(ctx); err != nil {
		log.Print(err)
	}
}

func ExampleBarrier() {
	ctx, c := connect()
	defer c.Close()
	b := recipes.NewBarrier(c, "/maintenance")
	if err := b.Lower(ctx); err != nil {
		log.Fatal(err)
	}
	go func() {
		if err := b.Lift(ctx); err != nil {
			log.Print(err)
		}
	}()
	if err := b.Wait(ctx); err != nil { // until it is lifted, by whomever
		log.Fatal(err)
	}
}

func ExampleDoubleBarrier() {
	ctx, c := connect()
	defer c.Close()
	b := recipes.NewDoubleBarrier(c, "/rounds", 1)
	for range 3 {
		r, err := b.Enter(ctx) // until as many have come as NewDoubleBarrier says
		if err != nil {
			log.Fatal(err)
		}
		work(r.Context(), r.Token())
		if err := r.Leave(ctx); err != nil { // until all of them have done their part
			log.Fatal(err)
		}
	}
}

func ExampleQueue() {
	ctx, c := connect()
	defer c.Close()
	q := recipes.NewQueue(c, "/mails")
	if err := q.Put(ctx, []byte("to ann")); err != nil {
		log.Fatal(err)
	}
	urgent := recipes.PutOptions{Priority: 1}
	if err := q.PutWith(ctx, []byte("to bob, at once"), urgent); err != nil {
		log.Fatal(err)
	}
	later := recipes.PutOptions{Priority: 500, NotBefore: time.Now().Add(time.Second)}
	if err := q.PutWith(ctx, []byte("to eve, in a second"), later); err != nil {
		log.Fatal(err)
	}
	for range 3 {
		data, err := q.Take(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", data)
	}
}

func ExampleQueue_Lease() {
	ctx, c := connect()
	defer c.Close()
	q := recipes.NewQueue(c, "/orders")
	if err := q.Put(ctx, []byte("order 7")); err != nil {
		log.Fatal(err)
	}
	item, err := q.Lease(ctx)
	if err != nil {
		log.Fatal(err)
	}
	work(item.Context(), item.Token()) // if we die here, the order is in the queue again
	if err := item.Done(ctx); err != nil {
		log.Print("somebody else may do it again: ", err)
	}
}

func ExampleGather() {
	ctx, c := connect()
	defer c.Close()
	g := recipes.NewGather(c, "/games/two", 2)
	other := make(chan error)
	go func() {
		party, err := g.Join(ctx, []byte("bob"))
		if err == nil {
			err = party.Release(ctx)
		}
		other <- err
	}()
	party, err := g.Join(ctx, []byte("ann")) // until there are two
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q; I am number %d\n", party.Data, party.Index)
	if err := errors.Join(party.Release(ctx), <-other); err != nil {
		log.Print(err)
	}
}

func ExampleCounter() {
	ctx, c := connect()
	defer c.Close()
	k := recipes.NewCounter(c, "/visits")
	n, err := k.Add(ctx, 1)
	if errors.Is(err, recipes.ErrUnknown) {
		return // the session ended in the middle of it: it may have counted
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, "visits")
}

func ExampleIDs() {
	ctx, c := connect()
	defer c.Close()
	ids := recipes.NewIDs(c, "/ids/orders", 100) // asks the servers for a hundred at a time
	id, err := ids.Next(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("order", id)
}

func ExampleConfig() {
	ctx, c := connect()
	defer c.Close()
	type limits struct{ Rate int }
	v, err := recipes.NewConfig(ctx, c, "/config/limits", recipes.JSON[limits]())
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	if err := v.Update(ctx, func(l limits) (limits, error) { l.Rate = 10; return l, nil }); err != nil {
		log.Fatal(err)
	}
	watch, enough := context.WithCancel(ctx)
	err = v.Watch(watch, func(s recipes.Setting[limits]) {
		if s.Version >= 0 && s.Err == nil {
			fmt.Println("the rate is", s.Value.Rate)
			enough()
		}
	})
	if !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

func ExampleCache() {
	ctx, c := connect()
	defer c.Close()
	cache, err := recipes.NewCache(ctx, c, "/", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()
	for _, n := range cache.Below("/") {
		fmt.Println(n.Path, n.Stat.NumChildren)
	}
}

func ExampleGroup() {
	ctx, c := connect()
	defer c.Close()
	g := recipes.NewGroup(c, "/workers")
	h, err := g.JoinWait(ctx, "host-7", []byte("ready")) // until a former host-7 is gone
	if err != nil {
		log.Fatal(err)
	}
	roster, err := g.Roster(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer roster.Close()
	for _, m := range roster.Members() {
		fmt.Printf("%s: %s\n", m.Name, m.Payload)
	}
	if err := h.Release(ctx); err != nil {
		log.Print(err)
	}
}

func ExampleDiscover() {
	ctx, c := connect()
	defer c.Close()
	h, err := recipes.Register(ctx, c, "/services/mail", recipes.Instance{Name: "host-7", Addr: "host-7:25", Weight: 2})
	if err != nil {
		log.Fatal(err)
	}
	s, err := recipes.Discover(ctx, c, "/services/mail")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	i, err := s.Pick(recipes.Weighted{})
	if err != nil {
		log.Fatal(err) // recipes.ErrNoInstance
	}
	fmt.Println(i.Addr)
	if err := h.Release(ctx); err != nil {
		log.Print(err)
	}
}

func ExampleNames() {
	ctx, c := connect()
	defer c.Close()
	n := recipes.NewNames(c, "/names")
	if err := n.Rebind(ctx, "databases/main", []byte("host-3:5432")); err != nil {
		log.Fatal(err)
	}
	what, err := n.Lookup(ctx, "databases/main")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", what)
}

func ExampleProgress() {
	ctx, c := connect()
	defer c.Close()
	p, err := recipes.StartProgress(ctx, c, "/reports/import", recipes.Report{Total: 2})
	if err != nil {
		log.Fatal(err)
	}
	f, err := recipes.FollowProgress(ctx, c, "/reports/import") // elsewhere
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	if err := p.Tell(ctx, recipes.Report{Done: 1, Total: 2, Note: "half"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Get().Value)
	if err := p.Release(ctx); err != nil {
		log.Print(err)
	}
}

func ExamplePact() {
	ctx, c := connect()
	defer c.Close()
	p := recipes.NewPact(c, "/pacts/order-7", "stock", "bank")
	for _, party := range []string{"stock", "bank"} { // each its own, when it has prepared
		if err := p.Vote(ctx, party, true); err != nil {
			log.Fatal(err)
		}
	}
	d, err := p.Wait(ctx) // or Abort, by whoever waits no longer
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d)
	if err := p.Clear(ctx); err != nil {
		log.Print(err)
	}
}

func ExampleReadTogether() {
	ctx, c := connect()
	defer c.Close()
	nodes, err := recipes.ReadTogether(ctx, c, "/", "/zookeeper")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(nodes), "znodes as they were at one moment")
	tree, err := recipes.ReadTree(ctx, c, "/zookeeper")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(tree), "znodes of a tree, too")
}

// The examples run, and each page of docs/recipes shows one of them as it is.
func TestExamples(t *testing.T) {
	servers = []string{zktest.Start(t).Addr()}
	for _, run := range []func(){
		ExampleLock, ExampleSharedLock, ExampleSemaphore, ExampleMultiLock, ExampleElection, ExampleSeat, ExampleBarrier,
		ExampleDoubleBarrier, ExampleQueue, ExampleQueue_Lease, ExampleGather, ExampleCounter, ExampleIDs, ExampleConfig, ExampleCache,
		ExampleGroup, ExampleDiscover, ExampleNames, ExampleProgress, ExamplePact, ExampleReadTogether,
	} {
		run()
	}
	source, err := os.ReadFile("example_test.go")
	must(t, err)
	pages, err := filepath.Glob("../docs/recipes/*.md")
	must(t, err)
	all := plain(string(source))
	for _, page := range pages {
		text, err := os.ReadFile(page)
		must(t, err)
		_, rest, ok := strings.Cut(string(text), "```go\n")
		code, _, ok2 := strings.Cut(rest, "```")
		if !ok || !ok2 || !strings.Contains(all, plain(code)) {
			t.Errorf("%s does not show an example of example_test.go", page)
		}
	}
	if len(pages) == 0 {
		t.Error("there are no pages")
	}
}

// plain is code without its indentation.
func plain(code string) string {
	lines := strings.Split(code, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}
