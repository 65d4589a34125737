package store_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"headroom/proof"
	"headroom/store"
	"headroom/timesheet"
)

// heard keeps what a change of zone has logged when it was complete.
type heard struct {
	slog.Handler
	mu           sync.Mutex
	moved, alone int64
}

func (h *heard) Enabled(context.Context, slog.Level) bool { return true }

func (h *heard) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h *heard) Handle(_ context.Context, line slog.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	line.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "moved":
			h.moved = a.Value.Int64()
		case "movedAlone":
			h.alone = a.Value.Int64()
		}
		return true
	})
	return nil
}

func (h *heard) counts() (moved, alone int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.moved, h.alone
}

// zoned is a workspace in Bucharest whose zone is about to change.
type zoned struct {
	*testing.T
	s     *store.Store
	v     timesheet.Viewer
	conn  *pgx.Conn
	watch *pgx.Conn
	heard *heard
}

func newZoned(t *testing.T) zoned {
	t.Helper()
	_, _, conn := newDatabase(t)
	h := &heard{Handler: slog.DiscardHandler}
	s, err := store.Open(t.Context(), store.Config{DSN: conn.Config().ConnString(), Log: slog.New(h)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return zoned{t, s, addWorkspace(t, s, "Zoned"), conn, connectTo(t, conn.Config().ConnString()), h}
}

func (z zoned) moveTo(zone string) (timesheet.Workspace, error) {
	w, _, err := z.s.UpdateWorkspace(z.Context(), z.v, timesheet.WorkspaceInput{TimeZone: timesheet.Some(zone)}, nil, change("updateWorkspace"))
	return w, err
}

func (z zoned) zone() string {
	z.Helper()
	return ask[string](z, z.watch, `SELECT concat_ws(' ', time_zone, 'to ' || pending_time_zone) FROM workspace WHERE workspace_id = $1`, z.v.Workspace.ID)
}

func (z zoned) arrive(zone string) {
	z.Helper()
	waitUntil(z, "the zone "+zone, func() bool { return z.zone() == zone })
}

// wrong are the entries that are on another day than Go finds for them.
func (z zoned) wrong(zone string) (wrong []string) {
	z.Helper()
	place, err := timesheet.LoadZone(zone)
	if err != nil {
		z.Fatal(err)
	}
	rows, err := z.watch.Query(z.Context(), `SELECT started_at, day, description FROM time_entry WHERE workspace_id = $1 ORDER BY started_at`, z.v.Workspace.ID)
	if err != nil {
		z.Fatal(err)
	}
	var start time.Time
	var day timesheet.Date
	var text string
	_, err = pgx.ForEachRow(rows, []any{&start, &day, &text}, func() error {
		if day != timesheet.DayOf(start, place) {
			wrong = append(wrong, text)
		}
		return nil
	})
	if err != nil {
		z.Fatal(err)
	}
	return wrong
}

func (z zoned) create(start, text string) timesheet.TimeEntry {
	z.Helper()
	at, err := time.Parse(time.RFC3339, start)
	if err != nil {
		z.Fatal(err)
	}
	return done[timesheet.TimeEntry](z.T)(z.s.CreateTimeEntry(z.Context(), z.v, timesheet.EntryInput{
		Start: timesheet.Some(at), End: timesheet.Some(at.Add(time.Hour)), Description: timesheet.Some(text),
	}, change("createTimeEntry")))
}

// hold locks an entry's row, so that the first pass of a change waits for it.
func (z zoned) hold(e timesheet.TimeEntry) (release func()) {
	z.Helper()
	mustExec(z, z.conn, `BEGIN`)
	mustExec(z, z.conn, `SELECT FROM time_entry WHERE id = $1 FOR UPDATE`, e.ID)
	return func() { mustExec(z, z.conn, `COMMIT`) }
}

// Entries at all hours of many years, running, deleted, closed and invoiced
// ones, through zones on both sides of the date line.
func TestZoneChange(t *testing.T) {
	t.Parallel()
	z := newZoned(t)
	n := proof.Size(t, 100_000, 4000)
	mustExec(t, z.conn, `INSERT INTO rate (workspace_id, kind, minor, currency) VALUES ($1, 'BILL', 7, 'EUR')`, z.v.Workspace.ID)
	mustExec(t, z.conn, `INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, rate_minor, currency, deleted_at)
		SELECT $1, gen_random_uuid(), $2, at, at + interval '1 hour', (at AT TIME ZONE 'Europe/Bucharest')::date, n % 3 > 0, 7, 'EUR', CASE WHEN n % 11 = 0 THEN now() END
		FROM (SELECT n, timestamptz '1970-01-03 00:00Z' + n * interval '60 years' / $3::int AS moment FROM generate_series(0, $3::int - 1) n) x,
		LATERAL (SELECT date_trunc('second', moment, 'UTC') AS at) y`, z.v.Workspace.ID, z.v.User, n)
	startAt(t, z.s, z.v, ago(time.Hour))
	for _, zone := range []string{"Pacific/Apia", "America/Los_Angeles", "Asia/Kathmandu", "America/Sao_Paulo"} {
		w, err := z.moveTo(zone)
		if err != nil || w.PendingTimeZone == nil || *w.PendingTimeZone != zone || w.TimeZone == zone {
			t.Fatalf("asked for %s: %+v, %v", zone, w, err)
		}
		z.arrive(zone)
		if wrong := z.wrong(zone); len(wrong) > 0 {
			t.Errorf("case07: %d entries are not on their day in %s", len(wrong), zone)
		}
		if moved, alone := z.heard.counts(); moved == 0 || alone > 1 {
			t.Errorf("to %s: %d entries moved, %d while all waited; want some, and the timer at most", zone, moved, alone)
		}
		wantRollup(t, z.conn, z.v, "the change to "+zone)
	}
	t.Run("case07_who_does_not_know_yet", func(t *testing.T) {
		e := z.create("2026-03-02T00:30:00Z", "by a viewer who believes it is Bucharest")
		if e.Day != day(t, "2026-03-01") {
			t.Errorf("it is on %s, want the day in Sao Paulo", e.Day)
		}
		e = done[timesheet.TimeEntry](t)(z.s.UpdateTimeEntry(t.Context(), z.v, e.ID, timesheet.EntryInput{Start: timesheet.Some(e.StartedAt.Add(time.Minute))}, nil, change("updateTimeEntry")))
		if e.Day != day(t, "2026-03-01") {
			t.Errorf("moved by a minute it is on %s", e.Day)
		}
	})
}

// While entries move, people read and write as before; what they write is on
// its day in the end.
func TestWorkDuringAZoneChange(t *testing.T) {
	t.Parallel()
	z := newZoned(t)
	held, free := z.create("2026-03-02T02:00:00Z", "held"), z.create("2026-03-03T02:00:00Z", "free")
	release := z.hold(held)
	if _, err := z.moveTo("America/New_York"); err != nil {
		t.Fatal(err)
	}
	waitsForLock(t, z.watch)
	late := z.create("2026-03-04T02:00:00Z", "late")
	startAt(t, z.s, z.v, ago(time.Hour))
	if _, _, err := z.s.StopTimer(t.Context(), z.v, nil, nil, change("stopTimer")); err != nil {
		t.Error(err)
	}
	for _, e := range []timesheet.TimeEntry{free, late} {
		found, err := z.s.EntriesByID(t.Context(), z.v, []timesheet.EntryID{e.ID})
		if got := found[e.ID].Day; err != nil || got != timesheet.DayOf(e.StartedAt, time.UTC) {
			t.Errorf("before the change has ended %s is on %s, %v", e.Description, got, err)
		}
	}
	if got := z.zone(); got != "Europe/Bucharest to America/New_York" {
		t.Errorf("the zone is %s", got)
	}
	_, err := z.moveTo("Asia/Tokyo")
	wantCode(t, err, timesheet.CodeBusy)
	_, err = z.moveTo("Europe/Bucharest")
	wantCode(t, err, timesheet.CodeBusy)
	_, _, err = z.s.LockPeriod(t.Context(), z.v, day(t, "2026-01-31"), change("lockPeriod"))
	wantCode(t, err, timesheet.CodeBusy)
	release()
	z.arrive("America/New_York")
	if wrong := z.wrong("America/New_York"); len(wrong) > 0 {
		t.Errorf("case07: not on their day: %v", wrong)
	}
	// The first pass found held and free; late was written meanwhile, and the
	// stopped timer may be on another day in New York.
	if moved, alone := z.heard.counts(); moved != 2 || alone < 1 || alone > 2 {
		t.Errorf("%d moved and %d while all waited; want 2 and 1, or 2", moved, alone)
	}
	wantRollup(t, z.conn, z.v, "the change")
}

// A backend that is killed is replaced, a process that is killed leaves the old
// zone, and the next one goes on.
// A server that has not heard of a change yet finds the entries of a day that
// lie on other days of the new zone.
func TestReportsOfAViewerFromBeforeAZoneChange(t *testing.T) {
	z := newZoned(t)
	z.create("2024-06-10T20:30:00Z", "a day before, in Bucharest")
	z.create("2024-06-11T20:30:00Z", "the day")
	before := z.v
	if _, err := z.moveTo("Pacific/Kiritimati"); err != nil {
		t.Fatal(err)
	}
	z.arrive("Pacific/Kiritimati")
	for _, in := range []timesheet.ReportInput{
		{DayAttribution: timesheet.AttributeSplit},
		{DayAttribution: timesheet.AttributeStart, TimeZone: new("America/Los_Angeles")},
	} {
		for day := range timesheet.Date(3) {
			in.Period.From = timesheet.NewDate(2024, time.June, 10) + day
			in.Period.To, in.GroupBy, in.MaxRows = in.Period.From, []timesheet.GroupKey{timesheet.GroupDay}, 10
			now := z.v
			now.Workspace.TimeZone = "Pacific/Kiritimati"
			old, err := z.s.Report(t.Context(), before, in, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			fresh, err := z.s.Report(t.Context(), now, in, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(fresh.Rows, old.Rows); diff != "" {
				t.Errorf("%s of %s (-who knows +who does not):\n%s", in.DayAttribution, in.Period.From, diff)
			}
		}
	}
}

func TestZoneChangeThatIsKilled(t *testing.T) {
	t.Parallel()
	z := newZoned(t)
	held := z.create("2026-03-02T02:00:00Z", "held")
	release := z.hold(held)
	if _, err := z.moveTo("America/New_York"); err != nil {
		t.Fatal(err)
	}
	waitsForLock(t, z.watch)
	const mover = `SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE query LIKE '/* findMisplaced */%' AND state = 'active' AND datname = current_database()`
	first := ask[int](t, z.watch, mover)
	mustExec(t, z.watch, `SELECT pg_terminate_backend($1)`, first)
	waitUntil(t, "another try", func() bool {
		second := ask[int](t, z.watch, mover)
		return second != 0 && second != first
	})
	z.s.Close()
	release()
	if got := z.zone(); got != "Europe/Bucharest to America/New_York" {
		t.Fatalf("after the kill the zone is %s", got)
	}
	if wrong := z.wrong("Europe/Bucharest"); len(wrong) > 0 {
		t.Errorf("after the kill, not on their day: %v", wrong)
	}
	s := openStore(t, z.conn.Config().ConnString())
	if err := s.ResumeZoneChanges(t.Context()); err != nil {
		t.Fatal(err)
	}
	z.arrive("America/New_York")
	if wrong := z.wrong("America/New_York"); len(wrong) > 0 {
		t.Errorf("not on their day: %v", wrong)
	}
	wantRollup(t, z.conn, z.v, "two kills")
}

func TestZonesThatAreRefused(t *testing.T) {
	t.Parallel()
	z := newZoned(t)
	for _, zone := range []string{"", "Local", "CEST", "Europe/Bukarest", "+02:00"} {
		_, err := z.moveTo(zone)
		wantCode(t, err, timesheet.CodeInvalid)
	}
	if w, err := z.moveTo("Europe/Bucharest"); err != nil || w.PendingTimeZone != nil {
		t.Errorf("asked for the zone that it has: %+v, %v", w, err)
	}
	member := addViewer(t, z.s, z.v, "mia", timesheet.RoleMember)
	_, _, err := z.s.UpdateWorkspace(t.Context(), member, timesheet.WorkspaceInput{TimeZone: timesheet.Some("UTC")}, nil, change("updateWorkspace"))
	wantCode(t, err, timesheet.CodeForbidden)
}
