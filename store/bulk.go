package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// BulkEditTimeEntries gives up to 1,000 entries the project, task, tags,
// description, billable or invoiced mark that the input gives, and says for each id, in
// their order, what became of it. An entry that may not be changed does not
// keep the others from being changed; a project, task or tag that nobody may
// use breaks a rule of the whole. It locks all entries before it changes the
// first, as everybody does ([lockEntries]). Times are not edited in bulk.
func (s *Store) BulkEditTimeEntries(ctx context.Context, v timesheet.Viewer, ids []timesheet.EntryID, in timesheet.EntryInput, ch Change) ([]timesheet.BulkResult, []*timesheet.Error, error) {
	return write(ctx, s, v, ch, func(tx pgx.Tx) ([]timesheet.BulkResult, Ref, error) {
		b, err := newBulk(ctx, tx, v, ids, in)
		if err != nil {
			return nil, Ref{}, err
		}
		if err := b.edit(ctx, tx, ids); err != nil {
			return nil, Ref{}, err
		}
		results := b.results(ids)
		kept, err := json.Marshal(summarize(results))
		return results, Ref{Entity: "TimeEntry", ID: ids[0].String(), Results: kept}, err
	}, s.bulkAgain(v))
}

// bulk is one bulk edit.
type bulk struct {
	v     timesheet.Viewer
	in    timesheet.EntryInput
	books timesheet.Workspace // held, and as they are
	done  map[timesheet.EntryID]timesheet.TimeEntry
	wrong map[timesheet.EntryID]*timesheet.Error

	taskProject *timesheet.ProjectID // of the task that is given without its project
}

func newBulk(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, ids []timesheet.EntryID, in timesheet.EntryInput) (*bulk, error) {
	b := &bulk{v: v, in: in, done: map[timesheet.EntryID]timesheet.TimeEntry{}, wrong: map[timesheet.EntryID]*timesheet.Error{}}
	switch {
	case len(ids) == 0 || len(ids) > timesheet.MaxBulk:
		return nil, timesheet.Errorf(timesheet.CodeInvalid, "ids", "a bulk edit takes 1 to %d entries, this one has %d", timesheet.MaxBulk, len(ids))
	case in.Start.Given || in.End.Given:
		return nil, timesheet.Errorf(timesheet.CodeInvalid, "startedAt", "times are not edited in bulk")
	}
	if err := tracks(v); err != nil {
		return nil, err
	}
	if in.Invoiced.Given && !v.Admin() {
		return nil, timesheet.Errorf(timesheet.CodeForbidden, "invoiced", "only owners and admins mark entries as invoiced")
	}
	if err := checkDescription(in.Description.Value); err != nil {
		return nil, err
	}
	return b, b.checkWork(ctx, tx)
}

const readTaskProject = `/* readTaskProject */
SELECT t.project_id
FROM task t
WHERE t.workspace_id = $1
  AND t.id = $2`

// checkWork checks, once for all entries, what they are to be moved to.
func (b *bulk) checkWork(ctx context.Context, tx pgx.Tx) error {
	work := timesheet.TimeEntry{ProjectID: b.in.Project.Value, TaskID: b.in.Task.Value, TagIDs: tagSet(b.in.Tags.Value)}
	if work.TaskID != nil && !b.in.Project.Given {
		rows, err := tx.Query(ctx, readTaskProject, b.v.Workspace.ID, work.TaskID)
		if err != nil {
			return fmt.Errorf("find a task's project: %w", err)
		}
		projects, err := pgx.CollectRows(rows, pgx.RowTo[timesheet.ProjectID])
		if err != nil {
			return fmt.Errorf("find a task's project: %w", err)
		}
		if len(projects) == 0 {
			return noTask()
		}
		b.taskProject, work.ProjectID = &projects[0], &projects[0]
	}
	_, err := checkWork(ctx, tx, b.v, work, timesheet.TimeEntry{})
	if broken, ok := timesheet.AsError(err); ok && b.taskProject != nil && broken.Code == timesheet.CodeNotFound && broken.Field != "tagIds" {
		return noTask() // also of a project that the viewer does not see
	}
	return err
}

// noTask is the answer for every task that is given without its project and
// cannot be used, or it would tell which tasks others have.
func noTask() error { return timesheet.NotFound("taskId", "task") }

// Whoever changes several entries locks them in the order of their ids, and all
// of them before it changes the first, in one statement: with a change come
// locks of the sums that it touches, which are taken in their own order. So
// writers wait for each other, and never in a circle.
const lockEntries = `/* lockEntries */
SELECT ` + entryColumns + `
FROM time_entry e
WHERE e.workspace_id = $1
  AND e.id = ANY ($2)
  AND e.deleted_at IS NULL
ORDER BY e.id
FOR UPDATE`

const editEntries = `/* editEntries */
UPDATE time_entry AS e
SET project_id = CASE WHEN $3 THEN $4 ELSE e.project_id END,
    task_id = CASE WHEN $5 THEN $6 WHEN $3 AND e.project_id IS DISTINCT FROM $4 THEN NULL ELSE e.task_id END,
    tag_ids = CASE WHEN $7 THEN $8 ELSE e.tag_ids END,
    description = coalesce($9, e.description),
    billable = coalesce($10, e.billable),
    (rate_minor, cost_minor, currency) = (
      SELECT e.rate_minor, e.cost_minor, e.currency
      WHERE NOT ($3 AND e.project_id IS DISTINCT FROM $4 OR $5 AND e.task_id IS DISTINCT FROM $6)
      UNION ALL
      SELECT coalesce(r.bill_minor, 0), coalesce(r.cost_minor, 0), coalesce(r.bill_currency, w.currency)
      FROM rate_on(e.workspace_id, e.user_id, CASE WHEN $3 THEN $4 ELSE e.project_id END, CASE WHEN $5 THEN $6 WHEN $3 THEN NULL ELSE e.task_id END, e.day) r
      WHERE $3 AND e.project_id IS DISTINCT FROM $4 OR $5 AND e.task_id IS DISTINCT FROM $6),
    invoiced_at = CASE WHEN $11::boolean THEN coalesce(e.invoiced_at, now()) WHEN NOT $11 THEN NULL ELSE e.invoiced_at END,
    version = e.version + 1
FROM workspace w
WHERE w.workspace_id = $1
  AND e.workspace_id = $1
  AND e.id = ANY ($2)
RETURNING ` + entryColumns

