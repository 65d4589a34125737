package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const entryColumns = `e.id, e.user_id, e.project_id, e.task_id, e.tag_ids, e.started_at, e.ended_at, e.secs, e.day, e.description, e.billable, e.amount_x3600, coalesce(e.secs::bigint * e.cost_minor, 0), e.currency, e.invoiced_at IS NOT NULL, e.deleted_at IS NOT NULL, e.version`

func scanEntry(row pgx.CollectableRow) (e timesheet.TimeEntry, err error) {
	err = row.Scan(entryFields(&e)...)
	return scannedEntry(e), err
}

// entryFields are where entryColumns are scanned into.
func entryFields(e *timesheet.TimeEntry) []any {
	return []any{
		(*[16]byte)(&e.ID), (*int64)(&e.UserID), optional(&e.ProjectID), optional(&e.TaskID), &e.TagIDs, &e.StartedAt, &e.EndedAt, &e.Seconds,
		dayScanner{&e.Day},
		&e.Description, &e.Billable, &e.AmountX3600, &e.CostX3600, &e.Currency, &e.Invoiced, &e.Deleted, &e.Version,
	}
}

// scannedEntry is an entry that was read as everybody else has it.
func scannedEntry(e timesheet.TimeEntry) timesheet.TimeEntry {
	e.StartedAt = e.StartedAt.UTC()
	if e.EndedAt == nil {
		e.AmountX3600 = nil // the database computes 0 for what is not billable
		return e
	}
	*e.EndedAt = e.EndedAt.UTC()
	return e
}

const entriesByID = `/* entriesByID */
SELECT ` + entryColumns + `
FROM time_entry e
WHERE e.workspace_id = $1
  AND e.id = ANY ($2)
  AND ($3::bigint IS NULL OR e.user_id = $3)`

// EntriesByID returns the entries among ids that the viewer may see, deleted
// ones too.
func (s *Store) EntriesByID(ctx context.Context, v timesheet.Viewer, ids []timesheet.EntryID) (map[timesheet.EntryID]timesheet.TimeEntry, error) {
	rows, err := list(ctx, s, scanEntry, entriesByID, v.Workspace.ID, ids, ownOnly(v))
	if err != nil {
		return nil, fmt.Errorf("read entries: %w", err)
	}
	entries := make(map[timesheet.EntryID]timesheet.TimeEntry, len(rows))
	for _, e := range rows {
		entries[e.ID] = e
	}
	return entries, nil
}

// ownOnly is whose entries alone the viewer may see; nil: everybody's.
func ownOnly(v timesheet.Viewer) *timesheet.UserID {
	if v.ReadsEverybody() {
		return nil
	}
	return &v.User
}

// entryIn runs a statement on entries within a transaction that returns at
// most one; ok is false for none.
func entryIn(ctx context.Context, tx pgx.Tx, sql string, args ...any) (e timesheet.TimeEntry, ok bool, err error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return e, false, err
	}
	found, err := pgx.CollectRows(rows, scanEntry)
	if err != nil || len(found) == 0 {
		return e, false, err
	}
	return found[0], true, nil
}

const lockEntry = `/* lockEntry */
SELECT ` + entryColumns + `
FROM time_entry e
WHERE e.workspace_id = $1
  AND e.id = $2
FOR UPDATE`

// editable locks an entry that the viewer is about to change. Deleted entries
// are not found here.
func editable(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, id timesheet.EntryID) (timesheet.TimeEntry, error) {
	e, ok, err := entryIn(ctx, tx, lockEntry, v.Workspace.ID, id)
	if err != nil {
		return e, fmt.Errorf("lock an entry: %w", err)
	}
	return usable(v, e, ok)
}

// readable is [editable] for an entry that stays as it is. It is not locked:
// whoever then locks another one would lock two in an order of its own.
func readable(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, id timesheet.EntryID) (timesheet.TimeEntry, error) {
	e, ok, err := entryIn(ctx, tx, entriesByID, v.Workspace.ID, []timesheet.EntryID{id}, ownOnly(v))
	if err != nil {
		return e, fmt.Errorf("read an entry: %w", err)
	}
	return usable(v, e, ok)
}

func usable(v timesheet.Viewer, e timesheet.TimeEntry, found bool) (timesheet.TimeEntry, error) {
	if !found || e.Deleted {
		return timesheet.TimeEntry{}, timesheet.NotFound("id", "time entry")
	}
	return e, mayEdit(v, e)
}

// mayEdit tells what is hidden from the viewer from what is only closed to
// their changes.
func mayEdit(v timesheet.Viewer, e timesheet.TimeEntry) error {
	switch {
	case v.MayEditEntriesOf(e.UserID):
		return nil
	case v.ReadsEverybody() || e.UserID == v.User:
		return timesheet.Errorf(timesheet.CodeForbidden, "id", "your role may not change this entry")
	}
	return timesheet.NotFound("id", "time entry")
}

