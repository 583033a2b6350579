package admin

import "github.com/zooid-io/zooid/internal/wire"

// NoOp is the last operation of a connection that was answered nothing yet, whose counters were reset, or whose last
// answer was the refusal of a write or of an unknown operation.
const NoOp = "NA"

var lastOps = map[wire.OpCode]string{
	wire.OpPing: "PING", wire.OpCreateSession: "SESS", wire.OpCloseSession: "CLOS",
	wire.OpMulti: "MULT", wire.OpMultiRead: "MLTR",
	wire.OpCreate: "CREA", wire.OpCreate2: "CREA", wire.OpCreateContainer: "CREA", wire.OpCreateTTL: "CREA",
	wire.OpDelete: "DELE", wire.OpDeleteContainer: "DELE", wire.OpSetData: "SETD", wire.OpSetACL: "SETA",
	wire.OpReconfig: "RECO", wire.OpSync: "SYNC", wire.OpCheck: "CHEC",
	wire.OpExists: "EXIS", wire.OpGetData: "GETD", wire.OpGetACL: "GETA", wire.OpGetChildren: "GETC", wire.OpGetChildren2: "GETC",
	wire.OpGetAllChildrenNumber: "GETACN", wire.OpGetEphemerals: "GETE",
	wire.OpSetWatches: "SETW", wire.OpSetWatches2: "STW2", wire.OpAddWatch: "ADDW", wire.OpCheckWatches: "CHKW",
	wire.OpRemoveWatches: "REMW", wire.OpWhoAmI: "HOMI",
}

// LastOp is the name of an answered operation in cons (lop=), NoOp if it has none. A refused write is NoOp too: Apache names
// an operation only once it has begun to answer it, and a refusal comes before. A refused read has its name. The packets auth
// and sasl leave the last operation as it is.
func LastOp(op wire.OpCode) string {
	if s, ok := lastOps[op]; ok {
		return s
	}
	return NoOp
}
