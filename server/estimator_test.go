package server

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"headroom/graph"
	"headroom/limits"
	"headroom/store"
	"headroom/timesheet"
)

func date(text string) timesheet.Date {
	d, err := timesheet.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

// monthly holds so many entries in each month of 2024 and 2025.
func monthly(entries int64) (m store.Monthly) {
	for month := range 24 {
		m = m.With(timesheet.NewDate(2024, time.Month(month+1), 1), entries)
	}
	return m
}

// company has 300 people with 40 entries a month each, but for a busy one with
// 50 times as many; one project holds 70 % of all.
func company() *store.Counts {
	c := &store.Counts{
		AsOf: date("2025-12-31"), Users: 300, Clients: 20, Projects: 60, Tasks: 600, Tags: 10,
		ByUser: map[timesheet.UserID]store.Monthly{}, ByProject: map[timesheet.ProjectID]store.Monthly{},
		ClientOf: map[timesheet.ProjectID]timesheet.ClientID{},
	}
	for user := range 300 {
		c.ByUser[timesheet.UserID(user+1)] = monthly(40)
	}
	c.ByUser[busy] = monthly(2000)
	const all = 299*40 + 2000
	c.All, c.Sums, c.ProjectSums = monthly(all), monthly(1000), monthly(200)
	for project := range 60 {
		c.ByProject[timesheet.ProjectID(project+1)] = monthly(all * 3 / 10 / 59)
		c.ClientOf[timesheet.ProjectID(project+1)] = timesheet.ClientID(project%20 + 1)
	}
	c.ByProject[large] = monthly(all * 7 / 10)
	for i := range 1000 {
		c.Sample = append(c.Sample, map[bool]string{true: "review of code", false: "meeting"}[i%4 == 0]+" on site")
	}
	return c
}

const (
	busy  = timesheet.UserID(7)
	large = timesheet.ProjectID(3)
)

func userText(id timesheet.UserID) string {
	var b strings.Builder
	graph.MarshalUserID(id).MarshalGQL(&b)
	return strings.Trim(b.String(), `"`)
}

func projectText(id timesheet.ProjectID) string {
	var b strings.Builder
	graph.MarshalProjectID(id).MarshalGQL(&b)
	return strings.Trim(b.String(), `"`)
}

func estimatorOf(c *store.Counts, role timesheet.Role, user timesheet.UserID) *estimator {
	return &estimator{texts: &texts{}, rates: ratesOf(BuiltinPrices()), counts: c, viewer: timesheet.Viewer{User: user, Role: role, Workspace: timesheet.Workspace{TimeZone: "UTC"}}, today: date("2025-12-31")}
}

// given are a field's arguments, with a page's size.
func given(args map[string]any) limits.Arguments {
	size, _ := args["first"].(int64)
	return limits.GivenArguments(args, float64(size))
}

func reportArgs(from, to string, keys []any, filter map[string]any) map[string]any {
	in := map[string]any{"period": map[string]any{"from": from, "to": to}, "groupBy": keys}
	if filter != nil {
		in["filter"] = filter
	}
	return map[string]any{"input": in}
}

func options(args map[string]any, name string, value any) map[string]any {
	args["input"].(map[string]any)[name] = value
	return args
}

// The price of a report follows its period and its people, and stays close to
// what the model of the decision says.
func TestReportEstimates(t *testing.T) {
	e := estimatorOf(company(), timesheet.RoleManager, 1)
	year := func(filter map[string]any) map[string]any {
		return reportArgs("2025-01-01", "2025-12-31", []any{"PROJECT"}, filter)
	}
	const entries = 12 * 13960.0 // of the year
	for _, test := range []struct {
		name string
		args map[string]any
		want float64 // milliseconds
		rows float64
	}{
		{"a year by project", year(nil), 0.18 + 0.00015*2400 + 0.00072*61, 61},
		{"a year by user", reportArgs("2025-01-01", "2025-12-31", []any{"USER"}, nil), 0.18 + 0.00015*12000 + 0.00072*300, 300},
		{"a month by project", reportArgs("2025-03-01", "2025-03-31", []any{"PROJECT"}, nil), 0.18 + 0.00015*200 + 0.00072*61, 61},
		{"odd days at both ends", reportArgs("2025-01-16", "2025-03-15", []any{"PROJECT"}, nil), 0.18 + 0.00015*200 + 0.00023*13960 + 0.00072*61, 61},
		{"days within a month", reportArgs("2025-03-02", "2025-03-16", []any{"USER"}, nil), 0.18 + 0.00023*13960*15/31 + 0.00072*270, 270},
		{"a year by task", reportArgs("2025-01-01", "2025-12-31", []any{"TASK"}, nil), 0.18 + 0.00023*entries + 0.00072*600, 600},
		{"a year of a project's rows by day", reportArgs("2025-01-01", "2025-12-31", []any{"DAY"}, map[string]any{"projectIds": []any{projectText(large)}}), 0.18 + 0.00023*entries + 0.00072*365, 365},
		{"one ordinary project by person", reportArgs("2025-01-01", "2025-03-31", []any{"USER", "TASK"}, map[string]any{"projectIds": []any{projectText(large + 1)}}), 0.18 + 0.00054*210 + 0.00072*70, 70},
		{"one ordinary person", year(map[string]any{"userIds": []any{userText(9)}}), 0.18 + 0.00023*480 + 0.00072*56, 57},
		{"one ordinary person three times", year(map[string]any{"userIds": []any{userText(9), userText(9), userText(9)}}), 0.18 + 0.00023*480 + 0.00072*56, 57},
		{"the busy one", year(map[string]any{"userIds": userText(busy)}), 0.18 + 0.00015*12000 + 0.00072*61, 61},
		{"somebody who is not there", year(map[string]any{"userIds": []any{userText(5000)}}), 0.18, 0},
		{"a text", year(map[string]any{"text": "review"}), 0.18 + 0.00082*entries + 0.00072*61, 61},
		{"tags", reportArgs("2025-01-01", "2025-12-31", []any{"TAG"}, nil), 0.18 + 0.00054*entries, 11},
		{"a year by month of another zone", options(reportArgs("2025-01-01", "2025-12-31", []any{"MONTH"}, nil), "timeZone", "Asia/Kolkata"), 0.18 + 0.00023*entries, 12},
		{"a year of another zone by project", options(year(nil), "timeZone", "Asia/Kolkata"), 0.18 + 0.00015*2400 + 0.00072*61, 61},
		{"the same zone", options(reportArgs("2025-01-01", "2025-12-31", []any{"MONTH"}, nil), "timeZone", "UTC"), 0.18 + 0.00015*2400, 12},
		{"a year by day, split", options(reportArgs("2025-01-01", "2025-12-31", []any{"DAY"}, nil), "dayAttribution", "SPLIT"), 0.18 + 0.00054*entries + 0.00072*365, 365},
		{"entries rounded", options(year(nil), "rounding", map[string]any{"mode": "UP", "minutes": int64(6), "scope": "ENTRY"}), 0.18 + 0.00023*entries + 0.00072*61, 61},
		{"rows rounded", options(year(nil), "rounding", map[string]any{"mode": "UP", "minutes": int64(6), "scope": "ROW"}), 0.18 + 0.00015*2400 + 0.00072*61, 61},
		{"a period before all", reportArgs("1999-01-01", "1999-12-31", []any{"PROJECT"}, nil), 0.18, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := e.Estimate("Query.timesheetReport", given(test.args))
			if ms := float64(got.Work) / 1e6; !ok || ms < test.want*0.9 || ms > test.want*1.2 {
				t.Errorf("%.2f ms, want about %.2f", ms, test.want)
			}
			if rows := float64(got.Rows); math.Abs(rows-test.rows) > 0.15*test.rows {
				t.Errorf("%v rows, want about %v", rows, test.rows)
			}
			if got.MaxWork < got.Work || got.MaxWork < reportPoints*time.Millisecond {
				t.Errorf("at most %v for %v", got.MaxWork, got.Work)
			}
		})
	}
}

