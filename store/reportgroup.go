package store

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"headroom/timesheet"
)

// group is a row of the report's statement: one currency's sum for one set of
// values. What the report does not group by is zero, and so is what an entry
// does not have. Several may have the same values, from different sources.
type group struct {
	user     timesheet.UserID
	project  timesheet.ProjectID
	task     timesheet.TaskID
	billable bool
	day      timesheet.Date // the label that the report's time is folded into
	tags     []timesheet.TagID
	sum      tally
}

// scanGroups reads the rows of the report's statement, one after the other, all into
// the same place, and what stands beside them: a report of a year has tens of
// thousands.
func scanGroups(beside ...any) pgx.RowToFunc[group] {
	var g group
	var day int32
	var currency, amount pgtype.DriverBytes
	var known string // nearly all rows have the currency of the last one
	var others breather
	columns := append([]any{
		(*int64)(&g.user), (*int64)(&g.project), (*int64)(&g.task), &g.billable, &g.tags, &day, &currency,
		&g.sum.entries, &g.sum.exact, &g.sum.seconds, &g.sum.billable, &amount,
	}, beside...)
	return func(row pgx.CollectableRow) (group, error) {
		others.breathe()
		g = group{}
		if err := row.Scan(columns...); err != nil {
			return g, err
		}
		if g.day = timesheet.Date(day); string(currency) != known {
			known = string(currency)
		}
		return g, g.sum.setAmount(known, string(amount))
	}
}

// breather gives way to other requests: a report of a year is a loop of 0.2 s, which Go
// interrupts every 10 ms and a click takes one.
type breather int

// breath is how many groups are handled in some 0.1 ms.
const breath = 32

// breathe is called for each group.
func (b *breather) breathe() {
	if *b++; *b%breath == 0 {
		runtime.Gosched()
	}
}

// column is a column of the report's statement, in the order of scanGroups.
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
// group by them and where it does. That of dayColumn depends on the source.
var (
	unused = [columnCount]string{"0::bigint", "0::bigint", "0::bigint", "false", "NULL::bigint[]", "0", "e.currency"}
	used   = [columnCount]string{"e.user_id", "coalesce(e.project_id, 0)", "coalesce(e.task_id, 0)", "e.billable", "e.tag_ids", "", "e.currency"}
)

// reportStatement puts the statement together that sums up entries, an arm for
// each source. It groups by no more than the keys need, so that the covering
// index suffices and few rows leave the database: clients are found by their
// projects, and tags are spread, later. sum(bigint) adds in 128 bits and only
// its result is numeric.
type reportStatement struct {
	v    timesheet.Viewer
	in   timesheet.ReportInput
	plan timesheet.ReportPlan
	now  time.Time // until which running timers count

	args    arguments
	columns [columnCount]string
	by      []string // ordinals of the columns that it groups by
	sets    bool     // sums up by each of them alone, and by currency
	arms    []string
}

// reportGroups is the report's statement; it is empty where no day is asked for.
func reportGroups(v timesheet.Viewer, in timesheet.ReportInput, plan timesheet.ReportPlan, now time.Time) (string, arguments) {
	q := &reportStatement{v: v, in: in, plan: plan, now: now, args: arguments{v.Workspace.ID}, columns: unused}
	return q.text("reportGroups"), q.args
}

// text puts the statement together under a name.
func (q *reportStatement) text(name string) string {
	arms := q.union()
	if arms == "" {
		return ""
	}
	return "/* " + name + " */\n" + arms + fmt.Sprintf("\nLIMIT %d", maxGroups+1)
}

// union puts the arms together.
func (q *reportStatement) union() string {
	in, plan := q.in, q.plan
	by := []string{strconv.Itoa(int(currencyColumn) + 1)}
	for _, key := range in.GroupBy {
		c := dimensions[key].column
		if ordinal := strconv.Itoa(int(c) + 1); !slices.Contains(by, ordinal) { // clients and projects share one, and so do all keys of time
			q.columns[c] = used[c]
			by = append(by, ordinal)
		}
	}
	if ordinal := strconv.Itoa(int(dayColumn) + 1); q.dated() && !slices.Contains(by, ordinal) {
		by = append(by, ordinal)
	}
	q.by = by
	q.fromRollup()
	q.fromDays(plan.Whole, "")
	q.fromDays(plan.Short, "\n  AND e.secs <= "+long)
	q.fromTimes(plan.Mixed, "\n  AND e.ended_at IS NOT NULL")
	q.fromTimes(plan.Long, "\n  AND e.ended_at IS NOT NULL\n  AND e.secs > "+long)
	if in.IncludeRunning && len(plan.Steps) > 0 {
		q.fromRunning()
	}
	return strings.Join(q.arms, "\nUNION ALL\n")
}

// grouping is what an arm groups by: all of the columns together, or the
// currency, which is the first, with each of the others. Columns that a set
// lacks are null.
func (q *reportStatement) grouping() string {
	if !q.sets {
		return strings.Join(q.by, ", ")
	}
	sets := make([]string, len(q.by)-1)
	for i, ordinal := range q.by[1:] {
		sets[i] = "(" + q.by[0] + ", " + ordinal + ")"
	}
	return "GROUPING SETS (" + strings.Join(sets, ", ") + ")"
}

