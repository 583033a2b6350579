package shell

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// Where quotas are kept (client protocol, section 3.13), and the text of one: "count=10,bytes=-1=;byteHardLimit=-1;countHardLimit=-1".
const (
	quotaRoot  = "/zookeeper/quota"
	limitsName = "zookeeper_limits"
	statsName  = "zookeeper_stats"
)

// quota is what a limits or a stats znode says; -1 is unset.
type quota struct{ count, bytes, hardBytes, hardCount int64 }

func parseQuota(text string) quota {
	q := quota{-1, -1, -1, -1}
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' }) {
		key, value, _ := strings.Cut(part, "=")
		n, err := strconv.ParseInt(strings.TrimRight(value, "="), 10, 64)
		if err != nil {
			continue
		}
		switch key {
		case "count":
			q.count = n
		case "bytes":
			q.bytes = n
		case "byteHardLimit":
			q.hardBytes = n
		case "countHardLimit":
			q.hardCount = n
		}
	}
	return q
}

func (q quota) limits() string {
	return fmt.Sprintf("count=%d,bytes=%d=;byteHardLimit=%d;countHardLimit=%d", q.count, q.bytes, q.hardBytes, q.hardCount)
}

func (q quota) stats() string { return fmt.Sprintf("count=%d,bytes=%d", q.count, q.bytes) }

func runSetQuota(ctx context.Context, s *Shell, a *args) error {
	var flag string
	for _, f := range []string{"n", "b", "N", "B"} {
		if a.has(f) {
			if flag != "" {
				return refusal(fmt.Sprintf("%sAlreadySelectedException: The option '%s' was specified but an option from this group has already been selected: '%s'", commonsCLI, f, flag))
			}
			flag = f
		}
	}
	if flag == "" {
		return refusal(commonsCLI + "MissingOptionException: Missing required option: [-n num soft quota, -b bytes soft quota, -N num hard quota, -B bytes hard quota]")
	}
	if a.n() < 1 {
		return usage{a.command()}
	}
	path := a.at(1)
	v, err := strconv.ParseInt(a.value(flag), 10, 64)
	if (flag == "n" || flag == "N") && (v > 1<<31-1 || v < -1<<31) { // an int there, a long for bytes
		err = strconv.ErrRange
	}
	switch {
	case err != nil:
		fmt.Fprintln(s.err, "NumberFormatException happens when parsing the option value")
		return nil
	case (flag == "n" || flag == "N") && v <= 0:
		fmt.Fprintln(s.err, "the num quota must be greater than zero")
		return nil
	case v < 0:
		fmt.Fprintln(s.err, "the bytes quota must be greater than or equal to zero")
		return nil
	}
	if strings.HasPrefix(path, quotaRoot) {
		return refusal("cannot set a quota under the path: " + quotaRoot)
	}
	if err := checkPath(path); err != nil {
		return err
	}
	c, err := s.client(ctx, path)
	if err != nil {
		return err
	}
	switch found, _, err := c.Exists(ctx, path); {
	case err != nil:
		return err
	case !found:
		return refusal(path + " does not exist.")
	}
	if err := onlyQuota(ctx, c, path); err != nil {
		return err
	}
	q := quota{-1, -1, -1, -1}
	set := func() {
		switch flag {
		case "n":
			q.count = v
		case "b":
			q.bytes = v
		case "N":
			q.hardCount = v
		case "B":
			q.hardBytes = v
		}
	}
	limits, stats := quotaRoot+path+"/"+limitsName, quotaRoot+path+"/"+statsName
	switch old, _, err := c.Get(ctx, limits); {
	case err == nil:
		q = parseQuota(string(old))
		set()
		if _, err := c.Set(ctx, limits, []byte(q.limits()), -1); err != nil {
			return err
		}
	case errors.Is(err, zk.NoNode):
		set()
		if err := ensure(ctx, c, quotaRoot+path); err != nil {
			return err
		}
		if _, _, err := c.Create(ctx, limits, []byte(q.limits()), zk.Persistent); err != nil {
			return err
		}
		if _, _, err := c.Create(ctx, stats, []byte(quota{count: 0, bytes: 0}.stats()), zk.Persistent); err != nil && !errors.Is(err, zk.NodeExists) {
			return err
		}
	default:
		return err
	}
	return s.warnQuota(ctx, c, stats, q)
}

