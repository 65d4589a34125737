package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"headroom/timesheet"
)

// How exports are shared out among replicas. A replica begins the transaction
// that it will read in, takes the job's advisory lock in it, and then marks the
// job as running; the index export_job_running lets one pass in a workspace.
// The lock lives as long as the transaction: where the replica is killed, the
// database ends both at once, and whoever can take the lock of a running job
// knows that nobody works on it.

// ExportRun is an export that this process runs: a claimed job and the
// snapshot that its rows are read from. Close it.
type ExportRun struct {
	timesheet.Export
	Workspace timesheet.WorkspaceID

	store *Store
	as    *timesheet.Role // whose rights it is written with; nil before Viewer
	conn  *pgxpool.Conn
	tx    pgx.Tx
}

// waitingExport is a job that might be claimed.
type waitingExport struct {
	workspace timesheet.WorkspaceID
	id        timesheet.ExportID
}

const waitingExports = `/* waitingExports */
SELECT x.workspace_id, x.id
FROM export_job x
WHERE x.status = 'QUEUED'
  AND NOT EXISTS (
    SELECT FROM export_job r
    WHERE r.workspace_id = x.workspace_id
      AND r.status = 'RUNNING')
ORDER BY x.id
LIMIT 20`

const lockExport = `/* lockExport */
SELECT pg_try_advisory_xact_lock(hashint8extended($2, $1))`

const claimExport = `/* claimExport */
UPDATE export_job AS x
SET status = 'RUNNING', folder = $3, attempts = x.attempts + 1, rows_done = 0, rows_estimated = NULL, started_at = now()
WHERE x.workspace_id = $1
  AND x.id = $2
  AND x.status = 'QUEUED'
RETURNING ` + exportColumns

// StartExport claims the longest waiting export whose workspace has none that
// runs, and takes the snapshot that it is read from; nil where there is none.
// folder is where its file will lie.
func (s *Store) StartExport(ctx context.Context, folder string) (*ExportRun, error) {
	waiting, err := list(inBackground(ctx), s, func(row pgx.CollectableRow) (w waitingExport, err error) {
		return w, row.Scan(&w.workspace, &w.id)
	}, waitingExports)
	if err != nil {
		return nil, fmt.Errorf("look for exports: %w", err)
	}
	for _, w := range waiting {
		run, err := s.claim(ctx, w, folder)
		if run != nil || err != nil {
			return run, err
		}
	}
	return nil, nil
}

// claim returns nil where another replica was faster.
func (s *Store) claim(ctx context.Context, w waitingExport, folder string) (*ExportRun, error) {
	r := &ExportRun{Workspace: w.workspace, store: s}
	claimed, err := r.take(ctx, w, folder)
	if err != nil {
		err = fmt.Errorf("claim an export: %w", told(ctx, err))
	}
	if !claimed {
		r.Close(ctx)
		return nil, err
	}
	return r, nil
}

func (r *ExportRun) take(ctx context.Context, w waitingExport, folder string) (claimed bool, err error) {
	if r.conn, err = r.store.pools[timesheet.ClassExport].Acquire(ctx); err != nil {
		return false, err
	}
	if r.tx, err = r.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}); err != nil {
		return false, err
	}
	locked := false
	if err := r.tx.QueryRow(ctx, lockExport, w.workspace, w.id).Scan(&locked); err != nil || !locked {
		return false, err
	}
	var ok bool
	r.Export, ok, err = one(inBackground(ctx), r.store, scanExport, claimExport, w.workspace, w.id, folder)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == "export_job_running" {
		return false, nil
	}
	return ok, err
}

// Viewer is who asked for the export, as they are now; ErrNoViewer for who has
// left since.
func (r *ExportRun) Viewer(ctx context.Context) (timesheet.Viewer, error) {
	seen, err := r.store.readSightings(ctx, []viewerID{{workspace: r.Workspace, user: r.UserID}})
	if err != nil {
		return timesheet.Viewer{}, err
	}
	v, err := seen[0].answer(time.Now())
	if err == nil {
		r.as = &v.Role
	}
	return v, err
}

// ExportRoom is how many bytes one more file of the workspace may have.
func (s *Store) ExportRoom(ctx context.Context, ws timesheet.WorkspaceID, quota int64) (int64, error) {
	type load struct {
		Waiting int
		Bytes   int64
	}
	held, _, err := one(inBackground(ctx), s, pgx.RowToStructByPos[load], countExports, ws)
	if err != nil {
		return 0, fmt.Errorf("count the exports of a workspace: %w", err)
	}
	return max(0, quota-held.Bytes), nil
}

const tellExport = `/* tellExport */
UPDATE export_job AS x
SET rows_done = $3, rows_estimated = $4
WHERE x.workspace_id = $1
  AND x.id = $2
  AND x.status = 'RUNNING'`

// Tell keeps how far the export is; going is false once it was cancelled.
func (r *ExportRun) Tell(ctx context.Context) (going bool, err error) {
	n, err := r.store.exec(inBackground(ctx), tellExport, r.Workspace, r.ID, r.Rows, r.EstimatedRows)
	if err != nil {
		return true, fmt.Errorf("tell how far an export is: %w", err)
	}
	return n > 0, nil
}

const finishExport = `/* finishExport */
UPDATE export_job AS x
SET status = 'READY', rows_done = $3, bytes = $4, sha256 = $5, written_as = $6, finished_at = now()
WHERE x.workspace_id = $1
  AND x.id = $2
  AND x.status = 'RUNNING'`