func TestPagesOfEntries(t *testing.T) {
	e := estimatorOf(company(), timesheet.RoleOwner, 1)
	page := func(text string) limits.Estimate {
		args := map[string]any{"first": int64(50), "filter": map[string]any{"period": map[string]any{"from": "2025-01-01", "to": "2025-12-31"}}}
		if text != "" {
			args["filter"].(map[string]any)["text"] = text
		}
		got, _ := e.Estimate("Query.timeEntries", given(args))
		return got
	}
	plain, everything, some, nothing := page(""), page("on site"), page("REVIEW"), page("zeppelin")
	if !(plain.Work <= everything.Work && everything.Work < some.Work && some.Work < nothing.Work) {
		t.Errorf("plain %v, a text in all %v, in a quarter %v, in none %v", plain.Work, everything.Work, some.Work, nothing.Work)
	}
	if all := 0.00082 * 12 * 13960; float64(nothing.Work)/1e6 < all || nothing.Rows != 0 {
		t.Errorf("a text that matches nothing: %v and %d rows, want the whole period, %.0f ms", nothing.Work, nothing.Rows, all)
	}
	if everything.Rows != 50 || plain.Rows != 50 {
		t.Errorf("pages of %d and %d rows, want 50", plain.Rows, everything.Rows)
	}
	unknown := company()
	unknown.Sample = nil
	got, _ := estimatorOf(unknown, timesheet.RoleOwner, 1).Estimate("Query.timeEntries", given(map[string]any{"first": int64(50), "filter": map[string]any{"text": "site"}}))
	if want := 0.00082 * 24 * 13960; float64(got.Work)/1e6 < want {
		t.Errorf("without a sample a text costs %v, want the whole period, %.0f ms", got.Work, want)
	}
}

