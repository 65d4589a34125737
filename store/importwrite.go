package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// Imports wait for each other at the workspace; nothing else waits for them
// but a change of the workspace's settings.
const lockImports = `/* lockImports */
SELECT w.workspace_id
FROM workspace w
WHERE w.workspace_id = $1
FOR NO KEY UPDATE`

// One look into the index of keys for each key. The order asks for that index,
// which alone has it where nothing may be sorted (planImports).
const readImportKeys = `/* readImportKeys */
SELECT k.key
FROM unnest($2::bytea[]) AS k (key)
CROSS JOIN LATERAL (
  SELECT e.import_key
  FROM time_entry e
  WHERE e.workspace_id = $1
    AND e.import_key >= k.key
  ORDER BY e.import_key
  LIMIT 1
) e
WHERE e.import_key = k.key`

// Of a table that has just grown the planner believes what was so before: that
// it is a page long, or that the workspace has no entries. Whatever it then
// takes for the cheapest reads all of them for every key. This leaves it no
// choice.
const planImports = `/* planImports */
SET LOCAL enable_sort = off`

// write imports rows within a transaction. Only one import writes to a
// workspace at a time, so that what it does not find it may create.
func (im *importer) write(ctx context.Context, tx pgx.Tx, items []*importItem) error {
	defer im.s.sign(tx.Conn(), im.v, "import")()
	if !im.o.Preview {
		if _, err := tx.Exec(ctx, lockImports, im.v.Workspace.ID); err != nil {
			return fmt.Errorf("wait for another import into this workspace: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, planImports); err != nil {
		return err
	}
	fresh, err := im.absent(ctx, tx, items)
	if err != nil || len(fresh) == 0 {
		return err
	}
	if fresh, err = im.open(ctx, tx, fresh); err != nil {
		return err
	}
	if fresh, err = im.resolve(ctx, tx, fresh); err != nil {
		return err
	}
	for _, it := range fresh {
		it.created = true
	}
	if im.o.Preview || len(fresh) == 0 {
		return nil
	}
	if err := im.copy(ctx, tx, fresh); err != nil {
		return fmt.Errorf("write entries: %w", err)
	}
	input, err := json.Marshal(map[string]any{"source": im.o.Source, "entries": len(fresh)})
	if err != nil {
		return err
	}
	ref := Ref{Entity: "Workspace", ID: key(im.v.Workspace.ID)}
	return finish(ctx, tx, im.v, Change{Action: "import"}, input, outcome{Ref: ref})
}

// open takes the books and gives each row its day, and returns the rows that
// are not in closed ones.
func (im *importer) open(ctx context.Context, tx pgx.Tx, items []*importItem) (fresh []*importItem, err error) {
	if im.books, err = openBooks(ctx, tx, im.v.Workspace.ID); err != nil {
		return nil, err
	}
	if im.zone, err = zoneOf(im.books); err != nil {
		return nil, err
	}
	for _, it := range items {
		it.entry.Day = timesheet.DayOf(it.row.Start, im.zone)
		if im.books.Locked(it.entry.Day) {
			it.refuse(timesheet.FieldStart, timesheet.RowPeriodLocked, fmt.Sprintf("the books are closed through %s", im.books.LockedThrough))
		}
	}
	return slices.DeleteFunc(items, func(it *importItem) bool { return it.bad != nil }), nil
}

// absent returns the rows that no earlier import has written.
func (im *importer) absent(ctx context.Context, tx pgx.Tx, items []*importItem) ([]*importItem, error) {
	keys := make([][]byte, len(items))
	for i, it := range items {
		keys[i] = it.key[:]
	}
	rows, err := tx.Query(ctx, readImportKeys, im.v.Workspace.ID, keys)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, fmt.Errorf("look for rows imported before: %w", err)
	}
	there := make(map[string]bool, len(found))
	for _, k := range found {
		there[string(k)] = true
	}
	return slices.DeleteFunc(slices.Clone(items), func(it *importItem) bool { return there[string(it.key[:])] }), nil
}

var importColumns = []string{
	"workspace_id", "id", "user_id", "project_id", "task_id", "started_at", "ended_at", "day",
	"billable", "rate_minor", "cost_minor", "currency", "tag_ids", "description", "import_key",
}

const readRatesOn = `/* readRatesOn */
SELECT coalesce(r.bill_minor, 0), coalesce(r.cost_minor, 0), coalesce(r.bill_currency, w.currency)
FROM workspace w
CROSS JOIN unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::date[]) WITH ORDINALITY AS u (person, project, task, on_day, n)
CROSS JOIN LATERAL rate_on(w.workspace_id, u.person, u.project, u.task, u.on_day) r
WHERE w.workspace_id = $1
ORDER BY u.n`

// hourly is what an hour of a row's work is billed and costs.
type hourly struct {
	Bill, Cost int64
	Currency   string
}

// rates are the hourly rates of rows, in their order.
func (im *importer) rates(ctx context.Context, tx pgx.Tx, items []*importItem) ([]hourly, error) {
	people, days := make([]timesheet.UserID, len(items)), make([]timesheet.Date, len(items))
	projects, tasks := make([]*timesheet.ProjectID, len(items)), make([]*timesheet.TaskID, len(items))
	for i, it := range items {
		people[i], projects[i], tasks[i], days[i] = it.entry.UserID, it.entry.ProjectID, it.entry.TaskID, it.entry.Day
	}
	rows, err := tx.Query(ctx, readRatesOn, im.v.Workspace.ID, people, projects, tasks, days)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[hourly])
}

func (im *importer) copy(ctx context.Context, tx pgx.Tx, items []*importItem) error {
	rates, err := im.rates(ctx, tx, items)
	if err != nil {
		return fmt.Errorf("read rates: %w", err)
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"time_entry"}, importColumns, pgx.CopyFromSlice(len(items), func(i int) ([]any, error) {
		it := items[i]
		id, err := mint(nil)
		e := it.entry
		return []any{
			im.v.Workspace.ID, [16]byte(id), e.UserID, e.ProjectID, e.TaskID, it.row.Start, it.row.End, e.Day,
			e.Billable, rates[i].Bill, rates[i].Cost, rates[i].Currency, tagKeys(e.TagIDs), it.row.Description, it.key[:],
		}, err
	}))
	return err
}
