package loadtest

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// The operations that every scenario may name: what the web app and the iPhone app
// ask for all day, and the reports that a manager asks for now and then. Where an answer holds what others
// must not see, it is asked whom it is for.
var (
	myDay = &Operation{Name: "MyDay", Class: ClassInteractive, Root: "myDay", Document: `query MyDay {
  viewer { user { id } workspace { id } }
  myDay {
    day truncated
    totals { seconds entryCount }
    entries { id startedAt endedAt seconds description billable project { id name client { id name } } task { id name } }
    running { id startedAt }
  }
}`}

	running = &Operation{Name: "Running", Class: ClassInteractive, Document: `query Running {
  runningTimer { id startedAt description project { id name } }
}`}

	page = &Operation{Name: "Page", Class: ClassInteractive, Root: "timeEntries", Document: `query Page($first: Int!, $after: String) {
  viewer { user { id } workspace { id } }
  timeEntries(first: $first, after: $after) {
    nodes { id day seconds description user { id name } project { id name } }
    pageInfo { hasNextPage endCursor }
  }
}`, Variables: func(rng *rand.Rand, _ *scene, _ *User) map[string]any {
		return map[string]any{"first": 10 + 10*rng.IntN(2)}
	}}

	projects = &Operation{Name: "Projects", Class: ClassInteractive, Root: "projects", Document: `query Projects {
  projects(first: 50) { nodes { id name client { id name } } }
}`}

	start = &Operation{Name: "Start", Class: ClassInteractive, Root: "startTimer", Roles: writers, Document: `mutation Start($input: StartTimerInput!) {
  startTimer(input: $input) { timeEntry { id } stopped { id } userErrors { field code message } }
}`, Variables: func(rng *rand.Rand, _ *scene, user *User) map[string]any {
		return input(work(rng, user))
	}}

	stop = &Operation{Name: "Stop", Class: ClassInteractive, Root: "stopTimer", Roles: writers, Document: `mutation Stop {
  stopTimer(input: {}) { timeEntry { id seconds } userErrors { code message } }
}`}

	create = &Operation{Name: "Create", Class: ClassInteractive, Root: "createTimeEntry", Roles: writers, Document: `mutation Create($input: CreateTimeEntryInput!) {
  createTimeEntry(input: $input) { timeEntry { id } userErrors { field code message } }
}`, Variables: func(rng *rand.Rand, s *scene, user *User) map[string]any {
		fields := work(rng, user)
		began := s.last.Add(-time.Duration(rng.IntN(30*24*60)) * time.Minute)
		fields["startedAt"] = began.Format(time.RFC3339)
		fields["endedAt"] = began.Add(time.Duration(5+rng.IntN(115)) * time.Minute).Format(time.RFC3339)
		return input(fields)
	}}

	monthReport = &Operation{Name: "MonthReport", Class: ClassReport, Root: "timesheetReport", Document: `query MonthReport($input: ReportInput!) {
  viewer { user { id } workspace { id } }
  timesheetReport(input: $input) { rows { key label totals { seconds } } totals { seconds entryCount } truncated source asOf }
}`, Variables: func(rng *rand.Rand, s *scene, _ *User) map[string]any {
		return reportInput(rng, s, 30, 50, "PROJECT")
	}}

	yearsReport = &Operation{Name: "YearsReport", Class: ClassReport, Root: "timesheetReport", Roles: reporters, Document: `query YearsReport($input: ReportInput!) {
  viewer { user { id } workspace { id } }
  timesheetReport(input: $input) { rows { key label totals { seconds amounts { minor currency } } } totals { seconds entryCount } truncated source asOf }
}`, Variables: func(rng *rand.Rand, s *scene, _ *User) map[string]any {
		return reportInput(rng, s, 3*365, 1000, "PROJECT", "USER", "MONTH")
	}}

	writers   = []string{"owner", "admin", "manager", "member"}
	reporters = []string{"owner", "admin", "manager"}
)

// catalog is all of them.
var catalog = []*Operation{myDay, running, page, projects, start, stop, create, monthReport, yearsReport}

func input(fields map[string]any) map[string]any { return map[string]any{"input": fields} }

// work draws what a person says they are doing.
func work(rng *rand.Rand, user *User) map[string]any {
	tasks := [...]string{"Review", "Design", "Call with the client", "Bug hunt", "Planning", "Documentation"}
	fields := map[string]any{
		"description": fmt.Sprintf("%s %d", tasks[rng.IntN(len(tasks))], rng.IntN(1000)),
		"billable":    rng.IntN(4) > 0,
	}
	if n := len(user.projects); n > 0 {
		fields["projectId"] = user.projects[rng.IntN(n)]
	}
	return fields
}

// reportInput asks for a period of the given days. Its ends are drawn, so that
// no cache of answers can take the work off the database.
func reportInput(rng *rand.Rand, s *scene, days, maxRows int, groupBy ...string) map[string]any {
	to := s.last.AddDate(0, 0, -rng.IntN(7))
	from := to.AddDate(0, 0, -days-rng.IntN(30))
	return input(map[string]any{
		"period":  map[string]any{"from": from.Format(time.DateOnly), "to": to.Format(time.DateOnly)},
		"groupBy": groupBy,
		"maxRows": maxRows,
	})
}
