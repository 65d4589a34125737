package main

import (
	"fmt"
	"strings"
	"time"
)

// rowsOf is how many rows a report may have: another number in each run, so
// that none is given again from memory.
func rowsOf(n int) int { return 500 + n%9000 }

func month(w words, _ *data, _ person, n int) []message {
	first := time.Date(2022, time.January+time.Month(n%48), 1, 0, 0, 0, 0, time.UTC)
	from, to := first.Format(time.DateOnly), first.AddDate(0, 1, -1).Format(time.DateOnly)
	report := `query Month($from: String!, $to: String!) { monthByProject(from: $from, to: $to) { project seconds } }`
	return []message{map[words]message{
		ours: document(`query Month($input: ReportInput!) { timesheetReport(input: $input) { rows { label totals { exactSeconds } } } }`,
			vars{"input": vars{"period": vars{"from": from, "to": to}, "groupBy": []string{"PROJECT"}, "maxRows": rowsOf(n)}}),
		textbook:     document(report, vars{"from": from, "to": to}),
		postgraphile: document(`query Month($from: Date!, $to: Date!) { monthByProject: monthByProjectList(from: $from, to: $to) { project seconds } }`, vars{"from": from, "to": to}),
		statement:    plain("month", from, to),
		ownTables:    plain("own-month", from, to),
	}[w]}
}

// year asks for the first 500 rows and some, of tens of thousands.
func year(w words, _ *data, _ person, n int) []message {
	from, to := fmt.Sprintf("%d-01-01", 2022+n%4), fmt.Sprintf("%d-12-31", 2022+n%4)
	rows := 500 + n%211 // with the years 844 reports, so that none is kept from before
	return []message{map[words]message{
		ours: document(`query Year($input: ReportInput!) { timesheetReport(input: $input) { rows { label children { label children { label totals { exactSeconds } } } } } }`,
			vars{"input": vars{"period": vars{"from": from, "to": to}, "groupBy": []string{"PROJECT", "USER", "WEEK"}, "maxRows": rows}}),
		textbook: document(`query Year($from: String!, $to: String!, $first: Int!) { yearByWeek(from: $from, to: $to, first: $first) { project user week seconds } }`,
			vars{"from": from, "to": to, "first": rows}),
		postgraphile: document(`query Year($from: Date!, $to: Date!, $n: Int!) { yearByWeek: yearByWeekList(from: $from, to: $to, n: $n) { project user week seconds } }`,
			vars{"from": from, "to": to, "n": rows}),
		statement: plain("year", from, to, rows),
		ownTables: plain("own-year", from, to, rows),
	}[w]}
}

// flatReport are the rows of a report, nested or not.
func flatReport(answer any) (facts []string) {
	fields, _ := answer.(map[string]any)
	for _, report := range fields {
		if nested, ok := report.(map[string]any); ok {
			return flatRows("", nested["rows"])
		}
		rows, _ := report.([]any)
		for _, row := range rows {
			cells, _ := row.(map[string]any)
			var fact strings.Builder
			for _, name := range []string{"project", "user", "week"} {
				if cells[name] != nil {
					fact.WriteString(fmt.Sprint(cells[name], "|"))
				}
			}
			facts = append(facts, fact.String()+plainly(cells["seconds"]))
		}
	}
	return facts
}

func flatRows(above string, rows any) (facts []string) {
	list, _ := rows.([]any)
	for _, row := range list {
		cells, _ := row.(map[string]any)
		label := above + fmt.Sprint(cells["label"], "|")
		if cells["children"] != nil {
			facts = append(facts, flatRows(label, cells["children"])...)
			continue
		}
		totals, _ := cells["totals"].(map[string]any)
		facts = append(facts, label+plainly(totals["exactSeconds"]))
	}
	return facts
}
