package resolvers

import (
	"context"
	"encoding/base64"

	"headroom/timesheet"
)

// TimesheetReport sums up entries.
func (q query) TimesheetReport(ctx context.Context, in timesheet.ReportInput) (*timesheet.Report, error) {
	v, err := asker(ctx)
	if err != nil {
		return nil, err
	}
	report, err := q.Store.Report(ctx, v, in, q.Now())
	encodeKeys(report.Rows)
	return &report, err
}

// encodeKeys makes the keys of rows what ids of the API are: that of a project
// is the project's own id.
func encodeKeys(rows []timesheet.ReportRow) {
	for i := range rows {
		rows[i].Key = base64.RawURLEncoding.EncodeToString([]byte(rows[i].Key))
		encodeKeys(rows[i].Children)
	}
}
