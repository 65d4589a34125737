package store_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/timesheet"
)

// walk reads a whole list page by page, forwards or backwards, and returns the
// ids, newest first.
func walk(t testing.TB, s *store.Store, v timesheet.Viewer, f timesheet.EntryFilter, size int, backwards bool) []timesheet.EntryID {
	t.Helper()
	var ids []timesheet.EntryID
	seen := map[timesheet.EntryID]bool{}
	p := timesheet.Page{First: size}
	if backwards {
		p = timesheet.Page{Last: size}
	}
	for {
		page, err := s.TimeEntries(t.Context(), v, f, p)
		if err != nil {
			t.Fatal(err)
		}
		var found []timesheet.EntryID
		for _, e := range page.Nodes {
			if found = append(found, e.ID); seen[e.ID] {
				t.Fatalf("a page of %d holds %v again: the walk has no end", size, e.ID)
			}
			seen[e.ID] = true
		}
		if backwards {
			ids = append(found, ids...)
			if !page.HasPreviousPage {
				return ids
			}
			p.Before = page.Cursor(0)
			continue
		}
		ids = append(ids, found...)
		if !page.HasNextPage {
			return ids
		}
		p.After = page.Cursor(len(page.Nodes) - 1)
	}
}

// Pages that are read while entries are inserted before, between and behind
// them have every entry that was there from the start, once and in order.
func TestCase44PagesWhileInserting(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	// Few instants, so that many entries start at the same one.
	random := rand.New(rand.NewPCG(1, 2))
	insert := func(random *rand.Rand) timesheet.TimeEntry {
		at := instant(t, "2024-06-03T08:00:00Z").Add(time.Duration(random.IntN(7)) * time.Hour)
		e, _, err := s.CreateTimeEntry(t.Context(), owner, timesheet.EntryInput{Start: timesheet.Some(at), End: timesheet.Some(at.Add(time.Minute))}, change("createTimeEntry"))
		if err != nil {
			t.Error(err)
		}
		return e
	}
	var want []timesheet.EntryID
	var there []timesheet.TimeEntry
	for range 60 {
		there = append(there, insert(random))
	}
	slices.SortFunc(there, func(a, b timesheet.TimeEntry) int {
		if c := b.StartedAt.Compare(a.StartedAt); c != 0 {
			return c
		}
		return slices.Compare(b.ID[:], a.ID[:])
	})
	for _, e := range there {
		want = append(want, e.ID)
	}

	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		random := rand.New(rand.NewPCG(3, 4))
		for {
			select {
			case <-stop:
				return
			default:
				insert(random)
			}
		}
	})
	for name, backwards := range map[string]bool{"case44_forwards": false, "case44_backwards": true} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 7} {
				got := walk(t, s, owner, timesheet.EntryFilter{}, size, backwards)
				old := slices.DeleteFunc(got, func(id timesheet.EntryID) bool { return !slices.Contains(want, id) })
				if diff := cmp.Diff(want, old); diff != "" {
					t.Errorf("pages of %d, without what was inserted meanwhile (-want +got):\n%s", size, diff)
				}
			}
		})
	}
	close(stop)
	wg.Wait()
}

