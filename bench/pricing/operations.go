package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"headroom/store"
	"headroom/timesheet"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// question is one operation with the arguments that were drawn for it. Its store
// call runs the same statement without GraphQL, so that the planner can be asked
// about it.
type question struct {
	name      string
	query     string
	variables map[string]any
	fields    float64 // that a limiter by fields counts
	tag       string  // of its dearest statement, which the planner is asked about
	call      func(ctx context.Context, s *store.Store, v timesheet.Viewer) error
}

// workspace is what questions are drawn from.
type workspace struct {
	viewer                   timesheet.Viewer
	token                    string
	name                     string
	entries                  int
	counts                   *store.Counts
	users, projects, clients []string
	ids                      map[string]int64
	words                    []string
}

const reportQuery = `query($in: ReportInput!) { timesheetReport(input: $in) { rows { key label totals { seconds entryCount } } totals { seconds } } }`

const pageQuery = `query($f: EntryFilter) { timeEntries(first: 50, filter: $f) { nodes { id startedAt seconds description project { name } task { name } user { name } } } }`

// drawn are the arguments that several operations share.
type drawn struct {
	r *rand.Rand
	w *workspace
}

// days are so many, ending somewhere within the last two years.
func (d drawn) days(n int) (from, to timesheet.Date) {
	to = timesheet.DayOf(until, time.UTC) - 1 - timesheet.Date(d.r.IntN(700))
	return to - timesheet.Date(n) + 1, to
}

// months are so many whole ones.
func (d drawn) months(n int) (from, to timesheet.Date) {
	last := until.AddDate(0, -d.r.IntN(24), 0)
	return timesheet.DayOf(last.AddDate(0, -n, 0), time.UTC), timesheet.DayOf(last, time.UTC) - 1
}

func one(r *rand.Rand, of []string) string {
	if len(of) == 0 {
		return ""
	}
	return of[r.IntN(len(of))]
}

// report builds a report's question. narrow is userIds, projectIds or clientIds.
func (d drawn) report(name string, from, to timesheet.Date, keys []timesheet.GroupKey, narrow, id, text string) question {
	in := timesheet.ReportInput{Period: timesheet.Period{From: from, To: to}, GroupBy: keys, MaxRows: 1000, Sort: timesheet.SortLabel, DayAttribution: timesheet.AttributeStart}
	filter := map[string]any{}
	if id != "" {
		filter[narrow] = []any{id}
		switch narrow {
		case "userIds":
			in.Filter.Users = []timesheet.UserID{timesheet.UserID(d.w.ids[id])}
		case "projectIds":
			in.Filter.Projects = []timesheet.ProjectID{timesheet.ProjectID(d.w.ids[id])}
		case "clientIds":
			in.Filter.Clients = []timesheet.ClientID{timesheet.ClientID(d.w.ids[id])}
		}
	}
	if text != "" {
		filter["text"], in.Filter.Text = text, text
	}
	var by []any
	for _, key := range keys {
		by = append(by, string(key))
	}
	input := map[string]any{"period": periodOf(from, to), "groupBy": by, "maxRows": 1000, "filter": filter}
	return question{
		name: name, query: reportQuery, variables: map[string]any{"in": input}, fields: 9, tag: "reportGroups",
		call: func(ctx context.Context, s *store.Store, v timesheet.Viewer) error {
			_, err := s.Report(ctx, v, in, time.Now())
			return err
		},
	}
}

func periodOf(from, to timesheet.Date) map[string]any {
	return map[string]any{"from": from.String(), "to": to.String()}
}

// page builds a page's question.
func (d drawn) page(name, query string, filter map[string]any, f timesheet.EntryFilter) question {
	return question{
		name: name, query: query, variables: map[string]any{"f": filter}, fields: 50 * 11, tag: "entriesPage",
		call: func(ctx context.Context, s *store.Store, v timesheet.Viewer) error {
			_, err := s.TimeEntries(ctx, v, f, timesheet.Page{First: 50})
			return err
		},
	}
}

func (d drawn) textPage(name, text string) question {
	from, to := d.days(365)
	return d.page(name, pageQuery, map[string]any{"period": periodOf(from, to), "text": text}, timesheet.EntryFilter{Period: &timesheet.Period{From: from, To: to}, Text: text})
}