// tracks refuses those who keep no time of their own.
func tracks(v timesheet.Viewer) error {
	if v.Tracks() {
		return nil
	}
	return timesheet.Errorf(timesheet.CodeForbidden, "", "your role may not track time")
}

// What is written to closed books, or by the day of another zone than the
// workspace's, is not written.
const insertEntry = `/* insertEntry */
INSERT INTO time_entry AS e (workspace_id, id, user_id, project_id, task_id, started_at, ended_at, day, billable, rate_minor, cost_minor, currency, tag_ids, description)
SELECT w.workspace_id, $2, $3::bigint, $4::bigint, $5::bigint, $6, $7, $8::date, $9,
       coalesce(r.bill_minor, 0), coalesce(r.cost_minor, 0), coalesce(r.bill_currency, w.currency), $10, $11
FROM workspace w
CROSS JOIN LATERAL rate_on(w.workspace_id, $3, $4, $5, $8) r
WHERE w.workspace_id = $1
  AND w.time_zone = $12
  AND (w.locked_through IS NULL OR w.locked_through < $8)
ON CONFLICT DO NOTHING
RETURNING ` + entryColumns

// insert writes a new entry, at the hourly rates of its day. ok is false where
// its id or, for a timer, its person's timer is there already; a concurrent
// insert of either is waited for.
func insert(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, e timesheet.TimeEntry) (created timesheet.TimeEntry, ok bool, err error) {
	for opened := false; ; {
		created, ok, err = entryUnder(ctx, tx, v, insertEntry, v.Workspace.ID, e.ID, e.UserID, e.ProjectID, e.TaskID, e.StartedAt, e.EndedAt,
			e.Day, e.Billable, tagKeys(e.TagIDs), e.Description, v.Workspace.TimeZone)
		if err != nil {
			return created, false, fmt.Errorf("create an entry: %w", err)
		}
		if ok {
			return created, true, nil
		}
		var moved bool
		if v.Workspace, moved, err = onItsDay(ctx, tx, v.Workspace, &e); err != nil {
			return created, false, err
		}
		if moved {
			continue
		}
		if err = inOpenBooks(v.Workspace, "startedAt", e.Day); err != nil || opened {
			return created, false, err
		}
		opened = true
	}
}

// onItsDay finds the entry's day in the zone that the workspace has by now, for a
// write that found nothing to do; again tells whether that is another one than was
// thought.
func onItsDay(ctx context.Context, tx pgx.Tx, thought timesheet.Workspace, e *timesheet.TimeEntry) (w timesheet.Workspace, again bool, err error) {
	if w, err = books(ctx, tx, thought.ID); err != nil || w.TimeZone == thought.TimeZone {
		return w, false, err
	}
	zone, err := zoneOf(w)
	if err != nil {
		return w, false, err
	}
	e.Day = timesheet.DayOf(e.StartedAt, zone)
	return w, true, nil
}

// An entry keeps its rates and its day unless it moves: to other work, or to
// another start.
const storeEntry = `/* storeEntry */
UPDATE time_entry AS e
SET project_id = $3, task_id = $4, started_at = $5, ended_at = $6, billable = $8, tag_ids = $9, description = $10,
    day = CASE WHEN e.started_at = $5 THEN e.day ELSE $7 END, day_zone = CASE WHEN e.started_at = $5 THEN e.day_zone END,
    (rate_minor, cost_minor, currency) = (
      SELECT e.rate_minor, e.cost_minor, e.currency
      WHERE e.project_id IS NOT DISTINCT FROM $3 AND e.task_id IS NOT DISTINCT FROM $4 AND e.day = $7
      UNION ALL
      SELECT coalesce(r.bill_minor, 0), coalesce(r.cost_minor, 0), coalesce(r.bill_currency, w.currency)
      FROM rate_on(e.workspace_id, e.user_id, $3, $4, $7) r
      WHERE e.project_id IS DISTINCT FROM $3 OR e.task_id IS DISTINCT FROM $4 OR e.day <> $7),
    deleted_at = CASE WHEN $11 THEN coalesce(e.deleted_at, now()) END, version = e.version + 1
FROM workspace w
WHERE w.workspace_id = $1
  AND e.workspace_id = $1
  AND e.id = $2
  AND (w.time_zone = $12 OR e.started_at = $5)
  AND (w.locked_through IS NULL OR w.locked_through < least(e.day, $7::date))
RETURNING ` + entryColumns