// Counts are a day old, and on the first of a month they say nothing of it.
func TestTheFirstOfAMonthIsNotFree(t *testing.T) {
	e := estimatorOf(company(), timesheet.RoleManager, 1)
	e.counts.AsOf, e.today = date("2025-12-31"), date("2026-01-01")
	m := e.readable(timesheet.Period{From: date("2026-01-01"), To: date("2026-01-31")})
	if m < 400 || m > 500 { // 13,960 in 30 days of November
		t.Errorf("the first of a month holds %v entries, want a day of the last complete month", m)
	}
}

// The price of a summary is that of what it reads, added up three times, and of
// the rows of its three lists.
func TestSummaryEstimates(t *testing.T) {
	for _, test := range []struct {
		from, to         string
		want, rows, most float64
	}{
		{"2025-01-01", "2025-12-31", 0.18 + 3*0.00015*12000 + 0.00072*(61+270+12), 343, 250},
		{"2025-03-01", "2025-03-31", 0.18 + 3*0.00023*13960 + 0.00072*(61+270+31), 362, 100},
		{"1999-01-01", "1999-12-31", 0.18, 0, reportPoints},
	} {
		got, ok := estimatorOf(company(), timesheet.RoleManager, 9).Estimate("Query.summary", given(map[string]any{"period": map[string]any{"from": test.from, "to": test.to}}))
		if ms := float64(got.Work) / 1e6; !ok || ms < test.want*0.9 || ms > test.want*1.2 {
			t.Errorf("%s: %.2f ms, want about %.2f", test.from, ms, test.want)
		}
		if rows := float64(got.Rows); math.Abs(rows-test.rows) > 0.15*test.rows {
			t.Errorf("%s: %v rows, want about %v", test.from, rows, test.rows)
		}
		if most := float64(got.MaxWork) / 1e6; most < float64(got.Work)/1e6 || most > test.most || most < reportPoints {
			t.Errorf("%s: at most %.2f ms", test.from, most)
		}
	}
}

