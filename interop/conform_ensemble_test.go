package interop

import (
	"flag"
	"testing"
)

var apacheEnsembles = flag.Bool("apache-ensembles", false, "TestConformanceOfEnsembles looks at Apache's, too")

// TestConformanceOfEnsembles runs the suite's cases against a follower of three servers, which has to answer what a standalone
// server does, whose recordings they are; cases with the setting "alone" show what only that has, and those with ensemble=zooid
// bring Apache's ensembles down, or a member of them. Apache's ensembles (-apache-ensembles, twenty minutes
// of starting servers) prove that this is so.
func TestConformanceOfEnsembles(t *testing.T) {
	t.Parallel()
	cases, _ := readCases(t)
	kinds := []Kind{Zooid}
	if *apacheEnsembles {
		kinds = []Kind{Apache, Zooid}
	}
	for _, k := range kinds {
		t.Run(k.String(), func(t *testing.T) {
			Need(t, k)
			for _, profile := range profileOrder {
				t.Run(profile, func(t *testing.T) {
					var some []caseOf
					for _, c := range cases {
						_, alone := c.Settings["alone"]
						only, ok := c.Settings["ensemble"]
						if !alone && (!ok || only == k.String()) {
							some = append(some, c)
						}
					}
					runProfile(t, k, profile, some, startTrio)
				})
			}
		})
	}
}

// startTrio starts three servers and gives a follower: on fresh servers the highest id leads.
func startTrio(t testing.TB, k Kind, setup Setup) *Server {
	t.Helper()
	return startEnsemble(t, []Kind{k, k, k}, 0, setup).Servers[0]
}
