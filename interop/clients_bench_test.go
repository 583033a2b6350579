package interop

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	gozk "github.com/go-zookeeper/zk"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

// turns is how often the two clients take turns within one measurement, so that whatever else the machine does meets both.
const turns = 10

// callers is one client's way of making a call, by many goroutines.
type callers struct {
	call func(caller int) error

	took    time.Duration
	mallocs uint64
	ops     int
}

// run makes n calls, spread over goroutines.
func (c *callers) run(b *testing.B, goroutines, n int) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin := time.Now()
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			for i := g; i < n; i += goroutines {
				if err := c.call(g); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	c.took += time.Since(begin)
	runtime.ReadMemStats(&after)
	c.mallocs += after.Mallocs - before.Mallocs
	c.ops += n
}

// BenchmarkGoClients compares our client with github.com/go-zookeeper/zk on one server, a process of its own without fsync: one
// connection each, values of 100 bytes, a znode for each caller. faster is their time by ours, leaner their allocations by ours.
//
//	go test ./interop -run '^$' -bench GoClients -benchtime 3s
func BenchmarkGoClients(b *testing.B) {
	srv := Start(b, Zooid, Setup{Props: []string{"zookeeper.forceSync=no"}})
	ctx := context.Background()
	ours, err := client.Dial(ctx, []string{srv.Addr()}, &client.Options{SessionTimeout: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	defer ours.Close()
	theirs, _, err := gozk.Connect([]string{srv.Addr()}, time.Minute, gozk.WithLogger(silent{}))
	if err != nil {
		b.Fatal(err)
	}
	defer theirs.Close()
	value := []byte(strings.Repeat("v", 100))
	const most = 1024
	var paths [most]string
	for i := range paths {
		paths[i] = fmt.Sprintf("/caller-%04d", i)
		if _, _, err := ours.Create(ctx, paths[i], value, zk.Persistent); err != nil {
			b.Fatal(err)
		}
	}
	for _, op := range []struct {
		name         string
		ours, theirs func(caller int) error
	}{
		{"get", func(i int) error { _, _, err := ours.Get(ctx, paths[i]); return err },
			func(i int) error { _, _, err := theirs.Get(paths[i]); return err }},
		{"set", func(i int) error { _, err := ours.Set(ctx, paths[i], value, -1); return err },
			func(i int) error { _, err := theirs.Set(paths[i], value, -1); return err }},
	} {
		for _, n := range []int{1, 64, most} {
			b.Run(fmt.Sprintf("%s/%d", op.name, n), func(b *testing.B) {
				us, them := &callers{call: op.ours}, &callers{call: op.theirs}
				for b.Loop() {
					for range turns {
						us.run(b, n, max(2000, 16*n))
						them.run(b, n, max(2000, 16*n))
					}
				}
				perSecond := func(c *callers) float64 { return float64(c.ops) / c.took.Seconds() }
				perCall := func(c *callers) float64 { return float64(c.mallocs) / float64(c.ops) }
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(perSecond(us), "ours/s")
				b.ReportMetric(perSecond(them), "theirs/s")
				b.ReportMetric(perSecond(us)/perSecond(them), "faster")
				b.ReportMetric(perCall(us), "ours-allocs")
				b.ReportMetric(perCall(them), "theirs-allocs")
				b.ReportMetric(perCall(them)/perCall(us), "leaner")
			})
		}
	}
}

// BenchmarkTreeCache fills a cache of 100,000 znodes of 100 bytes, 100 folders with 999 each: ours and Curator's TreeCache in turns, each
// in a process that goes on, so that Java's is warm from the second round on. The times are the best of all rounds.
//
//	go test ./interop -run '^$' -bench TreeCache -benchtime 5x
func BenchmarkTreeCache(b *testing.B) {
	jars := append(append([]string{}, curator...), javaClient...)
	need(b, onPath("javac") && exists(jars...), "CacheFill's libraries", "apt-get install libcurator-recipes-java libzookeeper-java default-jdk-headless")
	classpath, dir := strings.Join(jars, ":"), b.TempDir()
	build(b, "javac", "-encoding", "UTF-8", "-nowarn", "-cp", classpath, "-d", dir, scenario(b, "java", "CacheFill.java"))
	srv := Start(b, Zooid, Setup{Props: []string{"zookeeper.forceSync=no"}})
	ctx := context.Background()
	c, err := client.Dial(ctx, []string{srv.Addr()}, &client.Options{SessionTimeout: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	const folders, files = 100, 999
	value := []byte(strings.Repeat("v", 100))
	for i := range folders {
		batch := c.Batch()
		folder := fmt.Sprintf("/tree/%03d", i)
		batch.Create("/tree", nil, zk.Persistent)
		batch.Create(folder, value, zk.Persistent)
		for k := range files {
			batch.Create(fmt.Sprintf("%s/%03d", folder, k), value, zk.Persistent)
		}
		if err := batch.Flush(ctx); err != nil && i == 0 {
			b.Fatal(err)
		}
	}
	const want = folders*(files+1) + 1

	cmd := exec.CommandContext(b.Context(), "java", "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", dir+":"+classpath, "CacheFill", srv.Addr(), "/tree")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	}()
	lines := bufio.NewScanner(out)
	best := map[string]time.Duration{}
	note := func(which string, took time.Duration, size int) {
		if size != want {
			b.Errorf("%s has %d znodes, not %d", which, size, want)
		}
		if best[which] == 0 || took < best[which] {
			best[which] = took
		}
	}
	for b.Loop() {
		begin := time.Now()
		k, err := recipes.NewCache(ctx, c, "/tree", nil)
		if err != nil {
			b.Fatal(err)
		}
		note("ours", time.Since(begin), len(k.All()))
		k.Close()
		fmt.Fprintln(in, "again")
		if !lines.Scan() {
			b.Fatal("Curator has ended: ", lines.Err())
		}
		var took time.Duration
		var size int
		if _, err := fmt.Sscan(lines.Text(), &took, &size); err != nil {
			b.Fatal(lines.Text(), err)
		}
		note("Curator", took, size)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(best["ours"].Milliseconds()), "ours-ms")
	b.ReportMetric(float64(best["Curator"].Milliseconds()), "Curator-ms")
	b.ReportMetric(float64(best["Curator"])/float64(best["ours"]), "faster")
}
