package store

import (
	"context"
	"fmt"
	"math/big"
	"strings"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// exportGroup is a row of the report's statement.
type exportGroup struct {
	keys []int64
	timesheet.ExportGroup
}

func scanExportGroup(row pgx.CollectableRow) (g exportGroup, err error) {
	var amount string
	if err := row.Scan(&g.keys, &g.Currency, &g.Entries, &g.ExactSeconds, &g.Seconds, &g.BillableSeconds, &amount); err != nil {
		return g, err
	}
	n, ok := new(big.Int).SetString(amount, 10)
	if !ok {
		return g, fmt.Errorf("the database sent %q for an amount", amount)
	}
	g.AmountX3600 = n
	return g, nil
}

// groups is the statement for a report's leaves, by the zone that the workspace
// has in the export's snapshot.
func (r *ExportRun) groups(ctx context.Context, v timesheet.Viewer) (string, arguments, error) {
	kept, err := daysOf(ctx, r.tx, &v.Workspace, r.Input.Report())
	if err != nil {
		return "", nil, err
	}
	return exportGroups(v, r.Input, kept)
}

// noGroups stands for the arms of a report that asks for no day.
const noGroups = `/* noGroups */
SELECT e.user_id, e.project_id, 0::bigint, e.billable, NULL::bigint[], 0, e.currency, e.entries, e.secs, e.secs, e.secs, e.amount_x3600::text
FROM rollup e
WHERE e.workspace_id = $1
  AND false`

// exportGroups is the statement for a report's leaves. It reads what the report
// would, and then knows clients and spreads tags by itself: its rows are final,
// so that they need not be held together.
func exportGroups(v timesheet.Viewer, in timesheet.ExportInput, kept *timesheet.Period) (string, arguments, error) {
	report := in.Report()
	plan, weekStart, err := planReport(v, report, kept)
	if err != nil {
		return "", nil, err
	}
	q := &reportStatement{v: v, in: report, plan: plan, args: arguments{v.Workspace.ID}, columns: unused}
	arms := q.union()
	if arms == "" {
		arms = noGroups
	}
	keys, join := make([]string, len(in.GroupBy)), ""
	for i, key := range in.GroupBy {
		switch key {
		case timesheet.GroupClient:
			keys[i] = "coalesce(p.client_id, 0)"
			join += "\nLEFT JOIN project p ON p.workspace_id = $1 AND p.id = e.project_id"
		case timesheet.GroupTag:
			keys[i] = "coalesce(g.id, 0)"
			join += "\nLEFT JOIN LATERAL unnest(e.tag_ids) AS g (id) ON true"
		case timesheet.GroupBillable:
			keys[i] = "e.billable::integer::bigint"
		case timesheet.GroupUser:
			keys[i] = "e.user_id"
		case timesheet.GroupProject:
			keys[i] = "e.project_id"
		case timesheet.GroupTask:
			keys[i] = "e.task_id"
		default:
			from := report.Fold(weekStart)(plan.Period.From)
			first := func(d timesheet.Date) timesheet.Date { f, _ := key.Span(d, weekStart); return f }
			keys[i] = fmt.Sprintf("(%s::integer[])[e.day - %d + 1]::bigint", q.args.add(foldedDays(timesheet.Period{From: from, To: plan.Period.To}, first)), from)
		}
	}
	leaves := "SELECT ARRAY[" + strings.Join(keys, ", ") + `] AS keys, ` + roundedDay(report) + ` AS day, e.currency, sum(e.entries)::bigint AS entries,
       sum(e.exact)::bigint AS exact, sum(e.seconds)::bigint AS seconds, sum(e.billed)::bigint AS billed, sum(e.amount::numeric) AS amount
FROM (
` + arms + `
) e (user_id, project_id, task_id, billable, tag_ids, day, currency, entries, exact, seconds, billed, amount)` + join + `
GROUP BY 1, 2, 3`
	return exportLeaves(report, leaves), q.args, nil
}

// roundedDay is what a leaf's rows are told apart by for rounding.
func roundedDay(in timesheet.ReportInput) string {
	if in.Rounds(timesheet.RoundDay) {
		return "e.day"
	}
	return "0"
}

// exportLeaves closes the statement. A report rounds leaves, or days of leaves,
// whose currencies stand in several rows here: what is rounded stands in the
// first of them, so that the column adds up to what the report says.
func exportLeaves(in timesheet.ReportInput, leaves string) string {
	seconds, billed := "b.seconds", "b.billed"
	if in.Rounds(timesheet.RoundRow) || in.Rounds(timesheet.RoundDay) {
		rounded := func(column string) string {
			return "CASE WHEN row_number() OVER (PARTITION BY b.keys, b.day ORDER BY b.currency) = 1 THEN " +
				roundSQL(*in.Rounding, "(sum("+column+") OVER (PARTITION BY b.keys, b.day))::bigint") + " ELSE 0 END"
		}
		seconds, billed = rounded("b.exact"), rounded("b.billed")
	}
	return `/* exportGroups */
SELECT r.keys, r.currency, sum(r.entries)::bigint, sum(r.exact)::bigint, sum(r.seconds)::bigint, sum(r.billed)::bigint, sum(r.amount)::text
FROM (
SELECT b.keys, b.currency, b.entries, b.exact, ` + seconds + ` AS seconds, ` + billed + ` AS billed, b.amount
FROM (
` + leaves + `
) b
) r
GROUP BY 1, 2
ORDER BY 1, 2`
}

func (r *ExportRun) writeGroups(ctx context.Context, names *exportNames, groups []exportGroup, w ExportWriter) error {
	if err := names.ofGroups(ctx, r.Input.GroupBy, groups); err != nil {
		return err
	}
	for _, g := range groups {
		for i, key := range r.Input.GroupBy {
			g.Labels = append(g.Labels, names.label(key, g.keys[i]))
		}
		if err := w.Group(g.ExportGroup); err != nil {
			return err
		}
	}
	return nil
}
