package shell

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

func runCreate(ctx context.Context, s *Shell, a *args) error {
	if a.n() < 1 {
		return usage{a.command()}
	}
	e, q, cont := a.has("e"), a.has("s"), a.has("c")
	if cont && (e || q) {
		return refusal("-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.")
	}
	mode, ttl := zk.Persistent, int64(0)
	switch {
	case cont:
		mode = zk.Container
	case e && q:
		mode = zk.EphemeralSequential
	case e:
		mode = zk.Ephemeral
	case q:
		mode = zk.PersistentSequential
	}
	if a.has("t") {
		var err error
		if ttl, err = strconv.ParseInt(a.value("t"), 10, 64); err != nil {
			return refusal("-t argument must be a long value")
		}
		switch {
		case e:
			return refusal("TTLs cannot be used with Ephemeral znodes")
		case cont:
			return refusal("TTLs cannot be used with Container znodes")
		case ttl <= 0 || ttl > zk.MaxTTL:
			return refusal(fmt.Sprintf("ttl must be positive and cannot be larger than: %d", zk.MaxTTL))
		}
		mode = zk.PersistentTTL
		if q {
			mode = zk.PersistentSequentialTTL
		}
	}
	path := a.at(1)
	checked := path
	if q {
		checked += "1" // "/queue/" is fine: the server appends the number
	}
	if err := checkPath(checked); err != nil {
		return err
	}
	var data []byte
	if a.n() >= 2 {
		data = []byte(a.at(2))
	}
	var acl []zk.ACL
	if a.n() >= 3 {
		acl = s.parseACL(a.at(3))
		if len(acl) == 0 {
			fmt.Fprintln(s.err, "KeeperErrorCode = InvalidACL")
			return &zk.Error{Op: "create", Path: "null", Code: zk.InvalidACL}
		}
	}
	c, err := s.client(ctx, path)
	if err != nil {
		return err
	}
	var made string
	if mode.IsTTL() {
		made, _, err = c.CreateTTL(ctx, path, data, mode, time.Duration(ttl)*time.Millisecond, acl...)
	} else {
		made, _, err = c.Create(ctx, path, data, mode, acl...)
	}
	if errors.Is(err, zk.InvalidACL) { // zkCli says it twice
		fmt.Fprintln(s.err, "KeeperErrorCode = InvalidACL for "+path)
	}
	if err != nil {
		return err
	}
	s.kept = s.kept || mode.IsEphemeral()
	fmt.Fprintln(s.err, "Created "+made)
	return nil
}

// version is the value of -v, -1 without.
func version(a *args) (int32, error) {
	if !a.has("v") {
		return -1, nil
	}
	v, err := strconv.ParseInt(a.value("v"), 10, 32)
	if err != nil {
		return 0, refusal(fmt.Sprintf("For input string: %q", a.value("v")))
	}
	return int32(v), nil
}

func runSet(ctx context.Context, s *Shell, a *args) error {
	v, err := version(a)
	if err != nil {
		return err
	}
	c, path, err := s.at(ctx, a, 2)
	if err != nil {
		return err
	}
	if s.opt.Classic && a.n() >= 3 {
		old, err := strconv.ParseInt(a.at(3), 10, 32)
		if err != nil {
			return refusal(fmt.Sprintf("For input string: %q", a.at(3)))
		}
		v = int32(old)
	}
	data := []byte(a.at(2))
	if a.has("b") {
		if data, err = base64.StdEncoding.DecodeString(a.at(2)); err != nil {
			return refusal(err.Error())
		}
	}
	st, err := c.Set(ctx, path, data, v)
	if err != nil {
		return err
	}
	if a.has("s") || s.opt.Classic {
		return s.printStat(st)
	}
	return nil
}

// runDelete heeds the version of the 3.4 form: Apache's prints that the form is deprecated, and deletes whatever is there.
func runDelete(ctx context.Context, s *Shell, a *args) error {
	v, err := version(a)
	if err != nil {
		return err
	}
	c, path, err := s.at(ctx, a, 1)
	if err != nil {
		return err
	}
	if a.n() >= 2 {
		fmt.Fprintln(s.err, "'delete path [version]' has been deprecated. Please use 'delete [-v version] path' instead.")
		old, err := strconv.ParseInt(a.at(2), 10, 32)
		if err != nil {
			return refusal(fmt.Sprintf("For input string: %q", a.at(2)))
		}
		v = int32(old)
	}
	if a.has("dry-run") {
		found, st, err := c.Exists(ctx, path)
		switch {
		case err != nil:
			return err
		case !found:
			return &zk.Error{Op: "delete", Path: path, Code: zk.NoNode}
		case v != -1 && st.Version != v:
			return &zk.Error{Op: "delete", Path: path, Code: zk.BadVersion}
		case st.NumChildren > 0:
			return &zk.Error{Op: "delete", Path: path, Code: zk.NotEmpty}
		}
		fmt.Fprintln(s.out, "would delete "+path)
		return nil
	}
	return c.Delete(ctx, path, v)
}

func runRemoveRecursively(ctx context.Context, s *Shell, a *args) error {
	fmt.Fprintln(s.err, "The command 'rmr' has been deprecated. Please use 'deleteall' instead.")
	return runDeleteAll(ctx, s, a)
}

// deleteBatch is how many znodes one transaction deletes: as zkCli.
const deleteBatch = 1000

func runDeleteAll(ctx context.Context, s *Shell, a *args) error {
	size := deleteBatch
	if a.has("b") {
		n, err := strconv.ParseInt(a.value("b"), 10, 32)
		if err != nil {
			return refusal("-b argument must be an int value")
		}
		size = max(int(n), 1)
	}
	c, path, err := s.at(ctx, a, 1)
	if err != nil {
		return err
	}
	all, err := walk(ctx, c, path)
	if err != nil {
		return err
	}
	slices.Reverse(all) // children before parents
	if a.has("dry-run") {
		for _, n := range all {
			fmt.Fprintln(s.out, "would delete "+n.path)
		}
		return nil
	}
	if path == "/" {
		all = all[:len(all)-1] // all below it, but for what the server keeps
		all = slices.DeleteFunc(all, func(n node) bool { return isReserved(n.path) })
	}
	if deleteNodes(ctx, c, all, size) != nil {
		fmt.Fprintln(s.err, "Failed to delete some node(s) in the subtree!")
	}
	return nil
}

// isReserved tells whether a path is the server's own.
func isReserved(path string) bool {
	return path == "/zookeeper" || len(path) > len("/zookeeper/") && path[:len("/zookeeper/")] == "/zookeeper/"
}

// deleteNodes deletes in transactions of size, in the order given, and goes on after a failure. The error is the first.
func deleteNodes(ctx context.Context, c *client.Client, all []node, size int) error {
	var first error
	for part := range slices.Chunk(all, size) {
		tx := c.Multi()
		for _, n := range part {
			tx.Delete(n.path, -1)
		}
		err := tx.Commit(ctx)
		if errors.Is(err, zk.NoNode) { // somebody was faster: the rest one by one
			err = nil
			for _, n := range part {
				if e := c.Delete(ctx, n.path, -1); e != nil && !errors.Is(e, zk.NoNode) && err == nil {
					err = e
				}
			}
		}
		if err != nil && first == nil {
			first = err
		}
	}
	return first
}
