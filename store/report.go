package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// maxGroups bounds the memory of one report, some 200 bytes each: of the rows
// of its statement, and of its tree's leaves when tags are spread.
const maxGroups = 200_000

// Report sums up the finished entries of a period that the viewer may see,
// nested by the keys in their order. One statement reads the sums of whole
// months and the entries of other days; names are looked up afterwards in the
// same snapshot, one statement for each kind, or come with few sums.
//
// A row's totals are what the rows below it add up to. An entry counts under
// each of its tags but once in the rows above them and once in the report's
// totals. MaxRows cuts the leaves in their order, and Other is what the leaves
// beyond it add up to; a row that lost all of its leaves is left out.
//
// Equal reports asked for at once are made once, and one that was made is given
// again, as from CACHE, while nothing has changed in the workspace or as long as
// Freshness allows; one with running timers is always made anew. The rows are
// shared: they are not to be changed.
func (s *Store) Report(ctx context.Context, v timesheet.Viewer, in timesheet.ReportInput, now time.Time) (timesheet.Report, error) {
	if err := checkReport(in); err != nil || in.IncludeRunning {
		if timesheet.ServiceFrom(ctx).KeptOnly {
			return timesheet.Report{}, ErrNotKept
		}
		return s.report(ctx, v, in, now, maxGroups)
	}
	fresh := in.Freshness
	in.Freshness = nil
	value, cached, err := s.share(ctx, v, "report", in, fresh, now, func(ctx context.Context) (made, error) {
		report, err := s.report(ctx, v, in, now, maxGroups)
		return made{report, report.AsOf, sizeOfReport(report)}, err
	})
	report, _ := value.(timesheet.Report)
	if cached {
		report.Source = timesheet.SourceCache
	}
	return report, err
}

func (s *Store) report(ctx context.Context, v timesheet.Viewer, in timesheet.ReportInput, now time.Time, limit int) (timesheet.Report, error) {
	if err := checkReport(in); err != nil {
		return timesheet.Report{}, err
	}
	plan, groups, labels, err := s.readReport(ctx, v, in, now, limit)
	if err != nil {
		return timesheet.Report{}, err
	}
	if plan.Folded {
		s.rests.note(v.Workspace.ID)
	}
	report, err := grow(ctx, groups, in, labels, limit)
	if err != nil {
		return timesheet.Report{}, err
	}
	report.Source, report.AsOf, report.Basis = plan.Source(in), now.UTC(), timesheet.AmountsExact
	if in.Rounds(timesheet.RoundEntry) {
		report.Basis = timesheet.AmountsRounded
	}
	return report, nil
}

// readReport reads what a report adds up and what that is called, of one moment.
func (s *Store) readReport(ctx context.Context, v timesheet.Viewer, in timesheet.ReportInput, now time.Time, limit int) (plan timesheet.ReportPlan, groups []group, l labels, err error) {
	if !seeksDays(in) {
		if plan, l.weekStart, err = planReport(v, in, nil); err != nil {
			return plan, nil, l, err
		}
		if plan.OfFewSums() {
			if groups, l.names, err = s.reportOfFewSums(ctx, v, in, plan, now); err != nil {
				return plan, nil, l, fmt.Errorf("sum up months: %w", err)
			}
			return plan, groups, l, fewEnough(groups, limit)
		}
	}
	err = s.snapshot(ctx, func(tx pgx.Tx) (err error) {
		kept, err := daysOf(ctx, tx, &v.Workspace, in)
		if err != nil {
			return err
		}
		if plan, l.weekStart, err = planReport(v, in, kept); err != nil {
			return err
		}
		if sql, args := reportGroups(v, in, plan, now); sql != "" {
			groups, err = listIn(ctx, tx, scanGroups(), sql, append(arguments{planForThis}, args...)...)
		}
		if err != nil {
			return fmt.Errorf("sum up entries: %w", err)
		}
		if err := fewEnough(groups, limit); err != nil {
			return err
		}
		l, err = labelsOf(ctx, tx, v, in.GroupBy, l.weekStart, groups)
		return err
	})
	return plan, groups, l, err
}

// planReport plans a report of a workspace in which entries of some days keep
// those of another zone. Sums that a check has found wrong are not used.
func planReport(v timesheet.Viewer, in timesheet.ReportInput, kept *timesheet.Period) (timesheet.ReportPlan, time.Weekday, error) {
	weekStart := v.Workspace.WeekStart
	if in.WeekStart != nil {
		weekStart = *in.WeekStart
	}
	home, err := zoneOf(v.Workspace)
	if err != nil {
		return timesheet.ReportPlan{}, weekStart, err
	}
	zone := home
	if in.TimeZone != nil {
		if zone, err = timesheet.LoadZone(*in.TimeZone); err != nil {
			return timesheet.ReportPlan{}, weekStart, err
		}
	}
	return timesheet.PlanReport(in, timesheet.HomeDays{Zone: home, Kept: kept}, zone, weekStart, keptSums(v)), weekStart, nil
}