func TestTimeEntriesFilter(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	ctx := t.Context()
	foreign := addWorkspace(t, s, "Other")
	member := addViewer(t, s, owner, "member", timesheet.RoleMember)
	acme, beta := addClient(t, s, owner, "Acme"), addClient(t, s, owner, "Beta")
	a1, a2 := addProject(t, s, owner, "a1", &acme.ID), addProject(t, s, owner, "a2", &acme.ID)
	b, free := addProject(t, s, owner, "b", &beta.ID), addProject(t, s, owner, "free", nil)
	task, second := addTask(t, s, owner, a1.ID, "paint"), addTask(t, s, owner, b.ID, "paint")
	third := addTask(t, s, owner, b.ID, "polish")
	red, blue := addTag(t, s, owner, "red"), addTag(t, s, owner, "blue")
	create(t, s, foreign, hour(t))

	entries := map[string]timesheet.TimeEntry{}
	add := func(name string, v timesheet.Viewer, at string, in timesheet.EntryInput) {
		in.Start, in.End = timesheet.Some(instant(t, at)), timesheet.Some(instant(t, at).Add(time.Hour))
		entries[name] = create(t, s, v, in)
	}
	add("none", owner, "2024-06-01T08:00:00Z", timesheet.EntryInput{Description: timesheet.Some("100% ready")})
	add("a1", owner, "2024-06-02T08:00:00Z", timesheet.EntryInput{Project: timesheet.Some(&a1.ID), Task: timesheet.Some(&task.ID), Tags: timesheet.Some([]timesheet.TagID{red.ID})})
	add("a2", owner, "2024-06-03T08:00:00Z", timesheet.EntryInput{Project: timesheet.Some(&a2.ID), Tags: timesheet.Some([]timesheet.TagID{red.ID, blue.ID})})
	add("b", owner, "2024-06-04T08:00:00Z", timesheet.EntryInput{Project: timesheet.Some(&b.ID), Task: timesheet.Some(&second.ID), Tags: timesheet.Some([]timesheet.TagID{blue.ID})})
	add("late", owner, "2024-06-04T21:30:00Z", timesheet.EntryInput{Project: timesheet.Some(&free.ID), Billable: timesheet.Some(false), Description: timesheet.Some("ÎNCHEIERE la_final")})
	add("member", member, "2024-06-05T08:00:00Z", timesheet.EntryInput{Description: timesheet.Some(`back\slash`)})
	add("deleted", owner, "2024-06-05T09:00:00Z", timesheet.EntryInput{})
	done[timesheet.TimeEntry](t)(s.DeleteTimeEntry(ctx, owner, entries["deleted"].ID, nil, change("deleteTimeEntry")))
	entries["running"] = startAt(t, s, owner, instant(t, "2024-06-06T08:00:00Z"))

	all := []string{"running", "member", "late", "b", "a2", "a1", "none"}
	june := func(from, to string) *timesheet.Period { return new(period(t, "2024-06-"+from, "2024-06-"+to)) }
	tests := []struct {
		name string
		who  timesheet.Viewer
		f    timesheet.EntryFilter
		want []string
	}{
		{"everything", owner, timesheet.EntryFilter{}, all},
		{"a member's own", member, timesheet.EntryFilter{}, []string{"member"}},
		{"a member asks for others", member, timesheet.EntryFilter{Users: []timesheet.UserID{owner.User, member.User}}, []string{"member"}},
		{"one person", owner, timesheet.EntryFilter{Users: []timesheet.UserID{member.User}}, []string{"member"}},
		{"several people", owner, timesheet.EntryFilter{Users: []timesheet.UserID{member.User, owner.User, member.User}}, all},
		{"a person of another workspace", owner, timesheet.EntryFilter{Users: []timesheet.UserID{foreign.User}}, nil},
		{"a period", owner, timesheet.EntryFilter{Period: june("02", "03")}, []string{"a2", "a1"}},
		{"the day in the workspace's zone", owner, timesheet.EntryFilter{Period: june("05", "05")}, []string{"member", "late"}},
		{"case43_empty_period", owner, timesheet.EntryFilter{Period: june("10", "11")}, nil},
		{"a project", owner, timesheet.EntryFilter{Projects: []timesheet.ProjectID{a1.ID}}, []string{"a1"}},
		{"projects", owner, timesheet.EntryFilter{Projects: []timesheet.ProjectID{b.ID, a1.ID, b.ID, free.ID}}, []string{"late", "b", "a1"}},
		{"projects of a person in a period", owner, timesheet.EntryFilter{Projects: []timesheet.ProjectID{b.ID, a1.ID}, Users: []timesheet.UserID{owner.User}, Period: june("01", "03")}, []string{"a1"}},
		{"a client", owner, timesheet.EntryFilter{Clients: []timesheet.ClientID{acme.ID}}, []string{"a2", "a1"}},
		{"clients", owner, timesheet.EntryFilter{Clients: []timesheet.ClientID{acme.ID, beta.ID}}, []string{"b", "a2", "a1"}},
		{"a client and a project of another", owner, timesheet.EntryFilter{Clients: []timesheet.ClientID{acme.ID}, Projects: []timesheet.ProjectID{b.ID}}, nil},
		{"a task", owner, timesheet.EntryFilter{Tasks: []timesheet.TaskID{task.ID}}, []string{"a1"}},
		{"tasks", owner, timesheet.EntryFilter{Tasks: []timesheet.TaskID{task.ID, third.ID, second.ID}}, []string{"b", "a1"}},
		{"a tag", owner, timesheet.EntryFilter{Tags: []timesheet.TagID{red.ID}}, []string{"a2", "a1"}},
		{"any of the tags", owner, timesheet.EntryFilter{Tags: []timesheet.TagID{red.ID, blue.ID}}, []string{"b", "a2", "a1"}},
		{"billable", owner, timesheet.EntryFilter{Billable: new(true)}, []string{"b", "a2", "a1"}},
		{"not billable", owner, timesheet.EntryFilter{Billable: new(false)}, []string{"running", "member", "late", "none"}},
		{"text in another case", owner, timesheet.EntryFilter{Text: "încheiere"}, []string{"late"}},
		{"a percent sign", owner, timesheet.EntryFilter{Text: "0%"}, []string{"none"}},
		{"a percent sign is no pattern", owner, timesheet.EntryFilter{Text: "1%r"}, nil},
		{"an underscore is no pattern", owner, timesheet.EntryFilter{Text: "la_f"}, []string{"late"}},
		{"an underscore is no pattern either", owner, timesheet.EntryFilter{Text: "b_ck"}, nil},
		{"a backslash", owner, timesheet.EntryFilter{Text: `k\s`}, []string{"member"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want []timesheet.EntryID
			for _, name := range tt.want {
				want = append(want, entries[name].ID)
			}
			for _, backwards := range []bool{false, true} {
				for _, size := range []int{1, 2, 100} {
					if diff := cmp.Diff(want, walk(t, s, tt.who, tt.f, size, backwards)); diff != "" {
						t.Errorf("pages of %d, backwards %v (-want +got):\n%s", size, backwards, diff)
					}
				}
			}
			page, err := s.TimeEntries(ctx, tt.who, tt.f, timesheet.Page{First: 1})
			if err != nil {
				t.Fatal(err)
			}
			if n, err := page.Total(ctx); err != nil || n != len(want) {
				t.Errorf("the total is %d (%v), want %d", n, err, len(want))
			}
		})
	}
}