// Whoever sees only their own entries learns nothing of others from a price:
// whatever a filter names, and whatever the others have done, it is the same.
func TestPricesTellNothingOfOthers(t *testing.T) {
	poor := company()
	poor.ByUser[busy], poor.ByProject[large] = store.Monthly{}, store.Monthly{}
	poor.Sums, poor.ProjectSums = store.Monthly{}, store.Monthly{}
	poor.All, poor.Users, poor.Projects, poor.Tasks, poor.Clients, poor.Sample = poor.ByUser[9], 1, 1, 1, 1, nil
	for _, coordinate := range []string{"Query.timesheetReport", "Query.summary", "Query.timeEntries", "Query.projects", "Query.users", "Query.clients", "Query.tags", "Project.tasks", "Client.projects", "Query.myDay", "Query.weekGrid", "Project.trackedSeconds"} {
		want := ""
		for _, counts := range []*store.Counts{company(), poor} {
			for _, filter := range []map[string]any{
				nil, {"userIds": []any{userText(busy)}}, {"userIds": []any{userText(123456)}}, {"projectIds": []any{projectText(large)}}, {"userIds": []any{"nonsense"}},
			} {
				args := reportArgs("2025-01-01", "2025-12-31", []any{"USER", "TASK"}, filter)
				args["filter"], args["first"] = filter, int64(50)
				args["period"] = args["input"].(map[string]any)["period"]
				args["userId"] = "somebody"
				if ids, ok := filter["userIds"].([]any); ok {
					args["userId"] = ids[0]
				}
				if filter == nil {
					delete(args, "filter")
				}
				if coordinate == "Project.trackedSeconds" {
					delete(args, "period") // all of time, which is read from sums
				}
				got, ok := estimatorOf(counts, timesheet.RoleMember, 9).Estimate(coordinate, given(args))
				if text := fmt.Sprint(got, ok); want == "" {
					want = text
				} else if text != want {
					t.Errorf("%s with %v: %s, want %s as without", coordinate, filter, text, want)
				}
			}
		}
	}
}

// What is not counted, or was long ago, costs what the schema says.
func TestStatisticsMissingAndStale(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	r := newRig(t, func(c *Config) {
		c.Statistics = true
		c.Now = func() time.Time { return now }
	})
	ws := r.owner.Workspace.ID
	const query = `query($in: ReportInput!) { timesheetReport(input: $in) { rows { key } } }`
	in := map[string]any{"in": map[string]any{"period": map[string]any{"from": "2025-01-01", "to": "2025-12-31"}, "groupBy": "TASK", "maxRows": 100}}
	declared := func(t *testing.T, when string) {
		t.Helper()
		if p, a := r.priced(r.token, query, in); p.Cost.Basis != limits.Declared || p.Cost.Requested != 60.5 || p.Cost.Class != "report" {
			t.Errorf("%s: %s", when, a.raw)
		}
	}
	declared(t, "before it was counted")
	if wanted := <-r.server.statistics.asked; wanted != ws {
		t.Fatalf("workspace %d is to be counted, want %d", wanted, ws)
	}
	r.server.statistics.keep(ws, nil, now)
	declared(t, "after a counting that failed")
	counts, err := r.store.Counts(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	counts.AsOf = timesheet.DayOf(now, time.UTC)
	r.server.statistics.keep(ws, counts, now)
	p, a := r.priced(r.token, query, in)
	if p.Cost.Basis != limits.Statistics || p.Cost.Requested >= 1 || p.Cost.Bound < 60 || p.Cost.Class != "report" {
		t.Errorf("an empty workspace: %s", a.raw)
	}
	r.server.statistics.keep(ws, company(), now)
	if p, a := r.priced(r.token, query, in); p.Cost.Requested < 30 || p.Cost.Requested > p.Cost.Bound {
		t.Errorf("a large company: %s", a.raw)
	}
	now = now.Add(countsAge)
	if p, a := r.priced(r.token, query, in); p.Cost.Basis != limits.Statistics {
		t.Errorf("a day later, before it is counted again: %s", a.raw)
	}
	select {
	case wanted := <-r.server.statistics.asked:
		if wanted != ws {
			t.Errorf("workspace %d is to be counted again, want %d", wanted, ws)
		}
	default:
		t.Error("nobody counts again after a day")
	}
	now = now.Add(countsStale - countsAge)
	declared(t, "long after it was counted")
}

// An import has its workspace counted again, by whatever process it was run.
func TestImportsAreHeard(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Statistics = true })
	s := r.server.statistics
	s.of(r.owner.Workspace.ID)
	<-s.asked
	s.keep(r.owner.Workspace.ID, company(), time.Now())
	none := func(func(timesheet.ImportRow, *timesheet.RowError) bool) {}
	deadline, tick := time.After(patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for { // the server may not listen yet when the first import ends
		if _, err := r.store.Import(t.Context(), r.owner, none, store.ImportOptions{}); err != nil {
			t.Fatal(err)
		}
		s.of(r.owner.Workspace.ID)
		select {
		case <-s.asked:
			return
		case <-tick.C:
		case <-deadline:
			t.Fatal("the server did not hear of the import")
		}
	}
}

