package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const exportColumns = `x.id, x.user_id, x.status, x.input, x.folder, x.rows_done, x.rows_estimated, x.bytes, x.sha256, x.failure, x.created_at, x.started_at, x.finished_at, x.expires_at`

// exportFields are where exportColumns are scanned into.
func exportFields(x *timesheet.Export) []any {
	return []any{
		&x.ID, &x.UserID, &x.Status, &x.Input, &x.Folder, &x.Rows, &x.EstimatedRows, &x.Bytes, &x.SHA256, &x.Failure,
		&x.CreatedAt, &x.StartedAt, &x.FinishedAt, &x.ExpiresAt,
	}
}

func scanExport(row pgx.CollectableRow) (x timesheet.Export, err error) {
	return x, row.Scan(exportFields(&x)...)
}

// ExportTerms are what an export is made under.
type ExportTerms struct {
	Keep  time.Duration // how long the file and its link last
	Quota int64         // bytes that the files of a workspace may have
}

// lockExports makes those who ask for exports of one workspace wait for each
// other, so that no more wait in the queue than may.
const lockExports = `/* lockExports */
SELECT pg_advisory_xact_lock(hashtextextended('headroom exports', $1))`

const countExports = `/* countExports */
SELECT count(*) FILTER (WHERE x.status = 'QUEUED'), coalesce(sum(x.bytes) FILTER (WHERE x.status = 'READY'), 0)::bigint
FROM export_job x
WHERE x.workspace_id = $1
  AND x.status IN ('QUEUED', 'READY')`

const insertExport = `/* insertExport */
INSERT INTO export_job AS x (workspace_id, user_id, input, expires_at)
VALUES ($1, $2, $3, now() + $4::interval)
RETURNING ` + exportColumns

// CreateExport puts an export into the workspace's queue. Everybody may
// export: the file holds what whoever asked for it may see when it is written.
func (s *Store) CreateExport(ctx context.Context, v timesheet.Viewer, in timesheet.ExportInput, terms ExportTerms, ch Change) (timesheet.Export, []*timesheet.Error, error) {
	err := checkExport(in)
	if err == nil {
		err = s.checkFound(ctx, v, in.Filter)
	}
	if err != nil {
		return timesheet.Export{}, nil, err
	}
	return write(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.Export, Ref, error) {
		x, err := queueExport(ctx, tx, v, in, terms)
		return x, exportRef(x), err
	}, func(ctx context.Context, ref Ref) (timesheet.Export, error) {
		return s.exportOf(ctx, v, ref)
	})
}

func exportRef(x timesheet.Export) Ref { return Ref{Entity: "ReportExport", ID: key(x.ID)} }

func queueExport(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, in timesheet.ExportInput, terms ExportTerms) (x timesheet.Export, err error) {
	if _, err := tx.Exec(ctx, lockExports, v.Workspace.ID); err != nil {
		return x, err
	}
	var waiting int
	var bytes int64
	if err := tx.QueryRow(ctx, countExports, v.Workspace.ID).Scan(&waiting, &bytes); err != nil {
		return x, err
	}
	switch {
	case waiting >= timesheet.MaxWaitingExports:
		return x, timesheet.Errorf(timesheet.CodeExportQueueFull, "", "%d exports of this workspace wait already: try again when one has ended, or cancel one; owners and admins can cancel everybody's", waiting)
	case bytes >= terms.Quota:
		return x, timesheet.Errorf(timesheet.CodeExportQuota, "", "the exports of this workspace fill its quota of %d bytes: cancel one that is no longer needed, or wait until one expires; owners and admins can cancel everybody's", terms.Quota)
	}
	rows, err := tx.Query(ctx, insertExport, v.Workspace.ID, v.User, in, terms.Keep)
	if err != nil {
		return x, err
	}
	return pgx.CollectExactlyOneRow(rows, scanExport)
}

