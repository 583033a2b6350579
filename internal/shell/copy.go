package shell

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// leftOut says which znodes a copy does not have.
func (s *Shell) leftOut(paths []string) {
	for _, p := range paths {
		fmt.Fprintln(s.err, "left out, ephemeral: "+p)
	}
}

func runExport(ctx context.Context, s *Shell, a *args) error {
	c, path, err := s.at(ctx, a, 1)
	if err != nil {
		return err
	}
	m, left, err := take(ctx, c, path)
	if err != nil {
		return err
	}
	m.SHA256 = m.sum()
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	b = append(b, '\n')
	s.leftOut(left)
	if a.n() < 2 || a.at(2) == "-" {
		_, err = s.out.Write(b)
		return err
	}
	if err := os.WriteFile(a.at(2), b, 0o600); err != nil { // it may hold what ACLs protect
		return err
	}
	fmt.Fprintf(s.err, "%d znodes written to %s\n", len(m.Nodes), a.at(2))
	return nil
}

func runImport(ctx context.Context, s *Shell, a *args) error {
	if a.n() < 2 {
		return usage{a.command()}
	}
	path := a.at(2)
	if err := checkPath(path); err != nil {
		return err
	}
	var b []byte
	var err error
	if a.at(1) == "-" {
		if s.piped || s.opt.Terminal != nil {
			return refusal("- is standard input, and that has the commands: give import to zooid shell as its command")
		}
		b, err = io.ReadAll(s.opt.In)
	} else {
		b, err = os.ReadFile(a.at(1))
	}
	if err != nil {
		return err
	}
	m, err := readImage(b)
	if err != nil {
		return err
	}
	c, err := s.client(ctx, path)
	if err != nil {
		return err
	}
	found, _, err := c.Exists(ctx, path)
	if err != nil {
		return err
	}
	if found && path != "/" && !a.has("replace") {
		return &zk.Error{Op: "import", Path: path, Code: zk.NodeExists}
	}
	if a.has("dry-run") {
		if found && path != "/" {
			fmt.Fprintln(s.out, "would delete "+path+" and all below it")
		}
		s.wouldCreate(m, path)
		return nil
	}
	if found && path != "/" {
		all, err := walk(ctx, c, path)
		if err != nil {
			return err
		}
		slices.Reverse(all)
		if err := deleteNodes(ctx, c, all, deleteBatch); err != nil {
			return err
		}
	}
	return s.putChecked(ctx, c, m, path)
}

func (s *Shell) wouldCreate(m *image, root string) {
	for i := range m.Nodes {
		fmt.Fprintln(s.out, "would create "+m.Nodes[i].place(root))
	}
}

// putChecked makes a copy, reads it back and compares.
func (s *Shell) putChecked(ctx context.Context, c *client.Client, m *image, path string) error {
	if err := m.put(ctx, c, path); err != nil {
		return err
	}
	n := len(m.Nodes)
	if path != "/" { // below the root there is more than was imported
		back, _, err := take(ctx, c, path)
		if err != nil {
			if errors.Is(err, zk.NoAuth) {
				fmt.Fprintln(s.err, "made, but not compared: what was made may not be read back")
				return nil
			}
			return err
		}
		if diff := m.same(back); diff != "" {
			return errors.New("the copy is not the same: " + diff)
		}
	}
	fmt.Fprintf(s.err, "%d znodes made\n", n)
	return nil
}

func runCopy(ctx context.Context, s *Shell, a *args) error { return s.copy(ctx, a, false) }
func runMove(ctx context.Context, s *Shell, a *args) error { return s.copy(ctx, a, true) }

func (s *Shell) copy(ctx context.Context, a *args, move bool) error {
	c, from, err := s.at(ctx, a, 2)
	if err != nil {
		return err
	}
	to := a.at(2)
	if err := checkPath(to); err != nil {
		return err
	}
	if to == from || strings.HasPrefix(to, strings.TrimSuffix(from, "/")+"/") {
		return refusal(to + " is within " + from)
	}
	m, left, err := take(ctx, c, from)
	if err != nil {
		return err
	}
	if move && len(left) > 0 {
		return refusal(left[0] + " is ephemeral: it cannot be moved")
	}
	found, _, err := c.Exists(ctx, to)
	if err != nil {
		return err
	}
	if found {
		return &zk.Error{Op: "copy", Path: to, Code: zk.NodeExists}
	}
	if a.has("dry-run") {
		s.wouldCreate(m, to)
		if move {
			fmt.Fprintln(s.out, "would delete "+from+" and all below it")
		}
		return nil
	}
	s.leftOut(left)
	if !move {
		return s.putChecked(ctx, c, m, to)
	}
	return s.moveAll(ctx, c, m, to)
}