func (d drawn) summary(name string, from, to timesheet.Date) question {
	return question{
		name: name, query: `query($p: PeriodInput!) { summary(period: $p) { totals { seconds } byProject { rows { key label totals { seconds } } } byUser { rows { key label totals { seconds } } } byTime { rows { key totals { seconds } } } } }`,
		variables: map[string]any{"p": periodOf(from, to)}, fields: 18, tag: "summaryGroups",
		call: func(ctx context.Context, s *store.Store, v timesheet.Viewer) error {
			_, err := s.Summary(ctx, v, timesheet.Period{From: from, To: to}, time.Now())
			return err
		},
	}
}

// questions draws each operation once.
func (w *workspace) questions(r *rand.Rand) []question {
	d := drawn{r, w}
	word, user, project, client := one(r, w.words), one(r, w.users), one(r, w.projects), one(r, w.clients)
	yearFrom, yearTo := d.days(365)
	wholeFrom, wholeTo := d.months(12)
	monthFrom, monthTo := d.months(1)
	quarterFrom, quarterTo := d.days(91)
	allFrom, allTo := timesheet.DayOf(until.AddDate(-3, 0, 0), time.UTC), timesheet.DayOf(until, time.UTC)-1
	oddFrom, oddTo := d.days(100)
	by := func(keys ...timesheet.GroupKey) []timesheet.GroupKey { return keys }
	all := []question{
		{
			name: "my day", query: `{ myDay { day totals { seconds } entries { id description seconds project { name } } } }`, fields: 70, tag: "readDay",
			call: func(ctx context.Context, s *store.Store, v timesheet.Viewer) error {
				_, err := s.MyDay(ctx, v, nil, nil, time.Now())
				return err
			},
		},
		{
			name: "week grid of a person", query: `query($u: ID) { weekGrid(userId: $u) { rows { days seconds project { name } } totals { seconds } } }`, variables: map[string]any{"u": user}, fields: 40, tag: "sumWeek",
			call: func(ctx context.Context, s *store.Store, v timesheet.Viewer) error {
				_, err := s.WeekGrid(ctx, v, timesheet.UserID(w.ids[user]), nil, time.Now())
				return err
			},
		},
		{
			name: "projects with tracked time", query: `{ projects(first: 50) { nodes { id name client { name } trackedSeconds } } }`, fields: 50 * 5, tag: "trackedSeconds",
			call: func(ctx context.Context, s *store.Store, v timesheet.Viewer) error {
				_, err := s.TrackedSeconds(ctx, v, w.firstProjects(50), nil)
				return err
			},
		},
		{
			name: "people", query: `{ users(first: 100) { nodes { id name role } } }`, fields: 100 * 4, tag: "usersPage",
			call: func(ctx context.Context, s *store.Store, v timesheet.Viewer) error {
				_, err := s.Users(ctx, v, timesheet.ListFilter{}, timesheet.OrderName, timesheet.Page{First: 100})
				return err
			},
		},
		d.page("page", pageQuery, map[string]any{}, timesheet.EntryFilter{}),
		d.textPage("page by a word", word),
		d.textPage("page by a text that matches everything", "e"),
		d.textPage("page by a text that matches nothing", "zeppelin over nowhere"),
		d.report("month by project", monthFrom, monthTo, by(timesheet.GroupProject), "", "", ""),
		d.report("quarter by project and person", quarterFrom, quarterTo, by(timesheet.GroupProject, timesheet.GroupUser), "", "", ""),
		d.report("year by task", yearFrom, yearTo, by(timesheet.GroupTask), "", "", ""),
		d.report("year by project", wholeFrom, wholeTo, by(timesheet.GroupProject), "", "", ""),
		d.report("three years by month", allFrom, allTo, by(timesheet.GroupMonth), "", "", ""),
		d.report("three years by week and project", allFrom, allTo, by(timesheet.GroupWeek, timesheet.GroupProject), "", "", ""),
		d.report("hundred odd days by client", oddFrom, oddTo, by(timesheet.GroupClient), "", "", ""),
		d.report("year by day of a person", yearFrom, yearTo, by(timesheet.GroupDay), "userIds", user, ""),
		d.report("quarter by person of a project", quarterFrom, quarterTo, by(timesheet.GroupUser), "projectIds", project, ""),
		d.report("year by person of a client", wholeFrom, wholeTo, by(timesheet.GroupUser), "clientIds", client, ""),
		d.report("year by project of a word", yearFrom, yearTo, by(timesheet.GroupProject), "", "", word),
		d.report("year by project of a text that matches everything", yearFrom, yearTo, by(timesheet.GroupProject), "", "", "e"),
		d.report("year by tag", yearFrom, yearTo, by(timesheet.GroupTag), "", "", ""),
		d.summary("summary of a month", monthFrom, monthTo),
		d.summary("summary of a year", wholeFrom, wholeTo),
	}
	count := `query($f: EntryFilter) { timeEntries(first: 1, filter: $f) { totalCount } }`
	counted := question{name: "count of a year", query: count, variables: map[string]any{"f": map[string]any{"period": periodOf(yearFrom, yearTo)}}, fields: 2, tag: "entriesCount"}
	counted.call = func(ctx context.Context, s *store.Store, v timesheet.Viewer) error {
		found, err := s.TimeEntries(ctx, v, timesheet.EntryFilter{Period: &timesheet.Period{From: yearFrom, To: yearTo}}, timesheet.Page{First: 1})
		if err == nil {
			_, err = found.Total(ctx)
		}
		return err
	}
	all = append(all, counted)
	return append(append(all, d.narrowed(project, user)...), d.named()...)
}

