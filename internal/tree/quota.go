package tree

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	limitsName = "zookeeper_limits"
	statsName  = "zookeeper_stats"
)

// Quota is the limits of a subtree and what it uses of them.
type Quota struct {
	Prefix    string // the root of the subtree
	Limits    QuotaNumbers
	LimitsErr error // why Limits could not be read, or nil
	Usage     QuotaNumbers
}

// QuotaNumbers is what a zookeeper_limits or zookeeper_stats node holds; -1 is unset.
type QuotaNumbers struct {
	Count, Bytes         int64 // znodes, the prefix itself among them; bytes of data
	CountHard, BytesHard int64
}

// quotaTrie is the set of paths that have a zookeeper_limits node.
type quotaTrie struct {
	top quotaNode
	n   int
}

type quotaNode struct {
	children map[string]*quotaNode
	limited  bool
}

func (q *quotaTrie) add(path string) {
	at := &q.top
	for name := range strings.SplitSeq(path[1:], "/") {
		next := at.children[name]
		if next == nil {
			if at.children == nil {
				at.children = map[string]*quotaNode{}
			}
			next = &quotaNode{}
			at.children[strings.Clone(name)] = next
		}
		at = next
	}
	if !at.limited {
		at.limited = true
		q.n++
	}
}

func (q *quotaTrie) remove(path string) {
	if q.top.remove(strings.Split(path[1:], "/")) {
		q.n--
	}
}

// remove takes the mark off the node at names, and the nodes that then hold nothing. It tells whether there was a mark. The
// depth is that of a quota, not of the tree.
func (q *quotaNode) remove(names []string) bool {
	if len(names) == 0 {
		was := q.limited
		q.limited = false
		return was
	}
	next := q.children[names[0]]
	if next == nil {
		return false
	}
	was := next.remove(names[1:])
	if !next.limited && len(next.children) == 0 {
		delete(q.children, names[0])
	}
	return was
}

func (q *quotaTrie) has(path string) bool {
	prefix, ok := q.deepest(path)
	return ok && prefix == path
}

// deepest is the longest prefix of path, by components, that is in the set. It may be path itself; it is never the root.
func (q *quotaTrie) deepest(path string) (prefix string, ok bool) {
	if q.n == 0 || len(path) < 2 || path[0] != '/' {
		return "", false
	}
	at, from := &q.top, 1
	for {
		to := strings.IndexByte(path[from:], '/')
		if to < 0 {
			to = len(path)
		} else {
			to += from
		}
		if at = at.children[path[from:to]]; at == nil {
			return prefix, ok
		}
		if at.limited {
			prefix, ok = path[:to], true
		}
		if to == len(path) {
			return prefix, ok
		}
		from = to + 1
	}
}

// quotaOwner is the path whose quota the znode called name below parent tells of: what follows /zookeeper/quota, by
// components. The quota root itself, /zookeeper/quota/zookeeper_limits, is of no path: an ordinary znode.
func quotaOwner(parent, name string) (path string, ok bool) {
	if name != limitsName && name != statsName {
		return "", false
	}
	path, ok = strings.CutPrefix(parent, quotaPath)
	return path, ok && len(path) > 1 && path[0] == '/'
}

// quotaCreated keeps the books after the create of the znode at path, of size bytes.
func (t *Tree) quotaCreated(path, parent, name string, size int) {
	if owner, ok := quotaOwner(parent, name); ok {
		if name == limitsName {
			t.quotas.add(owner)
		} else {
			t.recount(owner)
		}
	}
	t.quotaMoved(path, 1, int64(size))
}

// quotaDeleted keeps the books after the delete of the znode at path, of size bytes.
func (t *Tree) quotaDeleted(path, parent, name string, size int) {
	if owner, ok := quotaOwner(parent, name); ok && name == limitsName {
		t.quotas.remove(owner)
	}
	t.quotaMoved(path, -1, -int64(size))
}

// quotaMoved adds to what the deepest quota above path uses. Outer ones are left alone, as upstream. A zookeeper_stats node
// that somebody wrote something else into is counted anew.
func (t *Tree) quotaMoved(path string, count, bytes int64) {
	prefix, ok := t.quotas.deepest(path)
	if !ok {
		return
	}
	n := t.Find(quotaPath + prefix + "/" + statsName)
	if n == 0 {
		return
	}
	pairs, err := parseQuota(t.Data(n))
	if err != nil {
		t.recount(prefix)
		return
	}
	pairs.add("count", count)
	pairs.add("bytes", bytes)
	t.setUsage(n, pairs)
}

// recount writes into the zookeeper_stats node of path, if there is one, what the subtree really holds.
func (t *Tree) recount(path string) {
	if n := t.Find(quotaPath + path + "/" + statsName); n != 0 {
		count, bytes := t.usage(path)
		t.setUsage(n, quotaPairs{{"count", count}, {"bytes", bytes}})
	}
}

func (t *Tree) usage(path string) (count, bytes int64) {
	top := t.Find(path)
	for n := top; n != 0; n = t.following(n, top) {
		count++
		bytes += int64(max(t.at(n).dataLen, 0))
	}
	return count, bytes
}

// setUsage changes data alone: no version, no time, no notice. It is below /zookeeper, so the digest does not move.
func (t *Tree) setUsage(n Node, pairs quotaPairs) {
	t.touch(n)
	r := t.at(n)
	t.dataSize -= int64(max(r.dataLen, 0))
	t.replaceData(r, pairs.text())
	t.dataSize += int64(r.dataLen)
}

