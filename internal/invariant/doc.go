// Package invariant names what must always hold and stops the process where it does not.
//
// Bad input is an error and is handled; a broken invariant is a bug. Check panics with a Broken value; the driver, and only
// the driver, turns it into the end of the process, before a wrong answer can leave.
//
// Where to start: the list of names below; each is cited in a comment by the code that holds it.
package invariant
