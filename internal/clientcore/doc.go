// Package clientcore is a client's session as a value: events in, effects out.
package clientcore