// narrowed are pages of one project and of one person.
func (d drawn) narrowed(project, user string) (all []question) {
	if project != "" {
		f := timesheet.EntryFilter{Projects: []timesheet.ProjectID{timesheet.ProjectID(d.w.ids[project])}}
		all = append(all, d.page("page of a project", pageQuery, map[string]any{"projectIds": []any{project}}, f))
	}
	if user != "" {
		f := timesheet.EntryFilter{Users: []timesheet.UserID{timesheet.UserID(d.w.ids[user])}}
		all = append(all, d.page("page of a person", pageQuery, map[string]any{"userIds": []any{user}}, f))
	}
	return all
}

// wordsOf are words of sampled descriptions, whole ones of four letters and more.
func wordsOf(sample []string) (words []string) {
	for _, text := range sample {
		for word := range strings.FieldsSeq(text) {
			if len(word) >= 4 {
				words = append(words, word)
			}
		}
	}
	return words
}

// named are what is asked of the odd workspaces alone, each of several periods.
func (d drawn) named() (all []question) {
	by := func(key timesheet.GroupKey) []timesheet.GroupKey { return []timesheet.GroupKey{key} }
	for range 4 {
		yearFrom, yearTo := d.days(365)
		quarterFrom, quarterTo := d.days(91)
		switch d.w.name {
		case busyName:
			all = append(all, d.report("year by day of one with fifty times the average", yearFrom, yearTo, by(timesheet.GroupDay), "userIds", d.w.busiest(), ""))
		case largeName:
			all = append(all, d.report("quarter by person of a project with seven tenths", quarterFrom, quarterTo, by(timesheet.GroupUser), "projectIds", d.w.largestProject(), ""))
		}
	}
	return all
}

// busiest is who has most entries, of those whose ids are known.
func (w *workspace) busiest() string {
	return most(w.users, func(id string) float64 { return w.all(w.counts.ByUser[timesheet.UserID(w.ids[id])]) })
}

func (w *workspace) largestProject() string {
	return most(w.projects, func(id string) float64 { return w.all(w.counts.ByProject[timesheet.ProjectID(w.ids[id])]) })
}

func (w *workspace) all(m store.Monthly) float64 {
	return m.Between(timesheet.Period{From: 0, To: 1 << 20}, w.counts.AsOf, w.counts.AsOf)
}

// most is the one with the most; "" for none.
func most(ids []string, of func(string) float64) (found string) {
	n := -1.0
	for _, id := range ids {
		if m := of(id); m > n {
			found, n = id, m
		}
	}
	return found
}

// firstProjects are the first of a list of projects.
func (w *workspace) firstProjects(most int) (ids []timesheet.ProjectID) {
	for _, id := range w.projects[:min(most, len(w.projects))] {
		ids = append(ids, timesheet.ProjectID(w.ids[id]))
	}
	return ids
}

func (w *workspace) String() string { return fmt.Sprintf("%s (%d entries)", w.name, w.entries) }

// keyOf is the key within a global id, which is base64url of Type:key.
func keyOf(id string) (int64, error) {
	text, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		return 0, fmt.Errorf("%q is no id: %w", id, err)
	}
	_, key, _ := strings.Cut(string(text), ":")
	return strconv.ParseInt(key, 10, 64)
}
