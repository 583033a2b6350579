package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/zooid-io/zooid/internal/java"
)

// clientConfiguration reads the properties of Apache's client (zookeeper.client.secure, zookeeper.ssl.*) and gives what they say of
// TLS, nil for none. Key and trust stores are PEM files here.
func clientConfiguration(file string) (*tls.Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	entries, err := java.Properties(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	props := map[string]string{}
	for _, e := range entries {
		props[e.Key] = e.Value
	}
	if !strings.EqualFold(props["zookeeper.client.secure"], "true") {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if trust := props["zookeeper.ssl.trustStore.location"]; trust != "" {
		pem, err := os.ReadFile(trust)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: no certificate in PEM form", trust)
		}
	}
	if key := props["zookeeper.ssl.keyStore.location"]; key != "" {
		if props["zookeeper.ssl.keyStore.password"] != "" {
			return nil, errors.New("zookeeper.ssl.keyStore.location: only PEM files without a password are read")
		}
		cert, err := tls.LoadX509KeyPair(key, key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		c.Certificates = []tls.Certificate{cert}
	}
	return c, nil
}
