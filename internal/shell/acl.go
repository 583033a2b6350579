package shell

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/zooid-io/zooid/zk"
)

const permLetters = "cdrwa"

var perms = map[byte]zk.Perm{'c': zk.PermCreate, 'd': zk.PermDelete, 'r': zk.PermRead, 'w': zk.PermWrite, 'a': zk.PermAdmin}

func permText(p zk.Perm) string {
	var b strings.Builder
	for i := range len(permLetters) {
		if p&perms[permLetters[i]] != 0 {
			b.WriteByte(permLetters[i])
		}
	}
	return b.String()
}

func aclText(a zk.ACL) string { return a.ID.Scheme + ":" + a.ID.ID + ":" + permText(a.Perms) }

// parseACL reads "scheme:id:perms,...". What is wrong is printed and left out, as zkCli does: nil is that nothing was right.
func (s *Shell) parseACL(text string) []zk.ACL {
	var acl []zk.ACL
	for entry := range strings.SplitSeq(text, ",") {
		first, last := strings.IndexByte(entry, ':'), strings.LastIndexByte(entry, ':')
		if first < 0 || first == last {
			fmt.Fprintln(s.err, entry+" does not have the form scheme:id:perm")
			continue
		}
		a := zk.ACL{ID: zk.ID{Scheme: entry[:first], ID: entry[first+1 : last]}}
		for i := last + 1; i < len(entry); i++ {
			p, ok := perms[entry[i]]
			if !ok {
				fmt.Fprintf(s.err, "Unknown perm type: %c\n", entry[i])
			}
			a.Perms |= p
		}
		acl = append(acl, a)
	}
	return acl
}

func runGetACL(ctx context.Context, s *Shell, a *args) error {
	c, path, err := s.at(ctx, a, 1)
	if err != nil {
		return err
	}
	acl, st, err := c.GetACL(ctx, path)
	if err != nil {
		return err
	}
	type row struct {
		Scheme string `json:"scheme"`
		ID     string `json:"id"`
		Perms  string `json:"perms"`
	}
	rows := []row{}
	for _, e := range acl {
		rows = append(rows, row{e.ID.Scheme, e.ID.ID, permText(e.Perms)})
	}
	return s.show(rows, func(w writer) {
		for _, r := range rows {
			fmt.Fprintf(w, "'%s,'%s\n: %s\n", r.Scheme, r.ID, r.Perms)
		}
		if a.has("s") {
			writeStat(w, st)
		}
	})
}

func runSetACL(ctx context.Context, s *Shell, a *args) error {
	v, err := version(a)
	if err != nil {
		return err
	}
	if a.n() < 2 {
		return usage{a.command()}
	}
	acl := s.parseACL(a.at(2))
	if len(acl) == 0 {
		return refusal("Acl is not valid : null")
	}
	c, path, err := s.at(ctx, a, 2)
	if err != nil {
		return err
	}
	if a.has("R") {
		all, err := walk(ctx, c, path)
		if err != nil {
			return err
		}
		for _, n := range all {
			if _, err := c.SetACL(ctx, n.path, acl, -1); err != nil && !(n.depth > 0 && errors.Is(err, zk.NoNode)) {
				return err
			}
		}
		return nil
	}
	st, err := c.SetACL(ctx, path, acl, v)
	if err != nil {
		return err
	}
	if a.has("s") {
		return s.printStat(st)
	}
	return nil
}
