package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// Counts are how much a workspace holds, as prices need it. They do not change
// once they are made, and tell nothing that a viewer who reads everybody could
// not count.
type Counts struct {
	AsOf                                  timesheet.Date // the day they were made, in UTC
	Users, Clients, Projects, Tasks, Tags int64
	All                                   Monthly
	Sums, ProjectSums                     Monthly // rows of the rollup, and of the sums of projects with their rests
	ByUser                                map[timesheet.UserID]Monthly
	ByProject                             map[timesheet.ProjectID]Monthly // 0: no project
	ClientOf                              map[timesheet.ProjectID]timesheet.ClientID
	// Sample holds up to 1,000 descriptions, in lower case, spread over the
	// workspace's time; a workspace of few entries has none.
	Sample []string
}

// Bytes is about how much memory the counts take.
func (c *Counts) Bytes() int {
	const perMap, perMonth = 64, 16
	n := 256 + 3*perMonth*len(c.All.sums) + 32*len(c.ClientOf)
	for _, m := range c.ByUser {
		n += perMap + perMonth*len(m.sums)
	}
	for _, m := range c.ByProject {
		n += perMap + perMonth*len(m.sums)
	}
	for _, text := range c.Sample {
		n += 16 + len(text)
	}
	return n
}

const (
	countThings = `/* countThings */
SELECT (SELECT count(*) FROM membership WHERE workspace_id = $1 AND deleted_at IS NULL),
       (SELECT count(*) FROM client WHERE workspace_id = $1 AND deleted_at IS NULL),
       (SELECT count(*) FROM project WHERE workspace_id = $1 AND deleted_at IS NULL),
       (SELECT count(*) FROM task WHERE workspace_id = $1 AND deleted_at IS NULL),
       (SELECT count(*) FROM tag WHERE workspace_id = $1 AND deleted_at IS NULL)`

	countMonths = `/* countMonths */
SELECT grouping(r.project_id, r.user_id), coalesce(r.project_id, 0), coalesce(r.user_id, 0), r.month, sum(r.entries)::bigint, count(*)
FROM rollup r
WHERE r.workspace_id = $1
  AND r.entries > 0
GROUP BY GROUPING SETS ((r.month), (r.project_id, r.month), (r.user_id, r.month))
ORDER BY 1, 2, 3, 4`

	countProjectSums = `/* countProjectSums */
SELECT s.month, count(*)
FROM (
  SELECT p.month FROM project_rollup p WHERE p.workspace_id = $1
  UNION ALL
  SELECT r.month FROM rollup r WHERE r.workspace_id = $1 AND r.unfolded
) s
GROUP BY s.month
ORDER BY s.month`

	readOwners = `/* readOwners */
SELECT p.id, p.client_id
FROM project p
WHERE p.workspace_id = $1
  AND p.client_id IS NOT NULL`

	// One probe of an index for each, at moments spread evenly over the time that
	// has entries: whoever read the rows to draw from them would read them all.
	sampleDescriptions = `/* sampleDescriptions */
SELECT left(e.description, 200)
FROM (
       SELECT min(e.started_at) AS first, max(e.started_at) AS last
       FROM time_entry e
       WHERE e.workspace_id = $1
         AND e.deleted_at IS NULL
     ) span,
     LATERAL (SELECT span.first + random() * (span.last - span.first) AS at FROM generate_series(1, $2)) t,
     LATERAL (
       SELECT e.description
       FROM time_entry e
       WHERE e.workspace_id = $1
         AND e.deleted_at IS NULL
         AND e.started_at >= t.at
       ORDER BY e.started_at, e.id
       LIMIT 1
     ) e`
)

const (
	sampleFrom  = 500 // entries from which descriptions are sampled
	sampleLeast = 200 // of small workspaces
	sampleSize  = 1000
)

// samples is how many of a workspace's descriptions are drawn: of small ones less, of
// which there are many.
func samples(entries int64) int64 { return min(sampleSize, max(sampleLeast, entries/5)) }

// Counts counts a workspace in the background's pool. What it reads are the
// monthly sums and not the entries.
func (s *Store) Counts(ctx context.Context, ws timesheet.WorkspaceID) (*Counts, error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	c, _, err := one(ctx, s, scanThings, countThings, ws)
	if err != nil {
		return nil, fmt.Errorf("count what a workspace holds: %w", err)
	}
	c.AsOf = timesheet.DayOf(time.Now(), time.UTC)
	months, err := list(ctx, s, scanMonth, countMonths, ws)
	if err != nil {
		return nil, fmt.Errorf("count entries by month: %w", err)
	}
	c.fill(months)
	folded, err := list(ctx, s, scanFolded, countProjectSums, ws)
	if err != nil {
		return nil, fmt.Errorf("count the sums of projects: %w", err)
	}
	for _, m := range folded {
		c.ProjectSums = c.ProjectSums.With(m.month, m.sums)
	}
	owners, err := list(ctx, s, scanOwner, readOwners, ws)
	if err != nil {
		return nil, fmt.Errorf("read whose projects are: %w", err)
	}
	for _, o := range owners {
		c.ClientOf[o.project] = o.client
	}
	if c.All.total() > sampleFrom {
		if c.Sample, err = list(ctx, s, pgx.RowTo[string], sampleDescriptions, ws, samples(c.All.total())); err != nil {
			return nil, fmt.Errorf("sample descriptions: %w", err)
		}
		for i := range c.Sample {
			c.Sample[i] = strings.ToLower(c.Sample[i])
		}
	}
	return c, nil
}

