package auth

import (
	"slices"
	"strings"

	"github.com/zooid-io/zooid/zk"
)

// Allowed tells whether a connection with these identities has any of the permissions in want on a znode with this list
// (client protocol, section 6.2). Nothing is implied by being the creator, and nothing is inherited.
func (r *Rules) Allowed(acl []zk.ACL, want zk.Perm, ids []zk.ID) bool {
	if r.c.SkipACL || len(acl) == 0 {
		return true
	}
	for i := range ids {
		if ids[i].Scheme == super {
			return true
		}
	}
	for i := range acl {
		a := &acl[i]
		if a.Perms&want == 0 {
			continue
		}
		if a.ID.Scheme == world {
			if a.ID.ID == anyone {
				return true
			}
			continue
		}
		if !r.exists(a.ID.Scheme) {
			continue
		}
		for j := range ids {
			if ids[j].Scheme == a.ID.Scheme && r.matches(a.ID.Scheme, ids[j].ID, a.ID.ID) {
				return true
			}
		}
	}
	return false
}

// matches tells whether the identity id of a connection is meant by pattern, both of the scheme.
func (r *Rules) matches(scheme, id, pattern string) bool {
	switch scheme {
	case ip:
		return matchesIP(id, pattern)
	case digest:
		return id == pattern
	case x509:
		return id == pattern || r.c.X509SuperUser != "" && id == r.c.X509SuperUser
	case sasl:
		return id == pattern || id == "super" || r.c.LetAnySaslUserDoX != "" && pattern == r.c.LetAnySaslUserDoX
	}
	return false
}

// Fix makes of the list in a request the one to store: duplicates go, "auth" becomes the caller's authenticated identities,
// everything else must be well-formed in a scheme that exists. The code is OK or InvalidACL. A list without need for change
// is returned as it is.
func (r *Rules) Fix(acl []zk.ACL, ids []zk.ID) ([]zk.ACL, zk.Code) {
	if len(acl) == 1 && acl[0].ID == (zk.ID{Scheme: world, ID: anyone}) {
		return acl, zk.OK
	}
	acl = unique(acl)
	if len(acl) == 0 {
		return nil, zk.InvalidACL
	}
	expand := false
	for i := range acl {
		switch id := acl[i].ID; {
		case id.Scheme == auth:
			expand = true
		case id.Scheme == world && id.ID == anyone:
		case !r.valid(id):
			return nil, zk.InvalidACL
		}
	}
	if !expand {
		return acl, zk.OK
	}
	out := make([]zk.ACL, 0, len(acl)+len(ids))
	for _, a := range acl {
		if a.ID.Scheme != auth {
			out = append(out, a)
			continue
		}
		before := len(out)
		for _, id := range ids {
			if r.authenticated(id.Scheme) {
				out = append(out, zk.ACL{Perms: a.Perms, ID: id})
			}
		}
		if len(out) == before {
			return nil, zk.InvalidACL
		}
	}
	return out, zk.OK
}

// authenticated tells whether identities of the scheme are proven, so that "auth" may stand for them. An address is not, and
// super has no list to stand in.
func (r *Rules) authenticated(scheme string) bool {
	return (scheme == digest || scheme == x509 || scheme == sasl) && r.exists(scheme)
}

// valid tells whether id may stand in a list, world and auth apart.
func (r *Rules) valid(id zk.ID) bool {
	if !r.exists(id.Scheme) {
		return false
	}
	switch id.Scheme {
	case ip:
		return validIP(id.ID)
	case digest:
		return validDigest(id.ID)
	case x509:
		return validDN(id.ID)
	case sasl:
		return validKerberos(id.ID)
	}
	return false
}

// unique drops entries that equal an earlier one. The list itself is returned where there is none.
func unique(acl []zk.ACL) []zk.ACL {
	const few = 16 // below this, comparing all with all is cheapest; a request may hold tens of thousands
	dup := func(i int) bool { return slices.Contains(acl[:i], acl[i]) }
	if len(acl) > few {
		seen := make(map[zk.ACL]int, len(acl))
		for i, a := range acl {
			if _, ok := seen[a]; !ok {
				seen[a] = i
			}
		}
		if len(seen) == len(acl) {
			return acl
		}
		dup = func(i int) bool { return seen[acl[i]] < i }
	}
	first := 0
	for first < len(acl) && !dup(first) {
		first++
	}
	if first == len(acl) {
		return acl
	}
	out := slices.Clone(acl[:first])
	for i := first + 1; i < len(acl); i++ {
		if !dup(i) {
			out = append(out, acl[i])
		}
	}
	return out
}

// Redact gives the list as getACL answers it: the hashes of digests are for those who hold ADMIN (CVE-2019-0201), others see
// "user:x". The list itself is returned where there is nothing to hide.
func (r *Rules) Redact(acl []zk.ACL, ids []zk.ID) []zk.ACL {
	if !slices.ContainsFunc(acl, func(a zk.ACL) bool { return a.ID.Scheme == digest }) || r.Allowed(acl, zk.PermAdmin, ids) {
		return acl
	}
	out := slices.Clone(acl)
	for i, a := range out {
		if user, _, ok := strings.Cut(a.ID.ID, ":"); ok && a.ID.Scheme == digest {
			out[i].ID.ID = user + ":x"
		}
	}
	return out
}
