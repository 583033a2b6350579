package tree

import (
	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// Apply does what x says and advances LastZxid to x.Zxid, which must be higher. It tells what the client is to be answered
// and appends to ch what happened to which znode, in the order of the notices. Paths and data in both alias x.
//
// prep lets no transaction through that cannot be applied. A log or a leader of another make may: then the result has a code,
// nothing is reported, and the tree changes as Replay would change it. If x has a digest, it is compared with the tree's; see
// DigestMismatches.
func (t *Tree) Apply(x *txn.Txn, ch []txn.Change) (txn.Result, []txn.Change) {
	if x.Zxid <= t.lastZxid { // tested here too, as the arguments of Check cost an allocation
		invariant.Check(false, invariant.TotalOrder, "txn %v applied after %v", x.Zxid, t.lastZxid)
	}
	t.report, t.out = true, ch
	res := t.do(x)
	t.report, ch, t.out = false, t.out, nil
	t.lastZxid = x.Zxid
	if x.HasDigest && !t.opt.NoDigest && x.Digest != t.digest {
		if t.mismatches == 0 {
			t.firstMismatch = Mismatch{x.Zxid, x.Digest, t.digest}
		}
		t.mismatches++
	}
	t.checkNow()
	return res, ch
}

// Replay does what x says to a tree whose znodes are of different moments, as snapshots upstream are: x may have happened to
// some of them already. What does not fit is left out by the rules below (section 5.1 of the storage reference), and after
// the last transaction that the snapshot may have seen, the tree is right. Digests are not compared.
//
//	create    parent missing: nothing. Znode there: it gets the ACL, and for type create the parent's cversion and pzxid rise.
//	delete    parent missing: nothing. Znode missing: the parent's pzxid rises. Children there: they go too, their creates follow.
//	setData, setACL    znode missing: nothing. Else unconditionally.
func (t *Tree) Replay(x *txn.Txn) {
	t.do(x)
	t.lastZxid = max(t.lastZxid, x.Zxid)
	t.checkNow()
}

// checkNow is Check, not so often that it hurts.
func (t *Tree) checkNow() {
	if invariant.Costly && (t.NodeCount() < 300 || t.lastZxid%1024 == 0) {
		err := t.Check()
		invariant.Check(err == nil, invariant.TreeShape, "after %v: %v", t.lastZxid, err)
	}
}

func (t *Tree) do(x *txn.Txn) txn.Result {
	switch b := x.Body.(type) {
	case *txn.Multi:
		return t.multi(x, b)
	case *txn.CloseSession:
		t.closeSession(x, b)
		return txn.Result{Type: x.Type}
	}
	return t.one(&x.Header, x.Type, x.Body)
}

// one applies a body that may also stand in a multi; kind is the type of the entry.
func (t *Tree) one(h *txn.Header, kind txn.Type, body txn.Body) txn.Result {
	switch b := body.(type) {
	case *txn.Create:
		return t.create(h, kind, b)
	case *txn.Delete:
		if code := t.delete(b.Path, h.Zxid); code != zk.OK {
			return failed(code)
		}
		return txn.Result{Type: kind}
	case *txn.SetData:
		return t.setData(h, kind, b)
	case *txn.SetACL:
		return t.setACL(h, kind, b)
	case *txn.Error:
		return failed(b.Code)
	case *txn.Check, *txn.CreateSession:
		return txn.Result{Type: kind}
	}
	return failed(zk.Unimplemented) // a session's end within a multi: nobody writes that
}

func failed(code zk.Code) txn.Result { return txn.Result{Type: txn.TypeError, Code: code} }

// multi applies all or, if an entry is an error, nothing: then the entries before it read OK and those behind it
// RuntimeInconsistency.
func (t *Tree) multi(x *txn.Txn, m *txn.Multi) txn.Result {
	res := txn.Result{Type: x.Type, Subs: make([]txn.Result, len(m.Subs))}
	if m.Failed() {
		rest := zk.OK
		for i, s := range m.Subs {
			res.Subs[i] = failed(rest)
			if e, ok := s.Body.(*txn.Error); ok {
				res.Subs[i].Code = e.Code
				rest = zk.RuntimeInconsistency
			}
		}
		return res
	}
	for i, s := range m.Subs {
		res.Subs[i] = t.one(&x.Header, s.Type, s.Body)
		if k := res.Subs[i].Type; k == txn.TypeCreateContainer || k == txn.TypeCreateTTL {
			res.Subs[i].Type = txn.TypeCreate2 // as OpResult upstream calls every create that answers with a Stat
		}
	}
	return res
}

// closeSession deletes what the transaction lists, in that order, and then what else the session owns.
func (t *Tree) closeSession(x *txn.Txn, c *txn.CloseSession) {
	for _, path := range c.Paths {
		t.delete(path, x.Zxid)
	}
	for _, path := range t.Ephemerals(x.Session) {
		t.delete(path, x.Zxid)
	}
	invariant.Check(t.owners.sessions[x.Session] == 0, invariant.EphemeralsEnd, "session %v owns znodes after its end at %v", x.Session, x.Zxid)
}

// notice collects a change for Apply.
func (t *Tree) notice(c txn.Change) {
	if t.report {
		t.out = append(t.out, c)
	}
}
