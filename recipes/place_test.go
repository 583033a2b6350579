package recipes

import "testing"

// The number at the end of a name, as servers write it: with ten characters at least, and with a sign after 2147483647.
func TestNumber(t *testing.T) {
	for _, c := range []struct {
		name string
		want int32
		ok   bool
	}{
		{"lock-0000000007", 7, true},
		{"_c_1f-lock-2147483647", 2147483647, true},
		{"_c_1f-lock--2147483648", -2147483648, true},
		{"_c_1f-lock--000000001", -1, true},
		{"1f__lock__-1000000000", -1000000000, true},
		{"0000000001", 1, true},
		{"lock-", 0, false}, {"lock-12", 0, false}, {"a-notanumber", 0, false}, {"a-+000000001", 0, false},
	} {
		if n, ok := number(c.name); n != c.want || ok != c.ok {
			t.Errorf("%s: %d, %v", c.name, n, ok)
		}
	}
	line := lineUp([]string{"l--2147483648", "l-2147483647", "l-2147483646", "notes", "l--2147483647"})
	for i, want := range []int32{2147483646, 2147483647, -2147483648, -2147483647} {
		if line[i].number != want {
			t.Errorf("place %d: %d, want %d", i, line[i].number, want)
		}
	}
}