// Counts are kept within their bytes: those not asked for longest go first.
func TestStatisticsAreBounded(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Statistics = true })
	s := r.server.statistics
	big := company()
	for len(big.Sample)*100 < countsBytes/4 {
		big.Sample = append(big.Sample, big.Sample...)
	}
	for id := timesheet.WorkspaceID(1); id <= 9; id++ {
		s.of(id)
		s.keep(id, big, time.Now())
		s.of(1)
	}
	if n, bytes := s.held(); bytes > countsBytes || n >= 9 || s.of(1) == nil {
		t.Errorf("%d workspaces in %d bytes are kept, want the first among at most %d", n, bytes, countsBytes)
	}
}

// The longest period that would have been accepted is, and one day more is not.
func TestNarrowRangeHolds(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Statistics = true })
	s := r.server.statistics
	s.of(r.owner.Workspace.ID)
	s.keep(r.owner.Workspace.ID, company(), time.Now())
	r.server.caps.Points = 20
	const query = `query($in: ReportInput!) { timesheetReport(input: $in) { rows { key } } }`
	from := func(day timesheet.Date) map[string]any {
		return map[string]any{"in": map[string]any{"period": map[string]any{"from": day.String(), "to": "2025-12-31"}, "groupBy": []string{"TASK"}, "maxRows": 50}}
	}
	p, a := r.priced(r.token, query, from(date("2025-01-01")))
	at := -1
	for i, s := range p.Suggestions {
		if s.Kind == limits.NarrowRange {
			at = i
		}
	}
	if at < 0 {
		t.Fatalf("no range is suggested: %s", a.raw)
	}
	given := p.Suggestions[at]
	days := timesheet.Date(given.MaxAccepted.N)
	if given.Argument != "input.period" || given.Given.String() != "P365D" || days < 30 || days > 364 || !strings.Contains(a.raw, `"maxAccepted":"P`) {
		t.Errorf("%+v", given)
	}
	if p, a := r.priced(r.token, query, from(date("2025-12-31")-days+1)); p.Verdict.Code != verdictAccepted {
		t.Errorf("%d days are refused: %s", days, a.raw)
	}
	if p, a := r.priced(r.token, query, from(date("2025-12-31")-days)); p.Verdict.Code == verdictAccepted {
		t.Errorf("%d days are accepted: %s", days+1, a.raw)
	}
}
