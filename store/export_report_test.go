package store

import (
	"context"
	"time"

	"headroom/timesheet"
)

// ReportOf is Report with a bound on groups that a test can reach.
func (s *Store) ReportOf(ctx context.Context, v timesheet.Viewer, in timesheet.ReportInput, now time.Time, groups int) (timesheet.Report, error) {
	return s.report(ctx, v, in, now, groups)
}

// SetRateOf is SetRate with a bound on entries that a test can reach.
func SetRateOf(ctx context.Context, s *Store, v timesheet.Viewer, in timesheet.RateInput, ch Change, most int) (timesheet.RateSet, []*timesheet.Error, error) {
	return s.setRate(ctx, v, in, ch, most)
}

// SummaryOf is Summary made anew.
func (s *Store) SummaryOf(ctx context.Context, v timesheet.Viewer, p timesheet.Period, now time.Time) (timesheet.Summary, error) {
	return s.summary(ctx, v, p, now)
}

// TotalsOf are the totals of seconds and of an amount of seconds x hourly rate.
func TotalsOf(seconds int64, currency, x3600 string) (timesheet.Totals, error) {
	t := tally{exact: seconds, seconds: seconds}
	if err := t.setAmount(currency, x3600); err != nil {
		return timesheet.Totals{}, err
	}
	return t.totals()
}

// Waiting is how many callers wait for reports that are being made.
func (s *Store) Waiting() (n int) {
	s.reports.mu.Lock()
	defer s.reports.mu.Unlock()
	for _, f := range s.reports.flying {
		n += f.waiting
	}
	return n
}