func scanThings(row pgx.CollectableRow) (*Counts, error) {
	c := &Counts{
		ByUser: map[timesheet.UserID]Monthly{}, ByProject: map[timesheet.ProjectID]Monthly{},
		ClientOf: map[timesheet.ProjectID]timesheet.ClientID{},
	}
	return c, row.Scan(&c.Users, &c.Clients, &c.Projects, &c.Tasks, &c.Tags)
}

// monthCount is one row of countMonths.
type monthCount struct {
	grouped int // 3: the whole workspace; 2: by user; 1: by project
	project timesheet.ProjectID
	user    timesheet.UserID
	month   timesheet.Date
	entries int64
	sums    int64 // rows of the rollup
}

func scanMonth(row pgx.CollectableRow) (m monthCount, err error) {
	return m, row.Scan(&m.grouped, &m.project, &m.user, &m.month, &m.entries, &m.sums)
}

func scanFolded(row pgx.CollectableRow) (m monthCount, err error) {
	return m, row.Scan(&m.month, &m.sums)
}

type projectOwner struct {
	project timesheet.ProjectID
	client  timesheet.ClientID
}

func scanOwner(row pgx.CollectableRow) (o projectOwner, err error) {
	return o, row.Scan(&o.project, &o.client)
}

func (c *Counts) fill(months []monthCount) {
	for _, m := range months {
		switch m.grouped {
		case 3:
			c.All, c.Sums = c.All.With(m.month, m.entries), c.Sums.With(m.month, m.sums)
		case 2:
			c.ByUser[m.user] = c.ByUser[m.user].With(m.month, m.entries)
		case 1:
			c.ByProject[m.project] = c.ByProject[m.project].With(m.month, m.entries)
		}
	}
}

// Monthly is how many entries fall into each month; the zero value has none.
type Monthly struct {
	first int     // month, counted from year 0
	sums  []int64 // sums[i] is all up to the month first+i
}

func monthOf(d timesheet.Date) int {
	year, month, _ := d.Calendar()
	return 12*year + int(month) - 1
}

func firstDay(month int) timesheet.Date {
	return timesheet.NewDate(month/12, time.Month(month%12+1), 1)
}

// With adds a month that comes after all others.
func (m Monthly) With(month timesheet.Date, entries int64) Monthly {
	at := monthOf(month)
	if len(m.sums) == 0 {
		m.first = at
	}
	for m.first+len(m.sums) < at {
		m.sums = append(m.sums, m.total())
	}
	m.sums = append(m.sums, m.total()+entries)
	return m
}

func (m Monthly) total() int64 {
	if len(m.sums) == 0 {
		return 0
	}
	return m.sums[len(m.sums)-1]
}

// before is how many entries lie in the months before this one.
func (m Monthly) before(month int) int64 {
	i := min(month-m.first, len(m.sums))
	if i <= 0 {
		return 0
	}
	return m.sums[i-1]
}

// Between is how many entries a period is expected to hold: whole months as they
// were counted, parts of months by their days. The months since the one before
// asOf, the day of the counting, hold at least what its last complete month held
// a day, up to today: counts are up to a day old, and on the first of a month
// they would say nothing.
func (m Monthly) Between(p timesheet.Period, asOf, today timesheet.Date) float64 {
	if len(m.sums) == 0 || p.To < p.From {
		return 0
	}
	current := monthOf(asOf)
	open := firstDay(current)
	known := m.prorated(timesheet.Period{From: p.From, To: min(p.To, open-1)})
	since := timesheet.Period{From: max(p.From, open), To: p.To}
	if since.To < since.From {
		return known
	}
	last := float64(m.before(current)-m.before(current-1)) / float64(open-firstDay(current-1))
	days := float64(max(0, min(since.To, max(today, asOf))-since.From+1))
	return known + max(m.prorated(since), last*days)
}

// prorated takes parts of months by their days.
func (m Monthly) prorated(p timesheet.Period) float64 {
	if p.To < p.From {
		return 0
	}
	from, to := monthOf(p.From), monthOf(p.To)
	if from == to {
		return m.month(from) * float64(p.To-p.From+1) / daysIn(from)
	}
	head := m.month(from) * float64(firstDay(from+1)-p.From) / daysIn(from)
	tail := m.month(to) * float64(p.To-firstDay(to)+1) / daysIn(to)
	return head + float64(m.before(to)-m.before(from+1)) + tail
}

func (m Monthly) month(at int) float64 { return float64(m.before(at+1) - m.before(at)) }

func daysIn(month int) float64 { return float64(firstDay(month+1) - firstDay(month)) }
