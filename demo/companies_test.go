package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"runtime"
	"slices"
	"testing"
	"time"

	"headroom/timesheet"
)

// noon of a Wednesday.
var noon = time.Date(2026, time.March, 4, 12, 0, 0, 0, time.UTC)

func ExampleCompanies() {
	c := Config{Entries: 1000, Tenants: 3, Seed: 7, Until: noon}
	for company := range Companies(c) {
		entries := 0
		for range company.Entries {
			entries++
		}
		fmt.Printf("%s: %d people, %d projects, %d entries\n", company.Name, len(company.Users), len(company.Projects), entries)
	}
	// Output:
	// Alder Works (7): 40 people, 9 projects, 602 entries
	// Amber Studio (7): 13 people, 5 projects, 249 entries
	// Aurora Labs (7): 13 people, 5 projects, 149 entries
}

func TestCompaniesAreTheSameAgain(t *testing.T) {
	const want = "391c29581e8904d9791710b9c69ce4ba2ada102064a21278c9b51b083c56b282"
	c := Config{Entries: 5000, Tenants: 12, Seed: 1, Until: noon}
	for _, run := range []string{"first", "again"} {
		if got := fingerprint(c); got != want {
			t.Errorf("%s: fingerprint %s, want %s: seed 1 has become another", run, got, want)
		}
	}
	c.Seed = 2
	if fingerprint(c) == want {
		t.Error("seed 2 makes the companies of seed 1")
	}
}

