package shell

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// beyond are the commands that zkCli does not have.
func beyond() []*command {
	return []*command{
		{name: "4lw", usage: "word", own: true, says: "ask the server a four-letter word", run: run4lw},
		{name: "cp", usage: "from to [--dry-run]", flags: flags{"dry-run"}, own: true, says: "copy a subtree with its ACLs; to must not exist", run: runCopy},
		{name: "diff", usage: "path path [--server host:port]", flags: flags{"server:"}, own: true, says: "compare two subtrees; the second may be on another server", run: runDiff},
		{name: "du", usage: "[path]", own: true, says: "znodes and bytes below each child", run: runUsage},
		{name: "edit", usage: "path", own: true, says: "change the data with $EDITOR, if nobody else does meanwhile", run: runEdit},
		{name: "export", usage: "path [file]", own: true, says: "a subtree with its ACLs as JSON", run: runExport},
		{name: "find", usage: "path [--name glob] [--contains text] [--ephemeral] [--limit n]", flags: flags{"name:", "contains:", "ephemeral", "limit:"}, own: true, says: "paths below a znode", run: runFind},
		{name: "follow", usage: "path", own: true, says: "print what changes in a subtree, until interrupted", run: runFollow},
		{name: "import", usage: "file path [--replace] [--dry-run]", flags: flags{"replace", "dry-run"}, own: true, says: "make a subtree of what export wrote", run: runImport},
		{name: "lock", usage: "path [--timeout s] -- command", own: true, says: "run a program while holding a lock", run: runLock},
		{name: "mv", usage: "from to [--dry-run]", flags: flags{"dry-run"}, own: true, says: "move a subtree, in one transaction", run: runMove},
		{name: "tree", usage: "[-s] [-d depth] [path]", flags: flags{"s", "d:"}, own: true, says: "draw a subtree; -s with sizes", run: runTree},
		{name: "txn", usage: "{ command; command }", own: true, says: "create, set, delete and check, all or none", run: runTxn},
		{name: "wait-for", usage: "path [--gone | --value text | --children n] [--timeout s]", flags: flags{"gone", "value:", "children:", "timeout:"}, own: true, says: "return when it is so", run: runWaitFor},
	}
}

// under is what commands over a subtree do first; without an argument it is all.
func (s *Shell) under(ctx context.Context, a *args, need int) (*client.Client, string, error) {
	if a.n() == 0 && need == 0 {
		c, err := s.client(ctx, "/")
		return c, "/", err
	}
	return s.at(ctx, a, max(need, 1))
}

// closed says that a znode could not be looked into.
func (s *Shell) closed(path string) { fmt.Fprintln(s.err, codeWords[zk.NoAuth]+path) }

func runTree(ctx context.Context, s *Shell, a *args) error {
	depth := -1
	if a.has("d") {
		var err error
		if depth, err = strconv.Atoi(a.value("d")); err != nil {
			return refusal("-d must be a number")
		}
	}
	c, root, err := s.under(ctx, a, 0)
	if err != nil {
		return err
	}
	all, err := walkReadable(ctx, c, root, s.closed)
	if err != nil {
		return err
	}
	type row struct {
		Path  string `json:"path"`
		Bytes int32  `json:"bytes"`
		Owner string `json:"owner"`
	}
	rows := []row{}
	nodes := slices.DeleteFunc(depthFirst(all), func(n node) bool { return depth >= 0 && n.depth > depth })
	for _, n := range nodes {
		rows = append(rows, row{n.path, n.stat.DataLength, n.stat.EphemeralOwner.String()})
	}
	return s.show(rows, func(w writer) {
		more := map[int]bool{} // depths at which a sibling follows
		for i, n := range nodes {
			last := true
			for _, m := range nodes[i+1:] {
				if m.depth <= n.depth {
					last = m.depth < n.depth
					break
				}
			}
			more[n.depth] = !last
			line := ""
			for d := 1; d < n.depth; d++ {
				if more[d] {
					line += "│  "
				} else {
					line += "   "
				}
			}
			_, name, _ := zk.SplitPath(n.path)
			switch {
			case n.depth == 0:
				name = n.path
			case last:
				line += "└─ "
			default:
				line += "├─ "
			}
			line += name
			if n.stat.EphemeralOwner != 0 {
				line += " (ephemeral)"
			}
			if a.has("s") {
				line += fmt.Sprintf(" [%d]", n.stat.DataLength)
			}
			fmt.Fprintln(w, line)
		}
	})
}

