package auth

import "strings"

// validKerberos tells whether id may stand in a list of scheme sasl: anything without an @, else service[/host]@REALM
// (KerberosName upstream).
func validKerberos(id string) bool {
	name, realm, ok := strings.Cut(id, "@")
	return !ok || !strings.ContainsAny(realm, "/@") && strings.Count(name, "/") <= 1
}
