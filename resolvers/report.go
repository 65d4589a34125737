package resolvers

import (
	"context"
	"encoding/base64"
	"slices"

	"headroom/timesheet"
)

// TimesheetReport sums up entries.
func (q query) TimesheetReport(ctx context.Context, in timesheet.ReportInput) (*timesheet.Report, error) {
	v, err := asker(ctx)
	if err != nil {
		return nil, err
	}
	report, err := q.Store.Report(ctx, v, in, q.Now())
	report.Rows = withKeys(report.Rows)
	return &report, err
}

// Summary sums up a period for a dashboard.
func (q query) Summary(ctx context.Context, period timesheet.Period) (*timesheet.Summary, error) {
	v, err := asker(ctx)
	if err != nil {
		return nil, err
	}
	sum, err := q.Store.Summary(ctx, v, period, q.Now())
	for _, list := range []*timesheet.SummaryRows{&sum.ByProject, &sum.ByUser, &sum.ByTime} {
		list.Rows = withKeys(list.Rows)
	}
	return &sum, err
}

// withKeys copies rows, with keys that are what ids of the API are: that of a
// project is the project's own id. The rows of a report are others' too.
func withKeys(rows []timesheet.ReportRow) []timesheet.ReportRow {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].Key = base64.RawURLEncoding.EncodeToString([]byte(rows[i].Key))
		rows[i].Children = withKeys(rows[i].Children)
	}
	return rows
}
