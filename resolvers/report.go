package resolvers

import (
	"context"

	"headroom/timesheet"
)

// TimesheetReport sums up entries.
func (q query) TimesheetReport(ctx context.Context, in timesheet.ReportInput) (*timesheet.Report, error) {
	v, err := asker(ctx)
	if err != nil {
		return nil, err
	}
	report, err := q.Store.Report(ctx, v, in, q.Now())
	return &report, err
}
