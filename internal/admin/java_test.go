package admin

import (
	"math"
	"net/netip"
	"strconv"
	"testing"
	"time"
)

// The strings are those of OpenJDK 17.
func TestDouble(t *testing.T) {
	for want, v := range map[string]float64{
		"0.0": 0, "2.0": 2, "0.9515": 0.9515, "123456.7891": 123456.7891, "9999999.0": 9999999, "1.0E7": 1e7,
		"1.23456789012E7": 12345678.9012, "0.001": 0.001, "9.0E-4": 0.0009, "1.0E-4": 0.0001, "5.0E-4": 0.0005, "33.3333": 33.3333,
		"0.1": 0.1, "100.0": 100, "1234567.8": 1234567.8, "1.0E21": 1e21, "4.6667": 4.6667, "-0.5": -0.5, "NaN": math.NaN(),
		"9.007199254740992E15": 9007199254740993, "9999999.9999": 9999999.9999, "1.2345678901234568E17": 123456789012345680,
		"Infinity": math.Inf(1), "-Infinity": math.Inf(-1),
	} {
		if got := double(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}

func FuzzDouble(f *testing.F) {
	f.Add(0.0)
	f.Add(1e-3)
	f.Add(1e7)
	f.Fuzz(func(t *testing.T, v float64) {
		back, err := strconv.ParseFloat(double(v), 64)
		if err != nil || back != v && !math.IsNaN(v) {
			t.Errorf("%v is %q, which is %v, %v", v, double(v), back, err)
		}
	})
}

func TestAvgIsRoundedAsAtApache(t *testing.T) {
	for _, c := range []struct {
		sum, count int64
		want       float64
	}{
		{0, 0, 0}, {10, 5, 2}, {14, 3, 4.6667}, {10, 3, 3.3333},
		{1, 32, 0.0313}, // 0.03125 is exact: halves go up
		{-1, 32, -0.0313},
		{1, 100000, 0},
		{157, 165, 0.9515},
	} {
		s := Summary{Count: c.count, Sum: c.sum}
		if got := s.Avg(); got != c.want {
			t.Errorf("%d/%d is %v, want %v", c.sum, c.count, got, c.want)
		}
	}
}

func TestDate(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 999e6, time.UTC)
	for _, c := range []struct {
		zone *time.Location
		want string
	}{
		{time.UTC, "Fri Jan 02 03:04:05 UTC 2026"},
		{time.FixedZone("CET", 3600), "Fri Jan 02 04:04:05 CET 2026"},
		{time.FixedZone("+0530", 19800), "Fri Jan 02 08:34:05 GMT+05:30 2026"},
		{time.FixedZone("-03", -10800), "Fri Jan 02 00:04:05 GMT-03:00 2026"},
		{time.FixedZone("", 0), "Fri Jan 02 03:04:05 GMT 2026"},
	} {
		if got := date(at.In(c.zone)); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestAddress(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1:2181":          "/127.0.0.1:2181",
		"[::1]:2181":              "/[0:0:0:0:0:0:0:1]:2181",
		"[2001:db8::a]:1":         "/[2001:db8:0:0:0:0:0:a]:1",
		"[::ffff:10.0.0.7]:65535": "/10.0.0.7:65535",
		"[fe80::1%eth0]:9":        "/[fe80:0:0:0:0:0:0:1%eth0]:9",
	} {
		if got := address(netip.MustParseAddrPort(in)); got != want {
			t.Errorf("%s is %q, want %q", in, got, want)
		}
	}
}