// save writes an entry that was locked and changed.
func save(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, e timesheet.TimeEntry) (timesheet.TimeEntry, error) {
	for opened := false; ; {
		saved, ok, err := entryUnder(ctx, tx, v, storeEntry, v.Workspace.ID, e.ID, e.ProjectID, e.TaskID, e.StartedAt, e.EndedAt,
			e.Day, e.Billable, tagKeys(e.TagIDs), e.Description, e.Deleted, v.Workspace.TimeZone)
		if err != nil {
			return saved, fmt.Errorf("store an entry: %w", err)
		}
		if ok {
			return saved, nil
		}
		var moved bool
		if v.Workspace, moved, err = onItsDay(ctx, tx, v.Workspace, &e); err != nil {
			return saved, err
		}
		if moved {
			continue
		}
		if err = closedTo(ctx, tx, v, e); err != nil {
			return e, err
		}
		if opened {
			return e, fmt.Errorf("store an entry: %v was not written although it is there and its books are open", e.ID)
		}
		opened = true
	}
}

// closedTo tells why a locked entry was not written, where that is so still.
func closedTo(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, e timesheet.TimeEntry) error {
	before, ok, err := entryIn(ctx, tx, lockEntry, v.Workspace.ID, e.ID)
	if err != nil {
		return fmt.Errorf("look for an entry that was not stored: %w", err)
	}
	if !ok {
		return fmt.Errorf("store an entry: %v is gone although it was locked", e.ID)
	}
	if v.Workspace.Locked(min(before.Day, e.Day)) {
		return timesheet.Errorf(timesheet.CodePeriodLocked, "", "the books are closed through %s, where this entry is or would be", v.Workspace.LockedThrough)
	}
	return nil
}

const endEntry = `/* endEntry */
UPDATE time_entry AS e
SET ended_at = $3, version = e.version + 1
FROM workspace w
WHERE w.workspace_id = $1
  AND e.workspace_id = $1
  AND e.id = $2
RETURNING ` + entryColumns + `, coalesce(e.day <= w.locked_through, false)`

// end stops a timer that was locked. It does not ask for the books: whoever
// stops a timer waits for nobody, and its start may lie where they are closed,
// which locked tells. Its day is moved with its row, if the workspace's zone
// changes at the same moment.
func end(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, id timesheet.EntryID, at time.Time) (e timesheet.TimeEntry, locked bool, err error) {
	rows, err := tx.Query(ctx, endEntry, v.Workspace.ID, id, at)
	if err != nil {
		return e, false, fmt.Errorf("stop a timer: %w", err)
	}
	e, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (timesheet.TimeEntry, error) {
		return scanEntry(longer{row, []any{&locked}})
	})
	if err != nil {
		return e, false, fmt.Errorf("stop a timer: %w", err)
	}
	return e, locked, nil
}

// tagKeys stores no tags as an empty array, never as null.
func tagKeys(ids []timesheet.TagID) []timesheet.TagID {
	if ids == nil {
		return []timesheet.TagID{}
	}
	return ids
}

func entryRef(e timesheet.TimeEntry, warnings []*timesheet.Error) Ref {
	return Ref{Entity: "TimeEntry", ID: e.ID.String(), Version: e.Version, Warnings: warnings}
}

// entryAgain loads what a mutation of one entry wrote, for its repeat.
func (s *Store) entryAgain(v timesheet.Viewer) func(context.Context, Ref) (timesheet.TimeEntry, error) {
	return func(ctx context.Context, ref Ref) (timesheet.TimeEntry, error) {
		id, err := timesheet.ParseEntryID(ref.ID)
		if err != nil {
			return timesheet.TimeEntry{}, fmt.Errorf("read a stored result: %w", err)
		}
		found, err := s.EntriesByID(ctx, v, []timesheet.EntryID{id})
		if err != nil {
			return timesheet.TimeEntry{}, err
		}
		e, ok := found[id]
		if !ok {
			return e, timesheet.NotFound("id", "time entry")
		}
		return e, nil
	}
}

// mint is the id that the caller chose, or a new one. Ids are in order of
// time, which keeps inserts at the end of their index.
func mint(chosen *timesheet.EntryID) (timesheet.EntryID, error) {
	if chosen == nil {
		id, err := uuid.NewV7()
		return timesheet.EntryID(id), err
	}
	if chosen.Version() != 7 {
		return *chosen, timesheet.Errorf(timesheet.CodeInvalid, "id", "an id is a UUID of version 7, this one is of version %d", chosen.Version())
	}
	return *chosen, nil
}

// zones that workspaces are in: reading one from its file takes longer than
// most statements.
var zones sync.Map // name -> *time.Location

// zoneOf is the zone that decides the day of the workspace's entries.
func zoneOf(w timesheet.Workspace) (*time.Location, error) {
	zone, err := zoneNamed(w.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("read the zone of workspace %d: %w", w.ID, err)
	}
	return zone, nil
}

func zoneNamed(name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	zone, err := timesheet.LoadZone(name)
	if err != nil {
		return nil, err
	}
	zones.Store(name, zone)
	return zone, nil
}
