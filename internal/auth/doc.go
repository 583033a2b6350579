// Package auth decides who a connection is and what an access control list lets it do.
//
// It does not read sockets, certificates or password files, and keeps no connection: a connection's identities are a list
// that the caller holds and passes in, and gets back longer. TLS and the SASL exchange happen outside; their outcome, a
// subject or an authorization id, comes in through AddX509 and AddSasl.
//
//	token (an auth packet) --> Authenticate --> identities --> Allowed(acl of the znode, permission)?
//	                                                \--------> Fix(acl of the request) --> what is stored
//
// The schemes:
//
//	world    anyone; in lists only
//	ip       the address of the connection, given once at its start by IP; in lists with an optional /bits
//	digest   user:base64(hash of "user:password")
//	x509     the subject of a client certificate
//	sasl     the authorization id of a SASL login
//	auth     in requests only: stands for all authenticated identities of the caller
//	super    passes every check; never in lists
//	ensemble no identity at all: guards against talking to the wrong ensemble
//
// Invariants: a Rules never changes after New, so it may be shared; a list of identities has no duplicates if it was made by
// this package; no list passed in is written to, not even behind its length.
//
// Where to start: Rules.Allowed, the rule of section 6.2 of the client protocol, then Rules.Fix.
package auth
