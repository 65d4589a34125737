package store

import (
	"errors"
	"slices"
	"time"

	"headroom/timesheet"
)

// Built is a statement that was put together, with its arguments.
type Built struct {
	SQL  string
	Args []any
}

// builder collects statements.
type builder struct {
	built []Built
	err   error
}

func (b *builder) add(sql string, args arguments, err error) {
	b.built = append(b.built, Built{sql, args})
	if err != nil && b.err == nil {
		b.err = err
	}
}

// BuiltStatements puts every statement that is no constant together, with each
// of its options on and off, for who sees everything and for who does not, and
// pages in both directions from either end and from a cursor.
func BuiltStatements() ([]Built, error) {
	var b builder
	for _, role := range []timesheet.Role{timesheet.RoleOwner, timesheet.RoleMember} {
		v := timesheet.Viewer{Workspace: timesheet.Workspace{ID: 1, WeekStart: 1}, User: 2, Role: role}
		pages(&b, auditOrder, func(p timesheet.Page) (string, arguments, error) { return auditStatement(v, p) })
		for _, f := range listFilters() {
			b.lists(v, f)
		}
		pages(&b, newestExports, func(p timesheet.Page) (string, arguments, error) { return exportsPage(v, &v.User, p) })
		pages(&b, newestExports, func(p timesheet.Page) (string, arguments, error) { return exportsPage(v, nil, p) })
		members := memberFamily(v, []timesheet.ProjectID{1})
		pages(&b, members.order, members.statement)
		b.add(members.counting(), members.args, nil)
		for _, f := range entryFilters() {
			pages(&b, newestEntries, func(p timesheet.Page) (string, arguments, error) { return entriesPage(v, f, p, Joins{}) })
			b.add(entriesPage(v, f, timesheet.Page{First: 10}, Joins{User: true, Project: true, Client: true, Task: true}))
			sql, args := entriesCount(v, f)
			b.add(sql, args, nil)
			b.reports(v, f)
			b.exports(v, f)
		}
		for _, f := range rateFilters() {
			addSelection(&b, func() (selection[timesheet.Rate], error) { return rateSelection(v, f), nil })
		}
		addSelection(&b, func() (selection[timesheet.Project], error) { return budgetedProjects(v), nil })
		for _, in := range rateInputs() {
			sql, args := repriceStatement(v, in)
			b.add(sql, args, nil)
			sql, args = repriceCount(v, in, 1)
			b.add(sql, args, nil)
		}
		for _, period := range []*timesheet.Period{nil, {From: 1, To: 2}} {
			sql, args := trackedStatement(v, []timesheet.ProjectID{1}, period)
			b.add(sql, args, nil)
		}
		for i := range 1 << 4 {
			joins := Joins{User: i&1 > 0, Project: i&2 > 0, Client: i&4 > 0, Task: i&8 > 0}
			day := BuiltDay(v, joins, v.Workspace.ID, v.User, time.Now(), time.Now(), 201)
			b.add(day.SQL, day.Args, nil)
			v.Workspace.OverlapPolicy = []timesheet.OverlapPolicy{timesheet.OverlapAllow, timesheet.OverlapWarn, timesheet.OverlapReject}[i%3]
			made := BuiltEntry(v, new(timesheet.ProjectID(1)), []timesheet.TagID{1}[:i%2], joins)
			b.add(made.SQL, made.Args, nil)
			made = BuiltEntry(v, nil, nil, joins)
			b.add(made.SQL, made.Args, nil)
			for _, made := range BuiltTimers(v, joins) {
				b.add(made.SQL, made.Args, nil)
			}
		}
		b.summaries(v)
	}
	return b.built, b.err
}

// pages adds a list's statement for every kind of page.
func pages[T any](b *builder, order keyset[T], statement func(timesheet.Page) (string, arguments, error)) {
	var row T
	for _, p := range []timesheet.Page{
		{First: 10},
		{First: 10, After: order.encode(row)},
		{Last: 10},
		{Last: 10, Before: order.encode(row)},
	} {
		b.add(statement(p))
	}
}

