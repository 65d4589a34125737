package store_test

import (
	"testing"

	"headroom/store"
	"headroom/timesheet"
)

// What is written while entries are repriced has the new rate too, and until
// all have it nobody sees it on any.
func TestEntryWrittenDuringARepricing(t *testing.T) {
	t.Parallel()
	w := newPriced(t)
	held, free := w.entry("2024-05-06", w.on(0)), w.entry("2024-05-07", w.on(0))
	// A row that is held keeps the first pass from ending.
	mustExec(t, w.conn, `BEGIN`)
	mustExec(t, w.conn, `SELECT FROM time_entry WHERE id = $1 FOR UPDATE`, held.ID)
	repriced := make(chan timesheet.RateSet, 1)
	background := timesheet.WithService(t.Context(), timesheet.Service{Class: timesheet.ClassBackground})
	go func() {
		set, _, err := w.s.SetRate(background, w.v, timesheet.RateInput{Kind: timesheet.RateBill, Minor: new(int64(6000)), Apply: timesheet.ApplyUninvoiced}, change("setRate"))
		if err != nil {
			t.Error(err)
		}
		repriced <- set
	}()
	watch := connectTo(t, w.conn.Config().ConnString())
	waitsForLock(t, watch)
	late := w.entry("2024-05-08", w.on(0))
	_, _, err := w.s.LockPeriod(t.Context(), w.v, day(t, "2024-05-31"), change("lockPeriod"))
	wantCode(t, err, timesheet.CodeBusy)
	for _, e := range []timesheet.TimeEntry{free, late} {
		if got := w.amount(e.ID).Minor; got != 0 {
			t.Errorf("%s is billed at %d before the repricing has ended", e.Day, got)
		}
	}
	mustExec(t, w.conn, `COMMIT`)
	if set := <-repriced; set.Repriced != 3 {
		t.Errorf("%d entries were repriced, want 3", set.Repriced)
	}
	for _, e := range []timesheet.TimeEntry{held, free, late} {
		if got := w.amount(e.ID).Minor; got != 6000 {
			t.Errorf("%s is billed at %d, want 6000", e.Day, got)
		}
	}
	wantRollup(t, w.conn, w.v, "a repricing")
}

// More entries than a repricing has time for are refused, with nothing changed, and
// get their rates part by part; what may not be repriced does not count.
func TestRepricingOfTooManyEntries(t *testing.T) {
	t.Parallel()
	w := newPriced(t)
	var all []timesheet.TimeEntry
	for i := range 10 {
		all = append(all, w.entry((day(t, "2024-01-01")+timesheet.Date(i)).String(), w.on(0)))
	}
	w.entry("2024-01-05", w.on(1))
	set := func(in timesheet.RateInput) (timesheet.RateSet, error) {
		in.Kind, in.Minor, in.Project = timesheet.RateBill, new(int64(7000)), &w.projects[0]
		set, _, err := store.SetRateOf(t.Context(), w.s, w.v, in, change("setRate"), 6)
		return set, err
	}
	part := func(from, through string) timesheet.RateInput {
		return timesheet.RateInput{Apply: timesheet.ApplyAllFrom, ApplyFrom: new(day(t, from)), ApplyThrough: new(day(t, through))}
	}
	for _, in := range []timesheet.RateInput{{Apply: timesheet.ApplyUninvoiced}, part("2024-01-03", "2024-01-09")} {
		_, err := set(in)
		wantCode(t, err, timesheet.CodeOutOfRange)
		if rates := w.read().rates; len(rates) > 0 || w.amount(all[9].ID).Minor != 0 {
			t.Errorf("what was refused has set %v", rates)
		}
	}
	done[timesheet.Workspace](t)(w.s.LockPeriod(t.Context(), w.v, day(t, "2024-01-02"), change("lockPeriod")))
	for _, c := range []struct {
		in   timesheet.RateInput
		want int64
	}{{part("2024-01-06", "2024-01-31"), 5}, {part("2024-01-01", "2024-01-05"), 3}} {
		if got, err := set(c.in); err != nil || got.Repriced != c.want {
			t.Errorf("through %s: %d entries repriced, want %d (%v)", *c.in.ApplyThrough, got.Repriced, c.want, err)
		}
	}
	for i, e := range all {
		want := int64(7000)
		if i < 2 {
			want = 0 // closed
		}
		if got := w.amount(e.ID).Minor; got != want {
			t.Errorf("%s is billed at %d, want %d", e.Day, got, want)
		}
	}
	wantRollup(t, w.conn, w.v, "parts")
}

// Repricing takes the same statements for any number of entries.
func TestStatementsOfARepricing(t *testing.T) {
	t.Parallel()
	w := newPriced(t)
	statements := func(minor int64) int {
		op := store.NewOperation(1)
		_, _, err := w.s.SetRate(store.WithOperation(t.Context(), op), w.v, timesheet.RateInput{Kind: timesheet.RateBill, Minor: &minor, Apply: timesheet.ApplyUninvoiced}, change("setRate"))
		if err != nil {
			t.Fatal(err)
		}
		return op.Statements()
	}
	w.entry("2024-05-06", w.on(0))
	few := statements(1)
	for i := range 30 {
		w.entry((day(t, "2024-01-01") + timesheet.Date(11*i)).String(), w.on(i%2))
	}
	if many := statements(2); many != few {
		t.Errorf("%d statements for 31 entries, %d for one", many, few)
	}
}
