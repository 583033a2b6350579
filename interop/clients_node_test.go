package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestNodeClient plays the scenario of node-zookeeper-client. npm puts it where $ZOOID_NODE_MODULES says, or else into
// zooid/node_modules in the user's cache folder: never into this tree.
func TestNodeClient(t *testing.T) {
	modules := os.Getenv("ZOOID_NODE_MODULES")
	if modules == "" {
		if cache, err := os.UserCacheDir(); err == nil {
			modules = filepath.Join(cache, "zooid", "node_modules")
		}
	}
	home := filepath.Dir(modules)
	need(t, onPath("node") && exists(filepath.Join(modules, "node-zookeeper-client", "package.json")), "node-zookeeper-client",
		fmt.Sprintf("mkdir -p %s && cp interop/clients/node/package*.json %s && npm ci --prefix %s", home, home, home))
	t.Setenv("ZOOID_NODE_MODULES", modules)
	onEveryServer(t, func(t *testing.T, s *stage) {
		s.program(t, "node", scenario(t, "node", "scenario.js"))
	})
}