func (b *builder) lists(v timesheet.Viewer, f timesheet.ListFilter) {
	for _, o := range []timesheet.ListOrder{timesheet.OrderName, timesheet.OrderNewest} {
		pages(b, userOrder(o), func(p timesheet.Page) (string, arguments, error) { return usersPage(v, f, o, p) })
		addSelection(b, func() (selection[timesheet.Client], error) { return clientSelection(v, f, o) })
		addSelection(b, func() (selection[timesheet.Project], error) { return projectSelection(v, f, o) })
		for _, joins := range []ProjectJoins{{Client: true}, {Tracked: true}, {Client: true, Tracked: true}} {
			q, err := projectSelection(v, f, o)
			b.err = errors.Join(b.err, err)
			pages(b, q.order, func(p timesheet.Page) (string, arguments, error) { return joins.joinedTo(q, p) })
		}
		addSelection(b, func() (selection[timesheet.Tag], error) { return tagSelection(v, f, o) })
	}
	b.add(usersCount(v, f))
	addFamily(b, func() (family[timesheet.ClientID, timesheet.Project], error) {
		return projectFamily(v, []timesheet.ClientID{1}, f)
	})
	addFamily(b, func() (family[timesheet.ProjectID, timesheet.Task], error) {
		return taskFamily(v, []timesheet.ProjectID{1}, f)
	})
}

func addSelection[T any](b *builder, make func() (selection[T], error)) {
	q, err := make()
	pages(b, q.order, q.statement)
	b.add(q.count+q.where, q.args, err)
}

func addFamily[P ~int64, T any](b *builder, make func() (family[P, T], error)) {
	q, err := make()
	pages(b, q.order, q.statement)
	b.add(q.counting(), q.args, err)
}

func (b *builder) reports(v timesheet.Viewer, f timesheet.EntryFilter) {
	v.Workspace.TimeZone = "Europe/Bucharest"
	abroad := "America/New_York"
	each := timesheet.Rounding{Mode: timesheet.RoundNearest, Minutes: 15, Scope: timesheet.RoundEntry}
	for _, in := range []timesheet.ReportInput{
		{GroupBy: []timesheet.GroupKey{timesheet.GroupClient}},
		{GroupBy: []timesheet.GroupKey{timesheet.GroupTag}, IncludeRunning: true},
		{GroupBy: []timesheet.GroupKey{timesheet.GroupBillable}, DayAttribution: timesheet.AttributeSplit},
		{GroupBy: []timesheet.GroupKey{timesheet.GroupUser, timesheet.GroupTask}, Rounding: &each},
		{GroupBy: []timesheet.GroupKey{timesheet.GroupProject, timesheet.GroupDay}, TimeZone: &abroad},
		{GroupBy: []timesheet.GroupKey{timesheet.GroupWeek}, DayAttribution: timesheet.AttributeSplit, Rounding: &each},
		{GroupBy: []timesheet.GroupKey{timesheet.GroupMonth}, TimeZone: &abroad, IncludeRunning: true},
		{GroupBy: []timesheet.GroupKey{timesheet.GroupYear, timesheet.GroupMonth}},
	} {
		in.Period, in.Filter, in.MaxRows = timesheet.Period{From: 9, To: 120}, f, 1
		plan, _, err := planReport(v, in, nil)
		sql, args := reportGroups(v, in, plan, time.Unix(0, 0))
		b.add(sql, args, err)
		sql, args = namedGroups(v, in, plan, time.Unix(0, 0))
		b.add(sql, args, nil)
	}
}

func (b *builder) summaries(v timesheet.Viewer) {
	v.Workspace.TimeZone = "Europe/Bucharest"
	for _, p := range []timesheet.Period{{From: 9, To: 12}, {From: 9, To: 120}} {
		q := BuiltSummary(v, p)
		b.add(q.SQL, q.Args, nil)
	}
}

