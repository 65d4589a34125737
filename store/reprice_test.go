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
