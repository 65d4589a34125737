package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

func readTokens(t *testing.T, path string) [][]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// A seeded database is served, and everybody in the file of tokens is known.
func TestSeed(t *testing.T) {
	dir, path := storetest.Dir(t), filepath.Join(t.TempDir(), "tokens.csv")
	if err := os.WriteFile(path, []byte(strings.Repeat("an old file\n", 9000)), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"seed", "--data-dir", dir, "--entries", "900", "--tenants", "3", "--seed", "7", "--tokens", path}
	r := runs(t, args...)
	var entries, workspaces, people int
	if _, err := fmt.Sscanf(r.out, "%d entries, %d workspaces, %d people in", &entries, &workspaces, &people); err != nil || r.code != 0 || entries != 900 || workspaces != 3 {
		t.Fatalf("exit %d, %q\n%s", r.code, r.out, r.stderr)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the tokens' file has mode %v, %v", info.Mode(), err)
	}
	rows := readTokens(t, path)
	if len(rows) > people || len(rows) < people*3/4 {
		t.Errorf("%d tokens for %d people, of which few are placeholders", len(rows), people)
	}
	p := serve(t, "--data-dir", dir, "--no-demo")
	roles := map[string]bool{}
	for _, row := range rows {
		if len(row) != 4 || roles[row[2]] {
			continue
		}
		roles[row[2]] = true
		body := p.ask(row[3], `{ viewer { role workspace { name } user { email } } timeEntries(first: 1) { totalCount } }`)
		for _, want := range []string{`"role":"` + row[2] + `"`, `"name":"` + row[0] + `"`, `"email":"` + row[1] + `"`} {
			if !strings.Contains(body, want) {
				t.Errorf("the token of %q gives %s, want %s", row[:3], body, want)
			}
		}
	}
	if len(roles) < 3 || roles["PLACEHOLDER"] {
		t.Errorf("tokens of the roles %v, want owners, managers, members and no placeholder", roles)
	}
	r = runs(t, args...)
	if want := "3 of 3 companies of seed 7 are there already"; r.code != 0 || !strings.HasPrefix(r.out, "0 entries, 0 workspaces, 0 people in ") || !strings.Contains(r.stderr, want) {
		t.Errorf("again: exit %d, %q, %q; want %s", r.code, r.out, r.stderr, want)
	}
	if again := readTokens(t, path); fmt.Sprint(again) != fmt.Sprint(rows) {
		t.Error("the second file holds other tokens than the first")
	}
}

func TestSeedRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"negative entries", []string{"--entries=-1"}, "--entries -1 is fewer than one for each of 20 companies"},
		{"no tenants", []string{"--tenants=0"}, "--tenants 0: at least one company is made"},
		{"negative tenants", []string{"--tenants=-3"}, "--tenants -3: at least one company is made"},
		{"more tenants than entries", []string{"--entries=5", "--tenants=6"}, "--entries 5 is fewer than one for each of 6 companies: raise it or lower --tenants"},
		{"too many", []string{"--entries=5000000000"}, "--entries 5000000000 is more than 1000000000"},
		{"no number", []string{"--entries=many"}, "--entries"},
		{"negative seed", []string{"--seed=-1"}, "--seed"},
		{"tokens of one's own database", []string{"--tokens=t.csv", "--database-url=postgres://nowhere.example/x"}, "--tokens is for the private PostgreSQL only"},
		{"tokens nowhere", []string{"--tokens=/nowhere/t.csv"}, "--tokens: open /nowhere/t.csv: no such file or directory"},
		{"tokens in a folder", []string{"--tokens=" + t.TempDir()}, "is a directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, told bytes.Buffer
			code := run(t.Context(), append([]string{"seed", "--data-dir", dir}, c.args...), &out, &told)
			line := strings.TrimSpace(told.String())
			if code == 0 || !strings.HasPrefix(line, "headroom: ") || !strings.Contains(line, c.want) || strings.Contains(line, "\n") || out.Len() > 0 {
				t.Errorf("exit %d, %q, %q; want one line with %s", code, out.String(), line, c.want)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("a database was made all the same")
			}
		})
	}
}