// QuotaOf is the deepest quota over path, which may be that of path itself. There is none where the zookeeper_limits or the
// zookeeper_stats node is missing.
func (t *Tree) QuotaOf(path string) (Quota, bool) {
	prefix, ok := t.quotas.deepest(path)
	if !ok {
		return Quota{}, false
	}
	limits, stats := t.Find(quotaPath+prefix+"/"+limitsName), t.Find(quotaPath+prefix+"/"+statsName)
	if limits == 0 || stats == 0 {
		return Quota{}, false
	}
	q := Quota{Prefix: prefix}
	pairs, err := parseQuota(t.Data(limits))
	q.Limits, q.LimitsErr = pairs.numbers(), err
	pairs, err = parseQuota(t.Data(stats))
	if err != nil {
		count, bytes := t.usage(prefix)
		pairs = quotaPairs{{"count", count}, {"bytes", bytes}}
	}
	q.Usage = pairs.numbers()
	return q, true
}

// Quotas is the paths that have limits, sorted.
func (t *Tree) Quotas() []string {
	var paths []string
	var walk func(q *quotaNode, path string)
	walk = func(q *quotaNode, path string) {
		if q.limited {
			paths = append(paths, path)
		}
		for name, next := range q.children {
			walk(next, path+"/"+name)
		}
	}
	walk(&t.quotas.top, "")
	slices.Sort(paths)
	return paths
}

// quotaPairs is what a limits or stats node says, keys once each.
type quotaPairs []quotaPair

type quotaPair struct {
	key   string
	value int64
}

// parseQuota reads "count=1,bytes=2=;byteHardLimit=3" (StatsTrack upstream): pairs are apart by runs of , and ;, what comes
// after a second = is ignored, an empty value before one is -1, the last of equal keys counts. Null is an error.
func parseQuota(data []byte) (quotaPairs, error) {
	if data == nil {
		return nil, errors.New("quota is null")
	}
	text := strings.TrimRight(string(data), ",;")
	if text == "" {
		return nil, nil
	}
	var pairs quotaPairs
	for _, field := range splitRuns(text) {
		key, value, ok := strings.Cut(strings.TrimRight(field, "="), "=")
		if !ok {
			return nil, fmt.Errorf("quota %q: %q is not key=value", data, field)
		}
		value, _, _ = strings.Cut(value, "=")
		v := int64(-1)
		if value != "" {
			var err error
			if v, err = strconv.ParseInt(value, 10, 64); err != nil {
				return nil, fmt.Errorf("quota %q: %q is not a number", data, value)
			}
		}
		pairs = append(pairs, quotaPair{key, v})
	}
	return pairs.last(), nil
}

// last leaves the last of equal keys. There may be as many as a znode has room for, and whoever may write it could have the server
// compare each with each.
func (p quotaPairs) last() quotaPairs {
	slices.SortStableFunc(p, func(x, y quotaPair) int { return cmp.Compare(x.key, y.key) })
	kept := p[:0]
	for i, q := range p {
		if i+1 == len(p) || p[i+1].key != q.key {
			kept = append(kept, q)
		}
	}
	return kept
}

// splitRuns cuts text at runs of , and ;.
func splitRuns(text string) []string {
	var fields []string
	from := 0
	for i := 0; i < len(text); i++ {
		if text[i] != ',' && text[i] != ';' {
			continue
		}
		fields = append(fields, text[from:i])
		for i+1 < len(text) && (text[i+1] == ',' || text[i+1] == ';') {
			i++
		}
		from = i + 1
	}
	return append(fields, text[from:])
}

func (p quotaPairs) get(key string) int64 {
	for _, q := range p {
		if q.key == key {
			return q.value
		}
	}
	return -1
}

func (p *quotaPairs) set(key string, value int64) {
	for i := range *p {
		if (*p)[i].key == key {
			(*p)[i].value = value
			return
		}
	}
	*p = append(*p, quotaPair{key, value})
}

func (p *quotaPairs) add(key string, d int64) { p.set(key, p.get(key)+d) }

func (p quotaPairs) numbers() QuotaNumbers {
	return QuotaNumbers{Count: p.get("count"), Bytes: p.get("bytes"), CountHard: p.get("countHardLimit"), BytesHard: p.get("byteHardLimit")}
}

// text is the canonical form: count and bytes, then the rest by key, behind an extra = that keeps readers before 3.7 from
// looking there.
func (p quotaPairs) text() []byte {
	b := append(make([]byte, 0, 32), "count="...)
	b = strconv.AppendInt(b, p.get("count"), 10)
	b = append(b, ",bytes="...)
	b = strconv.AppendInt(b, p.get("bytes"), 10)
	rest := slices.DeleteFunc(slices.Clone(p), func(q quotaPair) bool { return q.key == "count" || q.key == "bytes" })
	slices.SortFunc(rest, func(x, y quotaPair) int { return cmp.Compare(x.key, y.key) })
	if len(rest) > 0 {
		b = append(b, '=')
	}
	for _, q := range rest {
		b = append(append(append(b, ';'), q.key...), '=')
		b = strconv.AppendInt(b, q.value, 10)
	}
	return b
}
