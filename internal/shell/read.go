package shell

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// at is what every command about one path does first: the path's rules, then the session. need is how many arguments there
// must be.
func (s *Shell) at(ctx context.Context, a *args, need int) (c *client.Client, path string, err error) {
	if a.n() < need {
		return nil, "", usage{a.command()}
	}
	path = a.at(1)
	if err = checkPath(path); err != nil {
		return nil, "", err
	}
	c, err = s.client(ctx, path)
	return c, path, err
}

// watchWord is the 3.4 form: any second word asks for a watch.
func (s *Shell) watchWord(a *args) bool {
	if a.n() < 2 {
		return a.has("w")
	}
	name, form := a.rest[0], "[-s] [-w]"
	if name != "get" {
		form = "[-w]"
	}
	fmt.Fprintf(s.err, "'%s path [watch]' has been deprecated. Please use '%s %s path' instead.\n", name, name, form)
	return true
}

func runGet(ctx context.Context, s *Shell, a *args) error {
	c, path, err := s.at(ctx, a, 1)
	if err != nil {
		return err
	}
	var data []byte
	var st zk.Stat
	if s.watchWord(a) {
		var ch <-chan zk.Event
		data, st, ch, err = c.GetW(ctx, path)
		s.announce(ch)
	} else {
		data, st, err = c.Get(ctx, path)
	}
	if err != nil {
		return err
	}
	type answer struct {
		Path string `json:"path"`
		datum
		Stat stat `json:"stat"`
	}
	return s.show(answer{path, datumOf(data), statOf(st)}, func(w writer) {
		switch {
		case a.has("x") && data != nil:
			fmt.Fprintln(w, hexDump(data))
		case a.has("b") && data != nil:
			fmt.Fprintln(w, base64.StdEncoding.EncodeToString(data))
		case a.has("j") && data != nil:
			fmt.Fprintln(w, s.value(indented(data)))
		default:
			fmt.Fprintln(w, s.value(data))
		}
		if a.has("s") || s.opt.Classic {
			writeStat(w, st)
		}
	})
}

func runStat(ctx context.Context, s *Shell, a *args) error {
	c, path, err := s.at(ctx, a, 1)
	if err != nil {
		return err
	}
	var found bool
	var st zk.Stat
	if s.watchWord(a) {
		var ch <-chan zk.Event
		found, st, ch, err = c.ExistsW(ctx, path)
		s.announce(ch)
	} else {
		found, st, err = c.Exists(ctx, path)
	}
	switch {
	case err != nil:
		return err
	case !found:
		return &zk.Error{Op: "exists", Path: path, Code: zk.NoNode}
	}
	return s.printStat(st)
}

func runList(ctx context.Context, s *Shell, a *args) error {
	return s.list(ctx, a, a.has("s"))
}

func runList2(ctx context.Context, s *Shell, a *args) error {
	fmt.Fprintln(s.err, "'ls2' has been deprecated. Please use 'ls [-s] path' instead.")
	return s.list(ctx, a, true)
}

func (s *Shell) list(ctx context.Context, a *args, withStat bool) error {
	c, path, err := s.at(ctx, a, 1)
	if err != nil {
		return err
	}
	watch := s.watchWord(a)
	if a.has("R") {
		return s.listAll(ctx, c, path)
	}
	var names []string
	var st zk.Stat
	if watch {
		var ch <-chan zk.Event
		names, st, ch, err = c.ChildrenW(ctx, path)
		s.announce(ch)
	} else {
		names, st, err = c.Children(ctx, path)
	}
	if err != nil {
		return err
	}
	slices.Sort(names)
	if s.opt.Table {
		return s.listTable(ctx, c, path, names)
	}
	var answer any = append([]string{}, names...)
	if withStat {
		answer = struct {
			Children []string `json:"children"`
			Stat     stat     `json:"stat"`
		}{append([]string{}, names...), statOf(st)}
	}
	return s.show(answer, func(w writer) {
		fmt.Fprintf(w, "[%s]\n", strings.Join(names, ", "))
		if withStat {
			writeStat(w, st)
		}
	})
}

// listTable shows what children are, asked in one batch.
func (s *Shell) listTable(ctx context.Context, c *client.Client, path string, names []string) error {
	type row struct {
		Name     string `json:"name"`
		Version  int32  `json:"version"`
		Bytes    int32  `json:"bytes"`
		Children int32  `json:"children"`
		Owner    string `json:"owner"`
		Changed  string `json:"changed"`
	}
	b := c.Batch()
	var rs []*client.ExistsResult
	for _, n := range names {
		rs = append(rs, b.Exists(zk.JoinPath(path, n)))
	}
	if err := b.Flush(ctx); err != nil {
		return err
	}
	rows := []row{}
	for i, r := range rs {
		if r.Found { // it may be gone by now
			st := r.Stat
			rows = append(rows, row{names[i], st.Version, st.DataLength, st.NumChildren, st.EphemeralOwner.String(), time.UnixMilli(st.Mtime).Format(time.DateTime)})
		}
	}
	return s.show(rows, nil)
}

// listAll prints a subtree as ls -R does: a znode, its children, and then what is below each of them.
func (s *Shell) listAll(ctx context.Context, c *client.Client, path string) error {
	all, err := walk(ctx, c, path)
	if err != nil {
		return err
	}
	below := map[string][]string{}
	for _, n := range all[1:] {
		parent, _, _ := zk.SplitPath(n.path)
		below[parent] = append(below[parent], n.path)
	}
	paths := []string{path}
	var visit func(p string)
	visit = func(p string) {
		paths = append(paths, below[p]...)
		for _, q := range below[p] {
			visit(q)
		}
	}
	visit(path)
	return s.show(paths, func(w writer) {
		for _, p := range paths {
			fmt.Fprintln(w, p)
		}
	})
}

func runAllChildrenNumber(ctx context.Context, s *Shell, a *args) error {
	c, path, err := s.at(ctx, a, 1)
	if err != nil {
		return err
	}
	n, err := c.AllChildrenNumber(ctx, path)
	if err != nil {
		return err
	}
	return s.show(n, func(w writer) { fmt.Fprintln(w, n) })
}

func runEphemerals(ctx context.Context, s *Shell, a *args) error {
	path := "/"
	if a.n() >= 1 {
		path = a.at(1)
		if err := checkPath(path); err != nil {
			return err
		}
	}
	c, err := s.client(ctx, path)
	if err != nil {
		return err
	}
	paths, err := c.Ephemerals(ctx, path)
	if err != nil {
		return err
	}
	slices.Sort(paths)
	return s.show(append([]string{}, paths...), func(w writer) { fmt.Fprintf(w, "[%s]\n", strings.Join(paths, ", ")) })
}

func runSync(ctx context.Context, s *Shell, a *args) error {
	c, path, err := s.at(ctx, a, 1)
	if err != nil {
		return err
	}
	if err := c.Sync(ctx, path); err != nil {
		fmt.Fprintf(s.out, "Sync has failed. rc=%d\n", zk.CodeOf(err))
		return nil
	}
	fmt.Fprintln(s.out, "Sync is OK")
	return nil
}
