// Package version says which Zooid this is, and which ZooKeeper it stands for.
//
// Tools compare the version that srvr and mntr print with what they know of Apache's releases, so it starts with the release
// whose behaviour is followed.
package version

import (
	"runtime/debug"
	"strings"
	"time"
)

// Apache is the release of Apache ZooKeeper whose behaviour is followed.
const Apache = "3.9.5"

// String is "3.9.5-zooid-<revision>, built on 2026-11-24 10:43 UTC"; the form is Apache's, which tools parse.
func String() string {
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
	b.WriteString(Apache + "-zooid-" + revision + ", built on ")
	if built.IsZero() {
		b.WriteString("1970-01-01 00:00 UTC")
	} else {
		b.WriteString(built.UTC().Format("2006-01-02 15:04") + " UTC")
	}
	return b.String()
}
