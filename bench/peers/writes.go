package main

import (
	"fmt"
	"time"
)

// at is a moment before the data, another one in each run.
func at(n int) time.Time { return time.Date(2020, time.January, 1, 0, n, 0, 0, time.UTC) }

// projectOf is one of the few that somebody works on.
func projectOf(d *data, who person, n int) int64 {
	return d.projects[(int(who.key)*7+n%projectsAtOnce*13)%len(d.projects)]
}

func createEntry(w words, d *data, who person, n int) []message {
	from, to, description := at(n), at(n).Add(50*time.Second), "written by the benchmark"
	project := projectOf(d, who, n)
	return []message{map[words]message{
		ours: document(`mutation Create($input: CreateTimeEntryInput!) { createTimeEntry(input: $input) { timeEntry { `+shortFields+` } userErrors { code message } } }`,
			vars{"input": vars{"projectId": idOf(project), "startedAt": from, "endedAt": to, "description": description}}),
		textbook: document(`mutation Create($input: CreateTimeEntryInput!) { createTimeEntry(input: $input) { `+shortFields+` } }`,
			vars{"input": vars{"projectId": fmt.Sprint(project), "startedAt": from, "endedAt": to, "description": description}}),
		postgraphile: document(`mutation Create($project: BigInt!, $from: Datetime!, $to: Datetime!, $description: String!) { createTimeEntry: addEntry(input: {project: $project, startedAt: $from, endedAt: $to, description: $description}) { timeEntry: result { `+shortFieldsTable+` } } }`,
			vars{"project": fmt.Sprint(project), "from": from, "to": to, "description": description}),
		statement: plain("create", project, from, to, description),
	}[w]}
}

func timer(w words, d *data, who person, n int) []message {
	from, to, description := at(n), at(n).Add(50*time.Second), "timed by the benchmark"
	project := projectOf(d, who, n)
	return map[words][]message{
		ours: {
			document(`mutation Start($input: StartTimerInput!) { startTimer(input: $input) { timeEntry { `+shortFields+` } userErrors { code message } } }`,
				vars{"input": vars{"projectId": idOf(project), "startedAt": from, "description": description}}),
			document(`mutation Stop($input: StopTimerInput!) { stopTimer(input: $input) { timeEntry { `+shortFields+` } userErrors { code message } } }`, vars{"input": vars{"endedAt": to}}),
		},
		textbook: {
			document(`mutation Start($input: StartTimerInput!) { startTimer(input: $input) { `+shortFields+` } }`,
				vars{"input": vars{"projectId": fmt.Sprint(project), "startedAt": from, "description": description}}),
			document(`mutation Stop($at: Time!) { stopTimer(endedAt: $at) { `+shortFields+` } }`, vars{"at": to}),
		},
		postgraphile: {
			document(`mutation Start($project: BigInt!, $from: Datetime!, $description: String!) { startTimer(input: {project: $project, at: $from, description: $description}) { timeEntry: result { `+shortFieldsTable+` } } }`,
				vars{"project": fmt.Sprint(project), "from": from, "description": description}),
			document(`mutation Stop($at: Datetime!) { stopTimer(input: {at: $at}) { timeEntry: result { `+shortFieldsTable+` } } }`, vars{"at": to}),
		},
		statement: {plain("start", project, from, description), plain("stop", to)},
	}[w]
}