func runFind(ctx context.Context, s *Shell, a *args) error {
	limit := -1
	if a.has("limit") {
		var err error
		if limit, err = strconv.Atoi(a.value("limit")); err != nil {
			return refusal("--limit must be a number")
		}
	}
	if _, err := path.Match(a.value("name"), ""); err != nil {
		return refusal("--name: " + err.Error())
	}
	c, root, err := s.under(ctx, a, 1)
	if err != nil {
		return err
	}
	all, err := walkReadable(ctx, c, root, s.closed)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(depthFirst(all), func(n node) bool {
		_, name, _ := zk.SplitPath(n.path)
		match, _ := path.Match(a.value("name"), name)
		return a.has("name") && !match || a.has("ephemeral") && n.stat.EphemeralOwner == 0
	})
	if a.has("contains") {
		datas, err := contents(ctx, c, all)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(n node) bool { return !strings.Contains(string(datas[n.path]), a.value("contains")) })
	}
	if limit >= 0 && len(all) > limit {
		all = all[:limit]
	}
	paths := []string{}
	for _, n := range all {
		paths = append(paths, n.path)
	}
	return s.show(paths, func(w writer) {
		for _, p := range paths {
			fmt.Fprintln(w, p)
		}
	})
}

// contents reads the data of znodes, in batches. What is gone meanwhile, or may not be read, is left out.
func contents(ctx context.Context, c *client.Client, all []node) (map[string][]byte, error) {
	datas := map[string][]byte{}
	for part := range slices.Chunk(all, 500) {
		b := c.Batch()
		var rs []*client.GetResult
		for _, n := range part {
			rs = append(rs, b.Get(n.path))
		}
		b.Flush(ctx) // each result has its error
		for i, r := range rs {
			switch {
			case r.Err == nil:
				datas[part[i].path] = r.Data
			case !errors.Is(r.Err, zk.NoNode) && !errors.Is(r.Err, zk.NoAuth):
				return nil, r.Err
			}
		}
	}
	return datas, nil
}

func runUsage(ctx context.Context, s *Shell, a *args) error {
	c, root, err := s.under(ctx, a, 0)
	if err != nil {
		return err
	}
	all, err := walkReadable(ctx, c, root, s.closed)
	if err != nil {
		return err
	}
	type row struct {
		Znodes int    `json:"znodes"`
		Bytes  int64  `json:"bytes"`
		Path   string `json:"path"`
	}
	rows := []row{}
	at := -1
	total := row{Path: root}
	for _, n := range depthFirst(all) {
		if n.depth == 1 {
			rows = append(rows, row{Path: n.path})
			at = len(rows) - 1
		}
		if at >= 0 {
			rows[at].Znodes++
			rows[at].Bytes += int64(n.stat.DataLength)
		}
		total.Znodes++
		total.Bytes += int64(n.stat.DataLength)
	}
	rows = append(rows, total)
	return s.show(rows, func(w writer) {
		for _, r := range rows {
			fmt.Fprintf(w, "%d\t%d\t%s\n", r.Znodes, r.Bytes, r.Path)
		}
	})
}

func run4lw(ctx context.Context, s *Shell, a *args) error {
	if a.n() < 1 {
		return usage{a.command()}
	}
	server := s.opt.Server
	if s.conn != nil && s.conn.isReady() && s.conn.c != nil {
		if at := s.conn.c.Status().Server; at != "" {
			server = at // of several, the one that we talk to
		}
	}
	answer, err := s.opt.FourLetters(server, a.at(1))
	if err == nil && !strings.HasSuffix(string(answer), "\n") {
		answer = append(answer, '\n')
	}
	s.out.Write(answer)
	return err
}

