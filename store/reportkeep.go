package store

import (
	lists "container/list"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// reportKey is what decides a report, but for what is in the database.
type reportKey struct {
	workspace timesheet.WorkspaceID
	user      timesheet.UserID // whose entries alone are seen; 0: everybody's
	asked     [32]byte         // hash of the input and of the workspace's settings
}

// keyOf tells what a viewer asks for from all else: its kind, such as a summary,
// and its input.
func keyOf(v timesheet.Viewer, kind string, in any) (reportKey, error) {
	text, err := json.Marshal([]any{kind, in, v.Workspace.TimeZone, v.Workspace.WeekStart, v.Workspace.RollupDrifted})
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

// made is a report or a summary, as callers share it: it is not to be changed.
type made struct {
	value any
	asOf  time.Time
	bytes int // about
}

// share gives what somebody asks for: what was kept, as cached tells, or what run
// makes. Equal ones in flight are one.
func (s *Store) share(ctx context.Context, v timesheet.Viewer, kind string, in any, fresh *timesheet.Freshness, now time.Time, run func(context.Context) (made, error)) (value any, cached bool, err error) {
	keptOnly := timesheet.ServiceFrom(ctx).KeptOnly
	if keptOnly && fresh == nil {
		return nil, false, ErrNotKept
	}
	key, err := keyOf(v, kind, in)
	if err != nil {
		return nil, false, err
	}
	at, _, err := one(ctx, s, func(row pgx.CollectableRow) (at version, err error) {
		return at, row.Scan(&at.changes, &at.own, &at.horizon)
	}, readVersion, v.Workspace.ID, v.User)
	if err != nil {
		return nil, false, fmt.Errorf("read a workspace's version: %w", err)
	}
	if keptOnly {
		if value, ok := s.reports.find(key, at, fresh, now); ok {
			return value, true, nil
		}
		return nil, false, ErrNotKept
	}
	return s.reports.get(ctx, key, at, fresh, now, run)
}

// ErrNotKept is given in the place of a report to who takes kept ones only.
var ErrNotKept = errors.New("no report is kept that is fresh enough")

// find returns a report that was kept and is fresh enough.
func (k *reportKeeper) find(key reportKey, at version, fresh *timesheet.Freshness, now time.Time) (any, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.findLocked(key, at, fresh, now)
}

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
	class   timesheet.Class // whose pool and time limits it runs with
}

// reportFlight is a report that is being made, with what its first caller may use
// of the database: their seat, their connection, their time.
type reportFlight struct {
	waiting int // callers
	cancel  context.CancelFunc
	done    chan struct{}
	report  made
	err     error
	ended   bool // it failed because the first caller's time was up
}

type keptReport struct {
	reportKey
	version
	made
}

// keptBytes bounds what is kept, and an eighth of it each report.
const keptBytes = 32 << 20

func newReportKeeper() *reportKeeper {
	return &reportKeeper{flying: map[flightKey]*reportFlight{}, kept: map[reportKey]*lists.Element{}, order: lists.New()}
}

// get returns a report that was kept and is fresh enough, or else that of run.
// Callers who ask for the same at once share one run, which goes on until the
// last of them has left. It runs on the first caller's seat and connection: that
// one stays until it ends, even if nobody reads their answer. When the first
// caller's time is up, whose is not begin another.
func (k *reportKeeper) get(ctx context.Context, key reportKey, at version, fresh *timesheet.Freshness, now time.Time, run func(context.Context) (made, error)) (value any, cached bool, err error) {
	id := flightKey{key, at.changes, timesheet.ServiceFrom(ctx).Class}
	for {
		k.mu.Lock()
		if report, ok := k.findLocked(key, at, fresh, now); ok {
			k.mu.Unlock()
			reuse(ctx)
			return report, true, nil
		}
		f := k.flying[id]
		first := f == nil
		if first {
			f = &reportFlight{done: make(chan struct{})}
			k.flying[id] = f
			go k.fly(f.context(ctx), id, at, f, run)
		}
		f.waiting++
		k.mu.Unlock()
		if !k.wait(ctx, id, f, first) {
			return nil, false, context.Cause(ctx)
		}
		if first || !f.ended || ctx.Err() != nil {
			if !first {
				reuse(ctx)
			}
			return f.report.value, false, f.err
		}
	}
}

// context is that of the first caller but for their leaving.
func (f *reportFlight) context(ctx context.Context) context.Context {
	flight := context.WithoutCancel(ctx)
	if until, ok := ctx.Deadline(); ok {
		flight, f.cancel = context.WithDeadline(flight, until)
	} else {
		flight, f.cancel = context.WithCancel(flight)
	}
	return flight
}

// wait tells whether the flight has ended before the caller's patience.
func (k *reportKeeper) wait(ctx context.Context, id flightKey, f *reportFlight, first bool) bool {
	select {
	case <-f.done:
		return true
	case <-ctx.Done():
	}
	last := k.leave(id, f)
	if last {
		f.cancel()
	}
	if last || first {
		<-f.done // the database is idle again
	}
	return false
}

func (k *reportKeeper) fly(ctx context.Context, id flightKey, at version, f *reportFlight, run func(context.Context) (made, error)) {
	defer f.cancel()
	f.report, f.err = run(ctx)
	f.ended = f.err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded)
	k.mu.Lock()
	if k.flying[id] == f {
		delete(k.flying, id)
	}
	if f.err == nil {
		k.keepLocked(keptReport{reportKey: id.reportKey, version: at, made: f.report})
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

func (k *reportKeeper) findLocked(key reportKey, at version, fresh *timesheet.Freshness, now time.Time) (any, bool) {
	e := k.kept[key]
	if e == nil {
		return nil, false
	}
	kept := e.Value.(keptReport)
	young := fresh != nil && now.Sub(kept.asOf) <= time.Duration(fresh.MaxAgeSeconds)*time.Second && at.own < kept.horizon
	if kept.changes != at.changes && !young {
		return nil, false
	}
	return kept.value, true
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

// Bytes that rows take, about.
const rowBytes, moneyBytes = 160, 24

func sizeOfReport(r timesheet.Report) int {
	return 2*rowBytes + moneyBytes*len(r.Totals.Amounts) + sizeOfRows(r.Rows)
}

func sizeOfSummary(s timesheet.Summary) int {
	return 4*rowBytes + moneyBytes*len(s.Totals.Amounts) + sizeOfRows(s.ByProject.Rows) + sizeOfRows(s.ByUser.Rows) + sizeOfRows(s.ByTime.Rows)
}

func sizeOfRows(rows []timesheet.ReportRow) (size int) {
	for _, r := range rows {
		size += rowBytes + len(r.Key) + len(r.Label) + moneyBytes*len(r.Totals.Amounts) + sizeOfRows(r.Children)
	}
	return size
}
