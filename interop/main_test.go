package interop

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if zooid := os.Getenv(contenderVariable); zooid != "" {
		os.Exit(contend(os.Args[1:], zooid))
	}
	code := m.Run()
	removeZooid()
	os.Exit(code)
}
