package config

import (
	"crypto/tls"
	"strings"

	"github.com/zooid-io/zooid/internal/java"
)

// tlsKeys are the keys with the prefix ssl. (clients) or ssl.quorum. (peers and the admin server). Nothing of it is served in
// this release: what would weaken a promise is refused, the rest is told.
func tlsKeys(prefix string) []Key {
	const tlsLater = later + ": TLS"
	clients := prefix == "ssl."
	hostnames, auth := "true", Ignored
	authNote := tlsLater
	if clients {
		hostnames, auth = "false", Refused
		authNote = tlsLater + "; none is what happens anyway"
	}
	p := func(suffix string, kind Kind, def string, action Action, note string) Key {
		return property(prefix+suffix, kind, def, action, note)
	}
	notNone := func(v Value) string {
		if !clients || strings.EqualFold(v.Text, "none") {
			return ""
		}
		return "certificates of clients are " + later
	}
	keys := []Key{
		p("keyStore.location", Text, "(none)", Ignored, tlsLater),
		p("keyStore.password", Text, "(none)", Ignored, tlsLater),
		p("keyStore.passwordPath", Text, "(none)", Ignored, tlsLater),
		p("keyStore.type", Text, "(by extension)", Ignored, tlsLater+"; refused for BCFKS, which is not supported").do(checkStore),
		p("trustStore.location", Text, "(none)", Ignored, tlsLater),
		p("trustStore.password", Text, "(none)", Ignored, tlsLater),
		p("trustStore.passwordPath", Text, "(none)", Ignored, tlsLater),
		p("trustStore.type", Text, "(by extension)", Ignored, tlsLater+"; refused for BCFKS, which is not supported").do(checkStore),
		p("protocol", Text, "TLSv1.3", Ignored, tlsLater+"; refused for others than TLSv1.2 and TLSv1.3").do(checkProtocols),
		p("enabledProtocols", List, "(protocol)", Ignored, tlsLater+"; refused for others than TLSv1.2 and TLSv1.3").do(checkProtocols),
		p("ciphersuites", List, "(Go's)", Ignored, tlsLater+"; refused for suites that Go does not have").do(checkSuites),
		p("clientAuth", Text, "need", auth, authNote).unless(notNone),
		p("hostnameVerification", Flag, "true", Ignored, tlsLater),
		p("clientHostnameVerification", Flag, hostnames, Ignored, tlsLater),
		p("allowReverseDnsLookup", Flag, hostnames, Ignored, tlsLater),
		p("crl", Flag, "false", Refused, tlsLater+"; refused when true").unless(whenTrue("the check of revoked certificates is " + later)),
		p("ocsp", Flag, "false", Refused, tlsLater+"; refused when true").unless(whenTrue("the check of revoked certificates is " + later)),
		p("context.supplier.class", Text, "(none)", Refused, "classes cannot be loaded"),
		p("handshakeDetectionTimeoutMillis", GetInt, "5000", Ignored, tlsLater),
	}
	if clients {
		keys = append(keys,
			p("authProvider", Text, "x509", Ignored, tlsLater),
			p("sslProvider", Text, "JDK", Ignored, "there is one provider"),
			p("client.enable", Flag, "false", Ignored, tlsLater),
			property("client.certReload", Flag, "false", Ignored, tlsLater),
		)
	}
	return keys
}

func checkStore(l *loader, v Value) error {
	if strings.EqualFold(v.Text, "BCFKS") {
		l.refuse("key stores of type BCFKS are not supported")
	}
	return nil
}

func checkProtocols(l *loader, v Value) error {
	for _, p := range java.Split(v.Text, ",") {
		switch p = java.Trim(p); p {
		case "TLSv1.2", "TLSv1.3", "TLS", "":
		default:
			l.refuse("protocol " + p + " is not supported; TLSv1.2 and TLSv1.3 are")
			return nil
		}
	}
	return nil
}

func checkSuites(l *loader, v Value) error {
	known := map[string]bool{}
	for _, s := range tls.CipherSuites() {
		known[s.Name] = true
	}
	for _, s := range tls.InsecureCipherSuites() {
		known[s.Name] = true
	}
	for _, s := range java.Split(v.Text, ",") {
		if s = java.Trim(s); s != "" && !known[s] {
			l.refuse("cipher suite " + s + " is not supported")
			return nil
		}
	}
	return nil
}
