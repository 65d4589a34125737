package demo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/timesheet"
)

func TestSmallIsSound(t *testing.T) {
	for _, n := range []int{-1, 0, 1, 50, 300, 2000, 20_000} {
		c := Small(SmallConfig{Name: "Demo", Entries: n, Until: noon})
		if got := checkCompany(t, c, noon); got != max(n, 0) {
			t.Errorf("got %d entries, want %d", got, n)
		}
		roles := map[timesheet.Role]int{}
		for _, u := range c.Users {
			roles[u.Role]++
		}
		for _, role := range []timesheet.Role{timesheet.RoleOwner, timesheet.RoleAdmin, timesheet.RoleManager, timesheet.RoleMember, timesheet.RoleViewer} {
			if roles[role] == 0 {
				t.Errorf("nobody is %s", role)
			}
		}
	}
}

// Nobody can have worked for longer than the world of entries exists.
func TestSmallEndsAt1970(t *testing.T) {
	until := time.Date(1970, time.March, 1, 12, 0, 0, 0, time.UTC)
	got := checkCompany(t, Small(SmallConfig{Name: "Demo", Entries: 1_000_000, Until: until}), until)
	if got < 500 || got > 5000 {
		t.Errorf("got %d entries of two months", got)
	}
}

// At any hour of any day, through both changes of the clock, everybody who
// keeps time has some of today.
func TestSmallHasWorkedToday(t *testing.T) {
	zone := mustLoad("Europe/Bucharest")
	for _, from := range []time.Time{noon, time.Date(2026, time.March, 28, 20, 0, 0, 0, zone), time.Date(2026, time.October, 24, 20, 0, 0, 0, zone)} {
		for until := from; until.Before(from.AddDate(0, 0, 8)); until = until.Add(37 * time.Minute) {
			checkToday(t, until, zone)
		}
	}
	for _, after := range []time.Duration{time.Second, 59 * time.Second, time.Minute, 10 * time.Minute} {
		checkToday(t, time.Date(2026, time.March, 4, 0, 0, 0, 0, zone).Add(after), zone)
	}
}

func checkToday(t *testing.T, until time.Time, zone *time.Location) {
	t.Helper()
	today := timesheet.DayOf(until, zone)
	c := Small(SmallConfig{Name: "Demo", Entries: 100, Until: until})
	worked := map[int]bool{}
	for e := range c.Entries {
		if timesheet.DayOf(e.Start, zone) == today {
			worked[e.User] = true
		}
	}
	checkCompany(t, c, until)
	for i, u := range c.Users {
		if u.Role != timesheet.RoleViewer && !worked[i] {
			t.Errorf("until %v: %s has no entry of today", until, u.Name)
		}
	}
}

// One person's work never overlaps.
func TestSmallDoesOneThingAtATime(t *testing.T) {
	busy := map[int]time.Time{}
	for e := range Small(SmallConfig{Name: "Demo", Entries: 5000, Until: noon}).Entries {
		if e.Start.Before(busy[e.User]) {
			t.Fatalf("person %d begins at %v, before the end at %v", e.User, e.Start, busy[e.User])
		}
		busy[e.User] = e.Start.Add(time.Duration(e.Seconds) * time.Second)
	}
}

// What lies in the past does not depend on when one looks back.
func TestSmallIsTheSameAgain(t *testing.T) {
	from, to := noon.AddDate(0, 0, -9), noon.AddDate(0, 0, -2)
	week := func(until time.Time) string {
		c := Small(SmallConfig{Name: "Demo", Entries: 700, Until: until})
		var text strings.Builder
		for e := range c.Entries {
			if e.Start.After(from) && e.Start.Before(to) {
				fmt.Fprintf(&text, "%+v\n", e)
			}
		}
		return text.String()
	}
	got, want := week(noon.Add(25*time.Hour)), week(noon)
	if got != want || strings.Count(want, "\n") < 100 {
		t.Errorf("the week before is another a day later:\n%s", cmp.Diff(want, got))
	}
}

func TestDomainOf(t *testing.T) {
	for name, want := range map[string]string{
		"Demo": "demo.example", "Acme & Söhne 2": "acme--shne-2.example", "株式会社": "demo.example", "- x -": "x.example",
	} {
		if got := domainOf(name); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
}
