package resolvers_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/timesheet"
)

func TestMyDay(t *testing.T) {
	w := newWorld(t)
	v := w.people[member]
	for _, span := range [][2]string{
		{"2026-03-01T21:59:00Z", "2026-03-01T22:10:00Z"}, // the evening before, in Bucharest
		{"2026-03-01T22:00:00Z", "2026-03-01T22:30:00Z"},
		{"2026-03-02T21:59:59Z", "2026-03-02T23:00:00Z"},
		{"2026-03-02T22:00:00Z", "2026-03-02T22:01:00Z"}, // the next day
	} {
		w.must(t, v, "createTimeEntry", "timeEntry", map[string]any{"startedAt": span[0], "endedAt": span[1]})
	}
	w.entry(t, w.people[owner])
	w.timer(t, v)
	document := `query($zone: TimeZone) { myDay(date: "2026-03-02", timeZone: $zone) { day truncated entries { startedAt } running { description }
		totals { exactSeconds seconds billableSeconds entryCount amounts { minor currency } } } }`
	got := w.query(t, v, document, nil)
	if at(got.data, "myDay.totals.exactSeconds") != float64(1800+3601) || at(got.data, "myDay.totals.entryCount") != 2.0 ||
		at(got.data, "myDay.entries.0.startedAt") != "2026-03-01T22:00:00Z" || at(got.data, "myDay.running.description") != "thinking" {
		t.Errorf("in the workspace's zone: got %v", got.data)
	}
	got = w.query(t, v, document, map[string]any{"zone": "UTC"})
	if at(got.data, "myDay.totals.exactSeconds") != float64(3601+60) {
		t.Errorf("in UTC: got %v", got.data)
	}
	broken := w.ask(t.Context(), &v, document, map[string]any{"zone": "CEST"})
	if code := ruleOf(broken.errors); code != timesheet.CodeInvalid {
		t.Errorf("an abbreviation as zone: got %v, want %s", broken.errors, timesheet.CodeInvalid)
	}
	today := w.query(t, v, `{ myDay { day } runningTimer { startedAt endedAt } }`, nil)
	if at(today.data, "runningTimer.startedAt") == nil || at(today.data, "myDay.day") == nil {
		t.Errorf("today: got %v", today.data)
	}
	if none := w.query(t, w.people[viewer], `{ runningTimer { id } }`, nil); none.data["runningTimer"] != nil {
		t.Errorf("a viewer has the timer %v", none.data)
	}
}

func TestTimeEntriesAreFiltered(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	task := w.task(t)
	project := at(w.query(t, v, `query($id: ID!) { node(id: $id) { ... on Task { project { id } } } }`, map[string]any{"id": task}).data, "node.project.id").(string)
	tag := w.tag(t)
	w.must(t, v, "createTimeEntry", "timeEntry", map[string]any{
		"startedAt": "2026-03-02T08:00:00Z", "endedAt": "2026-03-02T09:00:00Z", "description": "Design",
		"projectId": project, "taskId": task, "tagIds": []string{tag}, "billable": true,
	})
	w.must(t, v, "createTimeEntry", "timeEntry", map[string]any{
		"startedAt": "2026-03-03T08:00:00Z", "endedAt": "2026-03-03T09:00:00Z", "description": "lunch", "billable": false,
	})
	tests := []struct {
		name   string
		filter map[string]any
		want   []string
	}{
		{"nothing", nil, []string{"lunch", "Design"}},
		{"period", map[string]any{"period": map[string]any{"from": "2026-03-03", "to": "2026-03-03"}}, []string{"lunch"}},
		{"user", map[string]any{"userIds": []string{w.userID(t, owner)}}, []string{"lunch", "Design"}},
		{"other user", map[string]any{"userIds": []string{w.userID(t, member)}}, nil},
		{"project", map[string]any{"projectIds": []string{project}}, []string{"Design"}},
		{"task", map[string]any{"taskIds": []string{task}}, []string{"Design"}},
		{"tag", map[string]any{"tagIds": []string{tag}}, []string{"Design"}},
		{"client", map[string]any{"clientIds": []string{w.client(t)}}, nil},
		{"billable", map[string]any{"billable": false}, []string{"lunch"}},
		{"text", map[string]any{"text": "design"}, []string{"Design"}},
		{"a wrong id", map[string]any{"projectIds": []string{"nonsense"}}, nil},
		{"another type's id", map[string]any{"projectIds": []string{tag}}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.query(t, v, `query($filter: EntryFilter) { timeEntries(filter: $filter, first: 10) { nodes { description } totalCount } }`,
				map[string]any{"filter": test.filter})
			if diff := cmp.Diff(test.want, names(got.data["timeEntries"], "description")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if total := at(got.data, "timeEntries.totalCount"); total != float64(len(test.want)) {
				t.Errorf("totalCount is %v, want %d", total, len(test.want))
			}
		})
	}
}

func TestTimesheetReport(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	project := w.must(t, v, "createProject", "project", map[string]any{"name": "Website"})
	w.must(t, v, "createTimeEntry", "timeEntry", map[string]any{"startedAt": "2026-03-02T08:00:00Z", "endedAt": "2026-03-02T09:00:00Z", "projectId": project})
	w.entry(t, w.people[member])
	document := `query($input: ReportInput!) { timesheetReport(input: $input) { truncated source asOf other { seconds } totals { exactSeconds entryCount }
		rows { key label totals { seconds } children { key label totals { seconds } children { label } } } } }`
	input := map[string]any{"period": map[string]any{"from": "2026-03-01", "to": "2026-03-31"}, "groupBy": []string{"PROJECT", "MONTH"}}
	got := w.query(t, v, document, map[string]any{"input": input})
	want := map[string]any{
		"timesheetReport.totals.exactSeconds":              7200.0,
		"timesheetReport.totals.entryCount":                2.0,
		"timesheetReport.truncated":                        false,
		"timesheetReport.source":                           "ROLLUP",
		"timesheetReport.other":                            nil,
		"timesheetReport.rows.0.children.0.label":          "2026-03",
		"timesheetReport.rows.0.children.0.children":       nil,
		"timesheetReport.rows.0.totals.seconds":            3600.0,
		"timesheetReport.rows.1.children.0.totals.seconds": 3600.0,
		"timesheetReport.rows.0.key":                       project,
	}
	for path, value := range want {
		if at(got.data, path) != value {
			t.Errorf("%s is %v, want %v", path, at(got.data, path), value)
		}
	}
	if _, err := time.Parse(time.RFC3339, at(got.data, "timesheetReport.asOf").(string)); err != nil {
		t.Error(err)
	}
	own := w.query(t, w.people[member], document, map[string]any{"input": input})
	if at(own.data, "timesheetReport.totals.exactSeconds") != 3600.0 {
		t.Errorf("a member reports %v seconds, want their own 3600", at(own.data, "timesheetReport.totals.exactSeconds"))
	}
	for name, change := range map[string]any{
		"no key": []string{}, "four keys": []string{"DAY", "WEEK", "MONTH", "YEAR"}, "a key twice": []string{"DAY", "DAY"},
	} {
		input["groupBy"] = change
		if got := w.ask(t.Context(), &v, document, map[string]any{"input": input}); ruleOf(got.errors) != timesheet.CodeInvalid {
			t.Errorf("%s: got %v, want %s", name, got.errors, timesheet.CodeInvalid)
		}
	}
}