// Finish makes the file, which is complete on the disk, available; kept is
// false where the export was cancelled at the last moment.
func (r *ExportRun) Finish(ctx context.Context, bytes int64, sha256 string) (kept bool, err error) {
	n, err := r.store.exec(inBackground(ctx), finishExport, r.Workspace, r.ID, r.Rows, bytes, sha256, r.as)
	if err != nil {
		return false, fmt.Errorf("finish an export: %w", err)
	}
	return n > 0, nil
}

const failExport = `/* failExport */
UPDATE export_job AS x
SET status = 'FAILED', failure = $3, finished_at = now()
WHERE x.workspace_id = $1
  AND x.id = $2
  AND x.status = 'RUNNING'`

// Fail ends the export with a reason.
func (r *ExportRun) Fail(ctx context.Context, why timesheet.ExportFailure) error {
	if _, err := r.store.exec(inBackground(ctx), failExport, r.Workspace, r.ID, why); err != nil {
		return fmt.Errorf("fail an export: %w", err)
	}
	return nil
}

const requeueExport = `/* requeueExport */
UPDATE export_job AS x
SET status = 'QUEUED', attempts = x.attempts - 1
WHERE x.workspace_id = $1
  AND x.id = $2
  AND x.status = 'RUNNING'`

// Requeue gives the export back, for this process or another to begin anew.
func (r *ExportRun) Requeue(ctx context.Context) error {
	if _, err := r.store.exec(inBackground(ctx), requeueExport, r.Workspace, r.ID); err != nil {
		return fmt.Errorf("give an export back: %w", err)
	}
	return nil
}

// Close gives the snapshot and its connection back. It comes last: until then
// no other replica takes the export for abandoned.
func (r *ExportRun) Close(ctx context.Context) {
	ctx, cancel := settling(ctx)
	defer cancel()
	if r.tx != nil {
		_ = r.tx.Rollback(ctx) // where it fails, the connection is closed
	}
	if r.conn != nil {
		r.conn.Release()
	}
}

// maxExportRuns is how often an export begins whose server is killed: it may
// be what kills them.
const maxExportRuns = 3

const adoptExports = `/* adoptExports */
WITH running AS MATERIALIZED (
  SELECT x.workspace_id, x.id
  FROM export_job x
  WHERE x.status = 'RUNNING')
UPDATE export_job AS x
SET status = CASE WHEN x.attempts < $1 THEN 'QUEUED' ELSE 'FAILED' END,
    failure = CASE WHEN x.attempts < $1 THEN NULL ELSE 'INTERRUPTED' END,
    finished_at = CASE WHEN x.attempts < $1 THEN NULL ELSE now() END
FROM running r
WHERE x.workspace_id = r.workspace_id
  AND x.id = r.id
  AND x.status = 'RUNNING'
  AND pg_try_advisory_xact_lock(hashint8extended(r.id, r.workspace_id))`

// AdoptExports puts exports whose server was killed back into the queue, or
// fails them when that has happened too often, and tells how many there were.
func (s *Store) AdoptExports(ctx context.Context) (int64, error) {
	n, err := s.exec(inBackground(ctx), adoptExports, maxExportRuns)
	if err != nil {
		return 0, fmt.Errorf("adopt exports: %w", err)
	}
	return n, nil
}

const expireExports = `/* expireExports */
UPDATE export_job AS x
SET status = 'EXPIRED', finished_at = coalesce(x.finished_at, now())
WHERE x.status IN ('QUEUED', 'READY')
  AND x.expires_at <= now()`

const forgetExports = `/* forgetExports */
DELETE FROM export_job AS x
WHERE x.status IN ('FAILED', 'CANCELED', 'EXPIRED')
  AND x.finished_at < now() - interval '30 days'`

// ExpireExports ends the exports whose time is over, and forgets those that
// ended a month ago.
func (s *Store) ExpireExports(ctx context.Context) (int64, error) {
	n, err := s.exec(inBackground(ctx), expireExports)
	if err != nil {
		return 0, fmt.Errorf("expire exports: %w", err)
	}
	if _, err := s.exec(inBackground(ctx), forgetExports); err != nil {
		return n, fmt.Errorf("forget exports: %w", err)
	}
	return n, nil
}

const liveExports = `/* liveExports */
SELECT x.id
FROM export_job x
WHERE x.folder = $1
  AND x.status IN ('RUNNING', 'READY')`

// LiveExports are the exports whose files in a folder are needed: being written
// or ready. Every other file there may be deleted.
func (s *Store) LiveExports(ctx context.Context, folder string) (map[timesheet.ExportID]bool, error) {
	ids, err := list(inBackground(ctx), s, pgx.RowTo[timesheet.ExportID], liveExports, folder)
	if err != nil {
		return nil, fmt.Errorf("list the files of exports: %w", err)
	}
	live := map[timesheet.ExportID]bool{}
	for _, id := range ids {
		live[id] = true
	}
	return live, nil
}

const openExports = `/* openExports */
SELECT count(*) FILTER (WHERE x.status = 'QUEUED'), count(*) FILTER (WHERE x.status = 'RUNNING')
FROM export_job x
WHERE x.status IN ('QUEUED', 'RUNNING')`

// OpenExports counts the exports of all workspaces that wait and that run.
func (s *Store) OpenExports(ctx context.Context) (queued, running int, err error) {
	type counts struct{ queued, running int }
	c, _, err := one(inBackground(ctx), s, func(row pgx.CollectableRow) (c counts, err error) {
		return c, row.Scan(&c.queued, &c.running)
	}, openExports)
	return c.queued, c.running, err
}

// inBackground is a context for what nobody waits for.
func inBackground(ctx context.Context) context.Context {
	return timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
}
