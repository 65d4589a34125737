package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// Summary sums up the finished entries of a period that the viewer may see: in
// all, by project, by user and by day, month or year. One statement reads them
// from the sources of a report; two more read the names, in the same snapshot.
// Equal ones are made once and given again as reports are.
func (s *Store) Summary(ctx context.Context, v timesheet.Viewer, period timesheet.Period, now time.Time) (timesheet.Summary, error) {
	if err := period.Check("period"); err != nil {
		return timesheet.Summary{}, err
	}
	value, cached, err := s.share(ctx, v, "summary", period, nil, now, func(ctx context.Context) (made, error) {
		sum, err := s.summary(ctx, v, period, now)
		return made{sum, sum.AsOf, sizeOfSummary(sum)}, err
	})
	sum, _ := value.(timesheet.Summary)
	if cached {
		sum.Source = timesheet.SourceCache
	}
	return sum, err
}

func (s *Store) summary(ctx context.Context, v timesheet.Viewer, period timesheet.Period, now time.Time) (timesheet.Summary, error) {
	in := summaryInput(period)
	plan, weekStart, err := planReport(v, in, nil)
	if err != nil {
		return timesheet.Summary{}, err
	}
	var groups [3][]group
	var names labels
	err = s.snapshot(ctx, func(tx pgx.Tx) (err error) {
		if groups, err = summaryGroups(ctx, tx, v, in, plan); err != nil {
			return err
		}
		names, err = labelsOf(ctx, tx, v, in.GroupBy, weekStart, slices.Concat(groups[0], groups[1]))
		return err
	})
	if err != nil {
		return timesheet.Summary{}, err
	}
	sum := timesheet.Summary{TimeUnit: in.GroupBy[2], Source: plan.Source(in), AsOf: now.UTC()}
	if sum.Totals, sum.ByProject, err = summaryRows(ctx, in, 0, groups, names); err != nil {
		return timesheet.Summary{}, err
	}
	if _, sum.ByUser, err = summaryRows(ctx, in, 1, groups, names); err != nil {
		return timesheet.Summary{}, err
	}
	in.Sort, in.MaxRows = timesheet.SortLabel, timesheet.MaxReportRows
	_, sum.ByTime, err = summaryRows(ctx, in, 2, groups, names)
	return sum, err
}

// summaryRows are a report by one of the summary's keys.
func summaryRows(ctx context.Context, in timesheet.ReportInput, key int, groups [3][]group, names labels) (timesheet.Totals, timesheet.SummaryRows, error) {
	in.GroupBy = in.GroupBy[key : key+1]
	report, err := grow(ctx, groups[key], in, names, maxGroups)
	return report.Totals, timesheet.SummaryRows{Rows: report.Rows, Other: report.Other}, err
}

// summaryGroups reads the groups of each key.
func summaryGroups(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, in timesheet.ReportInput, plan timesheet.ReportPlan) (groups [3][]group, err error) {
	sql, args := summaryStatement(v, in, plan)
	if sql == "" { // a day that the workspace's zone skipped
		return groups, nil
	}
	found, err := listIn(ctx, tx, scanSummaryGroup, sql, append([]any{planForThis}, args...)...)
	if err != nil {
		return groups, fmt.Errorf("sum up a period: %w", err)
	}
	if len(found) > maxGroups {
		return groups, timesheet.Errorf(timesheet.CodeOutOfRange, "period", "the summary has more than %d groups: narrow its period", maxGroups)
	}
	for _, g := range found {
		groups[g.by] = append(groups[g.by], g.group)
	}
	return groups, nil
}

// summaryInput is the report by whose plan a summary is read.
func summaryInput(p timesheet.Period) timesheet.ReportInput {
	return timesheet.ReportInput{
		Period: p, Sort: timesheet.SortSecondsDesc, MaxRows: timesheet.MaxSummaryRows,
		GroupBy: []timesheet.GroupKey{timesheet.GroupProject, timesheet.GroupUser, timesheet.SummaryUnit(p)},
	}
}

func summaryStatement(v timesheet.Viewer, in timesheet.ReportInput, plan timesheet.ReportPlan) (string, arguments) {
	q := &reportStatement{v: v, in: in, plan: plan, args: arguments{v.Workspace.ID}, columns: unused, sets: true}
	return q.text("summaryGroups"), q.args
}

// summaryGroup is a group of one of the summary's keys.
type summaryGroup struct {
	group
	by int // 0: by project, 1: by user, 2: by time
}

func scanSummaryGroup(row pgx.CollectableRow) (g summaryGroup, err error) {
	var user *timesheet.UserID
	var project *timesheet.ProjectID
	var day *int32
	var currency, amount string
	err = row.Scan(&user, &project, nil, nil, nil, &day, &currency, &g.sum.entries, &g.sum.exact, &g.sum.seconds, &g.sum.billable, &amount)
	switch {
	case err != nil:
		return g, err
	case project != nil:
		g.project = *project
	case user != nil:
		g.user, g.by = *user, 1
	case day != nil:
		g.day, g.by = timesheet.Date(*day), 2
	}
	return g, g.sum.setAmount(currency, amount)
}