// keptSums are those that a viewer's reports may be read from.
func keptSums(v timesheet.Viewer) timesheet.KeptSums {
	switch {
	case v.Workspace.RollupDrifted:
		return timesheet.NoSums
	case !v.ReadsEverybody():
		return timesheet.SumsOfPeople
	}
	return timesheet.SumsOfProjects
}

// readKeptDays reads the ends of an index that holds nothing else.
const readKeptDays = `/* readKeptDays */
SELECT w.time_zone,
       (SELECT min(e.day) FROM time_entry e WHERE e.workspace_id = $1 AND e.deleted_at IS NULL AND e.day_zone IS NOT NULL),
       (SELECT max(e.day) FROM time_entry e WHERE e.workspace_id = $1 AND e.deleted_at IS NULL AND e.day_zone IS NOT NULL)
FROM workspace w
WHERE w.workspace_id = $1`

// daysOf finds of what zone the workspace's days are in a snapshot, and on which
// of them entries keep a former one's. The viewer's zone may be older, which
// matters to a report that seeks entries of other days than its own.
func daysOf(ctx context.Context, tx pgx.Tx, w *timesheet.Workspace, in timesheet.ReportInput) (kept *timesheet.Period, err error) {
	if !seeksDays(in) {
		return nil, nil
	}
	var from, to *timesheet.Date
	if err := tx.QueryRow(ctx, readKeptDays, w.ID).Scan(&w.TimeZone, &from, &to); err != nil {
		return nil, fmt.Errorf("read a workspace's days: %w", err)
	}
	if from != nil && to != nil {
		kept = &timesheet.Period{From: *from, To: *to}
	}
	return kept, nil
}

func fewEnough(groups []group, limit int) error {
	if len(groups) > limit {
		return tooManyGroups(limit)
	}
	return nil
}

func tooManyGroups(limit int) error {
	return timesheet.Errorf(timesheet.CodeOutOfRange, "groupBy", "the report has more than %d groups: narrow its period or its filter, take a key away, or have it written into a file by reportExportCreate", limit)
}

// planForThis has the database plan a report for its own period and filter. A
// plan made for any period expects few rows and sorts them; on a year it takes
// two to three times as long. To plan takes longer than to read few sums, though.
const planForThis = pgx.QueryExecModeCacheDescribe

// checkReport looks at sizes and periods last: who is told of one has nothing else to
// mend.
func checkReport(in timesheet.ReportInput) error {
	if n := len(in.GroupBy); n < 1 || n > timesheet.MaxGroupKeys {
		return timesheet.Errorf(timesheet.CodeInvalid, "groupBy", "a report has 1 to %d keys, this one has %d", timesheet.MaxGroupKeys, n)
	}
	for i, key := range in.GroupBy {
		if _, ok := dimensions[key]; !ok {
			return timesheet.Errorf(timesheet.CodeInvalid, "groupBy", "%q is no key of a report", key)
		}
		if slices.Contains(in.GroupBy[:i], key) {
			return timesheet.Errorf(timesheet.CodeInvalid, "groupBy", "%s stands twice", key)
		}
	}
	if err := checkReportOptions(in); err != nil {
		return err
	}
	if err := checkFilter(in.Filter); err != nil {
		return err
	}
	if in.MaxRows < 1 || in.MaxRows > timesheet.MaxReportRows {
		return timesheet.Errorf(timesheet.CodeInvalid, "maxRows", "a report has 1 to %d rows", timesheet.MaxReportRows)
	}
	return in.Period.Check("period")
}

func checkReportOptions(in timesheet.ReportInput) error {
	if r := in.Rounding; r != nil {
		if r.Minutes < 1 || r.Minutes > timesheet.MaxRoundingMinutes {
			return timesheet.Errorf(timesheet.CodeInvalid, "rounding.minutes", "a report rounds to 1 to %d minutes", timesheet.MaxRoundingMinutes)
		}
		if !slices.Contains([]timesheet.RoundingMode{timesheet.RoundUp, timesheet.RoundDown, timesheet.RoundNearest}, r.Mode) ||
			!slices.Contains([]timesheet.RoundingScope{timesheet.RoundEntry, timesheet.RoundRow, timesheet.RoundDay}, r.Scope) {
			return timesheet.Errorf(timesheet.CodeInvalid, "rounding", "%q by %q is no way to round", r.Mode, r.Scope)
		}
	}
	if f := in.Freshness; f != nil && (f.MaxAgeSeconds < 0 || f.MaxAgeSeconds > timesheet.MaxReportAge) {
		return timesheet.Errorf(timesheet.CodeInvalid, "freshness.maxAgeSeconds", "a report is 0 to %d seconds old", timesheet.MaxReportAge)
	}
	return nil
}

// seeksDays tells whether a report seeks entries of other days than its own.
func seeksDays(in timesheet.ReportInput) bool {
	return in.TimeZone != nil || in.DayAttribution == timesheet.AttributeSplit
}
