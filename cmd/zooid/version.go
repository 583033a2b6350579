package main

import (
	"runtime/debug"
	"strings"
	"time"
)

// apacheVersion is the release of Apache ZooKeeper whose behaviour is followed. Tools compare what srvr and mntr print with what
// they know of Apache's releases, so our version starts with it.
const apacheVersion = "3.9.5"

// versionString is "3.9.5-zooid-<revision>, built on 2026-11-24 10:43 UTC"; the form is Apache's, which tools parse.
func versionString() string {
	revision, built := "dev", time.Time{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				revision = s.Value[:min(len(s.Value), 12)]
			case "vcs.time":
				built, _ = time.Parse(time.RFC3339, s.Value)
			}
		}
	}
	var b strings.Builder
	b.WriteString(apacheVersion + "-zooid-" + revision + ", built on ")
	if built.IsZero() {
		b.WriteString("1970-01-01 00:00 UTC")
	} else {
		b.WriteString(built.UTC().Format("2006-01-02 15:04") + " UTC")
	}
	return b.String()
}