// timeout is the value of --timeout in seconds, as a context; none is no end.
func timeout(ctx context.Context, a *args) (context.Context, context.CancelFunc, error) {
	if !a.has("timeout") {
		ctx, stop := context.WithCancel(ctx)
		return ctx, stop, nil
	}
	sec, err := strconv.ParseFloat(a.value("timeout"), 64)
	if err != nil || sec <= 0 {
		return nil, nil, refusal("--timeout must be a number of seconds")
	}
	ctx, stop := context.WithTimeout(ctx, time.Duration(sec*float64(time.Second)))
	return ctx, stop, nil
}

func runWaitFor(ctx context.Context, s *Shell, a *args) error {
	children := -1
	if a.has("children") {
		var err error
		if children, err = strconv.Atoi(a.value("children")); err != nil {
			return refusal("--children must be a number")
		}
	}
	c, path, err := s.at(ctx, a, 1)
	if err != nil {
		return err
	}
	ctx, stop, err := timeout(ctx, a)
	if err != nil {
		return err
	}
	defer stop()
	for {
		// First a watch, then a look: what changes in between fires the watch.
		found, _, changed, err := c.ExistsW(ctx, path)
		if err != nil {
			return err
		}
		var there bool
		switch {
		case a.has("gone"):
			there = !found
		case children >= 0 && found:
			var names []string
			if names, _, changed, err = c.ChildrenW(ctx, path); err != nil && !errors.Is(err, zk.NoNode) {
				return err
			}
			there = len(names) >= children
		case a.has("value") && found:
			data, _, err := c.Get(ctx, path)
			if err != nil && !errors.Is(err, zk.NoNode) {
				return err
			}
			there = err == nil && string(data) == a.value("value")
		default:
			there = found
		}
		if there {
			return nil
		}
		if changed == nil { // it went between the two looks
			continue
		}
		select {
		case e := <-changed:
			if e.Type == zk.EventNone {
				return &zk.Error{Op: "wait-for", Path: path, Code: zk.SessionExpired}
			}
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return &zk.Error{Op: "wait-for", Path: path, Code: zk.OperationTimeout, Err: ctx.Err()}
			}
			return ctx.Err()
		}
	}
}

// runFollow prints changes as they come: what was made, changed or deleted, with the new data.
func runFollow(ctx context.Context, s *Shell, a *args) error {
	c, root, err := s.at(ctx, a, 1)
	if err != nil {
		return err
	}
	w, err := c.AddWatch(ctx, root, zk.WatchPersistentRecursive)
	if err != nil {
		return err
	}
	defer func() { // also where ctx has ended
		end, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer stop()
		w.Close(end)
	}()
	fmt.Fprintf(s.err, "following %s\n", root)
	for {
		n, err := w.Next(ctx)
		switch {
		case errors.Is(err, context.Canceled):
			return nil // that is how one stops following
		case err != nil:
			return err
		}
		line := ""
		switch {
		case n.Missed != client.MissedNothing:
			line = "? changes may have been missed"
		case n.Type == zk.EventNodeDeleted:
			line = "- " + n.Path
		case n.Type == zk.EventNodeCreated, n.Type == zk.EventNodeDataChanged:
			sign := map[zk.EventType]string{zk.EventNodeCreated: "+ ", zk.EventNodeDataChanged: "= "}[n.Type]
			line = sign + n.Path
			if data, st, err := c.Get(ctx, n.Path); err == nil {
				line += fmt.Sprintf(" v%d %s", st.Version, s.value(data))
			}
		default:
			continue
		}
		fmt.Fprintln(s.out, line)
	}
}

func runEdit(ctx context.Context, s *Shell, a *args) error {
	c, path, err := s.at(ctx, a, 1)
	if err != nil {
		return err
	}
	data, st, err := c.Get(ctx, path)
	if err != nil {
		return err
	}
	changed, err := s.opt.Edit(ctx, data)
	if err != nil {
		return err
	}
	if !strings.HasSuffix(string(data), "\n") { // editors add one
		changed = []byte(strings.TrimSuffix(string(changed), "\n"))
	}
	if string(changed) == string(data) {
		fmt.Fprintln(s.err, "nothing changed")
		return nil
	}
	_, err = c.Set(ctx, path, changed, st.Version)
	return err
}
