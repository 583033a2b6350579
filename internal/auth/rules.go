package auth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zooid-io/zooid/zk"
)

// The schemes.
const (
	world    = "world"
	anyone   = "anyone"
	ip       = "ip"
	digest   = "digest"
	x509     = "x509"
	sasl     = "sasl"
	auth     = "auth"
	super    = "super"
	ensemble = "ensemble"
)

// Config is what an operator may set. The zero value is Apache's default: the schemes world, ip and digest, SHA1, no super
// user.
type Config struct {
	SuperDigest       string   // "super:base64": the digest identity that is the super user; "" is none
	NoDigest          bool     // the scheme digest does not exist
	DigestAlg         string   // by Java's name: MD5, SHA1, SHA-256...; "" is SHA1
	SkipACL           bool     // everybody may do everything
	LetAnySaslUserDoX string   // an id in lists that stands for every sasl identity; "" is none
	X509SuperUser     string   // the subject that is the super user; "" is none
	SaslSuperUsers    []string // the authorization ids that are the super user
	EnsembleName      string   // the names, comma separated, that the scheme ensemble accepts; "" accepts all
	HasEnsemble       bool     // the scheme ensemble exists
	Enforce           []string // a connection must hold an identity of one of these schemes; empty is no enforcement
	X509, Sasl        bool     // the scheme exists
}

// Rules is a checked Config. It is immutable.
type Rules struct {
	c         Config
	alg       string
	ensembles []string // nil accepts all
}

// New checks c. An error says which setting is wrong: the server must not start with it.
func New(c Config) (*Rules, error) {
	r := &Rules{c: c, alg: c.DigestAlg}
	if r.alg == "" {
		r.alg = "SHA1"
	}
	if hasher(r.alg) == nil {
		return nil, fmt.Errorf("unknown digest algorithm %q", c.DigestAlg)
	}
	for _, s := range c.Enforce {
		if !r.exists(s) {
			return nil, fmt.Errorf("authentication scheme %q is enforced but not available", s)
		}
	}
	if c.EnsembleName != "" {
		for name := range strings.SplitSeq(c.EnsembleName, ",") {
			r.ensembles = append(r.ensembles, strings.TrimSpace(name))
		}
	}
	return r, nil
}

// exists tells whether connections can hold the scheme, or pass it: whether it has a provider, in Apache's words.
func (r *Rules) exists(scheme string) bool {
	switch scheme {
	case ip:
		return true
	case digest:
		return !r.c.NoDigest
	case x509:
		return r.c.X509
	case sasl:
		return r.c.Sasl
	case ensemble:
		return r.c.HasEnsemble
	}
	return false
}

// Admits tells whether a connection with these identities may ask for anything beyond auth and sasl (client protocol,
// section 6.9). If not, it is answered with SessionClosedRequireSaslAuth and closed.
func (r *Rules) Admits(ids []zk.ID) bool {
	if len(r.c.Enforce) == 0 {
		return true
	}
	return slices.ContainsFunc(ids, func(id zk.ID) bool { return slices.Contains(r.c.Enforce, id.Scheme) })
}

// EnforcesSasl tells whether sasl is among the enforced schemes: a failed SASL login is then answered with
// SessionClosedRequireSaslAuth, and never let through.
func (r *Rules) EnforcesSasl() bool { return slices.Contains(r.c.Enforce, sasl) }
