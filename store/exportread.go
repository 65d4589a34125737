package store

import (
	"context"
	"encoding/json"
	"fmt"

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
func (r *ExportRun) Read(ctx context.Context, v timesheet.Viewer, w ExportWriter, told func() error) (err error) {
	r.Rows = 0
	sql, args := exportEntries(v, r.Input)
	if len(r.Input.GroupBy) > 0 {
		if sql, args, err = r.groups(ctx, v); err != nil {
			return whileExporting(ctx, "plan an export", err)
		}
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
