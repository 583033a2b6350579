package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestSimReplaysASeed(t *testing.T) {
	var a, b bytes.Buffer
	for _, out := range []*bytes.Buffer{&a, &b} {
		if err := runSim(out, []string{"-seed", "5", "-trace"}); err != nil {
			t.Fatal(err)
		}
	}
	if a.String() != b.String() || !strings.Contains(a.String(), "well, trace ") {
		t.Errorf("two runs differ, or have no end:\n%.200s\n%.200s", a.String(), b.String())
	}
}

func TestSimTellsItsFaults(t *testing.T) {
	var out bytes.Buffer
	if err := runSim(&out, []string{"-faults", "list"}); err != nil || !strings.Contains(out.String(), "torn-write") {
		t.Errorf("%v\n%s", err, out.String())
	}
	if err := runSim(&out, []string{"-faults", "earthquake"}); err == nil {
		t.Error("an unknown fault is taken")
	}
}