// A period finds the first and the last second of its days in the zones
// farthest from UTC, in lists and in the reports of one person.
func TestPeriodsInFarZones(t *testing.T) {
	t.Parallel()
	s, _ := newWorkspace(t)
	for _, name := range []string{"Pacific/Kiritimati", "Pacific/Pago_Pago"} {
		v := in(t, s, name)
		z := zone(t, name)
		first, next := day(t, "2024-06-03").Start(z), day(t, "2024-06-04").Start(z)
		for _, at := range []time.Time{first.Add(-time.Second), first, next.Add(-time.Second), next} {
			create(t, s, v, timesheet.EntryInput{Start: timesheet.Some(at), End: timesheet.Some(at.Add(time.Second))})
		}
		f := timesheet.EntryFilter{Period: new(period(t, "2024-06-03", "2024-06-03")), Users: []timesheet.UserID{v.User}}
		page, err := s.TimeEntries(t.Context(), v, f, timesheet.Page{First: 10})
		if err != nil || len(page.Nodes) != 2 || !page.Nodes[1].StartedAt.Equal(first) {
			t.Errorf("%s: the list has %+v (%v), want the first and the last second", name, page.Nodes, err)
		}
		r, err := s.Report(t.Context(), v, timesheet.ReportInput{Period: *f.Period, GroupBy: []timesheet.GroupKey{timesheet.GroupDay}, Filter: f, MaxRows: 10}, time.Now())
		if err != nil || r.Totals.EntryCount != 2 {
			t.Errorf("%s: the report has %+v (%v), want two entries", name, r.Totals, err)
		}
	}
}

func TestTimeEntriesRefuses(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	page := timesheet.Page{First: 10}
	long := timesheet.Period{From: day(t, "2000-01-01"), To: day(t, "2100-01-01")}
	for name, tt := range map[string]struct {
		f timesheet.EntryFilter
		p timesheet.Page
	}{
		"case43_end_before_start":           {timesheet.EntryFilter{Period: &timesheet.Period{From: 2, To: 1}}, page},
		"case43_more_than_a_hundred_years":  {timesheet.EntryFilter{Period: &long}, page},
		"text with U+0000":                  {timesheet.EntryFilter{Text: "a\x00"}, page},
		"text of broken UTF-8":              {timesheet.EntryFilter{Text: "a\xff"}, page},
		"no page":                           {timesheet.EntryFilter{}, timesheet.Page{}},
		"a page of 101":                     {timesheet.EntryFilter{}, timesheet.Page{First: 101}},
		"a cursor of another list":          {timesheet.EntryFilter{}, timesheet.Page{First: 1, After: "WyJ0YWdzIiwiYSIsIjEiXQ"}},
		"a cursor that is none":             {timesheet.EntryFilter{}, timesheet.Page{First: 1, After: "?"}},
		"a cursor with an impossible value": {timesheet.EntryFilter{}, timesheet.Page{Last: 1, Before: "WyJlbnRyaWVzIiwieCIsInkiXQ"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.TimeEntries(t.Context(), owner, tt.f, tt.p)
			wantCode(t, err, timesheet.CodeInvalid)
		})
	}
}