// moveAll makes the new and deletes the old in one transaction, on condition that nothing changed since it was read: the old znodes'
// data by their versions, and their number by the deletes. A subtree too large for that is refused.
func (s *Shell) moveAll(ctx context.Context, c *client.Client, m *image, to string) error {
	tx, size := c.Multi(), 0
	for i := range m.Nodes {
		z := &m.Nodes[i]
		acl, err := z.acl()
		if err != nil {
			return err
		}
		tx.Create(z.place(to), z.bytes(), zk.Persistent, acl...)
		size += len(z.place(to)) + len(z.place(m.From)) + len(z.bytes()) + 128
	}
	for i := len(m.Nodes) - 1; i >= 0; i-- {
		tx.Delete(m.Nodes[i].place(m.From), m.Nodes[i].version)
	}
	if size > 2*txnBytes-(64<<10) {
		return refusal(fmt.Sprintf("%s is too large to be moved in one transaction (%d bytes): cp and deleteall it", m.From, size))
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "%d znodes moved\n", len(m.Nodes))
	return nil
}

func runDiff(ctx context.Context, s *Shell, a *args) error {
	c, left, err := s.at(ctx, a, 2)
	if err != nil {
		return err
	}
	right := a.at(2)
	if err := checkPath(right); err != nil {
		return err
	}
	other := c
	if a.has("server") {
		opt := s.opt.Client
		opt.SessionTimeout = s.opt.Timeout
		dial, stop := context.WithTimeout(ctx, s.opt.Timeout)
		defer stop()
		if other, err = client.Dial(dial, []string{a.value("server")}, &opt); err != nil {
			return err
		}
		defer other.Close()
	}
	m, _, err := take(ctx, c, left)
	if err != nil {
		return err
	}
	n, _, err := take(ctx, other, right)
	if err != nil {
		return err
	}
	rows := m.diff(n)
	err = s.show(rows, func(w writer) {
		for _, r := range rows {
			fmt.Fprintln(w, r.Sign+" "+r.Path+r.What)
		}
	})
	if err == nil && len(rows) > 0 {
		return unequal{}
	}
	return err
}

type difference struct {
	Sign string `json:"sign"` // "-" only on the left, "+" only on the right, "!" on both, but different
	Path string `json:"path"` // on the left
	What string `json:"what"`
}

func (m *image) diff(n *image) []difference {
	a, b := m.byPath(), n.byPath()
	paths := map[string]bool{}
	for p := range a {
		paths[p] = true
	}
	for p := range b {
		paths[p] = true
	}
	ds := []difference{}
	for p := range paths {
		x, y := a[p], b[p]
		switch {
		case y == nil:
			ds = append(ds, difference{"-", x.place(m.From), ""})
		case x == nil:
			ds = append(ds, difference{"+", y.place(m.From), ""})
		case string(x.bytes()) != string(y.bytes()):
			ds = append(ds, difference{"!", x.place(m.From), fmt.Sprintf(" data: %s | %s", brief(x.bytes()), brief(y.bytes()))})
		case !slices.Equal(x.ACL, y.ACL):
			ds = append(ds, difference{"!", x.place(m.From), fmt.Sprintf(" acl: %s | %s", strings.Join(x.ACL, ","), strings.Join(y.ACL, ","))})
		}
	}
	slices.SortFunc(ds, func(a, b difference) int { return strings.Compare(a.Path, b.Path) })
	return ds
}

// brief is data in a line.
func brief(data []byte) string {
	const most = 40
	t := fmt.Sprintf("%q", data)
	if len(data) > most {
		t = fmt.Sprintf("%q... (%d bytes)", data[:most], len(data))
	}
	return t
}