// edit changes those entries that may be changed.
func (b *bulk) edit(ctx context.Context, tx pgx.Tx, ids []timesheet.EntryID) error {
	rows, err := tx.Query(ctx, lockEntries, b.v.Workspace.ID, ids)
	if err != nil {
		return fmt.Errorf("lock entries: %w", err)
	}
	before, err := pgx.CollectRows(rows, scanEntry)
	if err != nil {
		return fmt.Errorf("lock entries: %w", err)
	}
	if b.books, err = openBooks(ctx, tx, b.v.Workspace.ID); err != nil {
		return err
	}
	var good []timesheet.EntryID
	for _, e := range before {
		if err := b.check(e); err != nil {
			b.wrong[e.ID] = err
		} else {
			good = append(good, e.ID)
		}
	}
	if len(good) == 0 {
		return nil
	}
	in := b.in
	rows, err = tx.Query(ctx, editEntries, b.v.Workspace.ID, good, in.Project.Given, in.Project.Value, in.Task.Given, in.Task.Value,
		in.Tags.Given, tagKeys(tagSet(in.Tags.Value)), given(in.Description), given(in.Billable), given(in.Invoiced))
	if err != nil {
		return fmt.Errorf("edit entries: %w", err)
	}
	after, err := pgx.CollectRows(rows, scanEntry)
	if err != nil {
		return fmt.Errorf("edit entries: %w", err)
	}
	for _, e := range after {
		b.done[e.ID] = e
	}
	return nil
}

// check tells why one entry may not be changed.
func (b *bulk) check(e timesheet.TimeEntry) *timesheet.Error {
	if err, _ := timesheet.AsError(mayEdit(b.v, e)); err != nil {
		return err
	}
	if b.in.Invoiced.Value && e.EndedAt == nil {
		return timesheet.Errorf(timesheet.CodeInvalid, "invoiced", "a running timer cannot be invoiced")
	}
	if b.marksOnly() {
		return nil // closed books are what is invoiced
	}
	for _, err := range []error{inOpenBooks(b.books, "id", e.Day), notInvoiced(e)} {
		if broken, _ := timesheet.AsError(err); broken != nil {
			return broken
		}
	}
	if b.taskProject != nil && differs(e.ProjectID, b.taskProject) {
		return timesheet.NotFound("taskId", "task of this entry's project")
	}
	return nil
}

// marksOnly tells whether the edit says nothing of entries but whether they are
// invoiced.
func (b *bulk) marksOnly() bool {
	in := b.in
	return in.Invoiced.Given && !in.Project.Given && !in.Task.Given && !in.Tags.Given && !in.Description.Given && !in.Billable.Given
}

// results are in the order in which the caller named the entries.
func (b *bulk) results(ids []timesheet.EntryID) []timesheet.BulkResult {
	results := make([]timesheet.BulkResult, len(ids))
	for i, id := range ids {
		results[i] = timesheet.BulkResult{ID: id, Error: b.wrong[id]}
		if e, ok := b.done[id]; ok {
			results[i].Entry = &e
		} else if results[i].Error == nil {
			results[i].Error = timesheet.NotFound("id", "time entry")
		}
	}
	return results
}

// given is a pointer to a given value, which the database coalesces.
func given[T any](o timesheet.Opt[T]) *T {
	if !o.Given {
		return nil
	}
	return &o.Value
}

// bulkSummary is what a repeat is answered from: entries are read again.
type bulkSummary struct {
	ID    string           `json:"id"`
	Error *timesheet.Error `json:"error,omitempty"`
}

func summarize(results []timesheet.BulkResult) []bulkSummary {
	kept := make([]bulkSummary, len(results))
	for i, r := range results {
		kept[i] = bulkSummary{r.ID.String(), r.Error}
	}
	return kept
}

func (s *Store) bulkAgain(v timesheet.Viewer) func(context.Context, Ref) ([]timesheet.BulkResult, error) {
	return func(ctx context.Context, ref Ref) ([]timesheet.BulkResult, error) {
		var kept []bulkSummary
		if err := json.Unmarshal(ref.Results, &kept); err != nil {
			return nil, fmt.Errorf("read the stored results of a bulk edit: %w", err)
		}
		ids := make([]timesheet.EntryID, len(kept))
		for i, k := range kept {
			var err error
			if ids[i], err = timesheet.ParseEntryID(k.ID); err != nil {
				return nil, fmt.Errorf("read the stored results of a bulk edit: %w", err)
			}
		}
		entries, err := s.EntriesByID(ctx, v, ids)
		if err != nil {
			return nil, err
		}
		results := make([]timesheet.BulkResult, len(kept))
		for i, k := range kept {
			results[i] = timesheet.BulkResult{ID: ids[i], Error: k.Error}
			if e, ok := entries[ids[i]]; ok && k.Error == nil {
				results[i].Entry = &e
			}
		}
		return results, nil
	}
}
