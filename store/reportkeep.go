package store

import (
	lists "container/list"
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"

	"headroom/timesheet"
)

// reportKey is what decides a report, but for what is in the database.
type reportKey struct {
	workspace timesheet.WorkspaceID
	user      timesheet.UserID // whose entries alone are seen; 0: everybody's
	asked     [32]byte         // hash of the input and of the workspace's settings
}

func keyOfReport(v timesheet.Viewer, in timesheet.ReportInput) (reportKey, error) {
	in.Freshness = nil
	text, err := json.Marshal([]any{in, v.Workspace.TimeZone, v.Workspace.WeekStart, v.Workspace.RollupDrifted})
	k := reportKey{workspace: v.Workspace.ID, asked: sha256.Sum256(text)}
	if !v.ReadsEverybody() {
		k.user = v.User
	}
	return k, err
}

// version is how far a workspace has come.
type version struct {
	changes int64 // that were made in it
	own     int64 // the transaction of the caller's last change
	horizon int64 // all transactions before it have ended
}

const readVersion = `/* readVersion */
SELECT coalesce(sum(a.changes), 0)::bigint,
       coalesce(max(a.last::text::bigint) FILTER (WHERE a.user_id = $2), 0),
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint
FROM activity a
WHERE a.workspace_id = $1`

// reportKeeper has reports that are asked for at once made once, and keeps the
// last ones. A report is given again while nothing has changed in the
// workspace; to those who take an older one, as long as they have not changed
// anything themselves since.
type reportKeeper struct {
	mu     sync.Mutex
	flying map[flightKey]*reportFlight
	kept   map[reportKey]*lists.Element // of keptReport
	order  *lists.List                  // the oldest first
	bytes  int
}

type flightKey struct {
	reportKey
	changes int64
}

// reportFlight is a report that is being made.
type reportFlight struct {
	waiting int // callers
	cancel  context.CancelFunc
	done    chan struct{}
	report  timesheet.Report
	err     error
}

type keptReport struct {
	reportKey
	version
	report timesheet.Report
	bytes  int
}

// keptBytes bounds what is kept, and an eighth of it each report.
const keptBytes = 32 << 20

func newReportKeeper() *reportKeeper {
	return &reportKeeper{flying: map[flightKey]*reportFlight{}, kept: map[reportKey]*lists.Element{}, order: lists.New()}
}

// get returns a report that was kept and is fresh enough, or else that of run.
// Callers who ask for the same at once share one run, which goes on
// until the last of them has left.
func (k *reportKeeper) get(ctx context.Context, key reportKey, at version, fresh *timesheet.Freshness, now time.Time, run func(context.Context) (timesheet.Report, error)) (timesheet.Report, error) {
	k.mu.Lock()
	if report, ok := k.findLocked(key, at, fresh, now); ok {
		k.mu.Unlock()
		reuse(ctx)
		return report, nil
	}
	id := flightKey{key, at.changes}
	f := k.flying[id]
	if f == nil {
		f = &reportFlight{done: make(chan struct{})}
		var flight context.Context
		flight, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
		k.flying[id] = f
		go k.fly(flight, id, at, f, run)
	} else {
		reuse(ctx)
	}
	f.waiting++
	k.mu.Unlock()
	select {
	case <-f.done:
		return f.report, f.err
	case <-ctx.Done():
	}
	if k.leave(id, f) {
		f.cancel()
		<-f.done // the database is idle again
	}
	return timesheet.Report{}, context.Cause(ctx)
}

func (k *reportKeeper) fly(ctx context.Context, id flightKey, at version, f *reportFlight, run func(context.Context) (timesheet.Report, error)) {
	defer f.cancel()
	f.report, f.err = run(ctx)
	k.mu.Lock()
	if k.flying[id] == f {
		delete(k.flying, id)
	}
	if f.err == nil {
		k.keepLocked(keptReport{reportKey: id.reportKey, version: at, report: f.report, bytes: sizeOf(f.report)})
	}
	k.mu.Unlock()
	close(f.done)
}

// leave tells whether nobody waits for the flight any more. Who comes after
// that begins another.
func (k *reportKeeper) leave(id flightKey, f *reportFlight) (last bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if f.waiting--; f.waiting > 0 {
		return false
	}
	if k.flying[id] == f {
		delete(k.flying, id)
	}
	return true
}

func (k *reportKeeper) findLocked(key reportKey, at version, fresh *timesheet.Freshness, now time.Time) (timesheet.Report, bool) {
	e := k.kept[key]
	if e == nil {
		return timesheet.Report{}, false
	}
	kept := e.Value.(keptReport)
	young := fresh != nil && now.Sub(kept.report.AsOf) <= time.Duration(fresh.MaxAgeSeconds)*time.Second && at.own < kept.horizon
	if kept.changes != at.changes && !young {
		return timesheet.Report{}, false
	}
	kept.report.Source = timesheet.SourceCache
	return kept.report, true
}

func (k *reportKeeper) keepLocked(r keptReport) {
	if before := k.kept[r.reportKey]; before != nil {
		if before.Value.(keptReport).changes > r.changes {
			return
		}
		k.dropLocked(before)
	}
	if r.bytes > keptBytes/8 {
		return
	}
	k.kept[r.reportKey] = k.order.PushBack(r)
	for k.bytes += r.bytes; k.bytes > keptBytes; {
		k.dropLocked(k.order.Front())
	}
}

func (k *reportKeeper) dropLocked(e *lists.Element) {
	r := k.order.Remove(e).(keptReport)
	delete(k.kept, r.reportKey)
	k.bytes -= r.bytes
}

// sizeOf is about how many bytes a report takes.
func sizeOf(r timesheet.Report) int {
	const row, money = 160, 24
	size := 2*row + money*len(r.Totals.Amounts)
	var add func([]timesheet.ReportRow)
	add = func(rows []timesheet.ReportRow) {
		for _, r := range rows {
			size += row + len(r.Key) + len(r.Label) + money*len(r.Totals.Amounts)
			add(r.Children)
		}
	}
	add(r.Rows)
	return size
}
