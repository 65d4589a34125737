package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"headroom/timesheet"
)

const insertAtOnce = `written AS (
INSERT INTO time_entry AS e (workspace_id, user_id, id, started_at, ended_at, project_id, task_id, day, billable, rate_minor, cost_minor, currency, tag_ids, description)
`

const ratesOfWork = `
       coalesce(r.bill_minor, 0), coalesce(r.cost_minor, 0), coalesce(r.bill_currency, w.currency), `

const liveTags = `
  AND (SELECT count(*) FROM tag g WHERE g.workspace_id = $1 AND g.id = ANY (?) AND g.deleted_at IS NULL AND g.archived_at IS NULL) = cardinality(?)`

// atOnce is an entry, or a timer, that is written in one round trip.
type atOnce struct {
	entry    timesheet.TimeEntry
	counted  time.Time // until when it counts for overlaps
	billable *bool     // nil: as its work
	minted   bool      // by the client, who may repeat it
	joins    Joins
	record
}

// record is what the audit keeps of a change.
type record struct {
	action string
	input  []byte
}

func newRecord(ch Change) (record, error) {
	input, err := ch.encoded()
	return record{ch.Action, input}, err
}

// audited is the audit row of the entry that another part of the statement has
// written; for none, none is added. It is sorted so that it waits until that part is
// done: what the counter of changes locks comes after the sums (0013).
func (r record) audited(v timesheet.Viewer, written string, args *arguments) string {
	values := []string{"$1", args.add((*int64)(nullable(v.User))), args.add((*int64)(nullable(v.Token))), args.add(r.action), "'TimeEntry'", "e.id::text", args.add(r.input)}
	return "audited AS (\nINSERT INTO audit (workspace_id, actor_id, token_id, action, entity, entity_id, changes)\nSELECT " +
		strings.Join(values, ", ") + "\nFROM (SELECT id FROM " + written + " ORDER BY id) e\n)\n"
}

// arguments are the first of a statement that writes it: workspace, person, id,
// start and end. They have the types that pgx writes without reflection.
func (a atOnce) arguments(v timesheet.Viewer) arguments {
	e := a.entry
	return arguments{int64(v.Workspace.ID), int64(e.UserID), [16]byte(e.ID), e.StartedAt, e.EndedAt}
}

// row selects the row to be written, if no rule is in the way. What an entry does
// not have is left out: each part of a plan is made ready anew, whether it finds
// anything or not.
func (a atOnce) row(v timesheet.Viewer, args *arguments) string {
	e := a.entry
	day := args.add(e.Day.Start(time.UTC)) + "::date"
	project, task, paid, from, where := "NULL::bigint", "NULL::bigint", "false", "", ""
	if e.ProjectID != nil {
		project, paid = args.add(int64(*e.ProjectID))+"::bigint", "p.billable"
		from += "\nJOIN project p ON p.workspace_id = $1 AND p.id = " + project + " AND p.deleted_at IS NULL AND p.archived_at IS NULL" + projectsSeen(v, "p.id", args)
	}
	if e.TaskID != nil {
		task, paid = args.add(int64(*e.TaskID))+"::bigint", "coalesce(t.billable, "+paid+")"
		from += "\nJOIN task t ON t.workspace_id = $1 AND t.project_id = " + project + " AND t.id = " + task + " AND t.deleted_at IS NULL AND t.archived_at IS NULL"
	}
	if a.billable != nil {
		paid = args.add(*a.billable) + "::boolean"
	}
	tags := args.add(tagKeys(e.TagIDs)) + "::bigint[]"
	if len(e.TagIDs) > 0 {
		where += strings.ReplaceAll(liveTags, "?", tags)
	}
	return "SELECT w.workspace_id, $2::bigint, $3::uuid, $4::timestamptz, $5::timestamptz, " + strings.Join([]string{project, task, day, paid}, ", ") + "," + ratesOfWork + tags + ", " + args.add(e.Description) + "::text" +
		"\nFROM workspace w\nCROSS JOIN LATERAL rate_on($1, $2, " + project + ", " + task + ", " + day + ") r" + from +
		"\nWHERE w.workspace_id = $1\n  AND w.time_zone = " + args.add(v.Workspace.TimeZone) + "\n  AND (w.locked_through IS NULL OR w.locked_through < " + day + ")" + where
}

