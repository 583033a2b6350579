package house

import (
	"slices"
	"strings"
	"testing"
)

// graph says who may import whom: what stands on a line's right may import all that stands on its left, and whatever that may
// import in turn. Nothing else is allowed: siblings are strangers to each other. docs/architecture.md draws it.
const graph = `
zk invariant < jute
jute < wire txn slab
slab txn < tree watch
txn < session
zk < auth
zk invariant java < ensemble
ensemble < zab config
tree session auth ensemble wire < prep
prep watch zab < replica
wire < clientcore
clientcore < client
client < recipes shell
recipes < recipes/masterworker
tree session vfs < store
zab jute < peer
wire < admin
replica store peer admin sysmon < server
server < config
server client < zktest
replica clientcore store < sim
wire < bench
config shell sim zktest bench admin version < cmd
client recipes recipes/masterworker zktest < examples
`

// public are the rooms with doors to the street; cmd is a folder of them, and so is examples. All others are in internal.
var public = []string{"zk", "client", "recipes", "recipes/masterworker", "zktest", "cmd", "examples"}

// Rooms of tests may import what they like; only tests may import them.
var testRooms = []string{"interop", "bin", "internal/house", "internal/script", "internal/bubble"}

// folder is where a room of the graph is.
func folder(name string) string {
	if slices.Contains(public, name) {
		return name
	}
	return "internal/" + name
}

// reach gives, for every room, the rooms that it may import.
func reach(t *testing.T) map[string]map[string]bool {
	may := map[string]map[string]bool{}
	for line := range strings.Lines(graph) {
		below, above, ok := strings.Cut(line, "<")
		if !ok {
			continue
		}
		for _, a := range strings.Fields(above) {
			for _, b := range strings.Fields(below) {
				for _, r := range []string{folder(a), folder(b)} {
					if may[r] == nil {
						may[r] = map[string]bool{}
					}
				}
				may[folder(a)][folder(b)] = true
			}
		}
	}
	for range may { // the longest path has fewer steps than there are rooms
		for _, below := range may {
			for b := range below {
				for c := range may[b] {
					below[c] = true
				}
			}
		}
	}
	for r, below := range may {
		if below[r] {
			t.Fatalf("the graph has a circle through %s", r)
		}
	}
	return may
}

// home is the room that a folder belongs to.
func home(dir string) string {
	for _, p := range []string{"cmd", "examples"} {
		if strings.HasPrefix(dir, p+"/") {
			return p
		}
	}
	return dir
}

func TestImportGraph(t *testing.T) {
	may := reach(t)
	for _, f := range goFiles(t) {
		from := home(f.dir())
		if slices.Contains(testRooms, from) {
			continue
		}
		if may[from] == nil {
			t.Errorf("%s: the room %s is not in the graph of graph_test.go", f.path, from)
			continue
		}
		if f.isTest() {
			continue
		}
		for _, i := range f.imported() {
			if to := home(room(i)); room(i) != "" && to != from && !may[from][to] {
				t.Errorf("%s imports %s: %s may not know %s", f.path, i, from, to)
			}
		}
	}
}

// What a public package exports is a promise: an internal type in it would be one that nobody can name.
func TestPublicRoomsDoNotShowInternalTypes(t *testing.T) {
	for _, f := range goFiles(t) {
		if from := home(f.dir()); f.isTest() || !slices.Contains(public, from) || from == "cmd" || from == "examples" {
			continue
		}
		for _, bad := range shownInternals(f) {
			t.Error(bad)
		}
	}
}