// checkExport refuses what no file could be made of.
func checkExport(in timesheet.ExportInput) error {
	if in.Format != timesheet.ExportCSV && in.Format != timesheet.ExportJSONL {
		return timesheet.Errorf(timesheet.CodeInvalid, "format", "a file is CSV or JSONL")
	}
	if len(in.GroupBy) > 0 {
		report := in.Report()
		if err := checkReport(report); err != nil || in.TimeZone == nil {
			return err
		}
		_, err := timesheet.LoadZone(*in.TimeZone)
		return err
	}
	for field, given := range map[string]bool{
		"rounding": in.Rounding != nil, "timeZone": in.TimeZone != nil, "weekStart": in.WeekStart != nil,
		"dayAttribution": in.DayAttribution == timesheet.AttributeSplit,
	} {
		if given {
			return timesheet.Errorf(timesheet.CodeInvalid, field, "this goes with groupBy: a file of entries has each as it is")
		}
	}
	if err := in.Period.Check("period"); err != nil {
		return err
	}
	return checkFilter(in.Filter)
}

// checkFound refuses a filter that names what the viewer cannot see: an export
// runs later, when nobody is there to notice that it is empty.
func (s *Store) checkFound(ctx context.Context, v timesheet.Viewer, f timesheet.EntryFilter) error {
	users, err := s.UsersByID(ctx, v, f.Users)
	if err := missing(f.Users, users, err, "filter.userIds", "user"); err != nil {
		return err
	}
	clients, err := s.ClientsByID(ctx, v, f.Clients)
	if err := missing(f.Clients, clients, err, "filter.clientIds", "client"); err != nil {
		return err
	}
	projects, err := s.ProjectsByID(ctx, v, f.Projects)
	if err := missing(f.Projects, projects, err, "filter.projectIds", "project"); err != nil {
		return err
	}
	tasks, err := s.TasksByID(ctx, v, f.Tasks)
	if err := missing(f.Tasks, tasks, err, "filter.taskIds", "task"); err != nil {
		return err
	}
	tags, err := s.TagsByID(ctx, v, f.Tags)
	return missing(f.Tags, tags, err, "filter.tagIds", "tag")
}

func missing[K comparable, V any](ids []K, found map[K]V, err error, field, kind string) error {
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, ok := found[id]; !ok {
			return timesheet.NotFound(field, kind)
		}
	}
	return nil
}

const readExport = `/* readExport */
SELECT ` + exportColumns + `
FROM export_job x
WHERE x.workspace_id = $1
  AND x.id = $2
  AND ($3::bigint IS NULL OR x.user_id = $3)`

// exportsOf is whose exports alone the viewer sees and may cancel; nil:
// everybody's, which use up what the workspace has together.
func exportsOf(v timesheet.Viewer) *timesheet.UserID {
	if v.Admin() {
		return nil
	}
	return &v.User
}

// Export is one of the viewer's own exports; for owners and admins one of
// anybody's.
func (s *Store) Export(ctx context.Context, v timesheet.Viewer, id timesheet.ExportID) (timesheet.Export, error) {
	x, ok, err := one(ctx, s, scanExport, readExport, v.Workspace.ID, id, exportsOf(v))
	switch {
	case err != nil:
		return x, fmt.Errorf("read an export: %w", err)
	case !ok:
		return x, timesheet.NotFound("id", "export")
	}
	return x, nil
}

func (s *Store) exportOf(ctx context.Context, v timesheet.Viewer, ref Ref) (timesheet.Export, error) {
	id, err := strconv.ParseInt(ref.ID, 10, 64)
	if err != nil {
		return timesheet.Export{}, fmt.Errorf("read the id of an export: %w", err)
	}
	return s.Export(ctx, v, timesheet.ExportID(id))
}

const readExportFile = `/* readExportFile */
SELECT x.written_as, ` + exportColumns + `
FROM export_job x
WHERE x.workspace_id = $1
  AND x.id = $2`

// ExportFile is an export whose link somebody follows, by workspace and number
// as the link's signature has them. It is NOT_FOUND once whoever asked for it
// has left the workspace, and FORBIDDEN once their role shows them less than
// the one it was written with.
func (s *Store) ExportFile(ctx context.Context, ws timesheet.WorkspaceID, id timesheet.ExportID) (x timesheet.Export, err error) {
	var as *timesheet.Role
	var v timesheet.Viewer
	x, ok, err := one(ctx, s, func(row pgx.CollectableRow) (x timesheet.Export, err error) {
		return x, row.Scan(append([]any{&as}, exportFields(&x)...)...)
	}, readExportFile, ws, id)
	if err == nil && ok {
		v, err = s.Viewer(ctx, ws, x.UserID, 0)
	}
	switch {
	case errors.Is(err, ErrNoViewer), err == nil && !ok:
		return x, timesheet.NotFound("id", "export")
	case err != nil:
		return x, fmt.Errorf("read an export: %w", err)
	case as != nil && showsMore(timesheet.Viewer{Role: *as}, v):
		return x, timesheet.Errorf(timesheet.CodeForbidden, "id", "the file shows more than the role of whoever asked for it does by now")
	}
	return x, nil
}