func (b *builder) exports(v timesheet.Viewer, f timesheet.EntryFilter) {
	v.Workspace.TimeZone = "UTC"
	in := timesheet.ExportInput{Period: timesheet.Period{From: 1, To: 90}, Filter: f}
	sql, args := exportEntries(v, in)
	b.add(sql, args, nil)
	for _, by := range [][]timesheet.GroupKey{
		{timesheet.GroupClient, timesheet.GroupTag, timesheet.GroupBillable},
		{timesheet.GroupUser, timesheet.GroupTask, timesheet.GroupProject},
		{timesheet.GroupWeek, timesheet.GroupMonth},
	} {
		in.GroupBy = by
		b.add(exportGroups(v, in, nil))
	}
}

func rateFilters() []timesheet.RateFilter {
	kind, user, project, task := timesheet.RateBill, timesheet.UserID(1), timesheet.ProjectID(1), timesheet.TaskID(1)
	return []timesheet.RateFilter{{}, {Kind: &kind}, {User: &user}, {Project: &project}, {Task: &task}, {Kind: &kind, User: &user, Project: &project, Task: &task}}
}

func rateInputs() []timesheet.RateInput {
	user, project, task, from := timesheet.UserID(1), timesheet.ProjectID(1), timesheet.TaskID(1), timesheet.Date(20000)
	return []timesheet.RateInput{{}, {User: &user}, {Project: &project}, {Task: &task}, {User: &user, Project: &project, ApplyFrom: &from}, {ApplyFrom: &from, ApplyThrough: &from}}
}

// listFilters are no filter, each of its fields alone, and all of them.
func listFilters() []timesheet.ListFilter {
	archived, client := true, timesheet.ClientID(1)
	all := timesheet.ListFilter{Text: "a", Archived: &archived, Client: &client, Roles: []timesheet.Role{timesheet.RoleOwner}}
	return []timesheet.ListFilter{{}, {Text: all.Text}, {Archived: all.Archived}, {Client: all.Client}, {Roles: all.Roles}, all}
}

// entryFilters are no filter, each of its fields alone, those with several
// values, and all of them.
func entryFilters() []timesheet.EntryFilter {
	billable, period := true, timesheet.Period{From: 10, To: 80}
	all := timesheet.EntryFilter{
		Period: &period, Users: []timesheet.UserID{1}, Projects: []timesheet.ProjectID{1}, Clients: []timesheet.ClientID{1},
		Tasks: []timesheet.TaskID{1}, Tags: []timesheet.TagID{1}, Billable: &billable, Text: "a",
	}
	filters := []timesheet.EntryFilter{
		{},
		{Period: all.Period},
		{Users: all.Users},
		{Projects: all.Projects},
		{Clients: all.Clients},
		{Tasks: all.Tasks},
		{Tags: all.Tags},
		{Billable: all.Billable},
		{Text: all.Text},
		all,
	}
	for _, f := range slices.Clone(filters) {
		f.Users, f.Projects = slices.Repeat(f.Users, 2), slices.Repeat(f.Projects, 2)
		f.Clients, f.Tasks = slices.Repeat(f.Clients, 2), slices.Repeat(f.Tasks, 2)
		filters = append(filters, f)
	}
	return filters
}

// Some of the built statements, for what a test asks.

func built(sql string, args arguments, err error) Built {
	if err != nil {
		panic(err) // the test asked for what is refused
	}
	return Built{sql, args}
}

func BuiltUsersPage(v timesheet.Viewer, p timesheet.Page) Built {
	return built(usersPage(v, timesheet.ListFilter{}, timesheet.OrderName, p))
}

func BuiltProjectsPage(v timesheet.Viewer, p timesheet.Page) Built {
	q, _ := projectSelection(v, timesheet.ListFilter{}, timesheet.OrderName)
	return built(q.statement(p))
}

func BuiltProjectsJoined(v timesheet.Viewer, p timesheet.Page) Built {
	q, _ := projectSelection(v, timesheet.ListFilter{}, timesheet.OrderName)
	return built(ProjectJoins{Client: true, Tracked: true}.joinedTo(q, p))
}

