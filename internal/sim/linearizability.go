package sim

import (
	"fmt"

	"github.com/anishathalye/porcupine"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// register is what porcupine's model knows of a znode.
type register struct {
	exists  bool
	data    string
	version int32
}

// access is what was asked of a register, and what was answered.
type access struct {
	op   wire.Op
	code zk.Code
	data string // of a read
	ver  int32
	open bool // the answer is not known
}

var registers = porcupine.Model{
	Init: func() any { return register{} },
	Step: func(state, input, _ any) (bool, any) {
		r, a := state.(register), input.(*access)
		code := zk.OK
		next := r
		switch op := a.op.(type) {
		case *wire.Create:
			if r.exists {
				code = zk.NodeExists
			} else {
				next = register{true, string(op.Data), 0}
			}
		case *wire.SetData:
			switch {
			case !r.exists:
				code = zk.NoNode
			case op.Version != -1 && op.Version != r.version:
				code = zk.BadVersion
			default:
				next = register{true, string(op.Data), r.version + 1}
			}
		case *wire.Delete:
			if !r.exists {
				code = zk.NoNode
			} else {
				next = register{}
			}
		case *wire.GetData:
			if !r.exists {
				code = zk.NoNode
			} else if a.data != r.data || a.ver != r.version {
				return false, r
			}
		}
		return a.open || code == a.code, next
	},
}

// linearizable is Linearizability: of each register, the writes, and the reads right behind a sync, which is when they begin.
func (k *checks) linearizable() (histories, synced int) {
	w := k.w
	end := w.now + 1
	done := w.history.carried()
	for key := range w.Keys {
		path := fmt.Sprintf("/k%d", key)
		var ops []porcupine.Operation
		for _, a := range w.history.calls {
			if a.alone {
				continue
			}
			x := &access{op: a.op, code: a.code, open: a.returned < 0}
			called := a.called
			switch op := a.op.(type) {
			case *wire.Create:
				if op.Path != path {
					continue
				}
			case *wire.SetData:
				if op.Path != path {
					continue
				}
			case *wire.Delete:
				if op.Path != path {
					continue
				}
			case *wire.GetData:
				if op.Path != path || a.synced == 0 || x.open {
					continue
				}
				called = a.synced - 1
				x.data, x.ver = string(a.data), a.stat.Version
				synced++
			case *wire.Multi:
				// Its first part concerns the register, if the whole was done.
				set, ok := op.Ops[0].(*wire.SetData)
				if !ok || set.Path != path || !done[cause{a.session, a.xid}] {
					continue
				}
				x.op, x.code = set, zk.OK
			default:
				continue
			}
			if x.open && !done[cause{a.session, a.xid}] {
				continue // it never came to be, and never will
			}
			returned := a.returned
			if returned < 0 {
				returned = end
			}
			ops = append(ops, porcupine.Operation{ClientId: a.client, Input: x, Call: called, Return: returned})
		}
		if len(ops) == 0 {
			continue
		}
		histories++
		if !porcupine.CheckOperations(registers, ops) {
			w.fail("Linearizability", "the %d writes and synced reads of %s are those of no register", len(ops), path)
		}
	}
	return histories, synced
}
