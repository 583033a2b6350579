package prep

import (
	"github.com/zooid-io/zooid/internal/auth"
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/internal/session"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Config is what an operator can set of the judgement.
type Config struct {
	Rules             *auth.Rules
	ExtendedTypes     bool // TTL nodes may be made
	EnforceQuota      bool
	ReconfigEnabled   bool
	Ensemble          Ensemble       // nil of a server that stands alone
	EnsembleRules     ensemble.Rules // of reconfigurations
	CloseSessionPaths bool           // list the ephemerals in a closeSession txn
	Digest            bool           // predict digests
	MaxTxn            int            // bytes of an encoded txn that every reader of the log takes (jute.maxbuffer + extrasize)
}

// Prep prepares transactions. One belongs to one tree.
type Prep struct {
	cfg      Config
	tree     *tree.Tree
	sessions *session.Table
	last     zk.Zxid // of the last txn prepared
	digest   int64   // of the tree when all prepared txns are applied
	pending  map[string]*record
	underway map[zk.SessionID]*underway
	queue    []touched // in order of zxid; which paths each outstanding txn touched
	head     int
	undo     []undo // what the multi being prepared has replaced, if one is
	inMulti  bool
	free     []*record
	scratch  [2]record // a looked-up znode and its parent, when nothing about them is pending
}

// New prepares against t and s. The first zxid given is the one after the tree's last.
func New(cfg Config, t *tree.Tree, s *session.Table) *Prep {
	return &Prep{cfg: cfg, tree: t, sessions: s, last: t.LastZxid(), digest: t.Digest(), pending: map[string]*record{}, underway: map[zk.SessionID]*underway{}}
}

// Request is one write to judge. Strings and slices of Op end up in the txn: they must not alias memory that is reused.
type Request struct {
	Session zk.SessionID // 0 for the server itself
	Xid     int32
	Op      wire.Op // nil to have Code refused without looking
	Code    zk.Code // with a nil Op: the error, as for a multi that could not be decoded
	IDs     []zk.ID // identities of the connection
	Local   bool    // the session, if it is not known here, may be one that another table or server knows (localSessionsEnabled)
	Now     int64   // ms since 1970: becomes the txn's time
}

// LastZxid is the zxid of the last txn prepared.
func (p *Prep) LastZxid() zk.Zxid { return p.last }

// Outstanding is the number of znodes with changes not yet applied.
func (p *Prep) Outstanding() int { return len(p.pending) }

// refusal is a failed check.
type refusal struct{ code zk.Code }

// refuse unwinds to Prepare with a code. Only prep's own checks use it: it never leaves the package.
func refuse(code zk.Code) { panic(refusal{code}) }

// Prepare judges one request and gives the txn, which the caller must propose: it has taken the next zxid.
func (p *Prep) Prepare(r *Request) *txn.Txn {
	p.last++
	x := &txn.Txn{Header: txn.Header{Session: r.Session, Cxid: r.Xid, Zxid: p.last, Time: r.Now}}
	if r.Op == nil {
		x.Type, x.Body = txn.TypeError, &txn.Error{Code: r.Code}
		return x
	}
	x.Type, x.Body = p.judge(r, p.last)
	// Readers tell a closeSession without a list by the end of the record: no digest may stand behind it.
	if c, ok := x.Body.(*txn.CloseSession); ok && !c.HasPaths {
		return x
	}
	if x.Type != txn.TypeError && p.cfg.Digest {
		x.HasDigest, x.Digest = true, p.digest
	}
	return x
}

// judge runs the checks of one operation; a refusal becomes an error txn. Checks come before changes in every operation, so
// a refusal leaves the overlay as it was; only a multi has to undo.
func (p *Prep) judge(r *Request, z zk.Zxid) (t txn.Type, b txn.Body) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case refusal:
			t, b = txn.TypeError, &txn.Error{Code: e.code}
		default:
			panic(e)
		}
	}()
	if m, ok := r.Op.(*wire.Multi); ok {
		return p.multi(r, m, z)
	}
	return p.single(r, r.Op, z)
}

func (p *Prep) single(r *Request, op wire.Op, z zk.Zxid) (txn.Type, txn.Body) {
	switch op := op.(type) {
	case *wire.Create:
		return p.create(r, op, z)
	case *wire.Delete:
		return p.delete(r, op, z)
	case *wire.SetData:
		return p.setData(r, op, z)
	case *wire.SetACL:
		return p.setACL(r, op, z)
	case *wire.Check:
		return p.check(r, op)
	case *wire.Reconfig:
		return p.reconfig(r, op, z)
	case *CreateSession:
		p.note(r.Session, z).begins = true
		return txn.TypeCreateSession, &txn.CreateSession{TimeOut: op.TimeOut}
	case *wire.CloseSession:
		return p.closeSession(r, z)
	case *DeleteContainer:
		return p.deleteContainer(r, op, z)
	}
	refuse(zk.Unimplemented)
	return 0, nil
}

// Applied tells that the tree has reached zxid z: what was outstanding for it is dropped from the overlay.
func (p *Prep) Applied(z zk.Zxid) {
	for p.head < len(p.queue) && p.queue[p.head].zxid <= z {
		q := &p.queue[p.head]
		if q.owner != 0 {
			p.settle(q.owner)
		} else {
			rec := q.rec
			if rec.zxid == 0 { // a multi put another in its place
				rec = p.pending[q.path]
			}
			if rec != nil && rec.zxid == q.zxid {
				delete(p.pending, q.path)
				p.release(rec)
			}
		}
		*q = touched{}
		p.head++
	}
	if p.head == len(p.queue) {
		p.queue, p.head = p.queue[:0], 0
		if p.cfg.Digest && p.last == z {
			invariant.Check(p.digest == p.tree.Digest(), invariant.PrefixConsistency,
				"digest after %v was predicted as %d and is %d", z, p.digest, p.tree.Digest())
		}
	} else if p.head > 4096 && p.head > len(p.queue)/2 {
		p.queue = append(p.queue[:0], p.queue[p.head:]...)
		p.head = 0
	}
}

// alive refuses a session that has ended or is ending. One whose own txn is outstanding lives. It tells whether the session is known
// here, and can own znodes: a local one is not.
func (p *Prep) alive(r *Request) (known bool) {
	if r.Session == 0 {
		return true
	}
	u := p.underway[r.Session]
	known = p.sessions.Known(r.Session) || (u != nil && u.begins)
	if !known && !r.Local || p.sessions.IsClosing(r.Session) || (u != nil && u.ends) {
		refuse(zk.SessionExpired)
	}
	return known
}

// allow refuses unless the connection's identities may do want on the znode.
func (p *Prep) allow(r *Request, rec *record, want zk.Perm) {
	if rec.open {
		return
	}
	if !p.cfg.Rules.Allowed(rec.acl, want, r.IDs) {
		refuse(zk.NoAuth)
	}
}

// version refuses unless want is -1 or the version at hand.
func version(want, have int32) {
	if want != -1 && want != have {
		refuse(zk.BadVersion)
	}
}