var long = strconv.Itoa(int(timesheet.LongEntry / time.Second))

// arm adds a source: what it counts, sums up and reads.
func (q *reportStatement) arm(day, count, secs, rounded, amount, from string) {
	columns := q.columns
	if columns[dayColumn] = day; !q.dated() {
		columns[dayColumn] = unused[dayColumn]
	}
	q.arms = append(q.arms, "SELECT "+strings.Join(columns[:], ", ")+fmt.Sprintf(`,
       (%s)::bigint, coalesce(sum(%s), 0)::bigint, coalesce(sum(%s), 0)::bigint, coalesce(sum(%[3]s) FILTER (WHERE e.billable), 0)::bigint, coalesce(sum(%[4]s), 0)::text
FROM %[5]s
GROUP BY %[6]s`, count, secs, rounded, amount, from, q.grouping()))
}

// dated tells whether the statement groups by time.
func (q *reportStatement) dated() bool { return q.in.Timed() || q.in.Rounds(timesheet.RoundDay) }

func (q *reportStatement) fromRollup() {
	if len(q.plan.Months) == 0 {
		return
	}
	day := ""
	if q.dated() {
		day = q.label("e.month", q.plan.Months)
	}
	where := scopeConditions(q.v, q.in.Filter, &q.args) + monthsCondition(q.plan.Months, &q.args)
	from := "rollup e\nWHERE " + where
	if q.plan.Folded {
		from = fmt.Sprintf(foldedSums, where)
	}
	q.arm(day, "sum(e.entries)", "e.secs", "e.secs", "e.amount_x3600", from)
	q.arms[len(q.arms)-1] += "\nHAVING sum(e.entries) <> 0"
}

// monthsCondition asks for a span, if that is what the months are: of a list that it
// does not know, a plan for any expects ten.
func monthsCondition(months []timesheet.Date, args *arguments) string {
	first, last := months[0], months[0]
	for _, month := range months {
		if month > (last + 31).Month() {
			return "\n  AND e.month = ANY (" + args.add(months) + ")"
		}
		last = month
	}
	return "\n  AND e.month >= " + args.add(first) + "\n  AND e.month <= " + args.add(last)
}

// foldedSums are sums of projects with the rests that are not in them yet.
const foldedSums = `(
  SELECT e.month, e.project_id, e.billable, e.currency, e.entries, e.secs, e.amount_x3600
  FROM project_rollup e
  WHERE %[1]s
  UNION ALL
  SELECT e.month, e.project_id, e.billable, e.currency, e.entries - e.folded_entries, e.secs - e.folded_secs, e.amount_x3600 - e.folded_amount_x3600
  FROM rollup e
  WHERE %[1]s
  AND e.unfolded
) e`

// fromDays reads entries that their days tell where to count, each run of days
// by itself: the index answers two runs much faster than two conditions.
func (q *reportStatement) fromDays(days []timesheet.Date, also string) {
	for _, run := range runs(days) {
		day := ""
		if q.dated() {
			day = q.label("e.day", run.days)
		}
		rounded, amount := "e.secs", "e.amount_x3600"
		if q.in.Rounds(timesheet.RoundEntry) {
			rounded = roundSQL(*q.in.Rounding, "e.secs")
			amount = "CASE WHEN e.secs > 0 THEN e.amount_x3600 / e.secs * " + rounded + " ELSE 0 END" // the rate, exactly
		}
		where := entryConditions(q.v, q.filter(), &q.args) + run.condition(&q.args) + q.finished() + also
		// The indexes by user and by project go on with started_at. Elsewhere the
		// condition would only keep the covering index from answering alone.
		if f := q.in.Filter; !q.v.ReadsEverybody() || len(f.Users)+len(f.Projects)+len(f.Clients)+len(f.Tasks) > 0 {
			where += startRange(run.span(), &q.args)
		}
		q.arm(day, "count(*)", "e.secs", rounded, amount, "time_entry e\nWHERE "+where)
	}
}

// finished leaves running timers out by what the index has that answers alone:
// of one person the one by person, else the report's.
func (q *reportStatement) finished() string {
	if !q.v.ReadsEverybody() || len(q.in.Filter.Users) == 1 {
		return "\n  AND e.secs IS NOT NULL"
	}
	return "\n  AND e.ended_at IS NOT NULL"
}

// fromTimes reads entries that their times tell where to count.
func (q *reportStatement) fromTimes(days []timesheet.Date, also string) {
	for _, run := range runs(days) {
		q.times("e.ended_at", run.condition(&q.args)+startRange(run.span(), &q.args)+also)
	}
}

