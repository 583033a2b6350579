package interop

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	removeZooid()
	os.Exit(code)
}
