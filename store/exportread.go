package store

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// ExportWriter takes the rows of an export.
type ExportWriter interface {
	Entry(timesheet.ExportEntry) error
	Group(timesheet.ExportGroup) error
}

// exportBatch is how many rows are fetched at a time. It bounds the memory, and
// how long a cancelled export still reads.
const exportBatch = 2000

// A statement is read through a cursor. Of one the database plans for its first
// rows: a file begins at once, and where it is cancelled little was read in vain.
const cursorOf = "DECLARE export NO SCROLL CURSOR FOR\n"

var fetchExport = fmt.Sprintf("FETCH %d FROM export", exportBatch)

// Read writes the rows that the viewer may see. It calls told after each batch
// with Rows and EstimatedRows up to date, and ends with told's error.
func (r *ExportRun) Read(ctx context.Context, v timesheet.Viewer, w ExportWriter, told func() error) error {
	r.Rows = 0
	sql, args := exportEntries(v, r.Input)
	if len(r.Input.GroupBy) > 0 {
		sql, args = exportGroups(v, r.Input)
	}
	if err := r.estimate(ctx, sql, args); err != nil {
		return whileExporting(ctx, "plan an export", err)
	}
	if _, err := r.tx.Exec(ctx, cursorOf+sql, append([]any{pgx.QueryExecModeDescribeExec}, args...)...); err != nil {
		return whileExporting(ctx, "open an export", err)
	}
	names := &exportNames{tx: r.tx, viewer: v}
	for {
		n, err := r.batch(ctx, names, w)
		if err != nil {
			return whileExporting(ctx, "read an export", err)
		}
		r.Rows += int64(n)
		if err := told(); err != nil {
			return err
		}
		if n < exportBatch {
			return nil
		}
	}
}

func whileExporting(ctx context.Context, doing string, err error) error {
	return fmt.Errorf("%s: %w", doing, told(ctx, err))
}

// estimate asks the database how many rows it expects.
func (r *ExportRun) estimate(ctx context.Context, sql string, args arguments) error {
	var text string
	err := r.tx.QueryRow(ctx, "EXPLAIN (FORMAT JSON)\n"+sql, append([]any{pgx.QueryExecModeDescribeExec}, args...)...).Scan(&text)
	if err != nil {
		return err
	}
	var plans []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	if err := json.Unmarshal([]byte(text), &plans); err != nil || len(plans) == 0 {
		return fmt.Errorf("read a plan: %w", err)
	}
	rows := int64(plans[0].Plan.Rows)
	r.EstimatedRows = &rows
	return nil
}

func (r *ExportRun) batch(ctx context.Context, names *exportNames, w ExportWriter) (int, error) {
	rows, err := r.tx.Query(ctx, fetchExport, pgx.QueryExecModeDescribeExec)
	if err != nil {
		return 0, err
	}
	if len(r.Input.GroupBy) > 0 {
		groups, err := pgx.CollectRows(rows, scanExportGroup)
		if err != nil {
			return 0, err
		}
		return len(groups), r.writeGroups(ctx, names, groups, w)
	}
	entries, err := pgx.CollectRows(rows, scanEntry)
	if err != nil {
		return 0, err
	}
	return len(entries), writeEntries(ctx, names, entries, w)
}

// exportPeriod is the days that both the export and its filter want.
func exportPeriod(in timesheet.ExportInput) timesheet.Period {
	p := in.Period
	if f := in.Filter.Period; f != nil {
		p = timesheet.Period{From: max(p.From, f.From), To: min(p.To, f.To)}
	}
	return p
}

// exportEntries is the statement for finished entries, the oldest first.
func exportEntries(v timesheet.Viewer, in timesheet.ExportInput) (string, arguments) {
	var args arguments
	f := in.Filter
	period := exportPeriod(in)
	f.Period = &period
	where := listConditions(v, f, &args)
	return "/* exportEntries */\nSELECT " + entryColumns + "\nFROM time_entry e\nWHERE " + where + `
  AND e.ended_at IS NOT NULL
ORDER BY e.started_at, e.id`, args
}

func writeEntries(ctx context.Context, names *exportNames, entries []timesheet.TimeEntry, w ExportWriter) error {
	if err := names.ofEntries(ctx, entries); err != nil {
		return err
	}
	for i := range entries {
		if err := w.Entry(names.entry(entries[i])); err != nil {
			return err
		}
	}
	return nil
}

// exportGroup is a row of the report's statement.
type exportGroup struct {
	keys []int64
	timesheet.ExportGroup
}

func scanExportGroup(row pgx.CollectableRow) (g exportGroup, err error) {
	var amount string
	if err := row.Scan(&g.keys, &g.Currency, &g.Entries, &g.Seconds, &g.BillableSeconds, &amount); err != nil {
		return g, err
	}
	n, ok := new(big.Int).SetString(amount, 10)
	if !ok {
		return g, fmt.Errorf("the database sent %q for an amount", amount)
	}
	g.AmountX3600 = n
	return g, nil
}

// exportGroups is the statement for a report's leaves. Other than a report's
// own it knows clients and spreads tags by itself: its rows are final, so that
// they need not be held together.
func exportGroups(v timesheet.Viewer, in timesheet.ExportInput) (string, arguments) {
	var args arguments
	f := in.Filter
	period := exportPeriod(in)
	f.Period = &period
	where := listConditions(v, f, &args)
	keys := make([]string, len(in.GroupBy))
	var join strings.Builder
	for i, key := range in.GroupBy {
		switch key {
		case timesheet.GroupClient:
			keys[i] = "coalesce(p.client_id, 0)"
			join.WriteString("\nLEFT JOIN project p ON p.workspace_id = e.workspace_id AND p.id = e.project_id")
		case timesheet.GroupTag:
			keys[i] = "coalesce(g.id, 0)"
			join.WriteString("\nLEFT JOIN LATERAL unnest(e.tag_ids) AS g (id) ON true")
		case timesheet.GroupBillable:
			keys[i] = "e.billable::integer::bigint"
		default:
			keys[i] = used[dimensions[key].column]
			if dimensions[key].letters > 0 {
				first := func(d timesheet.Date) timesheet.Date { f, _ := key.Span(d, v.Workspace.WeekStart); return f }
				keys[i] = foldDays("e.day", period, first, &args) + "::bigint"
			}
		}
	}
	return "/* exportGroups */\nSELECT ARRAY[" + strings.Join(keys, ", ") + `] AS keys, e.currency,
       count(*), sum(e.secs), coalesce(sum(e.secs) FILTER (WHERE e.billable), 0), sum(e.amount_x3600)::text
FROM time_entry e` + join.String() + "\nWHERE " + where + `
  AND e.ended_at IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2`, args
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