// warnQuota says where a quota is exceeded from the start. The server counts when the stats znode is made.
func (s *Shell) warnQuota(ctx context.Context, c *client.Client, stats string, q quota) error {
	data, _, err := c.Get(ctx, stats)
	if err != nil {
		return err
	}
	used := parseQuota(string(data))
	exceeded := func(limit, used int64) bool { return limit > -1 && limit < used }
	if exceeded(q.count, used.count) || exceeded(q.hardCount, used.count) {
		fmt.Fprintf(s.out, "[Warning]: the count quota you create is less than the existing count:%d\n", used.count)
	}
	if exceeded(q.bytes, used.bytes) || exceeded(q.hardBytes, used.bytes) {
		fmt.Fprintf(s.out, "[Warning]: the bytes quota you create is less than the existing bytes:%d\n", used.bytes)
	}
	return nil
}

// onlyQuota refuses a quota below or above another.
func onlyQuota(ctx context.Context, c *client.Client, path string) error {
	for parent, _, ok := zk.SplitPath(path); ok && parent != "/"; parent, _, ok = zk.SplitPath(parent) {
		found, _, err := c.Exists(ctx, quotaRoot+parent+"/"+limitsName)
		if err != nil {
			return err
		}
		if found {
			return refusal(path + " has a parent " + parent + " which has a quota")
		}
	}
	all, err := walk(ctx, c, quotaRoot+strings.TrimSuffix(path, "/"))
	if errors.Is(err, zk.NoNode) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, n := range all {
		if child, name, _ := zk.SplitPath(n.path); name == limitsName && n.depth > 1 {
			return refusal(path + " has a child " + strings.TrimPrefix(child, quotaRoot) + " which has a quota")
		}
	}
	return nil
}

// ensure makes a path and what is missing above it.
func ensure(ctx context.Context, c *client.Client, path string) error {
	found, _, err := c.Exists(ctx, path)
	if found || err != nil || path == "/" {
		return err
	}
	parent, _, _ := zk.SplitPath(path)
	if err := ensure(ctx, c, parent); err != nil {
		return err
	}
	if _, _, err := c.Create(ctx, path, nil, zk.Persistent); err != nil && !errors.Is(err, zk.NodeExists) {
		return err
	}
	return nil
}

func runListQuota(ctx context.Context, s *Shell, a *args) error {
	c, path, err := s.at(ctx, a, 1)
	if err != nil {
		return err
	}
	limits := quotaRoot + path + "/" + limitsName
	fmt.Fprintln(s.err, "absolute path is "+limits)
	data, _, err := c.Get(ctx, limits)
	if errors.Is(err, zk.NoNode) {
		fmt.Fprintln(s.err, "quota for "+path+" does not exist.")
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Output quota for %s %s\n", path, parseQuota(string(data)).limits())
	used, _, err := c.Get(ctx, quotaRoot+path+"/"+statsName)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Output stat for %s %s\n", path, parseQuota(string(used)).stats())
	return nil
}

func runDelQuota(ctx context.Context, s *Shell, a *args) error {
	c, path, err := s.at(ctx, a, 1)
	if err != nil {
		return err
	}
	node := quotaRoot + path
	data, _, err := c.Get(ctx, node+"/"+limitsName)
	if errors.Is(err, zk.NoNode) {
		fmt.Fprintln(s.out, "Quota does not exist for "+path)
		return nil
	}
	if err != nil {
		return err
	}
	if len(a.set) > 0 {
		q := parseQuota(string(data))
		for f, part := range map[string]*int64{"n": &q.count, "b": &q.bytes, "N": &q.hardCount, "B": &q.hardBytes} {
			if a.has(f) {
				*part = -1
			}
		}
		_, err := c.Set(ctx, node+"/"+limitsName, []byte(q.limits()), -1)
		return err
	}
	tx := c.Multi()
	for _, name := range []string{limitsName, statsName} {
		tx.Delete(node+"/"+name, -1)
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	// What led to it goes too, as far as it leads to nothing else.
	for p := node; p != quotaRoot && c.Delete(ctx, p, -1) == nil; p, _, _ = zk.SplitPath(p) {
	}
	return nil
}
