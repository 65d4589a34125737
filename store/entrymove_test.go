package store_test

import (
	"context"
	"testing"
	"time"

	"headroom/timesheet"
)

// A timer that is stopped while its rate is changed gets the new one: who stops
// it does not ask for the books, so that the row changes under the second pass.
func TestTimerStoppedWhileRepriced(t *testing.T) {
	t.Parallel()
	w := newPriced(t)
	watch := connectTo(t, w.conn.Config().ConnString())
	for minor := int64(1000); minor < 1020; minor++ {
		startAt(t, w.s, w.v, ago(time.Hour))
		running := ask[timesheet.EntryID](t, w.conn, `SELECT id FROM time_entry WHERE ended_at IS NULL`)
		mustExec(t, w.conn, `BEGIN`)
		mustExec(t, w.conn, `UPDATE time_entry SET ended_at = started_at + interval '1 minute', billable = true, version = version + 1 WHERE id = $1`, running)
		set := make(chan error, 1)
		go func() {
			_, _, err := w.s.SetRate(context.WithoutCancel(t.Context()), w.v, timesheet.RateInput{Kind: timesheet.RateBill, Minor: &minor, Apply: timesheet.ApplyUninvoiced}, change("setRate"))
			set <- err
		}()
		waitUntil(t, "the second pass", func() bool {
			return ask[int](t, watch, `SELECT count(*) FROM pg_stat_activity WHERE query LIKE '/* findRepriced */%' AND wait_event_type = 'Lock' AND datname = current_database()`) > 0
		})
		mustExec(t, w.conn, `COMMIT`)
		if err := <-set; err != nil {
			t.Fatal(err)
		}
		if got := ask[int64](t, w.conn, `SELECT rate_minor FROM time_entry WHERE id = $1`, running); got != minor {
			t.Fatalf("the timer has the rate %d, want %d", got, minor)
		}
		wantRollup(t, w.conn, w.v, "the stop")
	}
}