// fingerprint is a hash of everything that companies consist of.
func fingerprint(c Config) string {
	h := sha256.New()
	for company := range Companies(c) {
		hashCompany(h, company)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func hashCompany(h hash.Hash, c timesheet.Company) {
	entries := c.Entries
	c.Entries = nil
	fmt.Fprintf(h, "%+v", c)
	for e := range entries {
		fmt.Fprint(h, e.User, e.Project, e.Task, e.Tags, e.Start.Unix(), e.Seconds, e.Description, e.Billable)
	}
}

func TestEntriesAreReadAnyNumberOfTimes(t *testing.T) {
	for c := range Companies(Config{Entries: 300, Tenants: 2, Seed: 3, Until: noon}) {
		first, again := slices.Collect(seconds(c)), slices.Collect(seconds(c))
		if !slices.Equal(first, again) {
			t.Errorf("%s: the entries are others when they are read again", c.Name)
		}
		for range c.Entries {
			break // who stops early is not called again
		}
	}
}

func seconds(c timesheet.Company) func(func(int64) bool) {
	return func(yield func(int64) bool) {
		for e := range c.Entries {
			if !yield(e.Start.Unix()<<20 | e.Seconds) {
				return
			}
		}
	}
}

func TestCompaniesAreSound(t *testing.T) {
	for _, c := range []Config{
		{Entries: 1, Tenants: 1, Seed: 1, Until: noon},
		{Entries: 20, Tenants: 20, Seed: 1, Until: noon},
		{Entries: 7, Tenants: 3, Seed: 9, Until: noon.Add(-12 * time.Hour)},
		{Entries: 20_000, Tenants: 1, Seed: 4, Until: noon.Add(1500 * time.Millisecond)},
		{Entries: 30_000, Tenants: 25, Seed: 5, Until: time.Date(2026, time.October, 25, 1, 30, 0, 0, time.UTC)},
		{Entries: 3000, Tenants: 1000, Seed: 6, Until: noon},
	} {
		t.Run(fmt.Sprint(c.Entries, " of ", c.Tenants), func(t *testing.T) {
			tenants, entries := 0, 0
			names, addresses := map[string]bool{}, map[string]bool{}
			for company := range Companies(c) {
				tenants++
				entries += checkCompany(t, company, c.Until)
				if names[company.Name] {
					t.Errorf("two companies are named %s", company.Name)
				}
				names[company.Name] = true
				for _, u := range company.Users {
					if addresses[u.Email] {
						t.Errorf("two people have the address %s", u.Email)
					}
					addresses[u.Email] = true
				}
			}
			if tenants != c.Tenants || entries != c.Entries {
				t.Errorf("got %d entries of %d companies, want %d of %d", entries, tenants, c.Entries, c.Tenants)
			}
		})
	}
}

// checkCompany checks that a company is one the database would take, and
// returns how many entries it has.
func checkCompany(t *testing.T, c timesheet.Company, until time.Time) (entries int) {
	t.Helper()
	if c.Users[0].Role != timesheet.RoleOwner {
		t.Errorf("%s: the first person is %s, want the owner", c.Name, c.Users[0].Role)
	}
	if _, err := timesheet.LoadZone(c.TimeZone); err != nil {
		t.Error(err)
	}
	checkDistinct(t, c)
	for _, p := range c.Projects {
		if p.Client < -1 || p.Client >= len(c.Clients) || p.Lead < -1 || p.Lead >= len(c.Users) {
			t.Fatalf("%s: %s refers to what is not there", c.Name, p.Name)
		}
	}
	var before time.Time
	for e := range c.Entries {
		entries++
		if problem := wrong(c, e); problem != "" {
			t.Fatalf("%s: %s: %+v", c.Name, problem, e)
		}
		if e.Start.Before(before) {
			t.Fatalf("%s: an entry of %v follows one of %v", c.Name, e.Start, before)
		}
		before = e.Start
		if end := e.Start.Add(time.Duration(e.Seconds) * time.Second); end.After(until) {
			t.Fatalf("%s: an entry ends at %v, after %v", c.Name, end, until)
		}
	}
	return entries
}

func checkDistinct(t *testing.T, c timesheet.Company) {
	t.Helper()
	seen := map[string]bool{}
	once := func(kind, name string) {
		if key := kind + "\n" + name; seen[key] {
			t.Errorf("%s: %s %q is there twice", c.Name, kind, name)
		} else {
			seen[key] = true
		}
	}
	for _, name := range c.Clients {
		once("client", name)
	}
	for _, p := range c.Projects {
		once("project", p.Name)
	}
	for _, task := range c.Tasks {
		once(fmt.Sprint("task of project ", task.Project), task.Name)
	}
	for _, name := range c.Tags {
		once("tag", name)
	}
}

// wrong tells which rule an entry breaks.
func wrong(c timesheet.Company, e timesheet.CompanyEntry) string {
	project := c.Projects[e.Project]
	switch {
	case c.Users[e.User].Role == timesheet.RoleViewer:
		return "viewers keep no entries"
	case !slices.Contains(project.Members, e.User) && project.Lead != e.User:
		return "the person does not belong to the project"
	case e.Task != -1 && c.Tasks[e.Task].Project != e.Project:
		return "the task is another project's"
	case e.Seconds <= 0 || e.Seconds > 24*60*60:
		return "the length is out of range"
	case e.Billable && !project.Billable:
		return "the project is not billable"
	case !e.Start.Equal(e.Start.Truncate(time.Second)):
		return "a start is a whole second"
	}
	for _, tag := range e.Tags {
		if tag < 0 || tag >= len(c.Tags) {
			return "there is no such tag"
		}
	}
	return ""
}

func TestSeedsShareNothing(t *testing.T) {
	addresses, names := map[string]uint64{}, map[string]uint64{}
	for seed := range uint64(20) {
		for c := range Companies(Config{Entries: 600, Tenants: 600, Seed: seed, Until: noon}) {
			if other, ok := names[c.Name]; ok {
				t.Errorf("seeds %d and %d both have %s", seed, other, c.Name)
			}
			names[c.Name] = seed
			for _, u := range c.Users {
				if other, ok := addresses[u.Email]; ok {
					t.Errorf("seeds %d and %d both have %s", seed, other, u.Email)
				}
				addresses[u.Email] = seed
			}
		}
	}
}

func TestNobodyWorksForACentury(t *testing.T) {
	for c := range Companies(Config{Entries: 1_000_000, Tenants: 20, Seed: 1, Until: noon}) {
		for e := range c.Entries {
			if e.Start.Before(noon.AddDate(-12, 0, 0)) {
				t.Errorf("%s of %d people begins on %v", c.Name, len(c.Users), e.Start)
			}
			break
		}
	}
}

func TestApportion(t *testing.T) {
	for _, c := range []struct{ total, n int }{{1, 1}, {5, 5}, {6, 5}, {1000, 7}, {999_999_999, 20}, {100_000, 99_999}} {
		sum, least := 0, c.total
		for _, part := range apportion(c.total, zipf(c.n, tenantZipf)) {
			sum, least = sum+part, min(least, part)
		}
		if sum != c.total || least < 1 {
			t.Errorf("%d among %d: %d in all, the least %d; want all of it and at least 1", c.total, c.n, sum, least)
		}
	}
}

// A company of many entries takes no more memory than one of few.
func TestEntriesAreStreamed(t *testing.T) {
	for c := range Companies(Config{Entries: 200_000, Tenants: 1, Seed: 1, Until: noon}) {
		before, n := liveBytes(), 0
		for range c.Entries {
			if n++; n == 150_000 {
				if grown := int64(liveBytes()) - int64(before); grown > 1<<20 {
					t.Errorf("%d bytes are held after 150,000 entries, want at most a megabyte", grown)
				}
			}
		}
	}
}

func liveBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkCompanies(b *testing.B) {
	const entries = 100_000
	b.ReportAllocs()
	for b.Loop() {
		for c := range Companies(Config{Entries: entries, Tenants: 20, Seed: 1, Until: noon}) {
			for range c.Entries {
			}
		}
	}
	b.ReportMetric(float64(b.N)*entries/b.Elapsed().Seconds(), "entries/s")
}
