package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/proof"
	"headroom/store"
	"headroom/timesheet"
)

// priced is a workspace of two people and two projects with a task each.
type priced struct {
	*testing.T
	s        *store.Store
	v        timesheet.Viewer
	conn     *pgx.Conn
	people   []timesheet.UserID
	projects []timesheet.ProjectID
	tasks    []timesheet.TaskID // of the project at the same index
}

func newPriced(t *testing.T) *priced {
	t.Helper()
	s, v, conn := newDatabase(t)
	w := &priced{T: t, s: s, v: v, conn: conn, people: []timesheet.UserID{v.User, addViewer(t, s, v, "mia", timesheet.RoleMember).User}}
	for _, name := range []string{"one", "two"} {
		p := addProject(t, s, v, name, nil)
		task := done[timesheet.Task](t)(s.CreateTask(t.Context(), v, timesheet.TaskInput{Project: p.ID, Name: timesheet.Some(name)}, change("createTask")))
		w.projects, w.tasks = append(w.projects, p.ID), append(w.tasks, task.ID)
	}
	return w
}

// set is in the class of the API's setRate.
func (w *priced) set(in timesheet.RateInput) timesheet.RateSet {
	w.Helper()
	ctx := timesheet.WithService(w.Context(), timesheet.Service{Class: timesheet.ClassBackground})
	if in.Kind == "" {
		in.Kind = timesheet.RateBill
	}
	if in.Apply == "" {
		in.Apply = timesheet.ApplyFuture
	}
	return done[timesheet.RateSet](w.T)(w.s.SetRate(ctx, w.v, in, change("setRate")))
}

func (w *priced) entry(day string, work timesheet.EntryInput) timesheet.TimeEntry {
	w.Helper()
	in := spanOn(day, 1)
	in.Project, in.Task, in.User, in.Billable = work.Project, work.Task, work.User, timesheet.Some(true)
	return done[timesheet.TimeEntry](w.T)(w.s.CreateTimeEntry(w.Context(), w.v, in, change("createTimeEntry")))
}

// amount is what an hour of an entry was billed, as it is now.
func (w *priced) amount(id timesheet.EntryID) timesheet.Money {
	w.Helper()
	found, err := w.s.EntriesByID(w.Context(), w.v, []timesheet.EntryID{id})
	if err != nil {
		w.Fatal(err)
	}
	return timesheet.MoneyFromX3600(*found[id].AmountX3600, found[id].Currency)
}

func (w *priced) on(project int) timesheet.EntryInput {
	return timesheet.EntryInput{Project: timesheet.Some(&w.projects[project])}
}

// oracle is a workspace's rates as a list, and what they mean.
type oracle struct {
	rates  []timesheet.Rate
	orders map[timesheet.ProjectID][]timesheet.RateScope
}

// find looks at every rate, for each scope in its turn.
func (o oracle) find(kind timesheet.RateKind, user timesheet.UserID, project *timesheet.ProjectID, task *timesheet.TaskID, day timesheet.Date) *timesheet.Rate {
	order := timesheet.RateOrder
	if project != nil {
		order = o.orders[*project]
	}
	same := func(r timesheet.Rate, scope timesheet.RateScope) bool {
		switch scope {
		case timesheet.ScopeTask:
			return task != nil && r.Task != nil && *r.Task == *task
		case timesheet.ScopeProjectMember:
			return project != nil && r.Project != nil && *r.Project == *project && r.User != nil && *r.User == user
		case timesheet.ScopeProject:
			return project != nil && r.Project != nil && *r.Project == *project && r.User == nil
		case timesheet.ScopeMember:
			return r.Project == nil && r.User != nil && *r.User == user
		}
		return r.Project == nil && r.User == nil && r.Task == nil
	}
	for _, scope := range order {
		var last *timesheet.Rate
		for i, r := range o.rates {
			if r.Kind != kind || !same(r, scope) || r.From != nil && *r.From > day {
				continue
			}
			if last == nil || last.From == nil || r.From != nil && *r.From > *last.From {
				last = &o.rates[i]
			}
		}
		if last != nil && last.Minor != nil {
			return last
		}
	}
	return nil
}

// hourly is what an entry has, or should have.
func (o oracle) hourly(e timesheet.TimeEntry) string {
	bill, cost, currency := int64(0), int64(0), "EUR"
	if r := o.find(timesheet.RateBill, e.UserID, e.ProjectID, e.TaskID, e.Day); r != nil {
		bill, currency = *r.Minor, r.Currency
	}
	if r := o.find(timesheet.RateCost, e.UserID, e.ProjectID, e.TaskID, e.Day); r != nil {
		cost = *r.Minor
	}
	return fmt.Sprint(bill, " ", cost, " ", currency)
}