func BuiltProjectsOfClients(v timesheet.Viewer, ids []timesheet.ClientID, p timesheet.Page) Built {
	q, _ := projectFamily(v, ids, timesheet.ListFilter{})
	return built(q.statement(p))
}

func BuiltTasksOfProjects(v timesheet.Viewer, ids []timesheet.ProjectID, p timesheet.Page) Built {
	q, _ := taskFamily(v, ids, timesheet.ListFilter{})
	return built(q.statement(p))
}

func BuiltMembersOfProjects(v timesheet.Viewer, ids []timesheet.ProjectID, p timesheet.Page) Built {
	return built(memberFamily(v, ids).statement(p))
}

func BuiltTrackedSeconds(v timesheet.Viewer, ids []timesheet.ProjectID, p *timesheet.Period) Built {
	sql, args := trackedStatement(v, ids, p)
	return built(sql, args, nil)
}

func BuiltAuditPage(v timesheet.Viewer, p timesheet.Page) Built {
	return built(auditStatement(v, p))
}

func BuiltEntriesPage(v timesheet.Viewer, f timesheet.EntryFilter, p timesheet.Page, joins ...Joins) Built {
	return built(entriesPage(v, f, p, append(joins, Joins{})[0]))
}

func BuiltDay(v timesheet.Viewer, joins Joins, args ...any) Built {
	all := arguments(args)
	sql := joins.statement("readDay", v, dayRows, "", &all)
	return built(sql, all, nil)
}

// BuiltEntry is the statement that creates an entry of an hour, on a project and a
// task of the same number, if any.
func BuiltEntry(v timesheet.Viewer, project *timesheet.ProjectID, tags []timesheet.TagID, joins Joins) Built {
	end := time.Date(2024, time.May, 6, 9, 0, 0, 0, time.UTC)
	e := timesheet.TimeEntry{UserID: v.User, StartedAt: end.Add(-time.Hour), EndedAt: &end, ProjectID: project, TagIDs: tags}
	if project != nil {
		e.TaskID = new(timesheet.TaskID(*project))
	}
	sql, args := createEntry(v, atOnce{entry: e, counted: end, minted: len(tags) > 0, joins: joins})
	return built(sql, args, nil)
}

// BuiltTimers are the statements that start a timer, put it in the place of another,
// and stop that.
func BuiltTimers(v timesheet.Viewer, joins Joins) []Built {
	at := time.Date(2024, time.May, 6, 9, 0, 0, 0, time.UTC)
	a := atOnce{entry: timesheet.TimeEntry{UserID: v.User, StartedAt: at}, counted: at.Add(time.Second), minted: true, joins: joins}
	start, startArgs := createEntry(v, a)
	change, changeArgs := switchTimer(v, a)
	stop, stopArgs := stopTimer(v, &a.entry.ID, at, true, a.record, joins)
	return []Built{built(start, startArgs, nil), built(change, changeArgs, nil), built(stop, stopArgs, nil)}
}

func BuiltReport(v timesheet.Viewer, in timesheet.ReportInput) Built {
	plan, _, err := planReport(v, in, nil)
	sql, args := reportGroups(v, in, plan, time.Now())
	return built(sql, args, err)
}

// BuiltNamedReport is the statement of a report of few sums.
func BuiltNamedReport(v timesheet.Viewer, in timesheet.ReportInput) Built {
	plan, _, err := planReport(v, in, nil)
	if err == nil && !plan.OfFewSums() {
		err = errors.New("this report is not of few sums")
	}
	sql, args := namedGroups(v, in, plan, time.Now())
	return built(sql, args, err)
}

func BuiltSummary(v timesheet.Viewer, p timesheet.Period) Built {
	in := summaryInput(p)
	plan, _, err := planReport(v, in, nil)
	sql, args := summaryStatement(v, in, plan)
	return built(sql, args, err)
}

func BuiltExport(v timesheet.Viewer, in timesheet.ExportInput) Built {
	sql, args := exportEntries(v, in)
	return built(sql, args, nil)
}
