package interop

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// newIn39 are keys of mntr that Zooid has and 3.8.0 has not: 3.9 added them.
var newIn39 = []string{
	"zk_avg_restore_time", "zk_cnt_restore_time", "zk_max_restore_time", "zk_min_restore_time", "zk_sum_restore_time",
	"zk_restore_error_count", "zk_restore_rate_limited_count", "zk_snapshot_error_count", "zk_snapshot_rate_limited_count",
}

// Every key that Apache's mntr prints, once each operation was used, is one of Zooid's, and a number stands behind it where one stands
// behind Apache's. testdata/mntr-3.8.0.txt is what Apache printed.
func TestMonitorKeys(t *testing.T) {
	t.Parallel()
	file := filepath.Join("testdata", "mntr-3.8.0.txt")
	keys := func(t *testing.T, k Kind) []string {
		srv := Start(t, k, profiles["base"])
		p := newPlayer(t, srv, "monitor", nil)
		defer p.finish()
		for _, step := range []string{
			`a create $/a "" flags=1`, `a get $/a watch`, `a set $/a "x"`, `a delete $/a`, `a multi create $/b ""`, `b close`,
		} {
			if _, err := p.playText(step); err != nil {
				t.Fatal(err)
			}
		}
		out, err := srv.FourLetters("mntr")
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, l := range strings.Split(strings.TrimSpace(out), "\n") {
			key, value, ok := strings.Cut(l, "\t")
			if !ok {
				t.Errorf("not a line of mntr: %q", l)
			}
			if strings.Trim(value, "0123456789.-E") == "" && value != "" {
				value = "N"
			} else if key == "zk_version" {
				value = "VERSION"
			}
			list = append(list, key+" "+value)
		}
		slices.Sort(list)
		return list
	}
	t.Run("apache", func(t *testing.T) {
		got := keys(t, Apache)
		if *update {
			if err := os.WriteFile(file, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := readLines(t, file); !slices.Equal(got, want) {
			t.Errorf("the recording is not what Apache prints:\n got %q\nwant %q", got, want)
		}
	})
	t.Run("zooid", func(t *testing.T) {
		got, want := keys(t, Zooid), readLines(t, file)
		for _, l := range want {
			if !slices.Contains(got, l) {
				t.Errorf("missing: %s", l)
			}
		}
		for _, l := range got {
			key, _, _ := strings.Cut(l, " ")
			if !slices.Contains(want, l) && !slices.Contains(newIn39, key) {
				t.Errorf("neither 3.8.0 nor 3.9 prints: %s", l)
			}
		}
	})
}

func readLines(t *testing.T, file string) []string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}
