package interop

import (
	"os/exec"
	"testing"
)

// TestPythonClient plays the scenario of kazoo. Debian's interpreter is named by its path, as the package is installed for it
// and not for others that may come first.
func TestPythonClient(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3"
	need(t, exists(python) && exec.Command(python, "-c", "import kazoo").Run() == nil, "kazoo", "apt-get install python3-kazoo")
	onEveryServer(t, func(t *testing.T, s *stage) {
		s.program(t, python, "-B", scenario(t, "python", "scenario.py"))
	})
}