// createEntry is [insertEntry] with all that is asked before it and the audit row,
// and reads what the entry refers to. Where any rule is in the way, nothing
// is written: the steps say which. Its last column is the start of an entry that
// this one overlaps.
func createEntry(v timesheet.Viewer, a atOnce) (string, arguments) {
	args := a.arguments(v)
	row := a.row(v, &args)
	with, clash := "", "NULL::timestamptz"
	if policy := v.Workspace.OverlapPolicy; policy != timesheet.OverlapAllow && a.counted.After(a.entry.StartedAt) {
		with, clash = "clash AS (\nSELECT "+strings.ReplaceAll(overlapping, "$5", args.add(a.counted))+"\n), ", "(TABLE clash)"
		if policy == timesheet.OverlapReject {
			row += "\n  AND NOT EXISTS (SELECT FROM clash)"
		}
	}
	if a.minted || a.entry.EndedAt == nil { // another entry may have this id, and another timer may run
		row += "\nON CONFLICT DO NOTHING"
	}
	columns, joined := a.joins.parts("") // whoever may track time on a project sees it
	return "/* createEntry */\nWITH " + with + insertAtOnce + row + "\nRETURNING *\n), " + a.audited(v, "written", &args) + "SELECT " + columns + ",\n       " + clash + "\nFROM written e" + joined, args
}

// createAtOnce creates an entry in one round trip. Nothing was written where ok is
// false: whatever is not plain is for the steps.
func (s *Store) createAtOnce(ctx context.Context, v timesheet.Viewer, in timesheet.EntryInput, ch Change, now time.Time, joins Joins) (e timesheet.TimeEntry, refs Referred, warnings []*timesheet.Error, ok bool, err error) {
	e, warnings, ok = plainEntry(v, in, ch, now)
	if !ok {
		return e, refs, nil, false, nil
	}
	r, err := newRecord(ch)
	if err != nil {
		return e, refs, nil, false, err
	}
	a := atOnce{entry: e, counted: *e.EndedAt, minted: in.ID != nil, joins: joins, record: r}
	if in.Billable.Given {
		a.billable = &in.Billable.Value
	}
	e, refs, clash, ok, err := s.createPlain(ctx, v, a, ch)
	if clash != nil {
		warnings = append(warnings, clash)
	}
	return e, refs, warnings, ok, err
}

// createPlain writes what breaks no rule, as far as is known. Statements that are
// sent together are one transaction, which the database commits before it says that
// it is ready, and rolls back after any error.
func (s *Store) createPlain(ctx context.Context, v timesheet.Viewer, a atOnce, ch Change) (e timesheet.TimeEntry, refs Referred, clash *timesheet.Error, ok bool, err error) {
	sql, args := createEntry(v, a)
	var start *time.Time
	err = rerun(ctx, func() error {
		ok, start = false, nil
		batch := &pgx.Batch{}
		if v.Workspace.OverlapPolicy == timesheet.OverlapReject {
			batch.Queue(lockPerson, v.Workspace.ID, a.entry.UserID)
		}
		batch.Queue(shareBooks, v.Workspace.ID)
		batch.Queue(sql, args...).Query(func(rows pgx.Rows) error {
			scan := a.joins.scan(v, &refs)
			found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (timesheet.TimeEntry, error) { return scan(longer{row, []any{&start}}) })
			if len(found) > 0 {
				e, ok = found[0], true
			}
			return err
		})
		return s.together(ctx, v, ch, batch)
	})
	if err != nil {
		return timesheet.TimeEntry{}, Referred{}, nil, false, fmt.Errorf("create an entry: %w", err)
	}
	if start != nil {
		clash, err = overlaps(v, *start)
	}
	return e, refs, clash, ok, err
}

// plainEntry is a new entry that breaks none of the rules that can be told
// without the database, is its viewer's own, and is asked for without a key.
func plainEntry(v timesheet.Viewer, in timesheet.EntryInput, ch Change, now time.Time) (e timesheet.TimeEntry, warnings []*timesheet.Error, ok bool) {
	e, err := newEntry(v, in)
	if err != nil || ch.Key != nil || e.UserID != v.User || !v.Tracks() || len(e.TagIDs) > timesheet.MaxTags {
		return e, nil, false
	}
	warnings, err = checkSpan(e, now)
	return e, warnings, err == nil
}

// together sends the statements of a mutation as one transaction.
func (s *Store) together(ctx context.Context, v timesheet.Viewer, ch Change, batch *pgx.Batch) error {
	return s.onConnection(ctx, func(conn *pgxpool.Conn) error {
		defer s.sign(conn.Conn(), v, ch.Action)()
		return told(ctx, conn.SendBatch(ctx, batch).Close())
	})
}
