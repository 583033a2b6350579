// Package wire is the client protocol: bytes to values and back, in both directions.
//
//	frame     int32 length | payload
//	client    first ConnectRequest, then Header{xid, opcode} | the operation's record
//	server    first ConnectResponse, then ReplyHeader{xid, zxid, err} | the reply's record, only if err is 0
//	notice    ReplyHeader{-1, zxid, 0} | WatcherEvent{type, state, path}
//
// One Go type per operation, in the file of its name; each has Append and the Decoder reads it. Nothing here knows what an
// operation means. Values that a Decoder returns alias the frame and are overwritten by its next call: whoever keeps one
// past the frame clones it.
//
// Where to start: OpCode, Decoder.Body, AppendReplyHeader.
package wire