// An unwritable file is found before the database is asked; a file that was
// made for nothing is taken away.
func TestSeedTakesItsFileAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.csv")
	var out, told bytes.Buffer
	code := run(t.Context(), []string{"seed", "--data-dir", "/dev/null/x", "--tokens", path}, &out, &told)
	if _, err := os.Stat(path); code == 0 || err == nil {
		t.Errorf("exit %d and a file of tokens, %s", code, told.String())
	}
}

// cancelAt ends a context at the n-th line.
type cancelAt struct {
	bytes.Buffer
	n      int
	cancel context.CancelFunc
}

func (c *cancelAt) Write(text []byte) (int, error) {
	if c.n--; c.n == 0 {
		c.cancel()
	}
	return c.Buffer.Write(text)
}

func workspacesOf(t *testing.T, s *store.Store) int {
	t.Helper()
	all, err := s.FindWorkspaces(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// Who interrupts a seeding is told what there is, and running it again makes
// the rest.
func TestSeedGoesOn(t *testing.T) {
	s := storetest.Open(t)
	c := SeedCmd{Entries: 40_000, Tenants: 5, Seed: 1}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := &cancelAt{n: 4, cancel: cancel} // chunks: two of the first company, one of the next
	p := newSeedProgress(told, c.Tenants)
	p.every = 0
	_, err := c.load(ctx, s, p)
	want := fmt.Sprintf("%d of 5 companies are complete and nothing of the others is there; running it again makes them", p.made)
	if err == nil || err.Error() != want || p.made == 0 || p.made == 5 {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if n := workspacesOf(t, s); n != p.made {
		t.Errorf("%d workspaces are there, want %d", n, p.made)
	}
	line := regexp.MustCompile(`(?m)^\d+ entries, company [1-5] of 5, \d+ entries/s$`)
	if n := len(line.FindAllString(told.String(), -1)); n != 4 {
		t.Errorf("%d lines of progress, want 4:\n%s", n, told.String())
	}
	var out, again bytes.Buffer
	if err := c.run(t.Context(), s, nil, &out, &again); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%d of 5 companies of seed 1 are there already and stay as they are; another --seed makes others\n", p.made); again.String() != want {
		t.Errorf("told %q, want %q", again.String(), want)
	}
	if n := workspacesOf(t, s); n != 5 {
		t.Errorf("%d workspaces in the end, want 5", n)
	}
	entries := int64(0)
	all, err := s.FindWorkspaces(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range all {
		v, err := s.OwnerViewer(t.Context(), w.ID)
		if err != nil {
			t.Fatal(err)
		}
		page, err := s.TimeEntries(t.Context(), v, timesheet.EntryFilter{}, timesheet.Page{First: 1})
		if err != nil {
			t.Fatal(err)
		}
		n, err := page.Total(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		entries += int64(n)
	}
	if entries != 40_000 {
		t.Errorf("%d entries in the end, want 40000", entries)
	}
}

// A workspace that happens to have a company's name is not that company.
func TestSeedBesideANamesake(t *testing.T) {
	s := storetest.Open(t)
	_, err := s.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: "Alder Works", TimeZone: "UTC", Currency: "EUR", Owner: store.Person{Name: "Olga", Email: "olga@example.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var out, told bytes.Buffer
	c := SeedCmd{Entries: 10, Tenants: 2, Seed: 1}
	if err := c.run(t.Context(), s, nil, &out, &told); err != nil || !strings.HasPrefix(out.String(), "10 entries, 2 workspaces, ") {
		t.Errorf("got %q, %v, want both companies", out.String(), err)
	}
	if n := workspacesOf(t, s); n != 3 {
		t.Errorf("%d workspaces, want 3", n)
	}
}

func TestSeedTokensOnAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("the system has no /dev/full")
	}
	s := storetest.Open(t)
	tokens, err := openTokens("/dev/full")
	if err != nil {
		t.Fatal(err)
	}
	defer tokens.close()
	var out, told bytes.Buffer
	c := SeedCmd{Entries: 10, Tenants: 2, Seed: 1}
	err = c.run(t.Context(), s, tokens, &out, &told)
	if err == nil || !strings.Contains(err.Error(), "no space left on device") || strings.Contains(err.Error(), "\n") || out.Len() > 0 {
		t.Errorf("got %v, %q, want one line about the full disk", err, out.String())
	}
}
