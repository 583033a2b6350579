package shell

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// openTxn tells whether text begins a transaction whose closing brace has not come yet.
func openTxn(text string) bool {
	ws := words(text)
	return len(ws) >= 2 && ws[0] == "txn" && ws[1] == "{" && ws[len(ws)-1] != "}"
}

// runTxn carries out "{ op ; op ; ... }". A semicolon ends an operation where it is a word or the end of one; in a script so does the
// end of a line.
func runTxn(ctx context.Context, s *Shell, a *args) error {
	ws := a.rest[1:]
	if len(ws) < 2 || ws[0] != "{" || ws[len(ws)-1] != "}" {
		return usage{a.command()}
	}
	var ops [][]string
	var op []string
	end := func() {
		if len(op) > 0 {
			ops, op = append(ops, op), nil
		}
	}
	for _, w := range ws[1 : len(ws)-1] {
		bare, ends := strings.CutSuffix(w, ";")
		if bare != "" {
			op = append(op, bare)
		}
		if ends {
			end()
		}
	}
	end()
	if len(ops) == 0 {
		return usage{a.command()}
	}
	c, err := s.client(ctx, "")
	if err != nil {
		return err
	}
	tx := c.Multi()
	var made []*client.CreateResult
	for _, op := range ops {
		if err := s.addToTxn(tx, op, &made); err != nil {
			return err
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	for _, r := range made {
		fmt.Fprintln(s.err, "Created "+r.Path)
	}
	return nil
}

func (s *Shell) addToTxn(tx *client.Multi, op []string, made *[]*client.CreateResult) error {
	known := map[string]flags{"create": {"s", "e", "c", "t:"}, "set": {"v:"}, "delete": {"v:"}, "check": {"v:"}}
	f, ok := known[op[0]]
	if !ok {
		return refusal(fmt.Sprintf("%s cannot be in a transaction: create, set, delete and check can", op[0]))
	}
	a, err := f.parse(op)
	if err != nil {
		return err
	}
	v, err := version(a)
	if err != nil {
		return err
	}
	path := a.at(1)
	if err := checkPath(path + map[bool]string{true: "1"}[op[0] == "create" && a.has("s")]); err != nil {
		return err
	}
	switch op[0] {
	case "delete":
		tx.Delete(path, v)
	case "check":
		tx.Check(path, v)
	case "set":
		if a.n() < 2 {
			return refusal("set path data [-v version]")
		}
		tx.Set(path, []byte(a.at(2)), v)
	case "create":
		var data []byte
		if a.n() >= 2 {
			data = []byte(a.at(2))
		}
		var acl []zk.ACL
		if a.n() >= 3 {
			if acl = s.parseACL(a.at(3)); len(acl) == 0 {
				return &zk.Error{Op: "create", Path: path, Code: zk.InvalidACL}
			}
		}
		mode := zk.Persistent
		switch {
		case a.has("t"):
			ttl, err := strconv.ParseInt(a.value("t"), 10, 64)
			if err != nil || ttl <= 0 || ttl > zk.MaxTTL || a.has("e") || a.has("c") {
				return refusal("-t argument must be a long value")
			}
			mode = zk.PersistentTTL
			if a.has("s") {
				mode = zk.PersistentSequentialTTL
			}
			*made = append(*made, tx.CreateTTL(path, data, mode, time.Duration(ttl)*time.Millisecond, acl...))
			return nil
		case a.has("c"):
			mode = zk.Container
		case a.has("e") && a.has("s"):
			mode = zk.EphemeralSequential
		case a.has("e"):
			mode = zk.Ephemeral
		case a.has("s"):
			mode = zk.PersistentSequential
		}
		s.kept = s.kept || mode.IsEphemeral()
		*made = append(*made, tx.Create(path, data, mode, acl...))
	}
	return nil
}

// oneLine makes one line of those of a transaction.
func oneLine(text string) string {
	text = strings.TrimRight(text, "\r\n")
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", " ; ")
}
