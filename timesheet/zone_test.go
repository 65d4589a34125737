package timesheet

import (
	"archive/zip"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func mustZone(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func mustTime(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestResolve(t *testing.T) {
	for name, c := range map[string]struct {
		zone           string
		local          Local
		kind           Kind
		earlier, later string
		after          string // empty: as earlier
	}{
		"plain":                        {"Europe/Bucharest", Local{2024, 7, 1, 9, 0, 0}, Exact, "2024-07-01T06:00:00Z", "2024-07-01T06:00:00Z", ""},
		"the last second before a gap": {"Europe/Bucharest", Local{2024, 3, 31, 2, 59, 59}, Exact, "2024-03-31T00:59:59Z", "2024-03-31T00:59:59Z", ""},
		"a gap of an hour":             {"Europe/Bucharest", Local{2024, 3, 31, 3, 30, 0}, Gap, "2024-03-31T00:30:00Z", "2024-03-31T01:30:00Z", "2024-03-31T01:00:00Z"},
		"the first second after a gap": {"Europe/Bucharest", Local{2024, 3, 31, 4, 0, 0}, Exact, "2024-03-31T01:00:00Z", "2024-03-31T01:00:00Z", ""},
		"twice":                        {"Europe/Bucharest", Local{2024, 10, 27, 3, 30, 0}, Ambiguous, "2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z", ""},
		"just after what is twice":     {"Europe/Bucharest", Local{2024, 10, 27, 4, 0, 0}, Exact, "2024-10-27T02:00:00Z", "2024-10-27T02:00:00Z", ""},
		"half an hour twice":           {"Australia/Lord_Howe", Local{2024, 4, 7, 1, 45, 0}, Ambiguous, "2024-04-06T14:45:00Z", "2024-04-06T15:15:00Z", ""},
		"not yet the half hour":        {"Australia/Lord_Howe", Local{2024, 4, 7, 1, 29, 59}, Exact, "2024-04-06T14:29:59Z", "2024-04-06T14:29:59Z", ""},
		"a gap of half an hour":        {"Australia/Lord_Howe", Local{2024, 10, 6, 2, 15, 0}, Gap, "2024-10-05T15:15:00Z", "2024-10-05T15:45:00Z", "2024-10-05T15:30:00Z"},
		"a whole day that never was":   {"Pacific/Apia", Local{2011, 12, 30, 12, 0, 0}, Gap, "2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z", "2011-12-30T10:00:00Z"},
		"the day before it":            {"Pacific/Apia", Local{2011, 12, 29, 23, 59, 59}, Exact, "2011-12-30T09:59:59Z", "2011-12-30T09:59:59Z", ""},
		"the day after it":             {"Pacific/Apia", Local{2011, 12, 31, 0, 0, 0}, Exact, "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", ""},
		"24:00 is the next day":        {"Asia/Kathmandu", Local{2024, 2, 28, 24, 0, 0}, Exact, "2024-02-28T18:15:00Z", "2024-02-28T18:15:00Z", ""},
		"midnight does not exist":      {"America/Sao_Paulo", Local{2018, 11, 4, 0, 0, 0}, Gap, "2018-11-04T02:00:00Z", "2018-11-04T03:00:00Z", "2018-11-04T03:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Resolve(c.local, mustZone(t, c.zone))
			if c.after == "" {
				c.after = c.earlier
			}
			text := func(at time.Time) string { return at.UTC().Format(time.RFC3339) }
			if got.Kind != c.kind || text(got.Earlier) != c.earlier || text(got.Later) != c.later || text(got.After) != c.after {
				t.Errorf("got kind %d, %s, %s, after %s; want kind %d, %s, %s, after %s",
					got.Kind, text(got.Earlier), text(got.Later), text(got.After), c.kind, c.earlier, c.later, c.after)
			}
		})
	}
}

// allZones are the names of the zone database that Go brings along.
func allZones(t testing.TB) (names []string) {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, f := range file.File {
		if !strings.HasSuffix(f.Name, "/") {
			names = append(names, f.Name)
		}
	}
	if len(names) < 400 {
		t.Fatalf("only %d zones", len(names))
	}
	return names
}

// Around every change of every zone from 1970 to 2040, the instants of a local
// time are those that show it on the wall, found here by looking at every
// offset the zone has in these days.
func TestResolveAtEveryChange(t *testing.T) {
	changes := 0
	for _, name := range allZones(t) {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC).In(zone)
		for {
			_, change := at.ZoneBounds()
			if change.IsZero() || change.Year() > 2040 {
				break
			}
			if !change.After(at) { // Go 1.26 on the last day of a leap year
				at = at.Add(24 * time.Hour)
				continue
			}
			at = change
			_, before := change.Add(-time.Second).Zone()
			_, after := change.Zone()
			if before == after {
				continue // another name, or the end of a year
			}
			changes++
			low, high := min(before, after), max(before, after)
			for _, wall := range []int{low - 86400, low - 1, low, (low + high) / 2, high - 1, high, high + 86400} {
				checkResolve(t, zone, change.UTC().Add(time.Duration(wall)*time.Second))
			}
		}
	}
	if changes < 10000 {
		t.Errorf("only %d changes were looked at", changes)
	}
}

// checkResolve compares Resolve with what a search finds for the wall time
// that reads in zone as wall does in UTC.
func checkResolve(t *testing.T, zone *time.Location, wall time.Time) {
	t.Helper()
	var offsets []int
	var instants []time.Time
	for h := -36; h <= 36; h++ {
		_, offset := wall.Add(time.Duration(h) * time.Hour).In(zone).Zone()
		if slices.Contains(offsets, offset) {
			continue
		}
		offsets = append(offsets, offset)
		at := wall.Add(-time.Duration(offset) * time.Second)
		if at.In(zone).Format(time.DateTime) == wall.Format(time.DateTime) {
			instants = append(instants, at)
		}
	}
	slices.SortFunc(instants, time.Time.Compare)
	got := Resolve(localOf(wall), zone)
	want := [...]Kind{Gap, Exact, Ambiguous}[min(len(instants), 2)]
	where := fmt.Sprintf("%s %s", zone, wall.Format(time.DateTime))
	switch {
	case got.Kind != want:
		t.Errorf("%s is of kind %d, want %d", where, got.Kind, want)
	case want == Gap:
		_, offset := got.After.In(zone).Zone()
		_, before := got.After.Add(-time.Second).In(zone).Zone()
		if offset <= before || !got.After.After(got.Earlier) || got.After.After(got.Later) {
			t.Errorf("%s: the gap ends at %s, which is no change", where, got.After.UTC())
		}
	case !got.Earlier.Equal(instants[0]) || !got.Later.Equal(instants[len(instants)-1]):
		t.Errorf("%s is %s and %s, want %s", where, got.Earlier.UTC(), got.Later.UTC(), instants)
	}
}

func TestLoadZone(t *testing.T) {
	for _, name := range []string{"UTC", "Etc/UTC", "Europe/Bucharest", "America/Argentina/Buenos_Aires", "Asia/Kathmandu", "US/Eastern"} {
		if zone, err := LoadZone(name); err != nil || zone.String() != name {
			t.Errorf("LoadZone(%q) = %v, %v", name, zone, err)
		}
	}
}

func TestLoadZoneRefuses(t *testing.T) {
	for name, suggestion := range map[string]string{
		"":                        "UTC",
		"Local":                   "",
		"CEST":                    "Europe/Berlin",
		"est":                     "America/New_York",
		"Europe/Bukarest":         "Europe/Bucharest",
		"bucharest":               "Europe/Bucharest",
		"Asia/Katmand":            "Asia/Kathmandu",
		"America/New York":        "America/New_York",
		"+02:00":                  "",
		"Etc/GMT+5":               "",
		"GMT":                     "UTC",
		"../../etc/passwd":        "",
		"Europe/../Europe/Berlin": "Europe/Berlin",
		"posix/Europe/Berlin":     "Europe/Berlin",
		"right/Europe/Berlin":     "Europe/Berlin", // counts leap seconds
		strings.Repeat("x/", 500): "",
		"Europe/Bucharest\x00":    "Europe/Bucharest",
	} {
		zone, err := LoadZone(name)
		broken, ok := AsError(err)
		if !ok || broken.Code != CodeInvalid || !strings.Contains(broken.Message, suggestion) || !strings.Contains(broken.Message, "did you mean") {
			t.Errorf("LoadZone(%q) = %v, %v; want INVALID with %s among the suggestions", name, zone, err, suggestion)
		}
	}
}

func ExampleResolve() {
	bucharest, err := LoadZone("Europe/Bucharest")
	if err != nil {
		panic(err)
	}
	night := Resolve(Local{Year: 2024, Month: time.October, Day: 27, Hour: 3, Min: 30}, bucharest)
	fmt.Println(night.Kind == Ambiguous, night.Earlier.UTC().Format(time.TimeOnly), night.Later.UTC().Format(time.TimeOnly))
	// Output: true 00:30:00 01:30:00
}

func ExampleLoadZone() {
	_, err := LoadZone("CEST")
	fmt.Println(err)
	// Output: timeZone: "CEST" is no IANA time zone; did you mean Europe/Berlin, Europe/Paris, Europe/Madrid?
}

func FuzzLoadZone(f *testing.F) {
	for _, name := range []string{"UTC", "CEST", "Europe/Bucharest", "../x", "Etc/GMT+5", "a/b/c"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		zone, err := LoadZone(name)
		if (zone == nil) == (err == nil) {
			t.Errorf("LoadZone(%q) = %v, %v", name, zone, err)
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	zone := mustZone(b, "Europe/Bucharest")
	b.ReportAllocs()
	for b.Loop() {
		Resolve(Local{2024, 7, 1, 9, 0, 0}, zone)
	}
}
