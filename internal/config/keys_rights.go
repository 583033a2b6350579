package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zooid-io/zooid/internal/java"
)

func rightKeys() []Key {
	return []Key{
		property("skipACL", YesNo, "no", Honoured, "yes, exactly, checks no ACL at all").
			put(func(l *loader, v Value) { l.Options.SkipACL = v.Text == "yes" }),
		property("DigestAuthenticationProvider.superDigest", Text, "(none)", Honoured, "super:base64, the identity that may do everything").
			put(func(l *loader, v Value) { l.Options.SuperDigest = v.Text }),
		property("DigestAuthenticationProvider.enabled", Flag, "true", Honoured, "false removes the scheme digest").
			put(func(l *loader, v Value) { l.Options.DigestAuth = v.Bool }),
		property("DigestAuthenticationProvider.digestAlg", Text, "SHA1", Honoured, "the hash of digest identities, a name of Java's; "+strings.Join(digestAlgs, ", ")).
			do(setDigestAlg),
		property("authProvider.*", Text, "(none)", Honoured, "Apache's own classes by name: IP and Digest are always there, Ensemble is honoured, X509 waits for TLS; "+
			"refused for SASL ("+later+") and for classes of others").
			do(setAuthProvider),
		property("ensembleAuthName", List, "(none)", Honoured, "names that the scheme ensemble lets in").
			put(func(l *loader, v Value) { l.Options.EnsembleAuthName = v.Text }),
		property("enforce.auth.enabled", Flag, "false", Honoured, "every connection must hold an identity of a listed scheme").
			put(func(l *loader, v Value) { l.enforce = v.Bool }),
		property("enforce.auth.schemes", List, "(none)", Honoured, "those schemes").
			put(func(l *loader, v Value) {
				for _, s := range java.Split(v.Text, ",") {
					l.enforceSchemes = append(l.enforceSchemes, java.Trim(s))
				}
			}),
		property("enableEagerACLCheck", Flag, "false", Ignored, later+": members of an ensemble check ACLs before they forward; the leader checks them in any case").
			put(func(l *loader, v Value) { l.Options.EagerACLCheck = v.Bool }).unless(whenTrue(later)).inEnsembles(),
		property("X509AuthenticationProvider.superUser", Text, "(none)", Honoured, "the X.509 name that may do everything; no client has one without TLS").
			put(func(l *loader, v Value) { l.Options.X509SuperUser = v.Text }),
		property("X509AuthenticationProvider.*", Text, "(none)", Ignored, later+": TLS"),
		property("IPAuthenticationProvider.usexforwardedfor", Flag, "false", Ignored, later+": the admin server, whose HTTP requests this is about"),
	}
}

var digestAlgs = []string{
	"SHA1", "SHA", "SHA-1", "MD5", "SHA-224", "SHA-256", "SHA-384", "SHA-512", "SHA-512/224", "SHA-512/256",
	"SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512",
}

func setDigestAlg(l *loader, v Value) error {
	for _, alg := range digestAlgs {
		if strings.EqualFold(alg, v.Text) {
			l.Options.DigestAlg = v.Text
			return nil
		}
	}
	return &Error{Reason: fmt.Sprintf("don't support this ACL digest algorithm: %s in the current environment", v.Text), Exit: exitUnexpected}
}

const authPackage = "org.apache.zookeeper.server.auth."

func setAuthProvider(l *loader, v Value) error {
	switch strings.TrimPrefix(v.Text, authPackage) {
	case "IPAuthenticationProvider", "DigestAuthenticationProvider":
	case "EnsembleAuthenticationProvider":
		l.Options.EnsembleAuth = true
	case "X509AuthenticationProvider":
		l.x509 = true
		l.warn("no client can hold an identity of scheme x509: TLS is " + later)
	case "SASLAuthenticationProvider":
		l.refuse("SASL is " + later)
	default:
		l.refuse("class " + v.Text + ": authentication providers other than Apache's own cannot be loaded")
	}
	return nil
}

// checkEnforcement is what Apache's AuthenticationHelper checks at start.
func (l *loader) checkEnforcement() error {
	if !l.enforce {
		return nil
	}
	if len(l.enforceSchemes) == 0 {
		return l.fault("enforce.auth.enabled", "zookeeper.enforce.auth.enabled is true zookeeper.enforce.auth.schemes must be  configured.")
	}
	have := []string{"ip"}
	if l.Options.DigestAuth {
		have = append(have, "digest")
	}
	if l.Options.EnsembleAuth {
		have = append(have, "ensemble")
	}
	if l.x509 {
		have = append(have, "x509")
	}
	for _, s := range l.enforceSchemes {
		if !slices.Contains(have, s) {
			return l.fault("enforce.auth.schemes", "Authentication scheme "+s+" is not available.")
		}
	}
	l.Options.EnforceAuth = l.enforceSchemes
	return nil
}

func saslKeys() []Key {
	return []Key{
		property("sessionRequireClientSASLAuth", Flag, "false", Refused, later+": SASL; refused when true").unless(whenTrue("SASL is " + later)),
		dProperty("java.security.auth.login.config", Text, "(none)", Refused, later+": SASL"),
		property("allowSaslFailedClients", Flag, "false", Honoured, "a failed SASL login leaves the connection open").
			put(func(l *loader, v Value) { l.Options.AllowFailedSasl = v.Bool }),
		property("letAnySaslUserDoX", Text, "(none)", Honoured, "an ACL's id of scheme sasl that everybody matches").
			put(func(l *loader, v Value) { l.Options.LetAnySaslUserDoX = v.Text }),
		property("superUser", Text, "(none)", Honoured, "the SASL user that may do everything").put(addSuperUser),
		property("superUser.*", Text, "(none)", Honoured, "more of them").put(addSuperUser),
		property("SASLAuthenticationProvider.superPassword", Text, "(none)", Ignored, later+": SASL"),
		property("sasl.serverconfig", Text, "Server", Ignored, later+": SASL"),
		property("kerberos.removeHostFromPrincipal", Flag, "false", Ignored, later+": SASL"),
		property("kerberos.removeRealmFromPrincipal", Flag, "false", Ignored, later+": SASL"),
		property("kerberos.canonicalizeHostNames", Flag, "false", Ignored, later+": SASL"),
		property("kerberos.minReLoginTimeMs", GetLng, "60000", Ignored, later+": SASL"),
		property("kinit", Text, "/usr/bin/kinit", Ignored, later+": SASL"),
		property("requireKerberosConfig", Flag, "false", Ignored, later+": SASL"),
		property("security.auth_to_local", Text, "DEFAULT", Ignored, later+": SASL"),
		property("fips-mode", Flag, "true", Ignored, later+": SASL and TLS, which this limits"),
	}
}

func addSuperUser(l *loader, v Value) {
	l.Options.SaslSuperUsers = append(l.Options.SaslSuperUsers, v.Text)
}
