package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/proof"
	"headroom/timesheet"
)

// changesOf are the instants from 2000 to 2040 at which a zone's clocks change.
func changesOf(there *time.Location) (all []time.Time) {
	at, end := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2037, 1, 1, 0, 0, 0, 0, time.UTC)
	for at.Before(end) {
		_, next := at.In(there).ZoneBounds()
		if next.IsZero() || !next.After(at) {
			return all
		}
		all, at = append(all, next), next
	}
	return all
}

// In every zone whose clocks change, entries around those changes count as the
// oracle says, whole and split; and over all time both have the same seconds as
// the entries themselves.
func TestReportsInAllZones(t *testing.T) {
	s := openDatabase(t)
	w := newWorld(t, s.Store, s.conn, 10)
	r := proof.Rand(t, 0)
	var zones []string
	for _, name := range ask[[]string](t, s.conn, `SELECT array_agg(name ORDER BY name) FROM pg_timezone_names`) {
		if there, err := timesheet.LoadZone(name); err == nil && len(changesOf(there)) > 0 {
			zones = append(zones, name)
		}
	}
	r.Shuffle(len(zones), func(i, j int) { zones[i], zones[j] = zones[j], zones[i] })
	n := proof.Size(t, len(zones), 8)
	all, now := groupings(), instant(t, "2038-01-01T00:00:00Z")
	for _, name := range zones[:n] {
		w.home, w.near = name, changesOf(zone(t, name))
		w.owner.Workspace.TimeZone, w.facts = name, nil
		mustExec(t, s.conn, `UPDATE workspace SET time_zone = $2 WHERE workspace_id = $1`, w.owner.Workspace.ID, name)
		mustExec(t, s.conn, `DELETE FROM time_entry WHERE workspace_id = $1`, w.owner.Workspace.ID)
		w.fill(t, s.conn, 200)
		wantRollup(t, s.conn, w.owner, "filling "+name)
		for range 6 {
			in := anyReport(r, all)
			in.IncludeRunning, in.FillGaps = false, false
			about := timesheet.DayOf(pick(r, w.near...), time.UTC)
			in.Period = timesheet.Period{From: about - timesheet.Date(r.IntN(70)), To: about + timesheet.Date(r.IntN(70))}
			got, err := s.Report(t.Context(), w.owner, in, now)
			if err != nil {
				t.Fatalf("%s, %+v: %v", name, in, err)
			}
			if diff := cmp.Diff(w.expected(t, w.owner, in, now), flat(t, got)); diff != "" {
				t.Fatalf("%s, %+v from %s (-want +got):\n%s", name, in, got.Source, diff)
			}
		}
		exact := ask[int64](t, s.conn, `SELECT sum(secs) FROM time_entry WHERE workspace_id = $1 AND deleted_at IS NULL`, w.owner.Workspace.ID)
		for _, how := range []timesheet.DayAttribution{timesheet.AttributeStart, timesheet.AttributeSplit} {
			in := timesheet.ReportInput{Period: period(t, "1999-01-01", "2042-01-01"), GroupBy: []timesheet.GroupKey{timesheet.GroupMonth}, DayAttribution: how, MaxRows: 10}
			got, err := s.Report(t.Context(), w.owner, in, now)
			if err != nil || got.Totals.ExactSeconds != exact {
				t.Errorf("%s, %s: %d seconds (%v), the entries have %d", name, how, got.Totals.ExactSeconds, err, exact)
			}
		}
	}
	proof.Result(t, "%d of %d zones: reports around clock changes equal the oracle; START, SPLIT and the entries agree", n, len(zones))
}