// randomRate is of any scope, from any of a few days on.
func (w *priced) randomRate(r *rand.Rand) timesheet.RateInput {
	in := timesheet.RateInput{Kind: pick(r, timesheet.RateBill, timesheet.RateBill, timesheet.RateCost)}
	switch r.IntN(5) {
	case 0:
		in.Task = &w.tasks[r.IntN(2)]
	case 1:
		in.Project, in.User = &w.projects[r.IntN(2)], &w.people[r.IntN(2)]
	case 2:
		in.Project = &w.projects[r.IntN(2)]
	case 3:
		in.User = &w.people[r.IntN(2)]
	}
	if r.IntN(4) > 0 {
		in.From = new(day(w, "2024-01-01") + timesheet.Date(r.IntN(90)))
	}
	if r.IntN(4) > 0 {
		in.Minor = pick(r, new(int64(0)), new(r.Int64N(20_000)), new(int64(timesheet.MaxRate)))
	}
	if in.Kind == timesheet.RateBill {
		in.Currency = pick(r, nil, new("JPY"), new("KWD"), new("CLF"))
	}
	return in
}

// read is the oracle of the rates that the API shows.
func (w *priced) read() oracle {
	w.Helper()
	var all []timesheet.Rate
	for next := (timesheet.Page{First: 100}); ; {
		page, err := w.s.Rates(w.Context(), w.v, timesheet.RateFilter{}, next)
		if err != nil {
			w.Fatal(err)
		}
		if all = append(all, page.Nodes...); !page.HasNextPage {
			break
		}
		next.After = page.Cursor(len(page.Nodes) - 1)
	}
	found, err := w.s.ProjectsByID(w.Context(), w.v, w.projects)
	if err != nil {
		w.Fatal(err)
	}
	o := oracle{all, map[timesheet.ProjectID][]timesheet.RateScope{}}
	for id, p := range found {
		o.orders[id] = p.RateOrder
	}
	return o
}

// entries are all of the workspace's, with what each has.
func (w *priced) entries() map[timesheet.EntryID]string {
	w.Helper()
	rows, err := w.conn.Query(w.Context(), `SELECT id, concat_ws(' ', rate_minor, cost_minor, currency) FROM time_entry WHERE workspace_id = $1`, w.v.Workspace.ID)
	if err != nil {
		w.Fatal(err)
	}
	all := map[timesheet.EntryID]string{}
	var id timesheet.EntryID
	var text string
	if _, err := pgx.ForEachRow(rows, []any{&id, &text}, func() error { all[id] = text; return nil }); err != nil {
		w.Fatal(err)
	}
	return all
}

// roundsOfAWorld is after how many rounds there is another workspace, as the search
// looks at all rates for all entries.
const roundsOfAWorld = 50

// Random rates, orders and entries: each entry has, when it is written and
// after each way of repricing, what a search through all rates finds for it.
func TestRatesAgainstASearch(t *testing.T) {
	t.Parallel()
	n, r := proof.Size(t, 1000, 20), proof.Rand(t, 26)
	var w *priced
	var all []timesheet.TimeEntry
	checked, moved := 0, int64(0)
	for round := range n {
		if round%roundsOfAWorld == 0 {
			w, all = newPriced(t), nil
		}
		for range 4 {
			w.set(w.randomRate(r))
		}
		project := r.IntN(3)
		if project < 2 {
			order := slices.Clone(timesheet.RateOrder)
			r.Shuffle(5, func(i, j int) { order[i], order[j] = order[j], order[i] })
			done[timesheet.Project](t)(w.s.UpdateProject(t.Context(), w.v, w.projects[project], timesheet.ProjectInput{RateOrder: timesheet.Some(order)}, nil, change("updateProject")))
		}
		o := w.read()
		for range 6 {
			work := timesheet.EntryInput{User: &w.people[r.IntN(2)]}
			if p := r.IntN(3); p < 2 {
				work.Project = timesheet.Some(&w.projects[p])
				if r.IntN(2) == 0 {
					work.Task = timesheet.Some(&w.tasks[p])
				}
			}
			e := w.entry((day(t, "2023-12-25") + timesheet.Date(r.IntN(110))).String(), work)
			if got, want := w.entries()[e.ID], o.hourly(e); got != want {
				t.Fatalf("round %d: %+v got %s, want %s", round, e, got, want)
			}
			all = append(all, e)
		}
		before := w.entries()
		in := w.randomRate(r)
		in.Apply = pick(r, timesheet.ApplyFuture, timesheet.ApplyAllFrom, timesheet.ApplyUninvoiced)
		if in.Apply == timesheet.ApplyAllFrom {
			in.ApplyFrom = new(day(t, "2024-01-01") + timesheet.Date(r.IntN(90)))
			if r.IntN(2) == 0 {
				in.ApplyThrough = new(*in.ApplyFrom + timesheet.Date(r.IntN(60)))
			}
		}
		repriced := w.set(in).Repriced
		o = w.read()
		changed, now := int64(0), w.entries()
		for _, e := range all {
			want := before[e.ID]
			if concerns(in, e) {
				want = o.hourly(e)
			}
			if want != before[e.ID] {
				changed++
			}
			if checked++; now[e.ID] != want {
				t.Fatalf("round %d, %s: %+v has %s, want %s, had %s", round, in.Apply, e, now[e.ID], want, before[e.ID])
			}
		}
		if repriced != changed {
			t.Fatalf("round %d: %d entries repriced, want %d", round, repriced, changed)
		}
		moved += repriced
		wantRollup(t, w.conn, w.v, string(in.Apply))
	}
	proof.Result(t, "%d repricings of %d entries: each of %d entries has what a search finds for it", n, moved, checked)
	if moved == 0 {
		t.Error("nothing was repriced: the test shows nothing")
	}
}

