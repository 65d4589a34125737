package store_test

import (
	"sync"
	"testing"
	"time"

	"headroom/proof"
	"headroom/timesheet"
)

// zoneWriter is a person who makes entries one after the other.
type zoneWriter struct {
	v       timesheet.Viewer
	writes  int
	longest time.Duration
	err     error
}

func (w *zoneWriter) work(z zoned, until <-chan struct{}, least int) {
	for w.writes < least || until != nil {
		select {
		case <-until:
			return
		default:
		}
		start := time.Now().Add(-time.Duration(w.writes%5000) * 3 * time.Hour)
		began := time.Now()
		_, _, w.err = z.s.CreateTimeEntry(z.Context(), w.v, timesheet.EntryInput{
			Start: timesheet.Some(start), End: timesheet.Some(start.Add(time.Minute)), Description: timesheet.Some("meanwhile"),
		}, change("createTimeEntry"))
		if w.err != nil {
			return
		}
		w.writes, w.longest = w.writes+1, max(w.longest, time.Since(began))
	}
}

// People write while a workspace of a million entries changes its zone. All they
// write is done, and what is moved while nobody else may write is what they have
// written, not what was there. The longest wait is recorded.
func TestWritersWaitBrieflyForAZoneChange(t *testing.T) {
	z := newZoned(t)
	n := proof.Size(t, 1_000_000, 10_000)
	mustExec(t, z.conn, `INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, rate_minor, currency)
		SELECT $1, gen_random_uuid(), $2, at, at + interval '40 minutes', (at AT TIME ZONE 'Europe/Bucharest')::date, true, 7, 'EUR'
		FROM (SELECT date_trunc('second', now() - n * interval '3 years' / $3::int, 'UTC') AS at FROM generate_series(1, $3::int) n) x`, z.v.Workspace.ID, z.v.User, n)
	mustExec(t, z.conn, `VACUUM ANALYZE time_entry`)
	before, during := make([]zoneWriter, 4), make([]zoneWriter, 4)
	for i := range before {
		v := addViewer(t, z.s, z.v, string(rune('a'+i)), timesheet.RoleMember)
		before[i].v, during[i].v = v, v
	}
	var crew sync.WaitGroup
	for i := range before {
		crew.Go(func() { before[i].work(z, nil, 200) })
	}
	crew.Wait()
	stop := make(chan struct{})
	for i := range during {
		crew.Go(func() { during[i].work(z, stop, 0) })
	}
	if _, err := z.moveTo("America/New_York"); err != nil {
		t.Fatal(err)
	}
	waitWithin(t, 5*time.Minute, "the zone", func() bool { return z.zone() == "America/New_York" })
	close(stop)
	crew.Wait()
	var usual, longest time.Duration
	writes := 0
	for i := range during {
		if before[i].err != nil || during[i].err != nil {
			t.Errorf("writer %d: %v, then %v", i, before[i].err, during[i].err)
		}
		usual, longest, writes = max(usual, before[i].longest), max(longest, during[i].longest), writes+during[i].writes
	}
	moved, alone := z.heard.counts()
	if moved < int64(n)/10 || alone > int64(writes) {
		t.Errorf("%d entries moved and %d while all waited, with %d written meanwhile", moved, alone, writes)
	}
	if wrong := z.wrong("America/New_York"); len(wrong) > 0 {
		t.Errorf("%d entries are not on their day", len(wrong))
	}
	wantRollup(t, z.conn, z.v, "the change")
	proof.Result(t, "%d of %d entries moved, %d of them while all waited; of %d writes meanwhile the longest took %d ms, of %d before %d ms",
		moved+alone, n, alone, writes, longest.Milliseconds(), 4*200, usual.Milliseconds())
}
