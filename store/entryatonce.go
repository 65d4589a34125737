package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"headroom/timesheet"
)

const insertAtOnce = `written AS (
INSERT INTO time_entry AS e (workspace_id, user_id, id, started_at, ended_at, project_id, task_id, day, billable, rate_minor, cost_minor, currency, tag_ids, description)
SELECT w.workspace_id, $2, $3, $4, $5, `

const ratesOfWork = `
       coalesce(r.bill_minor, 0), coalesce(r.cost_minor, 0), coalesce(r.bill_currency, w.currency), `

const liveTags = `
  AND (SELECT count(*) FROM tag g WHERE g.workspace_id = $1 AND g.id = ANY (?) AND g.deleted_at IS NULL AND g.archived_at IS NULL) = cardinality(?)`

// createEntry is [insertEntry] with all that is asked before it, the audit row
// apart, and reads what the entry refers to. Where any rule is in the way, nothing
// is written: the steps say which. Its last column is the start of an entry that
// this one overlaps. What an entry does not have is left out of the statement: each
// part of a plan is made ready anew, whether it finds anything or not.
// Arguments have the types that pgx writes without reflection.
func createEntry(v timesheet.Viewer, e timesheet.TimeEntry, billable *bool, minted bool, joins Joins) (string, arguments) {
	args := arguments{int64(v.Workspace.ID), int64(e.UserID), [16]byte(e.ID), e.StartedAt, e.EndedAt}
	day := args.add(e.Day.Start(time.UTC)) + "::date"
	project, task, paid, from, where := "NULL::bigint", "NULL::bigint", "false", "", ""
	if e.ProjectID != nil {
		project, paid = args.add(int64(*e.ProjectID))+"::bigint", "p.billable"
		from += "\nJOIN project p ON p.workspace_id = $1 AND p.id = " + project + " AND p.deleted_at IS NULL AND p.archived_at IS NULL" + projectsSeen(v, "p.id", &args)
	}
	if e.TaskID != nil {
		task, paid = args.add(int64(*e.TaskID))+"::bigint", "coalesce(t.billable, "+paid+")"
		from += "\nJOIN task t ON t.workspace_id = $1 AND t.project_id = " + project + " AND t.id = " + task + " AND t.deleted_at IS NULL AND t.archived_at IS NULL"
	}
	if billable != nil {
		paid = args.add(*billable)
	}
	tags := args.add(tagKeys(e.TagIDs)) + "::bigint[]"
	if len(e.TagIDs) > 0 {
		where += strings.ReplaceAll(liveTags, "?", tags)
	}
	with, clash := "", "NULL::timestamptz"
	if policy := v.Workspace.OverlapPolicy; policy != timesheet.OverlapAllow && e.EndedAt.After(e.StartedAt) {
		with, clash = "clash AS (\nSELECT "+overlapping+"\n), ", "(TABLE clash)"
		if policy == timesheet.OverlapReject {
			where += "\n  AND NOT EXISTS (SELECT FROM clash)"
		}
	}
	conflict := "\nON CONFLICT DO NOTHING"
	if minted { // nobody has this id
		conflict = ""
	}
	columns, joined := joins.parts("") // whoever may track time on a project sees it
	return "/* createEntry */\nWITH " + with + insertAtOnce + strings.Join([]string{project, task, day, paid}, ", ") + "," + ratesOfWork + tags + ", " + args.add(e.Description) +
		"\nFROM workspace w\nCROSS JOIN LATERAL rate_on($1, $2, " + project + ", " + task + ", " + day + ") r" + from +
		"\nWHERE w.workspace_id = $1\n  AND w.time_zone = " + args.add(v.Workspace.TimeZone) + "\n  AND (w.locked_through IS NULL OR w.locked_through < " + day + ")" + where + conflict +
		"\nRETURNING *\n)\nSELECT " + columns + ",\n       " + clash + "\nFROM written e" + joined, args
}

// auditWritten is [insertAudit] for an entry that this transaction has written; for
// none, nothing is added.
const auditWritten = `/* auditWritten */
INSERT INTO audit (workspace_id, actor_id, token_id, action, entity, entity_id, changes)
SELECT $1, $2, $3, $4, $5, $6, $7
FROM time_entry e
WHERE e.workspace_id = $1
  AND e.id = $8
  AND e.xmin = pg_current_xact_id_if_assigned()::xid`

// createAtOnce creates an entry in one round trip. Statements that are sent
// together are one transaction, which the database commits before it says that it
// is ready, and rolls back after any error. Nothing was written where ok is
// false: whatever is not plain is for the steps.
func (s *Store) createAtOnce(ctx context.Context, v timesheet.Viewer, in timesheet.EntryInput, ch Change, now time.Time, joins Joins) (e timesheet.TimeEntry, refs Referred, warnings []*timesheet.Error, ok bool, err error) {
	e, warnings, ok = plainEntry(v, in, ch, now)
	if !ok {
		return e, refs, nil, false, nil
	}
	input, err := json.Marshal(ch.Input)
	if err != nil {
		return e, refs, nil, false, fmt.Errorf("encode the input of %s: %w", ch.Action, err)
	}
	var billable *bool
	if in.Billable.Given {
		billable = &in.Billable.Value
	}
	sql, args := createEntry(v, e, billable, in.ID == nil, joins)
	var clash *time.Time
	err = rerun(ctx, func() error {
		ok, clash = false, nil
		batch := &pgx.Batch{}
		if v.Workspace.OverlapPolicy == timesheet.OverlapReject {
			batch.Queue(lockPerson, v.Workspace.ID, e.UserID)
		}
		batch.Queue(shareBooks, v.Workspace.ID)
		batch.Queue(sql, args...).Query(func(rows pgx.Rows) error {
			scan := joins.scan(v, &refs)
			found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (timesheet.TimeEntry, error) { return scan(longer{row, []any{&clash}}) })
			if len(found) > 0 {
				e, ok = found[0], true
			}
			return err
		})
		batch.Queue(auditWritten, int64(v.Workspace.ID), (*int64)(nullable(v.User)), (*int64)(nullable(v.Token)), ch.Action, "TimeEntry", e.ID.String(), input, [16]byte(e.ID))
		return s.together(ctx, v, ch, batch)
	})
	if err != nil {
		return timesheet.TimeEntry{}, Referred{}, nil, false, fmt.Errorf("create an entry: %w", err)
	}
	if clash != nil {
		found, err := overlaps(v, *clash)
		return e, refs, append(warnings, found), ok, err
	}
	return e, refs, warnings, ok, nil
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