// concerns tells whether a rate that is set reprices an entry.
func concerns(in timesheet.RateInput, e timesheet.TimeEntry) bool {
	switch {
	case in.Apply == timesheet.ApplyFuture,
		in.ApplyFrom != nil && e.Day < *in.ApplyFrom,
		in.ApplyThrough != nil && e.Day > *in.ApplyThrough,
		in.User != nil && *in.User != e.UserID,
		in.Project != nil && (e.ProjectID == nil || *in.Project != *e.ProjectID),
		in.Task != nil && (e.TaskID == nil || *in.Task != *e.TaskID):
		return false
	}
	return true
}

func TestSetRate(t *testing.T) {
	t.Parallel()
	w := newPriced(t)
	euros := func(n int64) *int64 { return new(n * 100) }
	wantAmount := func(t *testing.T, e timesheet.TimeEntry, want string) {
		t.Helper()
		if got := w.amount(e.ID).String(); got != want {
			t.Errorf("%s is billed at %s, want %s", e.Day, got, want)
		}
	}
	report := func() string {
		r, err := w.s.Report(t.Context(), w.v, timesheet.ReportInput{
			Period: timesheet.Period{From: day(t, "2024-01-01"), To: day(t, "2024-12-31")}, GroupBy: []timesheet.GroupKey{timesheet.GroupProject}, MaxRows: 10,
		}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(r.Totals.Amounts)
	}
	w.set(timesheet.RateInput{Minor: euros(50)})
	march, april, may, june := w.entry("2024-03-04", w.on(0)), w.entry("2024-04-04", w.on(0)), w.entry("2024-05-06", w.on(0)), w.entry("2024-06-04", w.on(0))
	mark := func(invoiced bool) {
		results, _, err := w.s.BulkEditTimeEntries(t.Context(), w.v, []timesheet.EntryID{april.ID}, timesheet.EntryInput{Invoiced: timesheet.Some(invoiced)}, change("bulkEditTimeEntries"))
		if err != nil || results[0].Error != nil || results[0].Entry.Invoiced != invoiced {
			t.Fatalf("mark: %+v, %v", results, err)
		}
	}
	mark(true)
	done[timesheet.Workspace](t)(w.s.LockPeriod(t.Context(), w.v, day(t, "2024-03-31"), change("lockPeriod")))
	t.Run("case26_future", func(t *testing.T) {
		w.set(timesheet.RateInput{Project: &w.projects[0], Minor: euros(60), From: new(day(t, "2024-02-01"))})
		if got := report(); got != "[200.00 EUR]" {
			t.Errorf("the report says %s, want 4 h at 50", got)
		}
		wantAmount(t, w.entry("2024-05-07", w.on(0)), "60.00 EUR")
	})
	t.Run("case26_all_from", func(t *testing.T) {
		w.set(timesheet.RateInput{Project: &w.projects[0], Minor: euros(60), From: new(day(t, "2024-02-01")), Apply: timesheet.ApplyAllFrom, ApplyFrom: new(day(t, "2024-06-01"))})
		wantAmount(t, may, "50.00 EUR")
		wantAmount(t, june, "60.00 EUR")
		if got := report(); got != "[270.00 EUR]" {
			t.Errorf("the report says %s, want 3 h at 50 and 2 at 60", got)
		}
	})
	t.Run("case26_uninvoiced", func(t *testing.T) {
		w.set(timesheet.RateInput{Project: &w.projects[0], Minor: euros(70), From: new(day(t, "2024-02-01")), Apply: timesheet.ApplyUninvoiced})
		wantAmount(t, may, "70.00 EUR")
		if got := report(); got != "[310.00 EUR]" {
			t.Errorf("the report says %s, want 2 h at 50 and 3 at 70", got)
		}
	})
	t.Run("case26_invoiced_keeps_its_rate", func(t *testing.T) { wantAmount(t, april, "50.00 EUR") })
	t.Run("case31_reprice", func(t *testing.T) { wantAmount(t, march, "50.00 EUR") })
	t.Run("case27_null_inherits", func(t *testing.T) {
		w.set(timesheet.RateInput{Project: &w.projects[0], From: new(day(t, "2024-07-01"))})
		wantAmount(t, w.entry("2024-07-01", w.on(0)), "50.00 EUR")
		wantAmount(t, w.entry("2024-06-30", w.on(0)), "70.00 EUR")
	})
	t.Run("case27_zero_is_free", func(t *testing.T) {
		w.set(timesheet.RateInput{Project: &w.projects[0], Minor: new(int64(0)), From: new(day(t, "2024-08-01"))})
		wantAmount(t, w.entry("2024-08-01", w.on(0)), "0.00 EUR")
	})
	t.Run("case28_digits", func(t *testing.T) {
		for _, want := range []string{"1250 JPY", "1.250 KWD", "0.1250 CLF", "12.50 EUR"} { // the last one stays
			_, currency, _ := strings.Cut(want, " ")
			w.set(timesheet.RateInput{Project: &w.projects[1], Minor: new(int64(1250)), Currency: &currency})
			wantAmount(t, w.entry("2025-01-02", w.on(1)), want)
		}
	})
	t.Run("case29_currencies_are_not_added", func(t *testing.T) {
		r, err := w.s.Report(t.Context(), w.v, timesheet.ReportInput{
			Period: timesheet.Period{From: day(t, "2025-01-01"), To: day(t, "2025-01-31")}, GroupBy: []timesheet.GroupKey{timesheet.GroupProject}, MaxRows: 10,
		}, time.Now())
		if got := fmt.Sprint(r.Totals.Amounts); err != nil || got != "[0.1250 CLF 12.50 EUR 1250 JPY 1.250 KWD]" {
			t.Errorf("the report says %s, %v", got, err)
		}
	})
	t.Run("case30_not_billable", func(t *testing.T) {
		e := done[timesheet.TimeEntry](t)(w.s.UpdateTimeEntry(t.Context(), w.v, may.ID, timesheet.EntryInput{Billable: timesheet.Some(false)}, nil, change("updateTimeEntry")))
		wantAmount(t, e, "0.00 EUR")
		e = done[timesheet.TimeEntry](t)(w.s.UpdateTimeEntry(t.Context(), w.v, may.ID, timesheet.EntryInput{Billable: timesheet.Some(true)}, nil, change("updateTimeEntry")))
		wantAmount(t, e, "70.00 EUR")
	})
	t.Run("case36_moved_to_other_work", func(t *testing.T) {
		e := done[timesheet.TimeEntry](t)(w.s.UpdateTimeEntry(t.Context(), w.v, may.ID, w.on(1), nil, change("updateTimeEntry")))
		wantAmount(t, e, "12.50 EUR")
		e = done[timesheet.TimeEntry](t)(w.s.UpdateTimeEntry(t.Context(), w.v, may.ID, timesheet.EntryInput{Description: timesheet.Some("x")}, nil, change("updateTimeEntry")))
		wantAmount(t, e, "12.50 EUR")
		results, _, err := w.s.BulkEditTimeEntries(t.Context(), w.v, []timesheet.EntryID{may.ID}, w.on(0), change("bulkEditTimeEntries"))
		if err != nil || results[0].Error != nil {
			t.Fatal(results, err)
		}
		wantAmount(t, may, "70.00 EUR")
	})
	t.Run("case49_the_highest_rate", func(t *testing.T) {
		w.set(timesheet.RateInput{Project: &w.projects[1], Minor: new(int64(timesheet.MaxRate))})
		in := spanOn("2025-02-03", 7*24)
		in.Project, in.Billable = w.on(1).Project, timesheet.Some(true)
		e, _, err := w.s.CreateTimeEntry(t.Context(), w.v, in, change("createTimeEntry"))
		if err != nil {
			t.Fatal(err)
		}
		wantAmount(t, e, "1680000000.00 EUR")
	})
	t.Run("an_invoiced_entry_is_not_changed", func(t *testing.T) {
		_, _, err := w.s.UpdateTimeEntry(t.Context(), w.v, april.ID, timesheet.EntryInput{Description: timesheet.Some("x")}, nil, change("updateTimeEntry"))
		wantCode(t, err, timesheet.CodeInvoiced)
		_, _, err = w.s.DeleteTimeEntry(t.Context(), w.v, april.ID, nil, change("deleteTimeEntry"))
		wantCode(t, err, timesheet.CodeInvoiced)
		mark(false)
		done[timesheet.TimeEntry](t)(w.s.UpdateTimeEntry(t.Context(), w.v, april.ID, timesheet.EntryInput{Description: timesheet.Some("x")}, nil, change("updateTimeEntry")))
	})
}
