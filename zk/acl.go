package zk

// Perm is a set of permissions.
type Perm int32

// The permissions.
const (
	PermRead   Perm = 1
	PermWrite  Perm = 2
	PermCreate Perm = 4
	PermDelete Perm = 8
	PermAdmin  Perm = 16
	PermAll    Perm = 31
)

// ID is an identity, or a pattern of identities, within a scheme.
type ID struct {
	Scheme string // world, auth, digest, ip, sasl, x509, super
	ID     string // what the scheme makes of it
}

// ACL is one entry of an access control list: who may do what.
type ACL struct {
	Perms Perm
	ID    ID
}

// WorldACL is the list of one entry that gives everybody the permissions p.
func WorldACL(p Perm) []ACL { return []ACL{{Perms: p, ID: ID{Scheme: "world", ID: "anyone"}}} }

// AuthACL is the list of one entry that gives the caller's own identities the permissions p.
func AuthACL(p Perm) []ACL { return []ACL{{Perms: p, ID: ID{Scheme: "auth"}}} }