// showsMore tells whether what a file was written as sees more than now.
func showsMore(then, now timesheet.Viewer) bool {
	return then.ReadsEverybody() && !now.ReadsEverybody() || then.SeesEmails() && !now.SeesEmails()
}

// newestExports is the order of the list: ids come from a sequence.
var newestExports = keyset[timesheet.Export]{
	name: "exports", columns: []string{"x.id"}, types: []string{"bigint"}, desc: true,
	values: func(x timesheet.Export) []string { return []string{key(x.ID)} },
}

func exportsPage(v timesheet.Viewer, of *timesheet.UserID, p timesheet.Page) (string, arguments, error) {
	args := arguments{v.Workspace.ID}
	where := "x.workspace_id = $1"
	if of != nil {
		where += "\n  AND x.user_id = " + args.add(*of)
	}
	window, tail, err := newestExports.window(p, &args)
	return `/* exportsPage */
SELECT ` + exportColumns + `
FROM export_job x
WHERE ` + where + window + tail, args, err
}

const exportsCount = `/* exportsCount */
SELECT count(*)
FROM export_job x
WHERE x.workspace_id = $1
  AND ($2::bigint IS NULL OR x.user_id = $2)`

// Exports lists the viewer's own exports, or everybody's, which is for owners
// and admins; the newest first.
func (s *Store) Exports(ctx context.Context, v timesheet.Viewer, everybody bool, p timesheet.Page) (timesheet.Connection[timesheet.Export], error) {
	var none timesheet.Connection[timesheet.Export]
	of := &v.User
	if everybody {
		if of = exportsOf(v); of != nil {
			return none, timesheet.Errorf(timesheet.CodeForbidden, "everybody", "only owners and admins see everybody's exports")
		}
	}
	sql, args, err := exportsPage(v, of, p)
	if err != nil {
		return none, err
	}
	rows, err := list(ctx, s, scanExport, sql, args...)
	if err != nil {
		return none, fmt.Errorf("list exports: %w", err)
	}
	found := newestExports.page(p, rows)
	found.Total = func(ctx context.Context) (int, error) { return s.count(ctx, exportsCount, v.Workspace.ID, of) }
	return found, nil
}

const cancelExport = `/* cancelExport */
UPDATE export_job AS x
SET status = 'CANCELED', finished_at = now()
WHERE x.workspace_id = $1
  AND x.id = $2
  AND ($3::bigint IS NULL OR x.user_id = $3)
  AND x.status IN ('QUEUED', 'RUNNING', 'READY')
RETURNING ` + exportColumns

// CancelExport ends one of the viewer's own exports, for owners and admins one
// of anybody's; its file is deleted.
// Cancelling what has ended returns it unchanged.
func (s *Store) CancelExport(ctx context.Context, v timesheet.Viewer, id timesheet.ExportID, ch Change) (timesheet.Export, []*timesheet.Error, error) {
	return write(ctx, s, v, ch, func(tx pgx.Tx) (x timesheet.Export, ref Ref, err error) {
		for _, sql := range []string{cancelExport, readExport} {
			var rows pgx.Rows
			if rows, err = tx.Query(ctx, sql, v.Workspace.ID, id, exportsOf(v)); err != nil {
				return x, ref, err
			}
			if x, err = pgx.CollectExactlyOneRow(rows, scanExport); !errors.Is(err, pgx.ErrNoRows) {
				return x, exportRef(x), err
			}
		}
		return x, ref, timesheet.NotFound("id", "export")
	}, func(ctx context.Context, ref Ref) (timesheet.Export, error) {
		return s.exportOf(ctx, v, ref)
	})
}