// fromRunning reads timers that run, as if they were stopped now.
func (q *reportStatement) fromRunning() {
	end := "greatest(e.started_at, " + q.args.add(wholeSecond(q.now)) + "::timestamptz)"
	if !q.plan.Own {
		q.times(end, "\n  AND e.ended_at IS NULL")
		return
	}
	day, period := "", q.plan.Period
	if q.dated() {
		day = foldDays("e.day", period, q.plan.Label, &q.args)
	}
	also := "\n  AND e.ended_at IS NULL\n  AND e.day >= " + q.args.add(period.From) + "\n  AND e.day <= " + q.args.add(period.To)
	q.parts(day, "count(*)", "extract(epoch FROM "+end+" - e.started_at)", "", also)
}

// times is an arm of entries up to an end: each counts in the step of its start,
// or in each step what lies in it. Steps outside of the period have no label.
func (q *reportStatement) times(end, also string) {
	at, labels := make([]time.Time, len(q.plan.Steps)), make([]*int32, len(q.plan.Steps))
	for i, s := range q.plan.Steps {
		if at[i] = s.At; !s.Outside {
			labels[i] = new(int32(s.Label))
		}
	}
	bounds, count := q.args.add(at)+"::timestamptz[]", "count(*)"
	day := "(" + q.args.add(labels) + "::integer[])[n.step]"
	first := "width_bucket(e.started_at, " + bounds + ")"
	part, steps := "extract(epoch FROM "+end+" - e.started_at)", "SELECT "+first+" AS step"
	if q.in.DayAttribution == timesheet.AttributeSplit {
		count = "count(*) FILTER (WHERE n.step = " + first + ")"
		part = fmt.Sprintf("extract(epoch FROM least(%s, (%[2]s)[n.step + 1]) - greatest(e.started_at, (%[2]s)[n.step]))", end, bounds)
		last := "width_bucket(greatest(e.started_at, " + end + " - interval '1 second'), " + bounds + ")"
		steps = "SELECT generate_series(" + first + ", " + last + ") AS step"
	}
	q.parts(day, count, part, "\nCROSS JOIN LATERAL ("+steps+") n", also+"\n  AND "+day+" IS NOT NULL")
}

// parts is an arm of entries of which a part counts, in seconds.
func (q *reportStatement) parts(day, count, part, join, also string) {
	rounded := "p.secs"
	if q.in.Rounds(timesheet.RoundEntry) {
		rounded = roundSQL(*q.in.Rounding, rounded)
	}
	q.arm(day, count, "p.secs", rounded, "CASE WHEN e.billable THEN e.rate_minor * "+rounded+" ELSE 0 END",
		fmt.Sprintf("time_entry e%s\nCROSS JOIN LATERAL (SELECT %s::integer AS secs) p\nWHERE %s%s", join, part, entryConditions(q.v, q.filter(), &q.args), also))
}

// filter is the input's without its period, which the plan's days are within.
func (q *reportStatement) filter() timesheet.EntryFilter {
	f := q.in.Filter
	f.Period = nil
	return f
}

func (q *reportStatement) label(column string, days []timesheet.Date) string {
	return foldDays(column, timesheet.Period{From: days[0], To: days[len(days)-1]}, q.plan.Label, &q.args)
}

// foldDays is an expression for where a day of a period counts, as a number: an
// array holds it for each day. This takes half the time of date_trunc, and Go
// stays the only judge of calendars.
func foldDays(column string, p timesheet.Period, fold func(timesheet.Date) timesheet.Date, args *arguments) string {
	return fmt.Sprintf("(%s::integer[])[%s - %s::date + 1]", args.add(foldedDays(p, fold)), column, args.add(p.From))
}

func foldedDays(p timesheet.Period, fold func(timesheet.Date) timesheet.Date) []int32 {
	labels := make([]int32, 0, max(0, int(p.To-p.From)+1))
	for day := p.From; day <= p.To; day++ {
		labels = append(labels, int32(fold(day)))
	}
	return labels
}

// roundSQL is [timesheet.Rounding.Round] in the database.
func roundSQL(r timesheet.Rounding, secs string) string {
	step, more := r.Minutes*60, 0
	switch r.Mode {
	case timesheet.RoundUp:
		more = step - 1
	case timesheet.RoundNearest:
		more = step / 2
	}
	return fmt.Sprintf("((%s + %d) / %d * %d)", secs, more, step, step)
}

// daysRun are days that one condition asks for.
type daysRun struct{ days []timesheet.Date }

// maxRuns is how many runs of days are worth an arm each.
const maxRuns = 4

// runs cuts days where one is missing, unless that makes too many.
func runs(days []timesheet.Date) (all []daysRun) {
	from := 0
	for i := range days {
		if i+1 == len(days) || days[i+1] != days[i]+1 {
			all = append(all, daysRun{days[from : i+1]})
			from = i + 1
		}
	}
	if len(all) > maxRuns {
		return []daysRun{{days}}
	}
	return all
}

func (r daysRun) span() timesheet.Period {
	return timesheet.Period{From: r.days[0], To: r.days[len(r.days)-1]}
}

func (r daysRun) condition(args *arguments) string {
	if span := r.span(); int(span.To-span.From)+1 == len(r.days) {
		return "\n  AND e.day >= " + args.add(span.From) + "\n  AND e.day <= " + args.add(span.To)
	}
	return "\n  AND e.day = ANY (" + args.add(r.days) + ")"
}
