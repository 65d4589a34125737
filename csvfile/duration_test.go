package csvfile

import "testing"

func TestParseDuration(t *testing.T) {
	for cell, want := range map[string]int64{
		"01:05:00": 3900, "1:05": 3900, "0:06": 360, "100:00:01": 360001, "1:05 h": 3900,
		"18:25 min": 18*60 + 25, "18:25min": 18*60 + 25,
		"0.11": 396, "0,11": 396, "8": 28800, ".5": 1800, "2.000,0": 7200000, "1,000.5": 3601800, "0.116666666666667": 420,
		"1h 5m": 3900, "1h5m": 3900, "1 hour 5 minutes": 3900, "65m": 3900, "90 min": 5400, "1.5h": 5400, "45s": 45, "1d 2h": 93600, "1H 5M 30S": 3930,
		"PT1H5M": 3900, "PT65M": 3900, "P1DT2H": 93600, "PT0.5S": 1, "pt1h": 3600, "0": 0, "0:00": 0,
	} {
		if got, ok := parseDuration(cell); !ok || got != want {
			t.Errorf("parseDuration(%q) = %d, %v, want %d", cell, got, ok, want)
		}
	}
	for _, cell := range []string{
		"", "-1", "-0:30", "1:60", "1:05:60", "1:2", "abc", "1e3", "NaN", "Inf", "0x10", "P", "PT", "P1D2H", "1:02:03 min",
		".", ",", "1,00,000.0", ",000.5", "12345678", "1.2.3", "1h 5", "5 h 1 h", "1_000",
	} {
		if got, ok := parseDuration(cell); ok {
			t.Errorf("parseDuration(%q) = %d, want a refusal", cell, got)
		}
	}
}

func TestParseMinutes(t *testing.T) {
	for cell, want := range map[string]int64{"65": 3900, "65.5": 3930, "45,333": 2720, "0.125": 8, "1440.000": 86400, "11,000": 660} {
		if got, ok := parseMinutes(cell); !ok || got != want {
			t.Errorf("parseMinutes(%q) = %d, %v, want %d", cell, got, ok, want)
		}
	}
	for _, cell := range []string{"1,440", "10.080", "1:05", "65 min", ""} {
		if got, ok := parseMinutes(cell); ok {
			t.Errorf("parseMinutes(%q) = %d, want a refusal", cell, got)
		}
	}
}

func FuzzDuration(f *testing.F) {
	for _, cell := range []string{"1:05:00", "18:25 min", "0,11", "1h 5m", "PT1H5M", "2.000,0", "99999:59:59", "9999999.99999999"} {
		f.Add(cell)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		if secs, ok := parseDuration(cell); ok && secs < 0 {
			t.Errorf("parseDuration(%q) = %d, which is negative", cell, secs)
		}
		if secs, ok := parseMinutes(cell); ok && secs < 0 {
			t.Errorf("parseMinutes(%q) = %d, which is negative", cell, secs)
		}
	})
}
