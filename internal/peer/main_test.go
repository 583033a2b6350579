package peer

import (
	"testing"

	"go.uber.org/goleak"
)

// No test may leave a goroutine behind: Close and Shutdown wait for all that they have started.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
