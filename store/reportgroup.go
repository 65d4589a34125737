package store

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// group is a row of the report's statement: one currency's sum for one set of
// values. What the report does not group by is zero, and so is what an entry
// does not have.
type group struct {
	user     timesheet.UserID
	project  timesheet.ProjectID
	task     timesheet.TaskID
	billable bool
	day      timesheet.Date // the first of the span that days are folded into
	tags     []timesheet.TagID
	sum      tally
}

func scanGroup(row pgx.CollectableRow) (g group, err error) {
	var day int32
	var currency, amount string
	err = row.Scan(&g.user, &g.project, &g.task, &g.billable, &g.tags, &day, &currency,
		&g.sum.entries, &g.sum.seconds, &g.sum.billable, &amount)
	if err != nil {
		return g, err
	}
	g.day = timesheet.Date(day)
	return g, g.sum.setAmount(currency, amount)
}

// column is a column of the report's statement, in the order of scanGroup.
type column int

const (
	userColumn column = iota
	projectColumn
	taskColumn
	billableColumn
	tagsColumn
	dayColumn
	currencyColumn
	columnCount
)

// unused and used are the columns' expressions where the report does not
// group by them and where it does. That of dayColumn depends on the period.
var (
	unused = [columnCount]string{"0::bigint", "0::bigint", "0::bigint", "false", "NULL::bigint[]", "0", "e.currency"}
	used   = [columnCount]string{"e.user_id", "coalesce(e.project_id, 0)", "coalesce(e.task_id, 0)", "e.billable", "e.tag_ids", "", "e.currency"}
)

// reportGroups is the statement that sums up entries. It groups by no more
// than the keys need, so that the covering index suffices and few rows leave
// the database: clients are found by their projects, and tags are spread,
// later. sum(bigint) adds in 128 bits and only its result is numeric.
func reportGroups(v timesheet.Viewer, in timesheet.ReportInput) (string, arguments) {
	var args arguments
	f := in.Filter
	period := in.Period
	if f.Period != nil {
		period = timesheet.Period{From: max(period.From, f.Period.From), To: min(period.To, f.Period.To)}
	}
	f.Period = &period
	where := entryConditions(v, f, &args)
	// The indexes by user and by project go on with started_at. Elsewhere the
	// condition would only keep the covering index from answering alone.
	if !v.ReadsEverybody() || len(f.Users)+len(f.Projects)+len(f.Clients)+len(f.Tasks) > 0 {
		where += startRange(period, &args)
	}
	columns := unused
	by := []string{strconv.Itoa(int(currencyColumn) + 1)}
	for _, key := range in.GroupBy {
		c := dimensions[key].column
		if columns[c] != unused[c] {
			continue // clients and projects share one, and so do all keys of time
		}
		columns[c] = used[c]
		if c == dayColumn {
			columns[c] = foldDays(period, in.GroupBy, v.Workspace, &args)
		}
		by = append(by, strconv.Itoa(int(c)+1))
	}
	return "/* reportGroups */\nSELECT " + strings.Join(columns[:], ", ") + `,
       count(*), sum(e.secs), coalesce(sum(e.secs) FILTER (WHERE e.billable), 0), sum(e.amount_x3600)::text
FROM time_entry e
WHERE ` + where + `
  AND e.ended_at IS NOT NULL
GROUP BY ` + strings.Join(by, ", ") + fmt.Sprintf("\nLIMIT %d", maxGroups+1), args
}

// foldDays is an expression for the first day of the span that an entry's day
// lies in, as a number: an array holds it for each day of the period. This
// takes half the time of date_trunc, and Go stays the only judge of calendars.
func foldDays(p timesheet.Period, by []timesheet.GroupKey, w timesheet.Workspace, args *arguments) string {
	span := fold(by)
	first := make([]int32, 0, max(0, int(p.To-p.From)+1))
	for day := p.From; day <= p.To; day++ {
		first = append(first, int32(span(day, w.WeekStart)))
	}
	return fmt.Sprintf("(%s::integer[])[e.day - %s::date + 1]", args.add(first), args.add(p.From))
}
