package store_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/proof"
	"headroom/timesheet"
)

// fillMoney draws entries of two months at rates and in currencies of which many
// sums lie between two minor units, a third of them exactly.
func (w *world) fillMoney(r *rand.Rand, n int) {
	w.facts = nil
	for range n {
		f := fact{
			user: pick(r, w.users...).User, project: pick(r, w.projects...), start: time.Date(2024, 3, 1, 0, 0, r.IntN(61*86400), 0, time.UTC),
			seconds: pick(r, 1800*r.Int64N(40), 1800*r.Int64N(4), r.Int64N(40_000), r.Int64N(60)), billable: r.IntN(8) > 0,
			rate:     pick(r, 1, 33, 2*r.Int64N(30_000)+1, r.Int64N(200_000), timesheet.MaxRate-r.Int64N(1000)),
			currency: pick(r, "JPY", "EUR", "KWD", "CLF"),
		}
		if tasks := w.tasksOf[f.project]; len(tasks) > 0 {
			f.task = pick(r, tasks...)
		}
		w.facts = append(w.facts, f)
	}
}

// leaves adds the facts up by task, day and currency, and tells of each sum what
// other ways to round would make of it.
func (w *world) leaves() (minor map[string]int64, halfUp, eachEntry int) {
	sums, each := map[string]*big.Rat{}, map[string]int64{}
	for _, f := range w.facts {
		leaf := fmt.Sprint(f.task, f.start.Format(" 2006-01-02 "), f.currency)
		if sums[leaf] == nil {
			sums[leaf] = new(big.Rat)
		}
		if f.billable {
			exact := big.NewRat(f.seconds*f.rate, 3600)
			sums[leaf].Add(sums[leaf], exact)
			each[leaf] += halfEven(exact)
		}
	}
	minor = map[string]int64{}
	for leaf, exact := range sums {
		minor[leaf] = halfEven(exact)
		up := new(big.Rat).Add(exact, big.NewRat(1, 2))
		if new(big.Int).Div(up.Num(), up.Denom()).Int64() != minor[leaf] {
			halfUp++
		}
		if each[leaf] != minor[leaf] {
			eachEntry++
		}
	}
	return minor, halfUp, eachEntry
}

// Amounts of 0 to 4 decimals are fractions until a leaf divides them once, half to
// even; whoever divides each entry, or rounds half up, is off by a minor unit in
// hundreds of leaves.
func TestAmountsAgainstFractions(t *testing.T) {
	n := proof.Size(t, 4000, 100)
	s := openDatabase(t)
	w := newWorld(t, s.Store, s.conn, 10)
	mustExec(t, s.conn, `DELETE FROM time_entry WHERE workspace_id = $1`, w.owner.Workspace.ID)
	mustExec(t, s.conn, `UPDATE workspace SET time_zone = 'UTC' WHERE workspace_id = $1`, w.owner.Workspace.ID)
	w.home, w.owner.Workspace.TimeZone = "UTC", "UTC"
	r := proof.Rand(t, 0)
	w.fillMoney(r, 1500)
	w.keep(t, s.conn)
	now := instant(t, "2025-07-01T10:00:00Z")
	in := timesheet.ReportInput{Period: period(t, "2024-03-01", "2024-04-30"), GroupBy: []timesheet.GroupKey{timesheet.GroupTask, timesheet.GroupDay}, MaxRows: timesheet.MaxReportRows}
	report, err := s.Report(t.Context(), w.owner, in, now)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, task := range report.Rows {
		for _, d := range task.Children {
			for _, m := range d.Totals.Amounts {
				id := timesheet.TaskID(0)
				_, _ = fmt.Sscanf(task.Key, "Task:%d", &id)
				got[fmt.Sprint(id, " "+d.Label+" ", m.Currency)] = m.Minor
			}
		}
	}
	want, halfUp, eachEntry := w.leaves()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("by task and day (-want +got):\n%s", diff)
	}
	if halfUp < 20 || eachEntry < 20 {
		t.Errorf("half up differs in %d leaves and a division of each entry in %d: the test shows nothing", halfUp, eachEntry)
	}
	keys := [][]timesheet.GroupKey{
		{timesheet.GroupTask},
		{timesheet.GroupDay},
		{timesheet.GroupTask, timesheet.GroupDay},
		{timesheet.GroupDay, timesheet.GroupTask},
		{timesheet.GroupProject, timesheet.GroupTask, timesheet.GroupDay},
		{timesheet.GroupUser, timesheet.GroupProject, timesheet.GroupMonth},
		{timesheet.GroupClient, timesheet.GroupWeek},
	}
	for range n {
		in := anyReport(r, keys)
		in.FillGaps, in.Period = false, period(t, "2024-02-25", "2024-05-05")
		if r.IntN(2) == 0 {
			in.Period = timesheet.Period{From: day(t, "2024-03-01") + timesheet.Date(r.IntN(40)), To: day(t, "2024-04-10") + timesheet.Date(r.IntN(30))}
		}
		got, err := s.Report(t.Context(), w.owner, in, now)
		if err != nil {
			t.Fatalf("%+v: %v", in, err)
		}
		if diff := cmp.Diff(w.expected(t, w.owner, in, now), flat(t, got)); diff != "" {
			t.Fatalf("%+v, rounding %+v, from %s (-want +got):\n%s", in, in.Rounding, got.Source, diff)
		}
	}
	proof.Result(t, "%d leaves by task and day, of which half up would change %d and a division of each entry %d, and %d reports of random options equal the fractions", len(want), halfUp, eachEntry, n)
}
