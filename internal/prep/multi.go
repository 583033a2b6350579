package prep

import (
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// multi: client protocol, section 3.5. Each operation sees the effects of those before it. The first that fails undoes them
// all; it is then logged as its error and those behind it as RuntimeInconsistency.
func (p *Prep) multi(r *Request, m *wire.Multi, z zk.Zxid) (txn.Type, txn.Body) {
	for _, op := range m.Ops {
		if nullPath(op) { // 3.9.5: the whole request, with a bare header
			refuse(zk.MarshallingError)
		}
	}
	digest, queued := p.digest, len(p.queue)
	p.inMulti = true
	body := &txn.Multi{Subs: make([]txn.Sub, 0, len(m.Ops))}
	failed := false
	for _, op := range m.Ops {
		if failed {
			body.Subs = append(body.Subs, txn.Sub{Type: txn.TypeError, Body: &txn.Error{Code: zk.RuntimeInconsistency}})
			continue
		}
		t, b := p.sub(r, op, z)
		if t == txn.TypeCreate2 {
			// Apache before 3.8.2, as a member or reading the log, drops what follows a create2 without a word (ensemble protocol,
			// section 7.4). The change is the same; the answer goes by what was asked.
			t = txn.TypeCreate
			b.(*txn.Create).Type = t
		}
		failed = t == txn.TypeError
		body.Subs = append(body.Subs, txn.Sub{Type: t, Body: b})
	}
	tooLong := !failed && p.tooLong(body)
	if failed || tooLong {
		p.rollback(digest, queued)
	} else {
		for _, u := range p.undo {
			if u.rec != nil {
				u.rec.zxid = 0 // another is pending now
			}
		}
	}
	p.inMulti = false
	clear(p.undo)
	p.undo = p.undo[:0]
	if tooLong {
		refuse(zk.MarshallingError)
	}
	return txn.TypeMulti, body
}

// sub judges one operation of a multi; a refusal is its result.
func (p *Prep) sub(r *Request, op wire.Op, z zk.Zxid) (t txn.Type, b txn.Body) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case refusal:
			t, b = txn.TypeError, &txn.Error{Code: e.code}
		default:
			panic(e)
		}
	}()
	return p.single(r, op, z)
}

// rollback puts back, last first, what the multi replaced.
func (p *Prep) rollback(digest int64, queued int) {
	for i := len(p.undo) - 1; i >= 0; i-- {
		u := p.undo[i]
		if u.rec == nil {
			delete(p.pending, u.path)
		} else {
			p.pending[u.path] = u.rec
		}
	}
	p.digest = digest
	for _, q := range p.queue[queued:] {
		if q.owner != 0 {
			p.settle(q.owner)
		}
	}
	clear(p.queue[queued:])
	p.queue = p.queue[:queued]
}

// tooLong tells that the txn is longer than every reader of the log takes: an ACL "auth" grows to one entry for each
// identity, so a request within bounds can become a txn that is not.
func (p *Prep) tooLong(m *txn.Multi) bool {
	if p.cfg.MaxTxn <= 0 {
		return false
	}
	x := txn.Txn{Header: txn.Header{Type: txn.TypeMulti}, Body: m, HasDigest: true}
	return len(x.Append(nil)) > p.cfg.MaxTxn
}

func nullPath(op wire.Op) bool {
	switch op := op.(type) {
	case *wire.Create:
		return op.PathNull
	case *wire.Delete:
		return op.PathNull
	case *wire.SetData:
		return op.PathNull
	case *wire.Check:
		return op.PathNull
	}
	return false
}
