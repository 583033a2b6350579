package auth

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zooid-io/zooid/zk"
)

// ErrEnsemble says that a client came to the wrong ensemble. Its connection is closed without an answer, so that it tries
// another server; after any other error of Authenticate AuthFailed is answered first.
var ErrEnsemble = errors.New("the client expects another ensemble")

// Authenticate serves an auth packet: it gives the identities of the connection with what was gained, without duplicates.
// The ids passed in stay as they are. Every error but ErrEnsemble is an AuthFailed with a reason, which must not be shown to
// clients but may be logged: it holds no secret. A nil token is null.
func (r *Rules) Authenticate(scheme string, schemeNull bool, token []byte, ids []zk.ID) ([]zk.ID, error) {
	if schemeNull || !r.exists(scheme) {
		return ids, failed("no such scheme")
	}
	switch scheme {
	case ip: // the identity is there since the connection began
		return ids, nil
	case digest:
		return r.addDigest(token, ids)
	case x509: // the certificate was looked at when TLS began; all that can be done is to look whether it held
		if slices.ContainsFunc(ids, func(id zk.ID) bool { return id.Scheme == x509 }) {
			return ids, nil
		}
		return ids, failed("the connection has no certificate")
	case ensemble:
		if len(token) == 0 || r.ensembles == nil || slices.Contains(r.ensembles, text(token)) {
			return ids, nil
		}
		return ids, ErrEnsemble
	}
	return ids, failed("the scheme is not for auth packets") // sasl has its own packets
}

func failed(why string) error { return fmt.Errorf("%w: %s", zk.AuthFailed, why) }

func (r *Rules) addDigest(token []byte, ids []zk.ID) ([]zk.ID, error) {
	if token == nil {
		return ids, failed("no credential")
	}
	id, err := Digest(r.alg, text(token))
	if err != nil {
		return ids, failed(err.Error())
	}
	if r.c.SuperDigest != "" && subtle.ConstantTimeCompare([]byte(id), []byte(r.c.SuperDigest)) == 1 {
		ids = add(ids, zk.ID{Scheme: super})
	}
	return add(ids, zk.ID{Scheme: digest, ID: id}), nil
}

// AddX509 adds the identity of a client certificate that was verified. subject is its RFC 2253 text.
func (r *Rules) AddX509(subject string, ids []zk.ID) []zk.ID {
	if r.c.X509SuperUser != "" && subject == r.c.X509SuperUser {
		ids = add(ids, zk.ID{Scheme: super, ID: subject})
	}
	return add(ids, zk.ID{Scheme: x509, ID: subject})
}

// AddSasl adds the identity of a completed SASL login.
func (r *Rules) AddSasl(authzid string, ids []zk.ID) []zk.ID {
	ids = add(ids, zk.ID{Scheme: sasl, ID: authzid})
	if authzid != "" && slices.Contains(r.c.SaslSuperUsers, authzid) {
		ids = add(ids, zk.ID{Scheme: super})
	}
	return ids
}

// add gives ids with id, in memory of its own if it had to grow: requests in flight still hold the old list.
func add(ids []zk.ID, id zk.ID) []zk.ID {
	if slices.Contains(ids, id) {
		return ids
	}
	return append(slices.Clip(ids), id)
}

// Shown lists the identities as whoAmI answers them: the user of a digest without the hash, nothing of a super user.
func (r *Rules) Shown(ids []zk.ID) []zk.ID {
	out := make([]zk.ID, len(ids))
	for i, id := range ids {
		switch {
		case !r.exists(id.Scheme):
			id.ID = ""
		case id.Scheme == digest:
			id.ID, _, _ = strings.Cut(id.ID, ":")
		}
		out[i] = id
	}
	return out
}
